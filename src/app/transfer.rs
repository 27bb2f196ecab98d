//! `tieline transfer`: which repository may write a deployable (R40).

use super::proposal::Documents;
use super::session::Session;
use crate::documents::Edit;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, InvalidName, WorkspaceName};
use crate::domain::organization::Owner;
use crate::github::Repository;
use crate::request::cli::Transfer;

/// Runs the command.
pub(super) async fn run(session: &Session, transfer: &Transfer) -> Result<(), Problems> {
    let wrong = |problem: InvalidName| Diagnostic::error(FailureReason::InvalidInput, problem.to_string());
    let workspace = WorkspaceName::new(&transfer.workspace).map_err(wrong)?;
    let deployable = DeployableName::new(&transfer.deployable).map_err(wrong)?;
    let repository: Repository =
        transfer.to.parse().map_err(|why: String| Diagnostic::error(FailureReason::InvalidInput, why))?;
    let target = &transfer.target;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let documents = Documents::newest(session, &opened, &target.context).await?;
    let document = documents.workspace(&workspace).await?;
    let id = match transfer.id {
        Some(id) => id,
        None => id_of(session, transfer, &repository).await?,
    };
    let title = format!("let `{repository}` (id {id}) write `{workspace}/{deployable}`");
    let before = document.document.owners.get(&deployable);
    if before.is_some_and(|before| before.id == id && before.repository == repository.to_string()) {
        documents.nothing_to_do(title);
        return Ok(());
    }
    let affected = before.map(|before| {
        format!("workflows of `{}` (id {}) may no longer write `{workspace}/{deployable}`", before.repository, before.id)
    });
    let owner = match before {
        Some(before) => before.handed_over(repository.to_string(), id, session.world.clock.now()),
        None => Owner { repository: repository.to_string(), id, former: Vec::new() },
    };
    let edits = [Edit::SetOwner(deployable, owner)];
    documents.put(document.proposal("transfer", title, &edits, affected.into_iter().collect())?).await
}

/// Asks the server for the number that a repository keeps whatever it is called.
async fn id_of(session: &Session, transfer: &Transfer, repository: &Repository) -> Result<u64, Problems> {
    let client = session.plugin_client(&transfer.target.context);
    client.id_of(repository).await.map_err(|problem| {
        let diagnostic = problem.diagnostic(FailureReason::InvalidInput);
        diagnostic
            .help("or give the repository's numeric id with `--id`: `gh api repos/<owner>/<repository> --jq .id` prints it")
            .into()
    })
}
