//! How pull requests stand: what decides whether a preview has anybody to live for.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::client::{Client, Repository, part};
use super::error::ApiError;

/// Entries that are read at a time, the most there can be.
const PAGE: usize = 100;

/// Pages that are read of a list.
const MOST_PAGES: usize = 50;

/// A pull request as the server has it now. All of it is anybody's text, save the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub number: u64,
    /// Whether it can still be merged.
    pub is_open: bool,
    /// Whether it was.
    pub is_merged: bool,
    /// Whether its branch is in another repository, or in one that is gone.
    pub from_fork: bool,
    /// The newest commit of its branch.
    pub head: String,
    /// Its labels.
    pub labels: Vec<String>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: String,
    merged_at: Option<DateTime<Utc>>,
    head: Side,
    base: Side,
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    repo: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

impl From<Pull> for Standing {
    fn from(pull: Pull) -> Self {
        let id = |side: &Side| side.repo.as_ref().map(|repository| repository.id);
        Self {
            number: pull.number,
            is_open: pull.state == "open",
            is_merged: pull.merged_at.is_some(),
            from_fork: id(&pull.head) != id(&pull.base),
            head: pull.head.sha,
            labels: pull.labels.into_iter().map(|label| label.name).collect(),
        }
    }
}

/// What a person said on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether that person belongs to the repository, and may write to it.
    pub by_member: bool,
}

#[derive(Deserialize)]
struct Comment {
    body: Option<String>,
    created_at: DateTime<Utc>,
    /// None where the account is gone.
    user: Option<Account>,
    #[serde(default)]
    author_association: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

/// Whether the server says of the author of a comment that they belong to the repository. That is no permission: who only reads belongs to
/// it as well.
pub fn is_member(author_association: &str) -> bool {
    ["OWNER", "MEMBER", "COLLABORATOR"].contains(&author_association)
}

/// Whether somebody may write to a repository.
///
/// # Errors
/// When the server cannot be asked.
pub async fn may_write(client: &Client, repository: &Repository, login: &str) -> Result<bool, ApiError> {
    #[derive(Deserialize)]
    struct Held {
        permission: String,
    }
    let route = format!("{}/collaborators/{}/permission", repository.route(), part(login));
    let held: Option<Held> = client.find(&route).await?;
    Ok(held.is_some_and(|held| ["admin", "write"].contains(&held.permission.as_str())))
}

/// The repository with this number under its name of today; none where it is gone, or the token may not see it.
///
/// # Errors
/// When the server cannot be asked.
pub async fn repository(client: &Client, id: u64) -> Result<Option<Repository>, ApiError> {
    #[derive(Deserialize)]
    struct About {
        full_name: String,
    }
    let about: Option<About> = client.find(&format!("/repositories/{id}")).await?;
    Ok(about.and_then(|about| about.full_name.parse().ok()))
}

/// A pull request; none where it is gone, or the token may not see it.
///
/// # Errors
/// When the server cannot be asked.
pub async fn of(client: &Client, repository: &Repository, number: u64) -> Result<Option<Standing>, ApiError> {
    let found: Option<Pull> = client.find(&format!("{}/pulls/{number}", repository.route())).await?;
    Ok(found.map(Standing::from))
}

/// All open pull requests of a repository by their numbers, a hundred in a request.
///
/// # Errors
/// When they cannot be read.
pub async fn open(client: &Client, repository: &Repository) -> Result<BTreeMap<u64, Standing>, ApiError> {
    let route = format!("{}/pulls?state=open", repository.route());
    let pulls: Vec<Pull> = pages(client, &route).await?;
    Ok(pulls.into_iter().map(|pull| (pull.number, Standing::from(pull))).collect())
}

/// What was said on a pull request since then, oldest first.
///
/// # Errors
/// When it cannot be read.
pub async fn said(client: &Client, repository: &Repository, number: u64, since: DateTime<Utc>) -> Result<Vec<Said>, ApiError> {
    let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
    let route = format!("{}/issues/{number}/comments?since={since}", repository.route());
    let comments: Vec<Comment> = pages(client, &route).await?;
    let mut writers = BTreeMap::new();
    let mut said = Vec::new();
    for Comment { body, created_at, user, author_association } in comments {
        let by_member = match user.filter(|_| is_member(&author_association)) {
            None => false,
            Some(Account { login }) => match writers.get(&login) {
                Some(may) => *may,
                None => *writers.entry(login.clone()).or_insert(may_write(client, repository, &login).await?),
            },
        };
        said.push(Said { text: body.unwrap_or_default(), at: created_at, by_member });
    }
    Ok(said)
}

async fn pages<T: serde::de::DeserializeOwned>(client: &Client, route: &str) -> Result<Vec<T>, ApiError> {
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let mut found: Vec<T> = client.get(&format!("{route}&per_page={PAGE}&page={page}")).await?;
        let is_last = found.len() < PAGE;
        all.append(&mut found);
        if is_last {
            break;
        }
    }
    Ok(all)
}
