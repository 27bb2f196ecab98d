//! The workflow's own identity, as tokens that others can check (`OpenID` Connect).

use serde::Deserialize;

use super::client::{Client, Identity, Server, part};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::PermissionDenied;
use crate::secrets::Secret;
use crate::world::World;

/// Where a workflow's job gets its identity tokens. Each lives for minutes only, so they are asked for when they are needed.
#[derive(Clone)]
pub struct IdentityTokens {
    client: Client,
    /// Path and query of the address.
    route: String,
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

impl IdentityTokens {
    /// Tokens from `ACTIONS_ID_TOKEN_REQUEST_URL`, asked for with `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    ///
    /// # Errors
    /// `permission-denied` when the runner gave none of these: the job may not have identity tokens.
    pub fn new(world: &World, url: Option<&str>, token: Option<&str>) -> Result<Self, Box<Diagnostic>> {
        let (Some(url), Some(token)) = (url, token) else {
            return Err(Box::new(
                Diagnostic::error(
                    PermissionDenied,
                    "the workflow's job may not have an identity token: it lacks `id-token: write`",
                )
                .note("the runner gave no `ACTIONS_ID_TOKEN_REQUEST_URL`")
                .help("add `id-token: write` to `permissions:` of the workflow's job")
                .help("pull requests from forks never get one"),
            ));
        };
        let host_ends = url.find("://").map_or(0, |at| at + 3);
        let (host, route) = url.split_at(url[host_ends..].find('/').map_or(url.len(), |at| host_ends + at));
        let server = Server::at(Some(host), None);
        Ok(Self { client: Client::new(world, &server, Identity::Token(Secret::new(token))), route: route.to_owned() })
    }

    /// A token for `audience`. The caller has it masked before anything else.
    ///
    /// # Errors
    /// When none is given.
    pub async fn token(&self, audience: &str) -> Result<Secret, Box<Diagnostic>> {
        let border = if self.route.contains('?') { '&' } else { '?' };
        let route = format!("{}{border}audience={}", self.route, part(audience));
        match self.client.get_as::<Answer>(&route, "application/json").await {
            Ok(answer) => Ok(Secret::new(answer.value)),
            Err(problem) => Err(Box::new(
                Diagnostic::error(PermissionDenied, "the workflow's identity token cannot be had")
                    .note(problem.to_string())
                    .help("check that `permissions:` of the workflow's job has `id-token: write`"),
            )),
        }
    }
}
