//! A deployment as the server shows it: created at the start of a run, its status following it.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, Repository, part};
use super::error::ApiError;

/// The longest description that the server takes, in characters.
const LONGEST_DESCRIPTION: usize = 140;

/// What is deployed where.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// A commit, branch or tag of the repository.
    pub reference: String,
    /// The name of the environment on the server. Of one name the last success makes earlier ones inactive.
    pub environment: String,
    /// What people are told; cut where it is too long.
    pub description: String,
    /// Whether the environment will be gone some day: a preview.
    pub transient: bool,
    /// Whether end users meet it.
    pub production: bool,
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The run goes on.
    InProgress,
    /// It is there.
    Success,
    /// It could not be made.
    Failure,
    /// The run itself failed, or was cancelled.
    Error,
    /// It is no longer there.
    Inactive,
}

/// A status of a deployment.
#[derive(Debug, Clone)]
pub struct Status {
    /// How far it is.
    pub state: State,
    /// What people are told; cut where it is too long.
    pub description: String,
    /// Where the log is.
    pub log_url: Option<String>,
    /// Where what was deployed can be looked at.
    pub environment_url: Option<String>,
}

/// A deployment on the server.
#[derive(Debug, Clone)]
pub struct Deployment {
    route: String,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

/// Creates a deployment. One write.
///
/// # Errors
/// When it cannot be created.
pub async fn create(client: &Client, repository: &Repository, subject: &Subject) -> Result<Deployment, ApiError> {
    let deployments = format!("{}/deployments", repository.route());
    let body = json!({
        "ref": subject.reference,
        "environment": subject.environment,
        "description": short(&subject.description),
        "transient_environment": subject.transient,
        "production_environment": subject.production,
        // It is recorded as it is: nothing is merged for it, and no checks are waited for, of which we may be one.
        "auto_merge": false,
        "required_contexts": [],
    });
    let created: Created = client.send(Method::POST, &deployments, &body).await?;
    Ok(Deployment { route: format!("{deployments}/{}", created.id) })
}

/// Adds a status to the newest deployments of an environment, at most so many. One request, and one write for each.
///
/// # Errors
/// When they cannot be read, or one cannot be changed.
pub async fn retire(
    client: &Client,
    repository: &Repository,
    environment: &str,
    most: usize,
    status: &Status,
) -> Result<(), ApiError> {
    for deployment in newest(client, repository, environment, most).await? {
        deployment.set(client, status).await?;
    }
    Ok(())
}

/// The newest deployments of an environment, at most so many of at most a hundred. One request.
///
/// # Errors
/// When they cannot be read.
pub async fn newest(
    client: &Client,
    repository: &Repository,
    environment: &str,
    most: usize,
) -> Result<Vec<Deployment>, ApiError> {
    let deployments = format!("{}/deployments", repository.route());
    let asked = format!("{deployments}?environment={}&per_page={most}", part(environment));
    let found: Vec<Created> = client.get(&asked).await?;
    Ok(found.into_iter().map(|created| Deployment { route: format!("{deployments}/{}", created.id) }).collect())
}

impl Deployment {
    /// The deployment that another process created.
    pub fn at(route: String) -> Self {
        Self { route }
    }

    /// What [`Self::at`] finds it by.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Adds a status. One write.
    ///
    /// # Errors
    /// When it cannot be added.
    pub async fn set(&self, client: &Client, status: &Status) -> Result<(), ApiError> {
        let mut body = json!({ "state": status.state, "description": short(&status.description) });
        for (name, address) in [("log_url", &status.log_url), ("environment_url", &status.environment_url)] {
            if let Some(address) = address {
                body[name] = Value::from(address.as_str());
            }
        }
        client.send::<Created>(Method::POST, &format!("{}/statuses", self.route), &body).await.map(|_| ())
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(LONGEST_DESCRIPTION - 1).chain(['…']).collect()
}
