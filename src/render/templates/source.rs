//! The templates of a plugin as they are, and the texts that stand literally in them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::table::has_token;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Templates;

/// The filter that every captured text goes through.
pub(super) const CAPTURED: &str = "tieline_captured";

/// A template whose `{% set name %}` blocks put what they capture through [`CAPTURED`].
pub(super) fn with_captures(template: &str) -> Cow<'_, str> {
    let mut changed = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("{%") {
        let Some(length) = rest[at..].find("%}") else { break };
        let tag = &rest[at + 2..at + length];
        let words: Vec<&str> = tag.trim_matches(['-', '+']).split_whitespace().collect();
        match words[..] {
            ["raw", ..] => return Cow::Borrowed(template),
            ["set", name] if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                let end = at + length - usize::from(tag.ends_with(['-', '+']));
                changed.extend([&rest[..end], " | ", CAPTURED, " ", &rest[end..at + length + 2]]);
            }
            _ => changed.push_str(&rest[..at + length + 2]),
        }
        rest = &rest[at + length + 2..];
    }
    Cow::Owned(changed + rest)
}

/// A plugin's templates.
#[derive(Debug, Default)]
pub(super) struct Sources<'a> {
    /// Texts, by their path in the templates' folder.
    pub(super) texts: BTreeMap<&'a str, &'a str>,
    /// What is no text.
    pub(super) bytes: BTreeMap<&'a str, &'a [u8]>,
    /// The texts that stand literally in the templates' expressions.
    pub(super) literals: BTreeSet<String>,
}

impl<'a> Sources<'a> {
    /// Those in the files of a plugin.
    pub(super) fn of(templates: &'a Templates, files: &BTreeMap<&'a str, &'a [u8]>) -> Result<Self, Problems> {
        let mut sources = Self::default();
        let mut problems = Problems::default();
        for (path, bytes) in files {
            let Some(inside) = inside(path, &templates.folder) else { continue };
            let text = std::str::from_utf8(bytes).ok();
            if has_token(path) || text.is_some_and(has_token) {
                let message = format!("`{path}` has characters of a private area (U+F8F0 to U+F8F2)");
                problems.push(Diagnostic::error(FailureReason::InvalidDocument, message).in_file(*path).help("take them out"));
            }
            collect(path, &mut sources.literals);
            match text {
                Some(text) => {
                    collect(text, &mut sources.literals);
                    sources.texts.insert(inside, text);
                }
                None => _ = sources.bytes.insert(inside, bytes),
            }
        }
        let computed = templates.computed.iter().chain(&templates.global_computed).map(|(_, text)| text);
        for text in computed.chain(templates.links.iter().map(|link| &link.url)) {
            if has_token(text) {
                let message = "a template of the document has characters of a private area (U+F8F0 to U+F8F2)";
                problems.push(Diagnostic::error(FailureReason::InvalidDocument, message).help("take them out"));
            }
            collect(text, &mut sources.literals);
        }
        if problems.any_error() { Err(problems) } else { Ok(sources) }
    }
}

fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// The texts in quotes inside of `{{ … }}` and `{% … %}`.
fn collect(source: &str, literals: &mut BTreeSet<String>) {
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        rest = &rest[at + 2..];
        loop {
            let Some(at) = rest.find(['"', '\'', '}']) else { return };
            let found = rest.as_bytes().get(at).copied();
            let before = at.checked_sub(1).and_then(|before| rest.as_bytes().get(before)).copied();
            rest = &rest[at + 1..];
            match found {
                Some(b'}') if before == Some(b'%') || rest.starts_with('}') => break,
                Some(b'}') => {}
                Some(quote) => rest = literal(rest, char::from(quote), literals),
                None => return,
            }
        }
    }
}

/// Reads a text up to its closing quote, and gives what follows.
fn literal<'a>(rest: &'a str, quote: char, literals: &mut BTreeSet<String>) -> &'a str {
    let mut text = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => {}
            },
            end if end == quote => break,
            other => text.push(other),
        }
    }
    literals.insert(text);
    characters.as_str()
}
