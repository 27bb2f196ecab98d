//! Issues that we open, find again by a label, and close.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Repository, part};
use super::comment::{self, User};
use super::error::ApiError;

/// Issues that are read at a time, the most there can be.
const PAGE: usize = 100;

/// Pages that are read: there are never so many with one label of ours.
const MOST_PAGES: usize = 20;

/// An issue, as far as it matters.
#[derive(Debug, Clone, Deserialize)]
pub struct Issue {
    /// Its number in its repository.
    pub number: u64,
    /// Its address.
    pub html_url: String,
    /// `open` or `closed`.
    state: String,
    body: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    user: Option<User>,
    #[serde(default)]
    author_association: String,
    /// There only where it is a pull request.
    #[serde(default)]
    pull_request: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Label {
    Named { name: Option<String> },
    Name(String),
}

impl Issue {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// Its text, with the line ends that we write.
    pub fn body(&self) -> String {
        self.body.as_deref().map(comment::unix_lines).unwrap_or_default()
    }

    /// Whether it has this label: the server drops those that the token may not give, without a word.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|has| match has {
            Label::Named { name } => name.as_deref() == Some(label),
            Label::Name(name) => name == label,
        })
    }

    /// Whether it can be one of ours.
    fn is_trusted(&self) -> bool {
        self.pull_request.is_none() && comment::is_trusted(self.user.as_ref(), &self.author_association)
    }
}

/// The issues with a label, open and closed, that an app or somebody of the repository's own people opened: anybody may write what ours
/// are found by. The newest come first.
///
/// # Errors
/// When they cannot be read.
pub async fn labelled(client: &Client, repository: &Repository, label: &str) -> Result<Vec<Issue>, ApiError> {
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let query = format!("labels={}&state=all&per_page={PAGE}&page={page}", part(label));
        let found: Vec<Issue> = client.get(&format!("{}/issues?{query}", repository.route())).await?;
        let is_last = found.len() < PAGE;
        all.extend(found.into_iter().filter(Issue::is_trusted));
        if is_last {
            break;
        }
    }
    Ok(all)
}

/// Opens an issue with a label. One write.
///
/// # Errors
/// When it cannot be opened.
pub async fn open(client: &Client, repository: &Repository, title: &str, body: &str, label: &str) -> Result<Issue, ApiError> {
    let content = json!({"title": title, "body": body, "labels": [label]});
    client.send(Method::POST, &format!("{}/issues", repository.route()), &content).await
}

/// Changes an issue's text, and opens it where it was closed. One write.
///
/// # Errors
/// When it cannot be changed.
pub async fn change(client: &Client, repository: &Repository, number: u64, body: &str) -> Result<Issue, ApiError> {
    update(client, repository, number, &json!({"body": body, "state": "open"})).await
}

/// Closes an issue as done, with its last text and a word about why. Two writes.
///
/// # Errors
/// When it cannot be closed; or, then it is closed, when nothing can be said.
pub async fn close(client: &Client, repository: &Repository, number: u64, body: &str, why: &str) -> Result<(), ApiError> {
    update(client, repository, number, &json!({"body": body, "state": "closed", "state_reason": "completed"})).await?;
    let route = format!("{}/issues/{number}/comments", repository.route());
    client.send::<serde_json::Value>(Method::POST, &route, &json!({ "body": why })).await.map(drop)
}

async fn update(client: &Client, repository: &Repository, number: u64, content: &serde_json::Value) -> Result<Issue, ApiError> {
    client.send(Method::PATCH, &format!("{}/issues/{number}", repository.route()), content).await
}
