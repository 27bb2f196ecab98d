//! A typed client of the terraform binary: finds it, asks its version once, builds its commands as values, reads its event
//! stream, and says what failed and why. It knows nothing of GitHub or of the context repository.
//!
//! What it never does: it never kills a terraform that may be writing state, never interrupts one twice, never repeats a plan or
//! an apply, never puts a value on a command line, and never starts a provider download beside another one.

mod client;
mod command;
mod diagnose;
mod environment;
mod event;
mod explain;
mod locate;
mod lock_file;
mod outcome;
mod providers;
mod state;
mod transcript;
mod version;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub use client::{ERRORED_STATE, Terraform};
pub use command::{BackendChange, Over, PlanMode};
pub use diagnose::{LockInfo, Snippet, TfDiagnostic};
pub use event::{Event, EventSink, LogLevel};
pub use explain::advice;
pub use locate::{Binary, locate};
pub use lock_file::{higher_locks, locked_versions};
pub use outcome::{Action, Applied, AppliedResource, Failure, OutputValue, Plan, ResourceChange};
pub use state::State;
pub use version::Flavour;

/// A generated root module, ready to be run.
#[derive(Clone)]
pub struct Root {
    /// Its folder. Terraform starts here; the plan file and the data directory stand here too.
    pub directory: PathBuf,
    /// Variables for this root alone, secret ones included; they win over those that are passed through. One without a value is
    /// not passed through.
    pub environment: BTreeMap<String, Option<String>>,
    /// A `.tfvars.json` file with sensitive inputs, readable by its owner alone.
    pub variable_file: Option<PathBuf>,
    /// The providers it needs.
    pub providers: ProviderNeeds,
}

/// The providers that a root module needs besides the built-in one: source addresses, with the version constraint behind a blank
/// where it is known. Roots with equal needs share what the first of them downloaded.
pub type ProviderNeeds = BTreeSet<String>;

/// What holds for every terraform process of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that all roots of this run share providers in, private to the run. The user's own takes its place.
    pub plugin_cache: PathBuf,
    /// How many resources one terraform works on at a time.
    pub terraform_parallelism: u32,
    /// How long to wait for a state lock that another holds.
    pub lock_timeout: Duration,
}
