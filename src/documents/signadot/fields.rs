//! Fields of a document that nobody checked: what is there, what is missing, what nobody knows.

use serde_json::{Map, Value};

use crate::documents::finding::{Finding, listed};
use crate::domain::diagnostic::Pointer;

/// What was found wrong, and what has no effect.
#[derive(Default)]
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

impl Found {
    pub(super) fn wrong(&mut self, at: Pointer, message: impl Into<String>, help: &str) {
        self.findings.push(Finding::new(at, message).help(help));
    }

    /// A mapping; nothing where there is something else, which is said.
    pub(super) fn mapping<'a>(&mut self, value: &'a Value, at: &Pointer) -> Option<&'a Map<String, Value>> {
        let mapping = value.as_object();
        if mapping.is_none() {
            self.findings.push(Finding::new(at.clone(), format!("`{at}` must be a mapping")));
        }
        mapping
    }

    /// The entries of a list that may be missing.
    pub(super) fn list<'a>(&mut self, fields: &'a Map<String, Value>, key: &str, at: &Pointer) -> &'a [Value] {
        match fields.get(key) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                let at = at.clone().key(key);
                self.findings.push(Finding::new(at.clone(), format!("`{at}` must be a list")));
                &[]
            }
        }
    }

    /// A text, or another scalar as one; none where it is missing.
    pub(super) fn text(&mut self, fields: &Map<String, Value>, key: &str, at: &Pointer) -> Option<String> {
        match fields.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            value @ (Value::Bool(_) | Value::Number(_)) => Some(value.to_string()),
            Value::Array(_) | Value::Object(_) => {
                let at = at.clone().key(key);
                self.findings.push(Finding::new(at.clone(), format!("`{at}` must be a text")));
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn needed(&mut self, fields: &Map<String, Value>, key: &str, at: &Pointer) -> Option<String> {
        let said = self.findings.len();
        let text = self.text(fields, key, at).filter(|text| !text.trim().is_empty());
        if text.is_none() && self.findings.len() == said {
            let whose = if at.segments.is_empty() { "the document".to_owned() } else { format!("`{at}`") };
            self.findings.push(Finding::new(at.clone(), format!("{whose} has no `{key}`")).label("something is missing here"));
        }
        text
    }

    /// Fields that nobody reads.
    pub(super) fn only(&mut self, fields: &Map<String, Value>, known: &[&str], at: &Pointer) {
        for field in fields.keys().filter(|field| !known.contains(&field.as_str())) {
            let at = at.clone().key(field).at_key();
            self.warnings.push(
                Finding::new(at, format!("the field `{field}` has no effect"))
                    .note(format!("known fields here: {}", listed(known.iter().copied()))),
            );
        }
    }
}
