//! `tieline status` and `tieline unlock`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Target;
use crate::domain::duration::duration;
use crate::domain::names::Alias;
use crate::domain::record::{RunRecord, RunStatus};

/// `tieline status`.
#[derive(Debug, Clone, Args)]
pub struct Status {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Only runs of this type.
    #[arg(long, env = "TIELINE_RUN_TYPE", value_enum, value_name = "TYPE", help_heading = "What is shown")]
    pub run_type: Option<RunKind>,
    /// Only runs that ended so.
    #[arg(long, env = "TIELINE_OUTCOME", value_enum, value_name = "OUTCOME", help_heading = "What is shown")]
    pub outcome: Option<Outcome>,
    /// Only runs that started in this time, such as `24h` or `7d`.
    #[arg(long, env = "TIELINE_SINCE", value_parser = duration, value_name = "TIME", help_heading = "What is shown")]
    pub since: Option<std::time::Duration>,
    /// At most so many runs, and so many of the deployables that were last at work, each with all that is applied and published of it.
    #[arg(long, env = "TIELINE_LIMIT", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "What is shown")]
    pub limit: u32,
    /// Show one run in detail instead: its tasks, bindings, releases, and what it set aside.
    #[arg(long, env = "TIELINE_RUN", value_name = "RUN", help_heading = "What is shown")]
    pub run: Option<String>,
    /// Look at the state locks too. Terraform has no command that only looks: each free lock is taken for a moment.
    #[arg(long, env = "TIELINE_LOCKS", help_heading = "What is shown")]
    pub locks: bool,
    /// Write the activities page into this file instead: HTML that needs neither network nor scripts.
    #[arg(long, env = "TIELINE_HTML", value_name = "FILE", help_heading = "What is shown")]
    pub html: Option<PathBuf>,
    /// Path or name of the binary that looks at state locks [default: `terraform`, else `tofu`, on PATH].
    #[arg(long, env = "TIELINE_TERRAFORM", value_name = "BINARY", help_heading = "Terraform")]
    pub terraform: Option<String>,
}

/// What kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "they are the commands of their names")]
pub enum RunKind {
    Deploy,
    Rollback,
    Destroy,
    Move,
    Adopt,
    Deprecate,
    Retire,
    Unlock,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// Well.
    Succeeded,
    /// In any other way.
    Failed,
    /// For something that a person changes.
    UserError,
    /// For Terraform, the cloud, git or the network.
    RuntimeError,
    /// Cancelled, timed out or found dead.
    Aborted,
}

impl Status {
    /// Whether a run is one of those that are asked for; when it started is not looked at.
    pub fn wants(&self, run: &RunRecord) -> bool {
        let is_of_type = self
            .run_type
            .is_none_or(|kind| kind.to_possible_value().is_some_and(|kind| kind.get_name() == run.run_type.to_string()));
        let ended_so = self.outcome.is_none_or(|outcome| match outcome {
            Outcome::Succeeded => run.status == RunStatus::Succeeded,
            Outcome::Failed => !matches!(run.status, RunStatus::Succeeded | RunStatus::Running),
            Outcome::UserError => run.status == RunStatus::UserError,
            Outcome::RuntimeError => run.status == RunStatus::RuntimeError,
            Outcome::Aborted => run.status == RunStatus::Aborted,
        });
        is_of_type && ended_so
    }
}

/// `tieline unlock`.
#[derive(Debug, Clone, Args)]
#[group(id = "freed", required = true, multiple = false, args = ["claim", "lock"])]
pub struct Unlock {
    /// The run whose claims are freed, by its exact id.
    #[arg(long, env = "TIELINE_CLAIM", value_name = "RUN")]
    pub claim: Option<String>,
    /// The state lock that is freed, by its exact id.
    #[arg(long, env = "TIELINE_LOCK", value_name = "ID", requires = "alias")]
    pub lock: Option<String>,
    /// The applied plugin whose state is locked.
    #[arg(long, env = "TIELINE_ALIAS", value_name = "ALIAS")]
    pub alias: Option<Alias>,
    /// Why: it is recorded.
    #[arg(long, env = "TIELINE_REASON", value_name = "TEXT")]
    pub reason: Option<String>,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Path or name of the binary that frees the state lock [default: `terraform`, else `tofu`, on PATH].
    #[arg(long, env = "TIELINE_TERRAFORM", value_name = "BINARY", help_heading = "Terraform")]
    pub terraform: Option<String>,
}
