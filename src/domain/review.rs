//! What a change of the documents does, one thing at a time.

use serde::Serialize;

use super::address::Address;
use super::diagnostic::{Pointer, Problems};
use super::failure::FailureReason;
use super::names::{EnvironmentName, TypeName, WorkspaceName};

/// What something does, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It must not be merged.
    Refused,
    /// Somebody's next plan is refused by it.
    Breaks,
    /// Somebody's next deploy takes something else.
    Repoints,
    /// It lets somebody do what they could not.
    Allows,
    /// Something else is different.
    Changes,
}

impl Effect {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Breaks => "breaks",
            Self::Repoints => "repoints",
            Self::Allows => "allows",
            Self::Changes => "changes",
        }
    }
}

/// A document of the context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// `context.yaml`.
    Context,
    /// `catalog.yaml`.
    Catalog,
    /// A version of a connection interface type.
    Type(TypeName, semver::Version),
    /// A workspace.
    Workspace(WorkspaceName),
    /// An environment.
    Environment(WorkspaceName, EnvironmentName),
    /// An imported connection.
    Imported(Address),
    /// A policy, by its path.
    Policy(String),
}

/// One thing that a change does.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it does.
    pub effect: Effect,
    /// The document that is changed.
    pub document: Document,
    /// Where in it, as it is to be.
    pub at: Pointer,
    /// What a later command would be refused for, or the change is.
    pub reason: FailureReason,
    /// What happens: lower case, values in backticks, no final period.
    pub message: String,
    /// Whom it happens to, one a line.
    pub affected: Vec<String>,
    /// What to do instead, or next.
    pub help: Option<&'static str>,
}

impl Finding {
    /// Something that happens at this place.
    pub fn new(effect: Effect, document: Document, at: Pointer, message: impl Into<String>) -> Self {
        let (reason, message) = (FailureReason::InvalidDocument, message.into());
        Self { effect, document, at, reason, message, affected: Vec::new(), help: None }
    }

    /// Sets the reason.
    #[must_use]
    pub fn because(self, reason: FailureReason) -> Self {
        Self { reason, ..self }
    }

    /// Sets whom it happens to.
    #[must_use]
    pub fn affecting(self, affected: impl IntoIterator<Item = String>) -> Self {
        Self { affected: affected.into_iter().collect(), ..self }
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}

/// A finding with the place that people know.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The finding.
    pub finding: Finding,
    /// The file, from the working directory.
    pub file: String,
    /// The line in it, where it is still there.
    pub line: Option<usize>,
}

/// A change of the documents and all that it does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// How many documents it changes.
    pub documents: usize,
    /// What it does, the gravest first.
    pub findings: Vec<Located>,
    /// What must not be merged of it.
    pub problems: Problems,
}
