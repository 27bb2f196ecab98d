//! A problem as a person needs it: what failed, where, why, and what to do next.

use serde::{Deserialize, Serialize};

use super::failure::{FailureKind, FailureReason};

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing goes on.
    Error,
    /// Worth reading; the run goes on.
    Warning,
}

/// One step of the way to a value inside a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// Which part of an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Part {
    /// The value.
    #[default]
    Value,
    /// The key.
    Key,
}

/// A way into a document, from its root. Domain code names places this way; only drawing an error turns it into line and column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Pointer {
    /// The steps from the root.
    pub segments: Vec<Segment>,
    /// Key or value of the entry it ends at.
    pub part: Part,
}

impl Pointer {
    /// The value reached through these keys.
    pub fn keys<const N: usize>(keys: [&str; N]) -> Self {
        Self { segments: keys.iter().map(|key| Segment::Key((*key).to_owned())).collect(), part: Part::Value }
    }

    /// One key further.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.segments.push(Segment::Key(key.into()));
        self
    }

    /// One list place further.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.segments.push(Segment::Index(index));
        self
    }

    /// The key of the entry instead of its value.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.part = Part::Key;
        self
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Where in which file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The file, as people know it: a path from the working directory, or `context:<path>` for a document of the context.
    pub file: String,
    /// The way to the value in it.
    pub at: Spot,
}

/// How an [`Origin`] names its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Spot {
    /// The whole file.
    File,
    /// A value, found by its way from the root.
    Pointer(Pointer),
    /// A line and column, both from 1.
    Line {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// Which documented reason it is a case of.
    pub reason: FailureReason,
    /// What failed and on what: lower case, values in backticks, no final period.
    pub message: String,
    /// Where it is, in the caller's own file where there is such a place.
    pub origin: Option<Origin>,
    /// A few words drawn beside the place.
    pub label: String,
    /// Why: further facts, one a line.
    pub notes: Vec<String>,
    /// What to do next, in the imperative.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error of this reason.
    pub fn error(reason: FailureReason, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            reason,
            message: message.into(),
            origin: None,
            label: String::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning; the reason says what it would be a case of.
    pub fn warning(reason: FailureReason, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(reason, message) }
    }

    /// The same, as something that stops nothing.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Sets the place, by a way into a document.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, pointer: Pointer) -> Self {
        self.origin = Some(Origin { file: file.into(), at: Spot::Pointer(pointer) });
        self
    }

    /// Sets the place to a whole file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.origin = Some(Origin { file: file.into(), at: Spot::File });
        self
    }

    /// Sets the place, by line and column.
    #[must_use]
    pub fn at_line(mut self, file: impl Into<String>, line: usize, column: usize) -> Self {
        self.origin = Some(Origin { file: file.into(), at: Spot::Line { line, column } });
        self
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
}

/// Problems gathered on the way, so that all of them are reported at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problems(pub Vec<Diagnostic>);

impl Problems {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds those of another gathering.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The same with every text put through `change`; places stay as they are, for programs look them up.
    #[must_use]
    pub fn with_texts(self, change: &dyn Fn(&str) -> String) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| change(text)).collect();
        let problems = self.0.into_iter().map(|problem| Diagnostic {
            message: change(&problem.message),
            label: change(&problem.label),
            notes: all(problem.notes),
            help: all(problem.help),
            ..problem
        });
        Self(problems.collect())
    }

    /// What a run with these problems ended for: the first error, but a cancel outweighs what it caused. None where nothing failed.
    pub fn cause(&self) -> Option<&Diagnostic> {
        let errors = || self.0.iter().filter(|problem| problem.severity == Severity::Error);
        errors().find(|problem| problem.reason.kind() == FailureKind::Aborted).or_else(|| errors().next())
    }

    /// Whether any of them stops the run.
    pub fn any_error(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl From<Box<Diagnostic>> for Problems {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        (*diagnostic).into()
    }
}

impl From<Diagnostic> for Problems {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}
