//! How a preview's pull request stands, as the server says.

use std::str::FromStr as _;

use crate::app::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::github::Repository;
use crate::github::standing::{self, Standing};
use crate::request::cli::ContextArguments;

/// Whether there is anybody to deploy a preview for (R54). To be asked before the claim and once more under it. None where the server
/// cannot tell: there is no token to ask it with, or none that sees the pull request.
///
/// # Errors
/// `cancelled` where the pull request is closed; when the server does not answer.
pub(super) async fn open(
    session: &Session,
    access: &ContextArguments,
    repository: &str,
    number: u64,
) -> Result<Option<Standing>, Problems> {
    let (Some(client), Ok(named)) = (session.workflow_client(access), Repository::from_str(repository)) else {
        return Ok(None);
    };
    let found = standing::of(&client, &named, number).await;
    match found.map_err(|problem| problem.diagnostic(FailureReason::ContextUnavailable))? {
        Some(found) if found.is_open => Ok(Some(found)),
        Some(found) => Err(closed(repository, &found).into()),
        None => Ok(None),
    }
}

fn closed(repository: &str, standing: &Standing) -> Diagnostic {
    let how = if standing.is_merged { "merged" } else { "closed" };
    let message = format!("pull request {} of `{repository}` was {how}: nothing is deployed for it any more", standing.number);
    Diagnostic::error(FailureReason::Cancelled, message)
        .note("a deploy that waited came after the end of its pull request")
        .help("nothing is left to do; if it is opened again, its preview is made anew")
}
