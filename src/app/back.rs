//! How to go back: the release that was deployed before a run, and the commands that lead there again.

use super::session::Session;
use crate::context::ContextStore;
use crate::context::ledger::Snapshot;
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::names::RunId;
use crate::domain::outcome::WayBack;
use crate::request::cli::Target;

/// The workflow of the examples that rolls back; its inputs are those of the command that is shown.
const WORKFLOW: &str = "rollback.yml";

/// The way back to the newest release that there is now.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn way(
    session: &Session,
    target: &Target,
    store: &dyn ContextStore,
    place: &Place,
) -> Result<Option<WayBack>, Problems> {
    let newest = Snapshot::newest(store).await?.releases(place, 1).await?.pop();
    Ok(newest.map(|release| WayBack {
        command: command(session, target, place, &release.run),
        dispatch: dispatch(session, place, &release.run),
        version_tag: release.version_tag,
        run: release.run,
        made: release.made,
    }))
}

/// The command line that goes back to a release. It names the run: a version tag may come to mean a later one.
pub(super) fn command(session: &Session, target: &Target, place: &Place, run: &RunId) -> String {
    let Place { workspace, environment, deployable } = place;
    let mut command = format!("tieline rollback -w {workspace} -e {environment} --deployable {deployable} --to {run}");
    let folder = target.working_directory.as_ref().map(|folder| folder.display().to_string());
    let context = &target.context;
    let given = [
        ("-C", folder.filter(|_| context.context.is_none())),
        ("--context", context.context.clone()),
        ("--documents-branch", Some(context.documents_branch.clone()).filter(|branch| branch != "main")),
        ("--ledger-branch", Some(context.ledger_branch.clone()).filter(|branch| branch != "ledger")),
    ];
    for (flag, value) in given.into_iter().filter_map(|(flag, value)| Some((flag, value?))) {
        command += &format!(" {flag} {}", quoted(&value));
    }
    session.redactor.redact(&command)
}

/// The command that starts the workflow for it; only where this is a step of one.
fn dispatch(session: &Session, place: &Place, run: &RunId) -> Option<String> {
    let repository = &session.workflow.as_ref()?.run.repository;
    let Place { environment, deployable, .. } = place;
    Some(format!(
        "gh workflow run {WORKFLOW} --repo {} -f deployable={deployable} -f environment={environment} -f release={run}",
        quoted(repository)
    ))
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:@+=,%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_text_is_one_word_of_a_shell() {
        assert_eq!(quoted("github:acme/context"), "github:acme/context");
        assert_eq!(quoted("../a b"), "'../a b'");
        assert_eq!(quoted("it's $(me)"), r"'it'\''s $(me)'");
        assert_eq!(quoted(""), "''");
    }
}
