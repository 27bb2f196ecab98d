//! Who may write a deployable: the repository that its workspace's document names as its owner (R41, R45).
//!
//! It is a check in our binary, told by what the runner says of its job. Who can write the context repository can do without our
//! binary; against that are proofs.

use serde::de::IgnoredAny;

use super::overrides;
use super::session::{Opened, Session};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::{Override, Owner, Workspace};
use crate::domain::preview::Preview;
use crate::domain::record::Overridden;
use crate::request::cli::ContextArguments;
use crate::request::variables::runner;

/// Lets a run write `place`, or refuses it: what has an owner is written by workflows of that repository alone. To be called before
/// the claim.
///
/// # Errors
/// `not-owner`, at the owner's entry in the workspace's document.
pub(super) fn admit(session: &Session, place: &Place, workspace: &Workspace) -> Result<(), Problems> {
    match owner_elsewhere(session, place, workspace) {
        None => Ok(()),
        Some(owner) => Err(refusal(session, place, owner).into()),
    }
}

/// As [`admit`], for a destroy: what is orphaned may also be destroyed by those whom the context repository belongs to. Gives what
/// that overrides, for the run's record.
///
/// # Errors
/// `not-owner`; `invalid-input` when only a reason is missing; when the server cannot be asked for the owner.
pub(super) async fn admit_destroy(
    session: &Session,
    (opened, access): (&Opened, &ContextArguments),
    place: &Place,
    workspace: &Workspace,
    reason: Option<&str>,
) -> Result<Option<Overridden>, Problems> {
    let Some(owner) = owner_elsewhere(session, place, workspace) else { return Ok(None) };
    if !speaks_for_the_context(session, opened) || !is_gone(session, access, owner).await? {
        return Err(refusal(session, place, owner).into());
    }
    let subject = format!("{} ({})", owner.repository, owner.id);
    let overridden = overrides::overridden(Override::Orphaned, [subject], reason).map_err(|mut problems| {
        for problem in &mut problems.0 {
            problem.notes.push(format!("`{place}` is orphaned: the server knows no repository with the id {}", owner.id));
        }
        problems
    })?;
    Ok(Some(overridden))
}

/// Lets a run remove a deployable from a preview: a workflow of the repository that the preview is of, or those whom the context repository
/// belongs to. Where that repository is gone, this is noted in the run's record with `reason`.
///
/// # Errors
/// `not-owner`; when the server cannot be asked for the repository.
pub(super) async fn admit_removal(
    session: &Session,
    (opened, access): (&Opened, &ContextArguments),
    place: &Place,
    preview: &Preview,
    reason: Option<&str>,
) -> Result<Option<Overridden>, Problems> {
    let owner = Owner { id: preview.id.repository_id, repository: preview.repository.clone(), former: Vec::new() };
    if own_repository(session) == Some(owner.id) {
        return Ok(None);
    }
    admit_remover(session, opened, place, preview)?;
    let Some(reason) = reason else { return Ok(None) };
    if !is_gone(session, access, &owner).await? {
        return Ok(None);
    }
    let subject = format!("{} ({})", owner.repository, owner.id);
    Ok(Some(overrides::overridden(Override::Orphaned, [subject], Some(reason))?))
}

/// Lets somebody begin to remove a preview, as [`admit_removal`] does.
///
/// # Errors
/// `not-owner`.
pub(super) fn admit_remover(
    session: &Session,
    opened: &Opened,
    what: &impl std::fmt::Display,
    preview: &Preview,
) -> Result<(), Diagnostic> {
    if own_repository(session) == Some(preview.id.repository_id) || speaks_for_the_context(session, opened) {
        return Ok(());
    }
    Err(Diagnostic::error(FailureReason::NotOwner, format!("only workflows of `{}` may remove `{what}`", preview.repository))
        .note(format!("it is a preview of the repository with the id {}", preview.id.repository_id))
        .help("run it in a workflow of that repository, or in one of the context repository"))
}

/// Lets a run mend or prune the whole ledger: a workflow of the context's own repository, or a person. Where the context is not on the
/// workflow's server nobody can tell whose it is.
///
/// # Errors
/// `not-owner`, for workflows of other repositories.
pub(super) fn admit_upkeep(session: &Session, opened: &Opened) -> Result<(), Problems> {
    let Some(context) = opened.hosted.as_ref().filter(|_| !speaks_for_the_context(session, opened)) else { return Ok(()) };
    Err(Diagnostic::error(FailureReason::NotOwner, format!("only workflows of `{context}` mend and prune the ledger there"))
        .note("it has the records of every deployable, whoever owns it")
        .help(format!("run it in a workflow of `{context}`"))
        .into())
}

/// The owner of the deployable, where that is not who runs this.
fn owner_elsewhere<'a>(session: &Session, place: &Place, workspace: &'a Workspace) -> Option<&'a Owner> {
    let owner = workspace.owners.get(&place.deployable)?;
    (own_repository(session) != Some(owner.id)).then_some(owner)
}

/// The id of the repository whose workflow this is.
pub(super) fn own_repository(session: &Session) -> Option<u64> {
    let variables = &session.world.variables;
    variables.get(runner::ACTIONS)?;
    variables.get(runner::REPOSITORY_ID)?.parse().ok()
}

/// Whether this runs for those whom the context repository belongs to: a workflow of that repository, or a person, who can write to
/// it as it is.
pub(super) fn speaks_for_the_context(session: &Session, opened: &Opened) -> bool {
    let variables = &session.world.variables;
    match (variables.get(runner::ACTIONS), variables.get(runner::REPOSITORY), &opened.hosted) {
        (None, ..) => true,
        (Some(_), Some(own), Some(context)) => own.eq_ignore_ascii_case(&context.to_string()),
        _ => false,
    }
}

/// Whether the server knows no repository with the owner's id. It says the same of one that the token may not see, so without any token
/// there is nothing to tell it by.
async fn is_gone(session: &Session, access: &ContextArguments, owner: &Owner) -> Result<bool, Problems> {
    let Some(client) = session.workflow_client(access) else { return Ok(false) };
    let found = client.find::<IgnoredAny>(&format!("/repositories/{}", owner.id)).await;
    Ok(found.map_err(|problem| problem.diagnostic(FailureReason::ContextUnavailable))?.is_none())
}

fn refusal(session: &Session, place: &Place, owner: &Owner) -> Diagnostic {
    let variables = &session.world.variables;
    let message = format!("only workflows of `{}` may write `{place}`", owner.repository);
    let file = super::context_file(&crate::context::layout::workspace(&place.workspace));
    let refused = Diagnostic::error(FailureReason::NotOwner, message)
        .at(&file, Pointer::keys(["owners", place.deployable.as_str()]).at_key())
        .note(format!("its owner is the repository with the id {}", owner.id));
    let refused = match (variables.get(runner::ACTIONS), variables.get(runner::REPOSITORY)) {
        (None, _) => refused.note("this is not a workflow, so nobody vouches for who runs it"),
        (Some(_), own) => refused.note(format!(
            "this is a workflow of `{}`, whose id is {}",
            own.unwrap_or("a repository without a name"),
            variables.get(runner::REPOSITORY_ID).unwrap_or("not told"),
        )),
    };
    refused
        .help(format!("run it in a workflow of `{}`", owner.repository))
        .help("or make another repository its owner with `tieline transfer`")
}
