//! A problem found in one document or value, before it is said which file that is.

use crate::domain::diagnostic::{Diagnostic, Pointer};
use crate::domain::failure::FailureReason;

/// A problem with its place below the value that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The way to it.
    pub pointer: Pointer,
    /// What is wrong: lower case, values in backticks, no final period.
    pub message: String,
    /// A few words drawn beside the place.
    pub label: String,
    /// Further facts.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

impl Finding {
    /// A problem at this place.
    pub fn new(pointer: Pointer, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into(), label: String::new(), notes: Vec::new(), help: Vec::new() }
    }

    /// Sets the words beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds something to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Asks whether the nearest of `names` was meant, if one is near.
    #[must_use]
    pub fn suggest<'a>(self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match crate::domain::nearest::nearest(wrong, names) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same problem one level further out: `base` leads to the value that was looked at.
    #[must_use]
    pub fn below(mut self, base: &Pointer) -> Self {
        self.pointer.segments.splice(0..0, base.segments.iter().cloned());
        self
    }

    /// The problem as one of `file`, for this reason.
    pub fn into_diagnostic(self, file: &str, reason: FailureReason) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(reason, self.message).at(file, self.pointer).label(self.label);
        diagnostic.notes = self.notes;
        diagnostic.help = self.help;
        diagnostic
    }
}

/// Names in backticks, for messages; of very many only the first.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.get(..MOST) {
        Some(first) if names.len() > MOST => format!("{} and {} more", first.join(", "), names.len() - MOST),
        _ => names.join(", "),
    }
}
