//! How a job comes into a fleet.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::context::ContextStore;
use crate::context::ledger::{self, Snapshot};
use crate::domain::address::Place;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::{Fleet, Outline, Part, PartName};
use crate::domain::names::{Alias, RunId};
use crate::domain::record::{Claim, Process};
use crate::engine::claim::{self, Held, MOMENT, MOMENTS, Start, Wanted};
use crate::engine::journal::Journal;

/// No process in particular: nobody takes the claim of a fleet for dead because one of its jobs ended.
const NOBODY: Process = Process { id: 0, started: 0, boot: String::new(), namespace: String::new(), machine: String::new() };

/// What to do where a fleet takes no job.
const ANEW: &str = "begin a new fleet: what is done already is skipped";

/// Brings a job that works on these aliases into the fleet whose run it is started with: takes the claim, or finds that another job of the
/// fleet did. Gives the journal of the job.
///
/// # Errors
/// `claimed` when another run holds the place, the fleet is finished, or the job was there before; `binding-changed` when the job would
/// deploy something else than the fleet began with; `context-unavailable` when the context cannot be read or written.
pub async fn join(
    start: &Start,
    deployment: &Deployment,
    aliases: &BTreeSet<Alias>,
    say: &(dyn Fn(String) + Sync),
) -> Result<Held, Problems> {
    let ours = Claim {
        process: NOBODY,
        fleet: Some(Fleet { deployment: Outline::of(deployment), closing: false }),
        ..start.claim_of(Wanted::of(deployment))
    };
    let Claim { run, fleet, .. } = hold(start, &ours, say).await?;
    if let (Some(then), Some(now)) = (&fleet, &ours.fleet) {
        refuse_differences(deployment, then.deployment.differences(&now.deployment, aliases))?;
    }
    let name = free_name(start, &deployment.place, aliases, fleet.is_some_and(|fleet| fleet.closing)).await?;
    let journal = Claim {
        run,
        part: Some(Part { aliases: aliases.clone(), left: None }),
        ..start.claim_of(Wanted::alone(&deployment.place))
    };
    Ok(Arc::new(Journal::of_part(start.world.clone(), start.store.clone(), journal, name)))
}

/// Takes the place for the fleet, or finds it taken for it; gives its claim. While another job takes the place over from a dead run, that
/// is waited for.
async fn hold(start: &Start, ours: &Claim, say: &(dyn Fn(String) + Sync)) -> Result<Claim, Problems> {
    let store = &*start.store;
    let mut refused = Problems::default();
    for moment in 0..MOMENTS {
        if moment > 1 {
            start.world.clock.sleep(MOMENT).await;
        }
        let found = ledger::read_claim(store, &ours.place).await?.map(|(_, claim)| claim);
        if let Some(claim) = found.filter(|claim| claim.run.id == start.run && claim.fleet.is_some()) {
            refuse_finished(store, &ours.place, &start.run).await?;
            return Ok(claim);
        }
        match claim::claim_as(start, ours, say).await {
            Ok(at) => {
                // Nobody can finish it from here on; whether it was finished before we came is only known now.
                if let Err(finished) = refuse_finished(store, &ours.place, &start.run).await {
                    store.delete_claim(&ours.place, &at).await?;
                    return Err(finished);
                }
                return Ok(ours.clone());
            }
            Err(problems) if problems.0.iter().all(|problem| problem.reason == FailureReason::Claimed) => refused = problems,
            Err(problems) => return Err(problems),
        }
    }
    Err(refused)
}

async fn refuse_finished(store: &dyn ContextStore, place: &Place, fleet: &RunId) -> Result<(), Problems> {
    match Snapshot::newest(store).await?.run(place, fleet).await? {
        None => Ok(()),
        Some(_) => Err(Diagnostic::error(FailureReason::Claimed, format!("fleet `{fleet}` is finished")).help(ANEW).into()),
    }
}

fn refuse_differences(deployment: &Deployment, differences: Vec<String>) -> Result<(), Problems> {
    if differences.is_empty() {
        return Ok(());
    }
    let message = "this job would deploy something else than the fleet began with";
    let mut refused = Diagnostic::error(FailureReason::BindingChanged, message).in_file(&deployment.file);
    refused.notes = differences.into_iter().map(|what| format!("{what} changed")).collect();
    Err(refused.help("give all jobs of a fleet the same commit and the same inputs; finish this one, and begin a new one").into())
}

/// The name of the job's journal, if the fleet goes on and has none of that name.
async fn free_name(start: &Start, place: &Place, aliases: &BTreeSet<Alias>, closing: bool) -> Result<PartName, Problems> {
    let refused = |what: String| Problems::from(Diagnostic::error(FailureReason::Claimed, what).help(ANEW));
    if closing {
        return Err(refused(format!("fleet `{}` is being finished", start.run)));
    }
    let Some(alias) = aliases.first().cloned() else {
        return Err(Diagnostic::error(FailureReason::InvalidInput, "the job names no alias").help("add `--only <alias>`").into());
    };
    if start.store.parts(&start.run).await?.contains_key(&alias) {
        return Err(refused(format!("fleet `{}` has had its job for `{alias}`", start.run)));
    }
    Ok(PartName { place: place.clone(), fleet: start.run.clone(), alias })
}
