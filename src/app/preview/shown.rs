//! What GitHub shows of a preview after a deploy of it is over: the comment on its pull request, and its deployments.

use super::down::shown_places;
use crate::app::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::preview::Preview;
use crate::domain::removal::Removed;
use crate::github::deployment::{self, State, Status};
use crate::github::{ApiError, Repository, comment};
use crate::report::{self, Surroundings};
use crate::request::cli::PreviewDown;
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
    let named = arguments.pull_request.repository.as_deref().unwrap_or(&preview.repository);
    let Ok(repository) = named.parse::<Repository>() else { return };
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
    let warned =
        |problem: ApiError| Diagnostic { severity: Severity::Warning, ..problem.diagnostic(FailureReason::ContextUnavailable) };
    session.warn(&Problems(lost.into_iter().map(warned).collect()));
}
