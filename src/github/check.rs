//! A check run on a commit: a summary, and annotations beyond those that a step may have.

use http::Method;
use octocrab::params::checks::CheckRunOutput;
pub use octocrab::params::checks::{CheckRunConclusion, CheckRunOutputAnnotation, CheckRunOutputAnnotationLevel};
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Repository};
use super::error::ApiError;

/// The most annotations of one request.
const AT_A_TIME: usize = 50;

/// The longest summary that the server takes, in characters.
pub const LONGEST_SUMMARY: usize = 65_535;

/// A check run on the server, not completed yet.
#[derive(Debug, Clone)]
pub struct Check {
    route: String,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

/// Creates a check run that is in progress. One write. `details` is where its log is.
///
/// # Errors
/// When it cannot be created. A person's token never may.
pub async fn create(
    client: &Client,
    repository: &Repository,
    name: &str,
    commit: &str,
    details: Option<&str>,
) -> Result<Check, ApiError> {
    let checks = format!("{}/check-runs", repository.route());
    let mut body = json!({ "name": name, "head_sha": commit, "status": "in_progress" });
    if let Some(details) = details {
        body["details_url"] = details.into();
    }
    let created: Created = client.send(Method::POST, &checks, &body).await?;
    Ok(Check { route: format!("{checks}/{}", created.id) })
}

impl Check {
    /// The check run that another process created.
    pub fn at(route: String) -> Self {
        Self { route }
    }

    /// What [`Self::at`] finds it by.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Completes the check run. One write per fifty annotations, and one at least. A summary that is too long is cut.
    ///
    /// # Errors
    /// When it cannot be completed; annotations before that may be there.
    pub async fn complete(
        self,
        client: &Client,
        conclusion: CheckRunConclusion,
        title: &str,
        summary: &str,
        mut annotations: Vec<CheckRunOutputAnnotation>,
    ) -> Result<(), ApiError> {
        let summary: String = summary.chars().take(LONGEST_SUMMARY).collect();
        let output = |annotations| CheckRunOutput {
            title: title.to_owned(),
            summary: summary.clone(),
            text: None,
            annotations,
            images: Vec::new(),
        };
        while annotations.len() > AT_A_TIME {
            let rest = annotations.split_off(AT_A_TIME);
            let body = json!({ "output": output(std::mem::replace(&mut annotations, rest)) });
            client.send::<Created>(Method::PATCH, &self.route, &body).await?;
        }
        let body = json!({ "status": "completed", "conclusion": conclusion, "output": output(annotations) });
        client.send::<Created>(Method::PATCH, &self.route, &body).await.map(|_| ())
    }
}
