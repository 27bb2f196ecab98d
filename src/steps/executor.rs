//! The seam to where scripts run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::docker::Docker;
use super::host::Host;
use super::kubernetes::Kubernetes;
use super::text::StepText;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::names::StepName;
use crate::domain::organization::StepRunner;
use crate::domain::step::{Runner, Step};
use crate::world::{Exit, Stream, World};

/// Takes the lines that a script writes, as they come.
pub type LineSink<'a> = &'a (dyn Fn(Stream, String) + Send + Sync);

/// One script with all that it is handed.
#[derive(Debug)]
pub struct StepJob<'a> {
    /// The step.
    pub step: &'a StepName,
    /// Its script.
    pub script: &'a str,
    /// Its variables: the documented ones and those that it declares. An executor adds only what it documents.
    pub env: BTreeMap<String, StepText>,
    /// Its files, by absolute path.
    pub files: BTreeMap<String, StepText>,
    /// The files that are wanted of it, by absolute path.
    pub outputs: BTreeSet<String>,
    /// The image, and what else its document says about where it runs.
    pub runner: &'a Runner,
    /// What marks whatever is made for it, so that leftovers can be found: name to value, both plain words.
    pub labels: BTreeMap<&'static str, String>,
}

/// What a script left.
pub struct StepLeft {
    /// How it ended.
    pub exit: Exit,
    /// What is in the files that were wanted, by path; empty where it did not end well.
    pub outputs: BTreeMap<String, Result<Vec<u8>, NotRead>>,
}

impl fmt::Debug for StepLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes may be a secret.
        f.debug_struct("StepLeft").field("exit", &self.exit).finish_non_exhaustive()
    }
}

/// Why a file that a step was to leave was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// It is not there.
    Missing,
    /// It is no regular file, but this.
    NotRegular(&'static str),
    /// It is larger than an output may be. No more of it was read.
    TooLarge,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// Why a script did not run to its end.
#[derive(Debug)]
pub enum StepFailure {
    /// The cancel reached it.
    Cancelled,
    /// It could not be run, or what it left could not be had.
    Problem(Box<Diagnostic>),
}

impl From<Diagnostic> for StepFailure {
    fn from(problem: Diagnostic) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// A place where scripts run.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Why a step cannot run here, as far as its document shows: asked for every step before the first one starts.
    fn refuses(&self, _step: &Step) -> Option<Diagnostic> {
        None
    }

    /// Runs a script to its end. On a cancel, and on that alone, it is terminated, waited for, and killed after ten seconds.
    /// Whatever was made for it is gone on return.
    ///
    /// # Errors
    /// When it was cancelled or could not be run. How the script itself ended is data.
    async fn run(&self, job: &StepJob<'_>, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure>;
}

/// The variable with the folder that declared paths are below: empty where they are the step's own anyway.
pub(super) const STEP_ROOT: &str = "TIELINE_STEP_ROOT";

/// The executor for this kind of place.
pub fn executor(runner: StepRunner, world: &World) -> Box<dyn Executor> {
    let world = world.clone();
    match runner {
        StepRunner::Host => Box::new(Host { world }),
        StepRunner::Docker => Box::new(Docker { world }),
        StepRunner::Kubernetes => Box::new(Kubernetes { world }),
    }
}
