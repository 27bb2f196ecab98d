//! Whether a run of a workflow is over.

use serde::Deserialize;

use super::client::{Client, Repository, Server};
use super::error::ApiError;

/// An attempt at a run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowAttempt {
    repository: Repository,
    run: u64,
    attempt: Option<u64>,
}

/// How an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// `completed` once it is over; `queued`, `in_progress` or another word before.
    pub status: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
}

impl Standing {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }
}

impl WorkflowAttempt {
    /// The attempt that people watch at this address, if it is one of this server.
    pub fn at(server: &Server, url: &str) -> Option<Self> {
        let path = url.strip_prefix(&server.web)?.strip_prefix('/')?;
        let (owner, name, run, attempt) = match *path.split('/').collect::<Vec<_>>() {
            [owner, name, "actions", "runs", run] => (owner, name, run, None),
            [owner, name, "actions", "runs", run, "attempts", attempt] => (owner, name, run, Some(attempt.parse().ok()?)),
            _ => return None,
        };
        Some(Self { repository: format!("{owner}/{name}").parse().ok()?, run: run.parse().ok()?, attempt })
    }

    /// How it stands; none where the server knows none, or does not let us see it.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn standing(&self, client: &Client) -> Result<Option<Standing>, ApiError> {
        let run = format!("{}/actions/runs/{}", self.repository.route(), self.run);
        let route = self.attempt.map_or_else(|| run.clone(), |attempt| format!("{run}/attempts/{attempt}"));
        client.find(&route).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r21_only_an_address_of_this_server_is_asked_for() {
        let server = Server::default();
        let at = |url: &str| WorkflowAttempt::at(&server, url);
        let attempt = at("https://github.com/acme/shop/actions/runs/42/attempts/2").unwrap();
        assert_eq!((attempt.run, attempt.attempt, attempt.repository.to_string().as_str()), (42, Some(2), "acme/shop"));
        assert!(at("https://github.com/acme/shop/actions/runs/42").is_some());
        for other in [
            "https://github.com.evil.test/acme/shop/actions/runs/42",
            "https://github.com/acme/../actions/runs/42",
            "https://github.com/acme/shop/actions/runs/42?x=1",
            "https://elsewhere.test/acme/shop/actions/runs/42",
            "https://github.com/acme/shop",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
    }
}
