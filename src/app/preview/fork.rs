//! A pull request from a fork, or of Dependabot (R53): its workflow has neither secrets nor rights, so it gets what needs none of them.

use crate::app::session::Session;
use crate::app::{Ended, Outcome, validate};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::request::cli::Target;
use crate::request::event::Happened;

/// Who it is for.
const STRANGER: &str =
    "this is a pull request from a fork, or of Dependabot: it is not trusted with secrets and cloud access, so it has no preview";

/// Whether the workflow runs for one.
pub(super) fn is_one(session: &Session) -> bool {
    session.workflow.as_ref().is_some_and(|workflow| workflow.run.is_untrusted())
}

/// Checks what can be checked, where there is something new, and says what cannot be. No context is opened, no state is read, nothing is
/// written.
pub(super) async fn validated(session: &Session, target: &Target) -> Ended {
    let is_changed = session.workflow.as_ref().is_some_and(|workflow| workflow.run.happened == Happened::Changed);
    if !is_changed {
        return Ok(Outcome::Skipped(format!("{STRANGER}, and nothing of it is to be removed or kept")));
    }
    let unchecked = validate::without_context(session, target).await?;
    Ok(Outcome::Skipped(format!("{STRANGER}. Its manifest is valid. Not checked: {}", unchecked.join("; "))))
}

/// What is said to whoever asks for the preview of one in a workflow that is trusted: on a comment, a schedule, or by hand.
pub(super) fn refused(number: u64) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("pull request {number} is from a fork: it has no preview"))
        .note("its files would be deployed with the secrets and the cloud access of this workflow")
        .help("push its commits to a branch of the repository, and open a pull request from there")
}
