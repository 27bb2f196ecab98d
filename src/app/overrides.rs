//! Safeguards that a person sets aside: explicit, one by one, with a reason (R31), and with an approval where the environment asks for one.
//!
//! Who approved is GitHub's business: a job with `environment: <name>` does not start before that environment's rules are met, and its
//! identity token says that it runs under it. Only a token that a pinned key signed cannot be made up: without pinned keys it comes from
//! where the job's own variable says.

use std::collections::BTreeMap;

use super::owner;
use super::session::Session;
use crate::context::layout;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::organization::{ContextDocument, Environment, Override};
use crate::domain::proof::ProofKeys;
use crate::domain::record::Overridden;
use crate::github::JobClaims;
use crate::request::cli;
use crate::request::variables::runner;
use crate::secrets::Secret;

/// What the token is made for: nothing but this.
const AUDIENCE: &str = "tieline-approval";

/// What is asked to be set aside.
///
/// # Errors
/// `invalid-input` when no reason is given.
pub(super) fn asked(arguments: &cli::Overrides) -> Result<Vec<Overridden>, Problems> {
    let abandoned: Vec<String> = arguments.abandon.iter().map(Alias::to_string).collect();
    let asked = [(Override::BreakConsumers, &arguments.break_consumers), (Override::Abandon, &abandoned)];
    let mut overrides = Vec::new();
    for (what, subjects) in asked.into_iter().filter(|(_, subjects)| !subjects.is_empty()) {
        overrides.push(overridden(what, subjects.iter().cloned(), arguments.reason.as_deref())?);
    }
    Ok(overrides)
}

/// A safeguard that is set aside for these subjects, for the run's record.
///
/// # Errors
/// `invalid-input` when no reason is given.
pub(super) fn overridden(
    what: Override,
    subjects: impl IntoIterator<Item = String>,
    reason: Option<&str>,
) -> Result<Overridden, Problems> {
    match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => {
            Ok(Overridden { what, subjects: subjects.into_iter().collect(), reason: reason.to_owned(), left: BTreeMap::new() })
        }
        None => Err(Diagnostic::error(FailureReason::InvalidInput, "setting a safeguard aside needs a reason")
            .help("add `--reason <text>`: it is recorded with the run")
            .into()),
    }
}

/// Makes sure that each of these has the approval that the environment's document asks for.
///
/// # Errors
/// `needs-approval`, at the override in the environment's document; `permission-denied` when the job may not say who it is.
pub(super) async fn approve(
    session: &Session,
    context: Option<&ContextDocument>,
    place: &Place,
    environment: &Environment,
    set_aside: impl IntoIterator<Item = Override>,
) -> Result<(), Problems> {
    let needed: Vec<(Override, &String)> =
        set_aside.into_iter().filter_map(|what| Some((what, environment.overrides.get(&what)?))).collect();
    if needed.is_empty() {
        return Ok(());
    }
    let file = super::context_file(&layout::environment(&place.workspace, &place.environment));
    let at = |what: Override, diagnostic: Diagnostic| diagnostic.at(&file, Pointer::keys(["overrides", what.as_str()]).at_key());
    let under = if session.world.variables.get(runner::ACTIONS).is_some() {
        job_environment(session, context).await.map_err(|problem| at(needed[0].0, *problem))?
    } else {
        None
    };
    let refused = needed.into_iter().filter(|(_, approver)| under.as_ref() != Some(*approver));
    let problems = refused.map(|(what, approver)| {
        let message = format!("`{}` needs the approval of the GitHub environment `{approver}`", what.as_str());
        at(what, Diagnostic::error(FailureReason::NeedsApproval, message))
            .note(match (&under, session.world.variables.get(runner::ACTIONS)) {
                (Some(under), _) => format!("this job runs under the GitHub environment `{under}`"),
                (None, Some(_)) => "this job runs under no GitHub environment".to_owned(),
                (None, None) => "this is not a workflow, so nobody approved it".to_owned(),
            })
            .help(format!("run it in a job with `environment: {approver}` and `permissions: {{id-token: write}}`"))
    });
    let problems = Problems(problems.collect());
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// The GitHub environment that the workflow's job runs under, as its identity token says; none where it runs under none, where this is no
/// workflow, or where the job may not have such a token. For the record alone: nothing is refused.
pub(super) async fn approved_in(session: &Session, context: Option<&ContextDocument>) -> Option<String> {
    session.world.variables.get(runner::ID_TOKEN_REQUEST_URL).filter(|url| !url.is_empty())?;
    job_environment(session, context).await.ok().flatten()
}

/// What the job's token says, signed by a pinned key where the context pins keys; else as it came from the runner's own service.
async fn job_environment(session: &Session, context: Option<&ContextDocument>) -> Result<Option<String>, Box<Diagnostic>> {
    let token: Secret = session.identity_tokens()?.token(AUDIENCE).await?;
    session.learn(&token);
    let read = |keys: Option<&ProofKeys>| match keys {
        Some(keys) => JobClaims::verified(token.expose(), keys),
        None => JobClaims::read(token.expose()).ok_or_else(|| "its token is not one".to_owned()),
    };
    let claims = read(context.and_then(|context| context.proof_keys.as_ref()));
    let environment = claims.and_then(|claims| match doubt(session, &claims) {
        None => Ok(claims.environment),
        Some(why) => Err(why),
    });
    Ok(environment
        .map_err(|why| Diagnostic::error(FailureReason::PermissionDenied, format!("the job is not believed: {why}")))?)
}

/// Why a token does not speak for this job; none if it does. It must be of the repository that the variables name: that is whom
/// [`owner`] let in, so an environment of the same name in another repository approves nothing here.
fn doubt(session: &Session, claims: &JobClaims) -> Option<String> {
    if claims.audience != AUDIENCE {
        return Some("its token was made for something else".to_owned());
    }
    if !claims.is_fresh(session.world.clock.now()) {
        return Some("its token is not one of these minutes".to_owned());
    }
    let named = session.world.variables.get(runner::REPOSITORY);
    let by_name = named.is_none_or(|named| claims.repository.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(named)));
    let by_id = owner::own_repository(session).is_none_or(|id| claims.repository_id() == Some(id));
    let of = claims.repository.as_deref().unwrap_or("a repository without a name");
    (!by_name || !by_id).then(|| format!("its token is of a workflow of `{of}`, which is not whom it says it is of"))
}
