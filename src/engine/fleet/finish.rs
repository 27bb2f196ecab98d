//! The end of a fleet: what its jobs left is published as if one process had done it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::parts::{Parts, aliases, buried, has_left, is_at_work};
use crate::context::ledger::{self, Snapshot};
use crate::context::{ContextStore, StoreError};
use crate::domain::address::{Place, Target};
use crate::domain::canonical;
use crate::domain::connection::ConnectionStatus;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::{End, Fleet, Left, PartName};
use crate::domain::names::RunId;
use crate::domain::outcome::RunReport;
use crate::domain::record::{ChangeCounts, Claim, TaskStatus, TaskType};
use crate::engine::claim::{self, Held};
use crate::engine::event::Event;
use crate::engine::journal::Journal;
use crate::engine::tasks::{self, Results, behind, tasks_of};
use crate::engine::{Engine, Node, schedule};
use crate::world::World;

/// How long jobs that may be at work are waited for: longer than a lease, so that a machine that was lost is waited out.
const PATIENCE: Duration = Duration::from_mins(20);

/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Closes a fleet, waits for its jobs, and holds its claim; none where it was finished before.
///
/// # Errors
/// `claimed` when another run holds the place, somebody else finishes the fleet, or a job goes on for too long; `cancelled` when none of
/// its jobs ever began, or the wait is cancelled; `context-unavailable` when the context cannot be read or written.
pub async fn take_fleet(
    world: &World,
    store: &Arc<dyn ContextStore>,
    (place, fleet): (&Place, &RunId),
    cancel: &CancellationToken,
    say: &(dyn Fn(String) + Sync),
) -> Result<Option<Held>, Problems> {
    let found = ledger::read_claim(&**store, place).await?;
    let is_finished = Snapshot::newest(&**store).await?.run(place, fleet).await?.is_some();
    let (at, claim, closed) = match found {
        Some((at, claim @ Claim { fleet: Some(_), .. })) if claim.run.id == *fleet => {
            let closed = close(world, &claim)?;
            (at, claim, closed)
        }
        _ if is_finished => return Ok(None),
        Some((_, other)) => return Err(claim::held_by(world, &other).into()),
        None => return Err(never_began(fleet).into()),
    };
    let held_at = match store.write_claim(place, &canonical::to_bytes(&closed), Some(&at)).await {
        Err(StoreError::Conflict { .. }) => return Err(claim::held_by(world, &claim).into()),
        written => written?,
    };
    let journal = Arc::new(Journal::new(world.clone(), store.clone(), closed, held_at));
    if is_finished {
        // It was published, and only the claim is left.
        journal.release().await?;
        return Ok(None);
    }
    let done = CancellationToken::new();
    let (waited, ()) = tokio::join!(
        async {
            let waited = wait(world, &**store, (place, fleet), cancel, say).await;
            done.cancel();
            waited
        },
        journal.keep_alive(&done)
    );
    if waited.is_err() {
        // Whoever finishes it next need not wait for us.
        journal.note(|claim| claim.lease = world.clock.now());
        journal.sync().await?;
    }
    waited.map(|()| Some(journal))
}

/// The claim of a fleet, closed and held by this process.
fn close(world: &World, claim: &Claim) -> Result<Claim, Problems> {
    let is_closing = claim.fleet.as_ref().is_some_and(|fleet| fleet.closing);
    if is_closing && !world.exec.has_ended(&claim.process) && claim.lease > world.clock.now() {
        let message = format!("fleet `{}` is being finished on `{}`, process {}", claim.run.id, claim.host, claim.process.id);
        return Err(Diagnostic::error(FailureReason::Claimed, message).help("wait until that has ended").into());
    }
    let fleet = claim.fleet.clone().map(|fleet| Fleet { closing: true, ..fleet });
    Ok(Claim { fleet, ..claim::held_now(world, claim) })
}

fn never_began(fleet: &RunId) -> Diagnostic {
    Diagnostic::error(FailureReason::Cancelled, format!("no job of fleet `{fleet}` ever began: nothing was done"))
        .note("a job that is refused before it begins leaves nothing; its own log says why")
        .help("run the workflow again")
}

