//! Whether the run that holds a claim lives: what can be seen from here, and what the server says of its workflow run (R21).

use super::session::Session;
use crate::context::ContextStore;
use crate::context::ledger::{self, Snapshot};
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::failure::FailureReason;
use crate::domain::fleet::PartName;
use crate::domain::life::{self, Life, Sight, Workflow};
use crate::domain::record::{Claim, RunStatus};
use crate::engine::{self, Start};
use crate::github::WorkflowAttempt;
use crate::request::cli::ContextArguments;

/// Who holds a claim.
pub(super) struct Holder {
    /// Whether it lives.
    pub(super) life: Life,
    /// The journals of its jobs, where it is a fleet.
    pub(super) jobs: Vec<Claim>,
}

/// What is known of the holder of a claim. The server is asked only where nothing else tells.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn of(
    session: &Session,
    access: &ContextArguments,
    (store, ledger): (&dyn ContextStore, &Snapshot<'_>),
    claim: &Claim,
) -> Result<Holder, Problems> {
    let recorded = ledger.run(&claim.place, &claim.run.id).await?;
    let has_ended = recorded.is_some_and(|run| run.status != RunStatus::Running);
    let mut life = life_of(session, access, claim, has_ended).await;
    let jobs = if claim.fleet.is_some() { jobs(store, claim).await? } else { Vec::new() };
    for job in jobs.iter().filter(|job| job.part.as_ref().is_some_and(|part| part.left.is_none())) {
        life = life.and(life_of(session, access, job, has_ended).await);
    }
    Ok(Holder { life, jobs })
}

/// Frees a place from a run that the server knows to be over: what it did is noted in the ledger, and its claim given back (R21). Whether
/// the place is free now.
///
/// # Errors
/// When the context cannot be read or written.
pub(super) async fn bury(session: &Session, access: &ContextArguments, start: &Start, place: &Place) -> Result<bool, Problems> {
    let store = &*start.store;
    let Some((_, claim)) = ledger::read_claim(store, place).await? else { return Ok(true) };
    let snapshot = Snapshot::newest(store).await?;
    let Life::Dead(because) = of(session, access, (store, &snapshot), &claim).await?.life else { return Ok(false) };
    session.say(&format!("run {} holds `{place}` and is dead: {because}; its journal is folded into the ledger", claim.run.id));
    let Some(held) = engine::take_over(start, &claim).await? else { return Ok(false) };
    held.release().await?;
    Ok(true)
}

/// The journals of a fleet's jobs.
async fn jobs(store: &dyn ContextStore, claim: &Claim) -> Result<Vec<Claim>, Problems> {
    let mut jobs = Vec::new();
    for (alias, at) in store.parts(&claim.run.id).await? {
        let name = PartName { place: claim.place.clone(), fleet: claim.run.id.clone(), alias };
        jobs.extend(ledger::read_part(store, &name, &at).await?);
    }
    Ok(jobs)
}

async fn life_of(session: &Session, access: &ContextArguments, journal: &Claim, has_ended: bool) -> Life {
    let exec = &session.world.exec;
    let sight = match (exec.has_ended(&journal.process), exec.is_alive(&journal.process)) {
        (true, _) => Sight::Gone,
        (_, true) => Sight::Runs,
        _ => Sight::OutOfSight,
    };
    match life::seen(journal, sight, has_ended, session.world.clock.now()) {
        Some(life) => life,
        None => life::told(&ask(session, access, journal.run.run_url.as_deref()).await),
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
