//! Whether the run that holds a claim lives: what can be seen from here, and what the server says of its workflow run (R21).

use super::session::Session;
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::Problems;
use crate::domain::failure::FailureReason;
use crate::domain::life::{self, Life, Sight, Workflow};
use crate::domain::record::{Claim, RunStatus};
use crate::github::WorkflowAttempt;
use crate::request::cli::ContextArguments;

/// What is known of the holder of a claim. The server is asked only where nothing else tells.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn life(
    session: &Session,
    access: &ContextArguments,
    ledger: &Snapshot<'_>,
    claim: &Claim,
) -> Result<Life, Problems> {
    let recorded = ledger.run(&claim.place, &claim.run.id).await?;
    let has_ended = recorded.is_some_and(|run| run.status != RunStatus::Running);
    let exec = &session.world.exec;
    let sight = match (exec.has_ended(&claim.process), exec.is_alive(&claim.process)) {
        (true, _) => Sight::Gone,
        (_, true) => Sight::Runs,
        _ => Sight::OutOfSight,
    };
    match life::seen(claim, sight, has_ended, session.world.clock.now()) {
        Some(life) => Ok(life),
        None => Ok(life::told(&ask(session, access, claim.run.run_url.as_deref()).await)),
    }
}

/// What the server says of the workflow run that is watched at this address.
async fn ask(session: &Session, access: &ContextArguments, url: Option<&str>) -> Workflow {
    let not_told = |why: &str| Workflow::NotTold(why.to_owned());
    let Some(url) = url else { return not_told("it was no workflow") };
    let Some(attempt) = WorkflowAttempt::at(&session.server(), url) else {
        return not_told("its workflow ran on another server");
    };
    let Some(client) = session.workflow_client(access) else {
        return not_told("without `github-token` its workflow run cannot be asked for");
    };
    match attempt.standing(&client).await {
        Ok(Some(standing)) if standing.is_over() => Workflow::Over(standing.conclusion.unwrap_or_else(|| "completed".to_owned())),
        Ok(Some(standing)) => Workflow::GoesOn(standing.status.unwrap_or_else(|| "not completed".to_owned())),
        Ok(None) => not_told("the server shows no such workflow run to this token"),
        Err(problem) => {
            let problem = problem.diagnostic(FailureReason::ContextUnavailable);
            Workflow::NotTold(format!("its workflow run cannot be asked for: {}", problem.message))
        }
    }
}
