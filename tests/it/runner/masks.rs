//! What must not be seen in a log: values, their lines, and the forms that programs write them in.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

/// Kinds of text that the server masks whether it was told or not: tokens that are JSON, those of requests, those of GitHub,
/// and addresses of databases with a password in them. The server's own expressions are not known; these are like them.
const HINTS: &[&str] = &[
    r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    r"(?i)\bauthorization:\s*(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}",
    r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b",
    r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s:/@]+@\S+",
    r"(?i)\b(password|accountkey|sharedaccesskey)=[^;\s]{4,}",
];

/// What `encodeURIComponent` leaves alone.
const URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The masks of a job. There are only ever more of them.
#[derive(Debug)]
pub(crate) struct Masks {
    values: BTreeSet<String>,
    hints: Vec<Regex>,
}

impl Masks {
    pub(crate) fn new() -> Self {
        Self { values: BTreeSet::new(), hints: HINTS.iter().map(|hint| Regex::new(hint).unwrap()).collect() }
    }

    /// Masks a value as a whole and each of its lines. False where there is nothing to mask.
    pub(crate) fn add(&mut self, value: &str) -> bool {
        let mut lines: Vec<&str> = value.split(['\r', '\n']).map(str::trim).collect();
        lines.push(value);
        lines.retain(|line| !line.trim().is_empty());
        for line in &lines {
            self.values.extend(forms(line));
        }
        !lines.is_empty()
    }

    /// The text as a person sees it.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut hidden = vec![false; text.len()];
        for value in &self.values {
            // Overlapping occurrences count, too.
            let mut from = 0;
            while let Some(at) = text[from..].find(value.as_str()).map(|at| from + at) {
                hidden[at..at + value.len()].fill(true);
                from = at + text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        for found in self.hints.iter().flat_map(|hint| hint.find_iter(text)) {
            hidden[found.range()].fill(true);
        }
        shown(text, &hidden)
    }
}

/// The text with three stars for each run of hidden bytes.
fn shown(text: &str, hidden: &[bool]) -> String {
    let mut shown = String::new();
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        match (hidden[at], was_hidden) {
            (true, false) => shown.push_str("***"),
            (true, true) => {}
            (false, _) => shown.push(character),
        }
        was_hidden = hidden[at];
    }
    shown
}

/// A value in the forms that it is looked for in.
fn forms(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap();
    let mut forms = vec![
        value.to_owned(),
        json[1..json.len() - 1].to_owned(),
        value.replace('"', "\\\""),
        value.replace('\'', "''"),
        utf8_percent_encode(value, URI).to_string(),
        xml(value),
    ];
    // In base64 a value looks different with every number of bytes before it.
    forms.extend((0..3).filter_map(|shift| value.as_bytes().get(shift..)).map(|rest| STANDARD.encode(rest)));
    let bare = value.trim_matches('"');
    if bare.len() > 8 {
        forms.push(bare.to_owned());
    }
    forms.retain(|form| !form.is_empty());
    forms
}

fn xml(value: &str) -> String {
    let escapes = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&apos;")];
    escapes.iter().fold(value.to_owned(), |text, (plain, escape)| text.replace(plain, escape))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::Masks;

    fn masking(values: &[&str]) -> Masks {
        let mut masks = Masks::new();
        for value in values {
            masks.add(value);
        }
        masks
    }

    #[test]
    fn a_value_its_lines_and_its_forms() {
        let masks = masking(&["p<4ss \"w'rd\n  second line \n"]);
        assert_eq!(masks.apply("a p<4ss \"w'rd b"), "a *** b");
        assert_eq!(masks.apply("second line"), "***");
        assert_eq!(masks.apply(r#"{"k":"p<4ss \"w'rd"}"#), r#"{"k":"***"}"#);
        assert_eq!(masks.apply("p%3C4ss%20%22w%27rd"), "***");
        assert_eq!(masks.apply("p&lt;4ss &quot;w&apos;rd"), "***");
        assert_eq!(masks.apply(&STANDARD.encode("second line")), "***");
    }

    #[test]
    fn overlapping_masks_are_one() {
        let masks = masking(&["abcd", "cdef"]);
        assert_eq!(masks.apply("xabcdefx abcdcdef"), "x***x ***");
    }

    #[test]
    fn nothing_is_no_mask() {
        let mut masks = Masks::new();
        assert!(!masks.add(" \r\n "));
        assert_eq!(masks.apply("a b"), "a b");
    }

    #[test]
    fn tokens_and_connection_strings_are_masked_unasked() {
        let masks = Masks::new();
        for text in [
            "postgres://app:secret@db.internal:5432/x",
            "ghs_0123456789012345678901234567890123456789",
            "Authorization: Bearer abcdefgh12345",
        ] {
            assert_eq!(masks.apply(text), "***", "{text}");
        }
        assert_eq!(masks.apply("https://shop.acme.test/x"), "https://shop.acme.test/x");
    }
}
