//! What becomes of a dead run's journal (R21).

use super::claim::Start;
use super::publication::Publication;
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::Problems;
use crate::domain::failure::FailureReason;
use crate::domain::record::{Claim, RunStatus, TaskStatus};

/// How many of the newest runs are looked at to find out whether the journal was folded already.
const RECENT_RUNS: usize = 20;

/// Folds a dead run's journal into the ledger: the run is marked `aborted`, and what it attempted is recorded as attempted.
pub(super) async fn fold(start: &Start, dead: &Claim) -> Result<(), Problems> {
    let Start { world, store, trees, .. } = start;
    let store = &**store;
    let runs = Snapshot::newest(store).await?.runs(&dead.place, RECENT_RUNS).await?;
    if runs.iter().any(|run| run.id == dead.run.id && run.status != RunStatus::Running) {
        return Ok(());
    }
    let mut run = dead.run.clone();
    run.status = RunStatus::Aborted;
    run.failure_reason = Some(FailureReason::Cancelled);
    run.ended = Some(world.clock.now());
    for task in run.tasks.iter_mut().filter(|task| task.ended.is_none()) {
        task.status = TaskStatus::Aborted;
        task.because = Some("its process ended without a word".to_owned());
    }
    let mut publication = Publication::new(&dead.place);
    for (alias, record) in &dead.applied {
        publication.applied(alias, record, None, false);
        if let Some(tree) = trees.get(&record.source.digest) {
            publication.tree(&record.source.digest, tree);
        }
    }
    publication.run(&run);
    publication.commit(world, store, &format!("Fold the journal of dead run {} into {}", dead.run.id, dead.place)).await
}
