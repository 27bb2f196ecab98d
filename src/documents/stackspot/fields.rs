//! Mappings, read loosely: a wrong shape is reported and read on, and a field that nobody knows is a warning.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::plain;
use crate::documents::finding::{Finding, listed};
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::InputKind;

/// What is found on the way through a document.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What keeps the document from being read.
    pub(super) errors: Vec<Finding>,
    /// What has no effect here, and why.
    pub(super) warnings: Vec<Finding>,
}

impl Report {
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.errors.push(finding);
    }

    pub(super) fn warn(&mut self, finding: Finding) {
        self.warnings.push(finding);
    }

    /// What was read and the warnings, unless anything was refused.
    pub(super) fn result<T>(self, read: Option<T>) -> Result<(T, Vec<Finding>), Vec<Finding>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok((read, self.warnings)),
            _ => Err(self.errors),
        }
    }
}

/// A mapping with the way to it.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    pub(super) at: Pointer,
}

impl<'a> Fields<'a> {
    /// The mapping that `value` is; an empty one, and an error unless it is null, where it is none.
    pub(super) fn of(value: &'a Value, at: Pointer, report: &mut Report) -> Self {
        if !value.is_object() && !value.is_null() {
            report.refuse(Finding::new(at.clone(), format!("{} must be a mapping", called(&at))).label("not a mapping"));
        }
        Self { map: value.as_object(), at }
    }

    /// The way to a field.
    pub(super) fn place(&self, name: &str) -> Pointer {
        self.at.clone().key(name)
    }

    /// A field's value; none where it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name).filter(|value| !value.is_null())
    }

    /// Every field, in the order of names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.map.into_iter().flatten()
    }

    /// A plain value as text.
    pub(super) fn text(&self, name: &str, report: &mut Report) -> Option<String> {
        let value = self.get(name)?;
        let text = plain::text(value);
        if text.is_none() {
            report.refuse(Finding::new(self.place(name), format!("`{name}` must be a text")).label("not a text"));
        }
        text
    }

    /// A text that has to be there and say something.
    pub(super) fn needed(&self, name: &str, what: &str, report: &mut Report) -> Option<String> {
        let errors = report.errors.len();
        let text = self.text(name, report).filter(|text| !text.trim().is_empty());
        if text.is_none() && report.errors.len() == errors {
            let message = format!("{what} has no `{name}`");
            report.refuse(Finding::new(self.at.clone(), message).label(format!("`{name}` is missing")));
        }
        text
    }

    /// Whether it says yes.
    pub(super) fn flag(&self, name: &str, report: &mut Report) -> Option<bool> {
        let meant = InputKind::Bool.taken(self.get(name)?).as_bool();
        if meant.is_none() {
            report.refuse(Finding::new(self.place(name), format!("`{name}` must be true or false")));
        }
        meant
    }

    /// The entries of a list with their places; of what is no list, that alone, unless it is empty.
    pub(super) fn list(&self, name: &str) -> Vec<(Pointer, &'a Value)> {
        let at = self.place(name);
        match self.get(name) {
            None => Vec::new(),
            Some(Value::Object(entries)) if entries.is_empty() => Vec::new(),
            Some(Value::Array(items)) => items.iter().enumerate().map(|(index, item)| (at.clone().index(index), item)).collect(),
            Some(single) => vec![(at, single)],
        }
    }

    /// The mapping under a field; empty where there is none.
    pub(super) fn below(&self, name: &str, report: &mut Report) -> Self {
        Self::of(self.get(name).unwrap_or(&Value::Null), self.place(name), report)
    }

    /// Refuses a schema whose version is not one of `known`.
    pub(super) fn only_versions(&self, known: &[&str], what: &str, report: &mut Report) {
        let field = if self.get("schema-version").is_some() { "schema-version" } else { "schemaVersion" };
        let Some(written) = self.text(field, report) else { return };
        let version = format!("v{}", written.trim().trim_start_matches(['v', 'V']));
        if !known.contains(&version.as_str()) {
            let message = format!("the schema `{written}` of StackSpot {what} is not known");
            report.refuse(Finding::new(self.place(field), message).note(format!("there is {}", listed(known.iter().copied()))));
        }
    }

    /// Warns of every field that is not one of `known`.
    pub(super) fn only(&self, known: &[&str], report: &mut Report) {
        let known_names: BTreeSet<&str> = known.iter().copied().collect();
        for (name, _) in self.entries().filter(|(name, _)| !known_names.contains(name.as_str())) {
            let message = format!("`{name}` is not a field that is known here, and has no effect");
            let finding = Finding::new(self.place(name).at_key(), message).label("not known");
            report.warn(finding.suggest(name, known.iter().copied()));
        }
    }
}

fn called(at: &Pointer) -> String {
    if at.segments.is_empty() { "the document".to_owned() } else { format!("`{at}`") }
}
