//! Whose preview is meant.

use crate::app::owner;
use crate::app::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::preview::PullRequestId;
use crate::request::cli::PullRequestArguments;
use crate::request::variables::runner;

/// The pull request that is named, else that of the workflow's event.
///
/// # Errors
/// `invalid-input` where neither says which.
pub(super) fn pull_request(session: &Session, arguments: &PullRequestArguments) -> Result<PullRequestId, Problems> {
    let missing = |what: &str, flag: &str| {
        Diagnostic::error(FailureReason::InvalidInput, format!("{what} of the preview is not known"))
            .help(format!("name it with `{flag}`; in a workflow of a pull request it is known"))
    };
    let pull_request = arguments.pull_request.or_else(|| session.workflow.as_ref()?.run.pull_request_number());
    let pull_request = pull_request.ok_or_else(|| missing("the pull request", "--pull-request"))?;
    let repository_id = arguments.repository_id.or_else(|| owner::own_repository(session));
    let repository_id = repository_id.ok_or_else(|| missing("the repository", "--repository-id"))?;
    Ok(PullRequestId { repository_id, pull_request })
}

/// The same with the repository's name, for one whose preview this run may make: a workflow makes those of its own repository.
///
/// # Errors
/// `invalid-input` where neither says which; `not-owner` for another repository than the workflow's.
pub(super) fn pull_request_in(session: &Session, arguments: &PullRequestArguments) -> Result<(PullRequestId, String), Problems> {
    let id = pull_request(session, arguments)?;
    let variables = &session.world.variables;
    let own = variables.get(runner::ACTIONS).and_then(|_| variables.get(runner::REPOSITORY)).map(str::to_owned);
    if let Some(of_workflow) = owner::own_repository(session).filter(|own| *own != id.repository_id) {
        let message = format!("a workflow makes previews for pull requests of its own repository, whose id is {of_workflow}");
        return Err(Diagnostic::error(FailureReason::NotOwner, message)
            .note(format!("asked for was one of the repository with the id {}", id.repository_id))
            .help("leave `repository-id` out")
            .into());
    }
    let unnamed = || format!("the repository with the id {}", id.repository_id);
    let repository = own.or_else(|| arguments.repository.clone()).unwrap_or_else(unnamed);
    Ok((id, repository))
}
