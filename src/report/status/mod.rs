//! What goes on and what is there, for people and for programs.

mod json;
pub mod one_run;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use crate::domain::address::Place;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, ConsumerEntry};
use crate::domain::difference::Difference;
use crate::domain::life::Life;
use crate::domain::names::{Alias, DeployableName, EnvironmentName, WorkspaceName};
use crate::domain::preview::Preview;
use crate::domain::record::{AppliedRecord, Claim, Release, RunRecord};
use crate::domain::staleness::Stale;
use crate::domain::state_lock::LockState;

pub use json::json;
pub use text::text;

pub(super) use text::{applied_last, counted_resources, how, left, lock_words, who};

/// What the context says of a workspace, or of a part of it.
pub struct Status {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The one environment that it is about.
    pub environment: Option<EnvironmentName>,
    /// The one deployable that it is about.
    pub deployable: Option<DeployableName>,
    /// The claims, each with what is known of its holder.
    pub held: Vec<Held>,
    /// Runs, the newest first.
    pub runs: Part<Ran>,
    /// What can be gone back to, by place, the newest first.
    pub releases: Vec<Candidate>,
    /// What is applied, by place; `more` counts deployables.
    pub applied: Part<Applied>,
    /// What is published, by address.
    pub connections: Vec<Published>,
    /// What is bound to what is not what it was, or will not stay so.
    pub stale: Vec<Stale>,
    /// Environments of pull requests.
    pub previews: Part<(String, Preview)>,
    /// State locks, where they were looked at.
    pub locks: Option<Vec<Locked>>,
    /// Files that are left out because they are not believed.
    pub unproven: Vec<Unproven>,
}

/// Some of what there is.
pub struct Part<T> {
    /// What is shown.
    pub shown: Vec<T>,
    /// How many more there are.
    pub more: usize,
}

/// A claim with what is known of its holder.
pub struct Held {
    /// The claim.
    pub claim: Claim,
    /// Whether its run lives.
    pub life: Life,
    /// The journals of its jobs, where it is a fleet's.
    pub jobs: Vec<Claim>,
}

/// A run with its place.
pub struct Ran {
    /// Where.
    pub place: Place,
    /// The run.
    pub run: RunRecord,
}

/// A release that can be gone back to.
pub struct Candidate {
    /// Where.
    pub place: Place,
    /// The release.
    pub release: Release,
    /// In what it is not what is deployed now.
    pub differs: BTreeMap<Alias, Difference>,
    /// The command that goes back to it.
    pub command: String,
}

/// An applied plugin.
pub struct Applied {
    /// Where.
    pub place: Place,
    /// Under which name.
    pub alias: Alias,
    /// What is recorded of it.
    pub record: AppliedRecord,
}

/// A connection with who is bound to it.
pub struct Published {
    /// The connection.
    pub record: ConnectionRecord,
    /// Consumers.
    pub consumers: Vec<ConsumerEntry>,
    /// How many more there are.
    pub more: usize,
}

/// The state lock of an applied plugin.
pub struct Locked {
    /// Where.
    pub place: Place,
    /// The applied plugin.
    pub alias: Alias,
    /// The kind of the backend that its state is in.
    pub backend: String,
    /// How the lock is.
    pub state: LockState,
}

/// A file that is not believed.
pub struct Unproven {
    /// The file.
    pub path: String,
    /// Why.
    pub because: String,
}

/// A run, with all that is known of it.
pub struct Detail {
    /// Where.
    pub place: Place,
    /// The run.
    pub run: RunRecord,
    /// The release that it made.
    pub release: Option<Release>,
    /// Its claim, while it holds one.
    pub held: Option<Held>,
}

impl Candidate {
    /// Whether it is what is deployed now.
    pub fn is_deployed(&self) -> bool {
        self.differs.is_empty()
    }

    pub(super) fn difference(&self) -> String {
        if self.is_deployed() {
            return "deployed now".to_owned();
        }
        let words: Vec<String> = self.differs.iter().map(|(alias, difference)| format!("{alias} {difference}")).collect();
        format!("back: {}", words.join(", "))
    }
}

impl Applied {
    /// Whether its last apply did not succeed.
    pub fn is_unfinished(&self) -> bool {
        self.record.applied.as_ref() != Some(&self.record.attempted)
    }
}

impl Published {
    pub(super) fn behind(&self) -> usize {
        self.consumers.iter().filter(|entry| entry.is_behind(&self.record)).count()
    }

    pub(super) fn count(&self) -> usize {
        self.consumers.len() + self.more
    }

    /// Its status, and what there is to say about it.
    pub(super) fn standing(&self) -> String {
        let word = match self.record.status {
            ConnectionStatus::Ready => "ready".to_owned(),
            ConnectionStatus::Degraded => match &self.record.degraded_by {
                Some(run) => format!("degraded: the apply of run {run} failed"),
                None => "degraded: the last apply of its producer failed".to_owned(),
            },
            ConnectionStatus::Retiring => "retiring: it is being taken out of use".to_owned(),
            ConnectionStatus::Deprecated => "deprecated".to_owned(),
        };
        match &self.record.deprecation {
            Some(deprecation) => format!("{word}; {deprecation}"),
            None => word,
        }
    }
}

impl Status {
    /// What it is about.
    pub fn title(&self) -> String {
        let mut title = self.workspace.to_string();
        match (&self.environment, &self.deployable) {
            (None, None) => {}
            (Some(environment), None) => title = format!("{title}/{environment}"),
            (Some(environment), Some(deployable)) => title = format!("{title}/{environment}/{deployable}"),
            (None, Some(deployable)) => title = format!("{title}/*/{deployable}"),
        }
        title
    }

    /// A place, without what all of the shown ones have in common.
    pub(super) fn short(&self, place: &Place) -> String {
        match &self.environment {
            Some(_) => place.deployable.to_string(),
            None => format!("{}/{}", place.environment, place.deployable),
        }
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.shown.is_empty()
            && self.runs.more == 0
            && self.held.is_empty()
            && self.applied.shown.is_empty()
            && self.connections.is_empty()
            && self.previews.shown.is_empty()
            && self.unproven.is_empty()
    }
}