/// Waits until no job is at work any more. Those that ended without a word are buried: should one of them be alive after all, its next
/// write fails, and it starts nothing new.
async fn wait(
    world: &World,
    store: &dyn ContextStore,
    (place, fleet): (&Place, &RunId),
    cancel: &CancellationToken,
    say: &(dyn Fn(String) + Sync),
) -> Result<(), Problems> {
    let start = world.clock.now();
    let mut told = false;
    loop {
        let mut journals = Parts::list(store, place, fleet).await?.all().await?;
        journals.retain(|_, (_, journal)| !has_left(journal));
        let (at_work, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            journals.into_iter().partition(|(_, (_, journal))| is_at_work(world, journal));
        for (alias, (at, journal)) in gone {
            let name = PartName { place: place.clone(), fleet: fleet.clone(), alias };
            match store.write_part(&name, &canonical::to_bytes(&buried(journal)), Some(&at)).await {
                Err(StoreError::Conflict { .. }) => {}
                written => _ = written?,
            }
        }
        if at_work.is_empty() {
            return Ok(());
        }
        let names: Vec<String> =
            aliases(at_work.values().map(|(_, journal)| journal)).iter().map(|alias| format!("`{alias}`")).collect();
        let names = names.join(", ");
        if !std::mem::replace(&mut told, true) {
            say(format!(
                "the jobs for {names} may still be at work; waiting for them, at most {} minutes",
                PATIENCE.as_secs() / 60
            ));
        }
        if (world.clock.now() - start).to_std().unwrap_or_default() > PATIENCE {
            let message = format!("the jobs for {names} of fleet `{fleet}` still work");
            return Err(Diagnostic::error(FailureReason::Claimed, message).help("finish the fleet once they have ended").into());
        }
        tokio::select! {
            () = cancel.cancelled() => {
                let message = format!("finishing fleet `{fleet}` was cancelled while the jobs for {names} were waited for");
                return Err(Diagnostic::error(FailureReason::Cancelled, message).help("finish it again").into());
            }
            () = world.clock.sleep(LOOK) => {}
        }
    }
}

/// Publishes what the jobs of a fleet left, in one commit, and gives its claim back.
///
/// # Errors
/// When what they left cannot be read; then all is as before.
pub async fn finish_fleet(engine: Arc<Engine>, journal: Held) -> Result<RunReport, Problems> {
    let (place, fleet) = (&engine.deployment.place, journal.run());
    let parts = Parts::list(&*engine.store, place, &fleet).await?.all().await?;
    journal.note(|claim| claim.run.tasks = tasks::pending(&engine));
    engine.emit(Event::RunStarted { run: fleet.clone(), run_type: engine.settings.run_type, place: place.clone() });
    let mut results = Results::default();
    for (_, (_, part)) in parts {
        engine.take_in(&journal, part, &mut results);
    }
    engine.end_the_rest(&journal, &mut results).await;
    Ok(engine.finish(&journal, results).await)
}

impl Engine {
    /// Takes in what a job left.
    fn take_in(&self, journal: &Journal, part: Claim, results: &mut Results) {
        let Some(left) = part.part.as_ref().and_then(|part| part.left.clone()) else { return };
        self.recall(&part);
        self.take_in_connections(Some(&left));
        self.take_in_tasks(journal, &part, &left);
        let records = part.applied.into_iter().map(|(alias, record)| {
            let succeeded = left.succeeded.contains(&alias);
            (alias, (record, succeeded))
        });
        results.applied.extend(records);
        results.destroyed.extend(left.destroyed);
        results.retained.extend(left.retained);
        results.changes.extend(left.changes);
        results.blockers.extend(left.blockers);
        results.problems.extend(left.problems);
        results.ends.extend(left.ends);
        left.notes.into_iter().for_each(|note| self.add_note(note));
    }

    /// What a job marked `retiring` is what it was, unless its destroy was begun: then nobody knows; what the job itself left of it comes after.
    fn recall(&self, part: &Claim) {
        let mut records = self.records();
        for (address, status) in &part.retiring {
            let Some(record) = records.get_mut(address) else { continue };
            let was_begun = matches!(&address.target, Target::Output { alias, .. } if part.applied.contains_key(alias));
            record.status = if was_begun { ConnectionStatus::Degraded } else { *status };
            record.degraded_by = was_begun.then(|| part.run.id.clone()).or(record.degraded_by.take());
        }
    }

    /// The tasks of a job as it left them. One that came to nothing wrote none.
    fn take_in_tasks(&self, journal: &Journal, part: &Claim, left: &Left) {
        let because = left.problems.cause().map(|cause| cause.message.clone());
        for node in self.graph().into_keys().filter(|node| left.ends.contains_key(node.alias())) {
            let mut theirs = part.clone();
            let theirs: Vec<_> = tasks_of(&mut theirs, &node).map(|task| task.clone()).collect();
            let Some(main) = theirs.iter().find(|task| task.task_type != TaskType::Iac) else {
                self.end_task(journal, &node, TaskStatus::Failed, because.clone(), ChangeCounts::default());
                continue;
            };
            let took = main.started.zip(main.ended).and_then(|(started, ended)| (ended - started).to_std().ok());
            self.emit(Event::TaskEnded {
                alias: main.alias.clone(),
                task: main.task_type,
                status: main.status,
                because: main.because.clone(),
                changes: main.changes,
                took: took.unwrap_or_default(),
            });
            journal.note(|claim| {
                for task in tasks_of(claim, &node) {
                    if let Some(done) = theirs.iter().find(|done| done.task_type == task.task_type) {
                        task.clone_from(done);
                    }
                }
            });
        }
    }

    /// Ends the tasks that no job came to: those behind a failure are skipped, the others are what is missing.
    async fn end_the_rest(&self, journal: &Journal, results: &mut Results) {
        let graph = self.graph();
        let known = graph.keys().filter_map(|node| Some((node.clone(), results.ends.get(node.alias())?.clone())));
        let stopped = CancellationToken::new();
        stopped.cancel();
        let known: BTreeMap<Node, End> = known.collect();
        let all = schedule::run(&graph, known.clone(), 1, &stopped, |_| std::future::ready(false)).await;
        let mut missing = Vec::new();
        for (node, end) in all.into_iter().filter(|(node, _)| !known.contains_key(node)) {
            let (status, because) = match end {
                End::Skipped { because } => (TaskStatus::Skipped, behind(&because)),
                _ => {
                    missing.push(format!("`{node}`"));
                    (TaskStatus::Aborted, "no job came to it".to_owned())
                }
            };
            self.end_task(journal, &node, status, Some(because), ChangeCounts::default());
        }
        if !missing.is_empty() {
            let message = format!("no job of the fleet came to {}", missing.join(", "));
            let problem = Diagnostic::error(FailureReason::Cancelled, message)
                .note("it was cancelled, never started, or refused before it began")
                .help("deploy again: what is done is skipped");
            results.problems.push(problem);
        }
    }
}
