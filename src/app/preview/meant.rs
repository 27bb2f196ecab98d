//! The previews that are to be removed.

use super::whose;
use crate::app::session::Session;
use crate::context::ContextStore;
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::names::{EnvironmentName, InvalidName, WorkspaceName};
use crate::domain::preview::{Preview, PullRequestId};
use crate::domain::removal::PreviewName;
use crate::request::cli::PreviewDown;

/// What is meant by a request to remove.
pub(super) struct Meant {
    /// In words.
    pub(super) asked: String,
    /// Across workspaces, unless one is named.
    pub(super) previews: Vec<(PreviewName, Preview)>,
    /// Those that cannot be read, and may be meant too.
    pub(super) unreadable: Problems,
}

/// Finds what is meant.
///
/// # Errors
/// `invalid-input` where that is no preview or not known; `cancelled` where the preview of that name is another pull request's; when the
/// context cannot be read.
pub(super) async fn find(session: &Session, store: &dyn ContextStore, arguments: &PreviewDown) -> Result<Meant, Problems> {
    let wrong = |problem: InvalidName| Diagnostic::error(FailureReason::InvalidInput, problem.to_string());
    let snapshot = Snapshot::newest(store).await?;
    let workspace: Option<WorkspaceName> = arguments.target.workspace.as_deref().map(str::parse).transpose().map_err(wrong)?;
    let environment: Option<EnvironmentName> =
        arguments.target.environment.as_deref().map(str::parse).transpose().map_err(wrong)?;
    match (workspace, environment) {
        (Some(workspace), Some(environment)) => by_name(&snapshot, PreviewName { workspace, environment }, arguments).await,
        (workspace, _) => {
            let id = whose::pull_request(session, &arguments.pull_request)?;
            by_pull_request(session, &snapshot, workspace.as_ref(), id).await
        }
    }
}

async fn by_name(snapshot: &Snapshot<'_>, name: PreviewName, arguments: &PreviewDown) -> Result<Meant, Problems> {
    if !name.environment.is_preview() {
        let message = format!("`{}` is no preview: those are called `pr-…`", name.environment);
        return Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .help("use `tieline destroy` for what is deployed in an environment")
            .into());
    }
    let preview = snapshot.preview(&name.workspace, &name.environment).await?;
    let named = &arguments.pull_request;
    if let (Some(preview), Some(repository_id), Some(pull_request)) = (&preview, named.repository_id, named.pull_request)
        && preview.id != (PullRequestId { repository_id, pull_request })
    {
        return Err(another(&name));
    }
    let asked = format!("`{name}`");
    let previews = preview.map(|preview| (name, preview)).into_iter().collect();
    Ok(Meant { asked, previews, unreadable: Problems::default() })
}

/// One that cannot be read is the concern of the pull request that it may be of, by its name, and told to all others.
async fn by_pull_request(
    session: &Session,
    snapshot: &Snapshot<'_>,
    workspace: Option<&WorkspaceName>,
    id: PullRequestId,
) -> Result<Meant, Problems> {
    let asked = format!("pull request {} of the repository with the id {}", id.pull_request, id.repository_id);
    let mut meant = Meant { asked, previews: Vec::new(), unreadable: Problems::default() };
    let mut others = Problems::default();
    for ((workspace, environment), preview) in snapshot.all_previews(workspace).await? {
        match preview {
            Ok(preview) if preview.id == id => meant.previews.push((PreviewName { workspace, environment }, preview)),
            Ok(_) => {}
            Err(problem) if id.names(true).any(|name| name == environment) => meant.unreadable.push(problem.diagnostic()),
            Err(problem) => others.push(Diagnostic { severity: Severity::Warning, ..problem.diagnostic() }),
        }
    }
    session.warn(&others);
    Ok(meant)
}

/// Names are given anew: the preview of that name is not the one that is meant.
pub(super) fn another(name: &PreviewName) -> Problems {
    Diagnostic::error(FailureReason::Cancelled, format!("`{name}` is the preview of another pull request by now"))
        .help("nothing of it was removed; the one that was meant is gone")
        .into()
}
