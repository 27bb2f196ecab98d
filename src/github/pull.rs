//! Pull requests that we open, and find again.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Repository, part};
use super::error::ApiError;

/// Pull requests that are read at a time, the most there can be.
const PAGE: usize = 100;

/// Pages that are read: beyond so many open ones nobody looks.
const MOST_PAGES: usize = 20;

/// What is to be merged, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What it does, on one line.
    pub title: String,
    /// What it does and whom it affects, in Markdown.
    pub body: String,
    /// The branch with the change.
    pub head: String,
    /// The branch to be changed.
    pub base: String,
}

#[derive(Deserialize)]
struct Pull {
    html_url: String,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    branch: String,
    /// None where the fork is gone.
    repo: Option<FullName>,
}

#[derive(Deserialize)]
struct FullName {
    full_name: String,
}

/// The address of the open pull request to `base` from a branch of the same repository whose name starts with `prefix`. Branches of forks
/// do not count: anybody can name one.
///
/// # Errors
/// When the pull requests cannot be read.
pub async fn find(client: &Client, repository: &Repository, base: &str, prefix: &str) -> Result<Option<String>, ApiError> {
    let own = repository.to_string();
    let is_ours = |pull: &Pull| {
        let from = pull.head.repo.as_ref().map(|repo| repo.full_name.as_str());
        pull.head.branch.starts_with(prefix) && from.is_some_and(|name| name.eq_ignore_ascii_case(&own))
    };
    for page in 1..=MOST_PAGES {
        let query = format!("state=open&base={}&per_page={PAGE}&page={page}", part(base));
        let pulls: Vec<Pull> = client.get(&format!("{}/pulls?{query}", repository.route())).await?;
        let is_last = pulls.len() < PAGE;
        let found = pulls.into_iter().find(is_ours);
        if found.is_some() || is_last {
            return Ok(found.map(|pull| pull.html_url));
        }
    }
    Ok(None)
}

/// Opens a pull request; its address. One write.
///
/// # Errors
/// When it cannot be opened.
pub async fn open(client: &Client, repository: &Repository, proposed: &Proposed) -> Result<String, ApiError> {
    let Proposed { title, body, head, base } = proposed;
    let content = json!({"title": title, "body": body, "head": head, "base": base});
    let pull: Pull = client.send(Method::POST, &format!("{}/pulls", repository.route()), &content).await?;
    Ok(pull.html_url)
}
