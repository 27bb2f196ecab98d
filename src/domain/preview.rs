//! Previews: environments that belong to a pull request, and go with it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::names::{DeployableName, EnvironmentName};
use super::organization::Environment;

/// What the names of all previews begin with; no environment's document has such a name (R49).
const PREFIX: &str = "pr-";

impl EnvironmentName {
    /// Whether environments of this name are previews.
    pub fn is_preview(&self) -> bool {
        self.as_str().starts_with(PREFIX)
    }
}

/// Whose a preview is (R49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullRequestId {
    /// The numeric id of the repository that the pull request is in: names change, and are given anew.
    pub repository_id: u64,
    /// Its number there.
    pub pull_request: u64,
}

/// What a preview was made from: `environment.json` in its folder on the ledger, there from before anything is made in it until all of it
/// is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Whose it is.
    #[serde(flatten)]
    pub id: PullRequestId,
    /// `owner/name` of that repository when it was last deployed, for people and for asking the server.
    pub repository: String,
    /// The environment that it was copied from.
    pub base: EnvironmentName,
    /// The base's document as it was then, under the preview's own name: not protected, and things may be deleted in it.
    pub environment: Environment,
    /// What it was made for, from before the first claim: the deployables of that repository which are, or may be, deployed in it.
    pub deployables: BTreeMap<DeployableName, Previewed>,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// When its time is over: its length of life after the last successful deploy.
    pub expires: DateTime<Utc>,
}

/// A deployable in a preview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previewed {
    /// Where it can be looked at, since its last successful deploy: an `http` or `https` URL out of what it published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Preview {
    /// Whether its time is over.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        now >= self.expires
    }

    /// How much of its time is left.
    pub fn left(&self, now: DateTime<Utc>) -> Duration {
        (self.expires - now).to_std().unwrap_or_default()
    }
}

/// When a preview ends that was deployed now and lives so long after it.
pub fn expiry(now: DateTime<Utc>, life: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(life).ok().and_then(|life| now.checked_add_signed(life)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
