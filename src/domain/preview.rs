//! Previews: environments that belong to a pull request, and go with it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::names::{DeployableName, Digest, EnvironmentName};
use super::organization::Environment;

/// How long a preview lives after its last successful deploy, unless its manifest says so.
pub const LIFE: Duration = Duration::from_hours(72);

/// The longest link that is shown.
const LONGEST_LINK: usize = 2048;

/// How many digits tell two repositories apart in the names of their previews; more where these are taken.
const DIGITS: [usize; 2] = [8, 16];

/// What the names of all previews begin with; no environment's document has such a name (R49).
pub const PREFIX: &str = "pr-";

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

impl PullRequestId {
    /// The names that its preview may have, the best first. Where its repository is not `alone` in the workspace, each tells which it is.
    pub fn names(&self, alone: bool) -> impl Iterator<Item = EnvironmentName> {
        let plain = format!("{PREFIX}{}", self.pull_request);
        let repository = Digest::of(self.repository_id.to_string().as_bytes());
        let telling = DIGITS.map(|digits| format!("{plain}-{}", repository.as_str().get(..digits).unwrap_or_default()));
        alone.then_some(plain).into_iter().chain(telling).filter_map(|name| name.parse().ok())
    }
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
    /// When its time is over: its length of life after the last successful deploy, or later where somebody asked for more.
    pub expires: DateTime<Utc>,
    /// The last successful deploy; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<DateTime<Utc>>,
    /// Since when it is being removed: nothing new is started in it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<DateTime<Utc>>,
}

/// A deployable in a preview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previewed {
    /// Where it can be looked at, since its last successful deploy: an `http` or `https` URL out of what it published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What is told of a preview beside what was deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Where it can be looked at.
    pub url: Option<String>,
    /// When its time is over.
    pub expires: DateTime<Utc>,
    /// When this is told.
    pub told: DateTime<Utc>,
    /// How long after a deploy somebody may have it at most; none where nobody may ask for more.
    #[serde(skip)]
    pub most: Option<Duration>,
    /// What is said to somebody who asked.
    #[serde(skip)]
    pub answer: Option<String>,
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

/// How long previews live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// After each successful deploy.
    pub ttl: Duration,
    /// At most, whoever asks for more; none where the workspace sets no bound.
    pub most: Option<Duration>,
}

impl Life {
    /// When a preview ends that was deployed now, and whose time was over `before` otherwise.
    pub fn expiry(&self, now: DateTime<Utc>, before: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let asked = before.into_iter().fold(expiry(now, self.ttl), DateTime::max);
        self.most.into_iter().fold(asked, |asked, most| asked.min(expiry(now, most)))
    }
}

/// When a preview ends that was deployed now and lives so long after it.
pub fn expiry(now: DateTime<Utc>, life: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(life).ok().and_then(|life| now.checked_add_signed(life)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The copy of its base that a preview is: not protected, since it goes with its pull request, and things may be deleted in it.
pub fn copied(base: &Environment, name: EnvironmentName) -> Environment {
    Environment { name, protected: false, allow_destroy: true, ..base.clone() }
}

/// Reads a length of life as documents write it: a whole number from 1 and `m`, `h` or `d`.
pub fn lifetime(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    let number = number.parse::<u32>().ok().filter(|number| *number > 0)?;
    Some(Duration::from_mins(u64::from(number) * minutes))
}

/// A published text as the link to a preview: an `http` or `https` URL without a password in it, or nothing.
pub fn link(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok().filter(|_| text.len() <= LONGEST_LINK)?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let is_plain = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (is_web && is_plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(alone: bool) -> Vec<String> {
        let id = PullRequestId { repository_id: 123, pull_request: 12 };
        id.names(alone).map(|name| name.to_string()).collect()
    }

    #[test]
    fn r49_a_name_tells_the_repository_where_two_share_a_workspace() {
        assert_eq!(names(true), ["pr-12", "pr-12-a665a459", "pr-12-a665a45920422f9d"]);
        assert_eq!(names(false), ["pr-12-a665a459", "pr-12-a665a45920422f9d"]);
    }

    #[test]
    fn a_length_of_life_is_a_number_and_its_unit() {
        assert_eq!(lifetime("90m"), Some(Duration::from_mins(90)));
        assert_eq!((lifetime("72h"), lifetime("3d")), (Some(LIFE), Some(LIFE)));
        for wrong in ["", "h", "0h", "72", "-1h", "1.5h", "72 h", "1w", "3é", "99999999999h"] {
            assert_eq!(lifetime(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn r51_each_deploy_moves_the_end_but_never_beyond_the_workspaces_bound() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
        let life = |most| Life { ttl: hour, most };
        assert_eq!(life(None).expiry(now, None), expiry(now, hour));
        assert_eq!(life(None).expiry(now, Some(expiry(now, day))), expiry(now, day), "what was asked for stays");
        assert_eq!(life(Some(hour)).expiry(now, Some(expiry(now, day))), expiry(now, hour));
    }

    #[test]
    fn only_a_plain_url_is_a_link() {
        for good in ["https://pr-12.example.test/shop?x=1", "http://10.0.0.7:8080"] {
            assert_eq!(link(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "pr-12.example.test",
            "/shop",
            "javascript:alert(1)",
            "ftp://example.test/",
            "https://u:p@example.test/",
            "https://example.test/a b",
            "https://example.test/\n::error::x",
            "https://",
            "https://exämple.test/",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
        assert_eq!(link(&format!("https://example.test/{}", "a".repeat(LONGEST_LINK))), None);
    }
}
