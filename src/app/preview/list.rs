//! `tieline preview list`: the previews there are.

use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::WorkspaceName;
use crate::report;
use crate::request::cli::Target;

/// Lists those of the workspace that is named, or of all.
pub(super) async fn run(session: &Session, target: &Target) -> Result<(), Problems> {
    let workspace: Option<WorkspaceName> =
        target.workspace.as_deref().map(str::parse).transpose().map_err(|problem: crate::domain::names::InvalidName| {
            Diagnostic::error(FailureReason::InvalidInput, problem.to_string())
        })?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let previews = Snapshot::newest(&*opened.store).await?.previews(workspace.as_ref()).await?;
    session.print(&if session.is_json() {
        report::previews::json(&previews, session.world.clock.now())
    } else {
        report::previews::text(&previews, session.world.clock.now())
    });
    Ok(())
}
