//! Takes known secrets out of text.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;

use super::Secret;
use crate::domain::visible::visible;

/// Shorter secrets would blank ordinary words; they are kept out of text by construction instead.
const SHORTEST: usize = 4;

/// What stands where a secret stood.
const STARS: &str = "***";

/// Takes known secrets out of text, in clear and in their JSON-escaped, base64 and URL-encoded forms. Clones share what they
/// know.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Redactor {
    /// Learns `secret` and each of its lines.
    pub fn learn(&self, secret: &Secret) {
        self.learn_all(std::iter::once(secret));
    }

    /// Learns many at once, which costs no more than one.
    pub fn learn_all<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let Ok(mut known) = self.0.write() else {
            return;
        };
        let mut seen: HashSet<String> = known.forms.iter().cloned().collect();
        for secret in secrets {
            let text = secret.expose();
            let forms = std::iter::once(text).chain(text.lines().map(str::trim)).flat_map(forms_of);
            let fit = forms.filter(|form| worth_hiding(form));
            known.forms.extend(fit.filter(|form| seen.insert(form.clone())));
        }
        known.finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&known.forms).ok();
    }

    /// `text` with stars where secrets stood.
    pub fn redact(&self, text: &str) -> String {
        match self.0.read() {
            Ok(known) => match &known.finder {
                Some(finder) if !known.forms.is_empty() => finder.replace_all(text, &vec![STARS; known.forms.len()]),
                _ => text.to_owned(),
            },
            Err(_) => STARS.to_owned(),
        }
    }
}

/// Whether hiding a text wherever it appears does more good than harm: it is neither short nor a common word (R65).
pub fn worth_hiding(text: &str) -> bool {
    text.len() >= SHORTEST && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "none")
}

fn forms_of(text: &str) -> Vec<String> {
    let escaped = serde_json::Value::from(text).to_string();
    let mut forms = vec![
        text.to_owned(),
        escaped.trim_matches('"').to_owned(),
        // As the log shows it.
        visible(text),
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string(),
    ];
    // A secret inside a longer base64 text starts at one of three places within a group of four characters; what depends on its
    // neighbours is cut off.
    for shift in 0..3 {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(text.as_bytes());
        for engine in [base64::engine::general_purpose::STANDARD_NO_PAD, base64::engine::general_purpose::URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&bytes);
            let start = [0, 2, 3][shift];
            let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
            if let Some(stable) = encoded.get(start..end).filter(|stable| stable.len() >= 6) {
                forms.push(stable.to_owned());
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn r66_every_form_is_taken_out() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("pa\"ss&wörd\nsecond-line"));
        for leak in [
            "x pa\"ss&wörd\nsecond-line y".to_owned(),
            serde_json::json!({"k": "pa\"ss&wörd\nsecond-line"}).to_string(),
            "only second-line here".to_owned(),
            visible("pa\"ss&wörd\nsecond-line"),
            "q=pa%22ss%26w%C3%B6rd".to_owned(),
        ] {
            let clean = redactor.redact(&leak);
            assert!(!clean.contains("second-line") && !clean.contains("ss&w") && !clean.contains("%26w"), "{clean}");
        }
    }

    #[test]
    fn r65_short_values_and_common_words_are_left() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("true"));
        redactor.learn(&Secret::new("abc"));
        assert_eq!(redactor.redact("true abc"), "true abc");
    }

    proptest! {
        #[test]
        fn r66_base64_of_any_surrounding_text_does_not_leak(before in "[ -~]{0,7}", after in "[ -~]{0,7}") {
            let redactor = Redactor::default();
            let secret = "canary-7f3a9c21";
            redactor.learn(&Secret::new(secret));
            let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{before}{secret}{after}"));
            prop_assert!(redactor.redact(&encoded).contains(STARS));
        }
    }
}
