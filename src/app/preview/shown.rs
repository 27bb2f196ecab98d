//! What GitHub shows of a preview after a deploy of it is over: the comment on its pull request, and its deployments.

use std::time::Duration;

use super::down::shown_places;
use crate::app::session::{Opened, Session};
use crate::context::ledger::Snapshot;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::preview::{Outlook, Preview};
use crate::domain::removal::{PreviewName, Removed};
use crate::github::deployment::{self, State, Status};
use crate::github::{ApiError, Repository, comment, standing};
use crate::report::{self, Surroundings};
use crate::request::cli::{PreviewDown, PreviewRun};
use crate::request::event::WorkflowRun;
use crate::request::variables::runner;

/// The hidden marker of a comment takes its part of the server's limit.
const LARGEST_COMMENT: usize = comment::LONGEST_COMMENT - 300;

/// How many of the newest deployments of a preview may be active: the last one, and the one before where its successor was killed.
const ACTIVE: usize = 2;

/// Has GitHub show that a preview is gone, or is not. In a workflow, unless it is not wanted; that it cannot be shown is told, and changes
/// nothing. What is gone with its pull request is not asked for.
pub(super) async fn gone(session: &Session, arguments: &PreviewDown, preview: &Preview, removed: &Removed, problems: &Problems) {
    let in_workflow = session.world.variables.get(runner::ACTIONS).is_some();
    let wishes = &arguments.announcements;
    let (comments, deploys) = (wishes.comment.or(in_workflow), wishes.deployment.or(in_workflow));
    let Some(client) = session.workflow_client(&arguments.target.context).filter(|_| comments || deploys) else { return };
    // A sweep has asked for the name of today already.
    let repository = match arguments.pull_request.repository.as_deref().map(str::parse::<Repository>) {
        Some(named) => Ok(named.ok()),
        None => standing::repository(&client, preview.id.repository_id).await,
    };
    let repository = match repository {
        Ok(Some(repository)) => repository,
        Ok(None) => return,
        Err(problem) => return warn(session, vec![problem]),
    };
    let run = WorkflowRun::of(|name| session.world.variables.get(name), None);
    let mut lost = Vec::new();
    for place in shown_places(&removed.name, preview, removed) {
        if comments {
            let surroundings = Surroundings {
                command: "preview down".to_owned(),
                title: place.to_string(),
                run_url: run.url.clone(),
                ..Surroundings::default()
            };
            let text = report::preview::gone(removed, problems, &surroundings, LARGEST_COMMENT);
            let text = session.redactor.redact(&text);
            let said = comment::upsert(&client, &repository, preview.id.pull_request, &place.to_string(), &text).await;
            lost.extend(said.err());
        }
        if deploys && removed.is_gone {
            let status = Status {
                state: State::Inactive,
                description: "the preview was removed".to_owned(),
                log_url: run.url.clone(),
                environment_url: None,
            };
            lost.extend(deployment::retire(&client, &repository, &place.to_string(), ACTIVE, &status).await.err());
        }
    }
    lost.retain(|problem| !matches!(problem, ApiError::NotFound { .. }));
    warn(session, lost);
}

/// Has the comment of each deployable of a preview say until when it is kept, or why it is not.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn kept(
    session: &Session,
    arguments: &PreviewRun,
    opened: &Opened,
    (name, preview): (&PreviewName, &Preview),
    (most, answer): (Option<Duration>, String),
) -> Result<(), Problems> {
    let Some(workflow) = session.workflow.as_ref().filter(|_| arguments.announcements.comment.or(true)) else { return Ok(()) };
    let client = session.workflow_client(&arguments.target.context);
    let (Some(client), Ok(repository)) = (client, workflow.run.repository.parse::<Repository>()) else { return Ok(()) };
    let snapshot = Snapshot::newest(&*opened.store).await?;
    let mut lost = Vec::new();
    for (deployable, previewed) in &preview.deployables {
        let PreviewName { workspace, environment } = name.clone();
        let place = Place { workspace, environment, deployable: deployable.clone() };
        let records = snapshot.place(&place).await?.connections;
        let connections = records.into_values().map(|record| (record.address.clone(), record)).collect();
        let outlook = Outlook {
            url: previewed.url.clone(),
            expires: preview.expires,
            told: session.world.clock.now(),
            most,
            answer: Some(answer.clone()),
        };
        let surroundings = workflow.surroundings(place.to_string());
        let text = report::preview::state(&place, &connections, &outlook, &surroundings, LARGEST_COMMENT);
        let text = session.redactor.redact(&text);
        lost.extend(comment::upsert(&client, &repository, preview.id.pull_request, &place.to_string(), &text).await.err());
    }
    warn(session, lost);
    Ok(())
}

/// What GitHub could not be told: the deed itself is done.
fn warn(session: &Session, lost: Vec<ApiError>) {
    let warned =
        |problem: ApiError| Diagnostic { severity: Severity::Warning, ..problem.diagnostic(FailureReason::ContextUnavailable) };
    session.warn(&Problems(lost.into_iter().map(warned).collect()));
}
