//! What became of connections that were bound to and are not there any more.

use std::collections::BTreeMap;

use crate::context::ContextStore;
use crate::context::ledger::Snapshot;
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, SlotName};
use crate::domain::organization::Override;
use crate::domain::record::{AppliedRecord, RunRecord, TaskStatus, TaskType};

/// So many of the producer's newest runs are looked at.
const RECENT_RUNS: usize = 50;

/// Says of every binding whose connection is gone who took it away, and when.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn tell(
    store: &dyn ContextStore,
    place: &Place,
    applied: &BTreeMap<Alias, AppliedRecord>,
) -> Result<Problems, Problems> {
    let bound = applied.iter().flat_map(|(alias, record)| {
        let slot_of = |slot: &SlotName| AliasMember { alias: alias.clone(), member: slot.clone() };
        record.bindings.iter().map(move |(slot, binding)| (slot_of(slot), &binding.address))
    });
    let elsewhere: Vec<_> = bound.filter(|(_, address)| address.producer().is_some_and(|producer| producer != *place)).collect();
    let ledger = Snapshot::newest(store).await?;
    let there = ledger.connections(elsewhere.iter().map(|(_, address)| *address)).await?;
    let mut told = Problems::default();
    for (slot, address) in elsewhere.into_iter().filter(|(_, address)| !there.contains_key(*address)) {
        let Some(producer) = address.producer() else { continue };
        let runs = ledger.runs(&producer, RECENT_RUNS).await?;
        let consumer = format!("{place}/{slot}");
        told.push(went(&slot, &consumer, address, runs.iter().find(|run| took_away(run, address))));
    }
    Ok(told)
}

fn took_away(run: &RunRecord, address: &Address) -> bool {
    let Target::Output { alias, .. } = &address.target else { return false };
    let is_it = |task: &&crate::domain::record::TaskRecord| &task.alias == alias && task.task_type == TaskType::Destroy;
    run.tasks.iter().filter(is_it).any(|task| task.status == TaskStatus::Succeeded)
}

fn went(slot: &AliasMember<SlotName>, consumer: &str, address: &Address, run: Option<&RunRecord>) -> Diagnostic {
    let message = format!("slot `{slot}` is bound to `{address}`, which is gone");
    let mut problem = Diagnostic::warning(FailureReason::UnresolvedSlot, message);
    if let Some(run) = run {
        let who = run.actor.as_deref().unwrap_or("somebody");
        let when = run.ended.unwrap_or(run.started).format("%Y-%m-%d %H:%M UTC");
        problem = problem.note(format!("run `{}` of {who} destroyed it {when}", run.id));
        let breaks = run.overrides.iter().find(|set_aside| set_aside.what == Override::BreakConsumers);
        if let Some(set_aside) = breaks.filter(|set_aside| set_aside.subjects.contains(consumer)) {
            problem = problem.note(format!("although this slot was bound to it: {}", set_aside.reason));
        }
    }
    problem.help("wire the slot to another connection, or destroy what is applied: that needs no producer")
}
