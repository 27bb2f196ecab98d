//! Who a run is in its cloud account: in a workflow the roles of the account's document, elsewhere the person who runs it.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, header};
use serde::Deserialize;

use super::session::Session;
use crate::cloud::{Purpose, TokenSource, WebIdentity};
use crate::context::layout;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::request::variables::runner;
use crate::secrets::Secret;
use crate::world::World;

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
    let Some(account) = &deployment.environment.account else { return Ok(None) };
    let Some(role) = purpose.role(account) else { return Ok(None) };
    let variables = &session.world.variables;
    let asking = (variables.get(runner::ID_TOKEN_REQUEST_URL), variables.get(runner::ID_TOKEN_REQUEST_TOKEN));
    let (Some(url), Some(bearer)) = asking else {
        if variables.get(runner::ACTIONS).is_some() {
            return Err(at_role(deployment, no_permission(role).into()));
        }
        session.say(&format!("outside of a workflow the role `{role}` is not taken: Terraform uses your own credentials"));
        return Ok(None);
    };
    let bearer = Secret::new(bearer);
    session.redactor.learn(&bearer);
    let source = Arc::new(WorkflowTokens { world: session.world.clone(), url: url.to_owned(), bearer });
    let identity = WebIdentity::open(&session.world, source, &session.redactor, (purpose, run), account).await;
    identity.map(Some).map_err(|problems| at_role(deployment, problems))
}

fn no_permission(role: &str) -> Diagnostic {
    let message = format!("this job may not ask for an OIDC token, which the role `{role}` is taken by");
    Diagnostic::error(FailureReason::PermissionDenied, message)
        .note("`ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN` are not set")
        .help("give the job `permissions: {id-token: write, contents: read}`; where it is a called workflow, its caller too")
        .help("a pull request from a fork gets no such token: let it run `validate`")
}

/// Problems of roles are at the account, in the environment's document.
fn at_role(deployment: &Deployment, mut problems: Problems) -> Problems {
    let place = &deployment.place;
    let file = super::context_file(&layout::environment(&place.workspace, &place.environment));
    for problem in &mut problems.0 {
        problem.origin = Diagnostic::error(problem.reason, "").at(&file, Pointer::keys(["account"]).at_key()).origin;
    }
    problems
}

/// The tokens that GitHub gives the job.
struct WorkflowTokens {
    world: World,
    url: String,
    bearer: Secret,
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

#[async_trait]
impl TokenSource for WorkflowTokens {
    async fn token(&self, audience: &str) -> Result<Secret, Box<Diagnostic>> {
        let refused = |why: String| {
            let message = format!("GitHub gives this job no OIDC token: {why}");
            Box::new(Diagnostic::error(FailureReason::PermissionDenied, message).help("run the job again"))
        };
        let request = Request::get(format!("{}&audience={audience}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.bearer.expose()))
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|problem| refused(problem.to_string()))?;
        let answer = self.world.http.send(request, 64 << 10).await.map_err(|problem| refused(problem.to_string()))?;
        let answered: Answer = match answer.status() {
            status if status.is_success() => {
                serde_json::from_slice(answer.body()).map_err(|_| refused("its answer holds none".to_owned()))?
            }
            status => return Err(refused(format!("it answered {status}"))),
        };
        Ok(Secret::new(answered.value))
    }
}
