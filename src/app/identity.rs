//! Who a run is in its cloud account: in a workflow the roles of the account's document, elsewhere the person who runs it.

use std::sync::Arc;

use async_trait::async_trait;

use super::session::Session;
use crate::cloud::{Purpose, TokenSource, WebIdentity};
use crate::context::layout;
use crate::domain::address::Place;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::organization::Environment;
use crate::github::IdentityTokens;
use crate::request::variables::runner;
use crate::secrets::Secret;

/// Takes the roles of the environment's account for a run that the cloud's records know as `run`. None where Terraform is whoever
/// the variables say.
///
/// # Errors
/// `permission-denied`, at the role in the environment's document.
pub(super) async fn sign_in(
    session: &Session,
    deployment: &Deployment,
    purpose: Purpose,
    run: &str,
) -> Result<Option<WebIdentity>, Problems> {
    sign_in_at(session, &deployment.place, &deployment.environment, purpose, run).await
}

/// The same for a place.
///
/// # Errors
/// As for [`sign_in`].
pub(super) async fn sign_in_at(
    session: &Session,
    place: &Place,
    environment: &Environment,
    purpose: Purpose,
    run: &str,
) -> Result<Option<WebIdentity>, Problems> {
    let Some(account) = &environment.account else { return Ok(None) };
    let Some(role) = purpose.role(account) else { return Ok(None) };
    let variables = &session.world.variables;
    let asking = [runner::ID_TOKEN_REQUEST_URL, runner::ID_TOKEN_REQUEST_TOKEN].map(|name| variables.get(name));
    if asking.contains(&None) && variables.get(runner::ACTIONS).is_none() {
        session.say(&format!("outside of a workflow the role `{role}` is not taken: Terraform uses your own credentials"));
        return Ok(None);
    }
    let tokens = session.identity_tokens().map_err(|problem| at_role(place, problem.into()))?;
    let identity =
        WebIdentity::open(&session.world, Arc::new(tokens), Box::new(session.learner()), (purpose, run), account).await;
    identity.map(Some).map_err(|problems| at_role(place, problems))
}

/// Problems of roles are at the account, in the environment's document.
fn at_role(place: &Place, mut problems: Problems) -> Problems {
    let file = super::context_file(&layout::environment(&place.workspace, &place.environment));
    for problem in &mut problems.0 {
        problem.origin = Diagnostic::error(problem.reason, "").at(&file, Pointer::keys(["account"]).at_key()).origin;
    }
    problems
}

#[async_trait]
impl TokenSource for IdentityTokens {
    async fn token(&self, audience: &str) -> Result<Secret, Box<Diagnostic>> {
        Self::token(self, audience).await
    }
}
