//! What a terraform command came to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::failure::FailureReason;
use crate::domain::record::ChangeCounts;

use super::diagnose::{LockInfo, TfDiagnostic};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Made.
    Create,
    /// Changed in place.
    Update,
    /// Destroyed and made again, in either order.
    Replace,
    /// Destroyed.
    Delete,
    /// A data source, read.
    Read,
    /// Given another address in the state.
    Move,
    /// Taken into the state.
    Import,
    /// Taken out of the state, not destroyed.
    #[serde(alias = "remove")]
    Forget,
    /// Nothing.
    NoOp,
    /// Something that a later terraform knows. Whoever guards against loss takes it as dangerous.
    #[serde(other)]
    Other,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Move => "move",
            Self::Import => "import",
            Self::Forget => "forget",
            Self::NoOp => "leave",
            Self::Other => "do something unknown to",
        })
    }
}

/// What a plan does to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// Its address.
    pub address: String,
    /// What is done.
    pub action: Action,
    /// Why, in terraform's words, such as `cannot_update` or `tainted`.
    pub reason: Option<String>,
    /// Where it was before, if it moved.
    pub previous_address: Option<String>,
    /// Whether it is taken into the state by this plan.
    pub imported: bool,
}

/// A plan that was made and stands in the root's plan file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Whether applying it would change anything: resources, outputs or the state.
    pub changed: bool,
    /// The changes, in address order.
    pub resources: Vec<ResourceChange>,
    /// The changes, counted by terraform; a replacement counts as one made and one destroyed.
    pub counts: ChangeCounts,
    /// What changed outside of terraform, in address order.
    pub drift: Vec<ResourceChange>,
    /// The addresses of the managed resources that the prior state held. None, where an applied record has resources, means that
    /// the state is missing.
    pub prior: BTreeSet<String>,
    /// The warnings.
    pub warnings: Vec<TfDiagnostic>,
}

/// An output of the root module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputValue {
    /// Whether terraform holds it for a secret.
    pub sensitive: bool,
    /// Its value; a sensitive one has none here.
    pub value: Option<Value>,
    /// Its terraform type in JSON, such as `"string"` or `["object", {"port": "number"}]`; null where none was said.
    pub type_: Value,
}

/// What was done to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedResource {
    /// Its address.
    pub address: String,
    /// What was done.
    pub action: Action,
    /// How long it took.
    pub elapsed: Duration,
}

/// What an apply did, whole or up to where it failed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// The root module's outputs, sensitive ones without their values; empty where the apply failed.
    pub outputs: BTreeMap<String, OutputValue>,
    /// What was done, counted.
    pub counts: ChangeCounts,
    /// What was done, in the order it ended.
    pub resources: Vec<AppliedResource>,
    /// The warnings.
    pub warnings: Vec<TfDiagnostic>,
}

/// A terraform command failed, or was interrupted.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which documented reason it is a case of.
    pub reason: FailureReason,
    /// What terraform said, errors first. At most 50 of each kind.
    pub diagnostics: Vec<TfDiagnostic>,
    /// Who holds the state lock, where that is why and terraform told.
    pub lock: Option<LockInfo>,
    /// Whether terraform was interrupted while it ran.
    pub interrupted: bool,
    /// The state that terraform could not save anywhere else. It holds secrets, and is the only copy.
    pub errored_state: Option<PathBuf>,
    /// What an apply did before it failed.
    pub applied: Applied,
    /// The last 20 lines that were no events.
    pub tail: Vec<String>,
}

impl Failure {
    /// A failure of this reason with nothing else known.
    pub(super) fn new(reason: FailureReason) -> Self {
        Self {
            reason,
            diagnostics: Vec::new(),
            lock: None,
            interrupted: false,
            errored_state: None,
            applied: Applied::default(),
            tail: Vec::new(),
        }
    }
}
