//! What becomes of a dead run's journal (R21).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim;
use super::fleet;
use super::publication::Publication;
use crate::context::ledger::{self, PlaceRecords, Snapshot};
use crate::context::{ContextStore, StoreError};
use crate::domain::address::{Place, Target};
use crate::domain::canonical;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus};
use crate::domain::diagnostic::Problems;
use crate::domain::failure::FailureReason;
use crate::domain::fleet::Left;
use crate::domain::names::{Digest, RunId};
use crate::domain::record::{Claim, RunStatus};
use crate::sources::Tree;
use crate::world::World;

/// How many of the newest runs are looked at to find out whether the journal was folded already.
const RECENT_RUNS: usize = 20;

/// Plugins' trees by digest.
type Trees = BTreeMap<Digest, Arc<Tree>>;

/// Clears up after a run that the caller knows to be dead: folds its journal into the ledger and takes its claim away. Says whether
/// there was anything to clear up; a claim of another run is left alone. `trees` are those that are at hand.
///
/// # Errors
/// `context-unavailable` when the context cannot be read or written.
pub async fn clear_up(
    world: &World,
    store: &dyn ContextStore,
    place: &Place,
    run: &RunId,
    trees: &Trees,
) -> Result<bool, Problems> {
    let Some((found_at, dead)) = ledger::read_claim(store, place).await?.filter(|(_, claim)| claim.run.id == *run) else {
        return Ok(false);
    };
    // Held by us first: a run that can see that the other is dead would fold the same journal, and go on to write newer records.
    let held = claim::held_now(world, &dead);
    let held_at = match store.write_claim(place, &canonical::to_bytes(&held), Some(&found_at)).await {
        Err(StoreError::Conflict { .. }) => return Ok(false),
        written => written?,
    };
    fold(world, store, trees, &dead).await?;
    match store.delete_claim(place, &held_at).await {
        Err(StoreError::Conflict { .. }) => Ok(true),
        deleted => Ok(deleted.map(|()| true)?),
    }
}

/// Folds a dead run's journal into the ledger: the run is marked `aborted`, what it attempted is recorded as attempted, and the
/// connections that it wanted to take away are there again. Of a fleet all that its jobs wrote is folded.
pub(super) async fn fold(world: &World, store: &dyn ContextStore, trees: &Trees, dead: &Claim) -> Result<(), Problems> {
    let ledger = Snapshot::newest(store).await?;
    let runs = ledger.runs(&dead.place, RECENT_RUNS).await?;
    if !runs.iter().any(|run| run.id == dead.run.id && run.status != RunStatus::Running) {
        let (dead, left) = fleet::merged(store, dead).await?;
        publish(world, store, &ledger, trees, (&dead, &left)).await?;
    }
    if dead.fleet.is_some() {
        fleet::forget_parts(store, dead).await?;
    }
    Ok(())
}

async fn publish(
    world: &World,
    store: &dyn ContextStore,
    ledger: &Snapshot<'_>,
    trees: &Trees,
    (dead, left): (&Claim, &[Left]),
) -> Result<(), Problems> {
    let mut run = dead.run.clone();
    run.status = RunStatus::Aborted;
    run.failure_reason = Some(FailureReason::Cancelled);
    run.ended = Some(world.clock.now());
    let PlaceRecords { applied: before, connections } = ledger.place(&dead.place).await?;
    let connections = connections.into_values().map(|record| (record.address.clone(), record)).collect();
    let mut publication = Publication::new(&dead.place);
    for (alias, record) in &dead.applied {
        let succeeded = record.applied.as_ref() == Some(&record.attempted);
        publication.applied(alias, record, before.get(alias), succeeded);
        if let Some(tree) = trees.get(&record.source.digest) {
            publication.tree(&record.source.digest, tree);
        }
    }
    for record in ledger.connections(dead.retiring.keys()).await?.into_values() {
        publication.connection(&recalled(record, dead));
    }
    for left in left {
        left.connections.iter().for_each(|record| publication.connection(record));
        for (alias, record) in left.destroyed.iter().filter_map(|alias| Some((alias, before.get(alias)?))) {
            publication.destroyed(alias, record, &connections);
        }
    }
    publication.run(&run);
    publication.commit(world, store, &format!("Fold the journal of dead run {} into {}", dead.run.id, dead.place)).await
}

/// A connection that a dead run marked `retiring`: as it was, if its destroy was never started; else nobody knows what is left of it.
fn recalled(record: ConnectionRecord, dead: &Claim) -> ConnectionRecord {
    let alias = match &record.address.target {
        Target::Output { alias, .. } => Some(alias),
        Target::Imported(_) => None,
    };
    if alias.is_some_and(|alias| dead.applied.contains_key(alias)) {
        let degraded_by = Some(dead.run.id.clone());
        return ConnectionRecord { status: ConnectionStatus::Degraded, degraded_by, ..record };
    }
    let status = dead.retiring.get(&record.address).copied().unwrap_or(record.status);
    ConnectionRecord { status, ..record }
}
