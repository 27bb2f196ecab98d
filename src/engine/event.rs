//! What happens in a run, as it happens. Tasks print nothing: they emit these, and sinks render them.

use std::time::Duration;

use crate::domain::address::Place;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::names::{Alias, RunId};
use crate::domain::rebinding::Rebinding;
use crate::domain::record::{ChangeCounts, RunType, TaskStatus, TaskType};
use crate::steps::StepEvent;
use crate::terraform;

/// What a task is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `terraform init`.
    Init,
    /// `terraform plan`.
    Plan,
    /// `terraform apply`.
    Apply,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::Plan => "plan",
            Self::Apply => "apply",
        })
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run holds its claim and begins.
    RunStarted {
        /// The run.
        run: RunId,
        /// What it does.
        run_type: RunType,
        /// To what.
        place: Place,
    },
    /// A task begins.
    TaskStarted {
        /// The applied plugin.
        alias: Alias,
        /// What is done to it.
        task: TaskType,
    },
    /// A task goes on to its next Terraform command.
    PhaseStarted {
        /// The applied plugin.
        alias: Alias,
        /// The command.
        phase: Phase,
    },
    /// Terraform said something.
    Terraform {
        /// The applied plugin.
        alias: Alias,
        /// What it said.
        event: terraform::Event,
    },
    /// A script of an applied plugin started, wrote a line or ended.
    Step {
        /// The applied plugin.
        alias: Alias,
        /// What happened. Its texts are neither guarded nor redacted.
        event: StepEvent,
    },
    /// A task's plan is made.
    Planned {
        /// The applied plugin.
        alias: Alias,
        /// What would change.
        counts: ChangeCounts,
    },
    /// A slot is about to be applied with something else than at the last apply.
    Rebound {
        /// The applied plugin.
        alias: Alias,
        /// What becomes of the recorded binding.
        rebinding: Box<Rebinding>,
    },
    /// A task ended.
    TaskEnded {
        /// The applied plugin.
        alias: Alias,
        /// What was done to it.
        task: TaskType,
        /// How it ended.
        status: TaskStatus,
        /// Why, where that is not plain.
        because: Option<String>,
        /// What it changed.
        changes: ChangeCounts,
        /// How long it took.
        took: Duration,
    },
    /// Something worth a line.
    Note(String),
    /// Something worth reading; the run goes on.
    Warning(Diagnostic),
}

/// Takes events. It is called from many tasks and must not block.
pub type Sink = std::sync::Arc<dyn Fn(Event) + Send + Sync>;
