//! The journals of a fleet's jobs, as others read them.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::ledger;
use crate::context::{CommitId, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::{End, Left, PartName};
use crate::domain::names::{Alias, RunId};
use crate::domain::record::{Claim, TaskStatus};
use crate::world::World;

/// The journals of a fleet that have been read, and where the others are.
pub(super) struct Parts<'a> {
    store: &'a dyn ContextStore,
    place: &'a Place,
    fleet: &'a RunId,
    pub(super) listed: BTreeMap<Alias, CommitId>,
    read: BTreeMap<Alias, Option<Claim>>,
}

impl<'a> Parts<'a> {
    /// Those there are now.
    pub(super) async fn list(store: &'a dyn ContextStore, place: &'a Place, fleet: &'a RunId) -> Result<Self, StoreError> {
        let listed = store.parts(fleet).await?;
        Ok(Self { store, place, fleet, listed, read: BTreeMap::new() })
    }

    /// The journal of this name.
    pub(super) async fn named(&mut self, alias: &Alias) -> Result<Option<&Claim>, StoreError> {
        let Some(at) = self.listed.get(alias) else { return Ok(None) };
        if !self.read.contains_key(alias) {
            let name = PartName { place: self.place.clone(), fleet: self.fleet.clone(), alias: alias.clone() };
            let journal = ledger::read_part(self.store, &name, at).await?;
            self.read.insert(alias.clone(), journal);
        }
        Ok(self.read[alias].as_ref())
    }

    /// The journal of the job that worked on an alias. It is named after the first of its aliases, so it is one of those up to this one,
    /// and mostly the last of these.
    pub(super) async fn working_on(&mut self, alias: &Alias) -> Result<Option<&Claim>, StoreError> {
        let names: Vec<Alias> = self.listed.range::<Alias, _>(..=alias).rev().map(|(name, _)| name.clone()).collect();
        for name in names {
            let works_on_it = |journal: &Claim| journal.part.as_ref().is_some_and(|part| part.aliases.contains(alias));
            if self.named(&name).await?.is_some_and(works_on_it) {
                return self.named(&name).await;
            }
        }
        Ok(None)
    }

    /// All of them, each with where it is. One that is not believed may be all that tells of an apply: nothing goes on without it.
    pub(super) async fn all(mut self) -> Result<BTreeMap<Alias, (CommitId, Claim)>, StoreError> {
        let listed: Vec<Alias> = self.listed.keys().cloned().collect();
        for name in &listed {
            self.named(name).await?;
        }
        let Self { listed, mut read, fleet, .. } = self;
        let all = listed.into_iter().map(|(name, at)| {
            let journal = read.remove(&name).flatten().ok_or_else(|| StoreError::Corrupt {
                path: format!("the journal of {name} in fleet {fleet}"),
                why: "it is not believed".to_owned(),
            })?;
            Ok((name, (at, journal)))
        });
        all.collect()
    }
}

/// The journal of a run or job that ended without a word, with what is known of its end: what it was at did not succeed, and what an
/// apply put out was not collected. That of a job which came to its end is as it is.
pub(super) fn buried(mut journal: Claim) -> Claim {
    if has_left(&journal) {
        return journal;
    }
    for task in journal.run.tasks.iter_mut().filter(|task| task.ended.is_none()) {
        task.status = TaskStatus::Aborted;
        task.because = Some("its process ended without a word".to_owned());
    }
    for record in journal.applied.values_mut().filter(|record| record.applied.as_ref() == Some(&record.attempted)) {
        record.applied = None;
    }
    if let Some(part) = &mut journal.part {
        let aliases: Vec<String> = part.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let message = format!("the job for {} ended without a word", aliases.join(", "));
        let problem = Diagnostic::error(FailureReason::Cancelled, message)
            .note("it was killed, its machine was lost, or it ran out of memory")
            .help("deploy again: what was begun is planned again, what is done is skipped");
        let ends = part.aliases.iter().map(|alias| (alias.clone(), End::Failed)).collect();
        part.left = Some(Left { ends, problems: problem.into(), ..Left::default() });
    }
    journal
}

/// Writes down that a job of a fleet, whose process the caller knows to be gone, ended without a word. Says whether there was anything
/// to say: one that left what it did, or did nothing, is as it should be.
///
/// # Errors
/// `context-unavailable` when the context cannot be read or written.
pub async fn bury(store: &dyn ContextStore, name: &PartName) -> Result<bool, Problems> {
    let Some(at) = store.parts(&name.fleet).await?.remove(&name.alias) else { return Ok(false) };
    let journal = ledger::read_part(store, name, &at).await?;
    let Some(journal) = journal.filter(|journal| !has_left(journal)) else { return Ok(false) };
    match store.write_part(name, &canonical::to_bytes(&buried(journal)), Some(&at)).await {
        Err(StoreError::Conflict { .. }) => Ok(false),
        written => Ok(written.map(|_| true)?),
    }
}

/// Whether a job came to an end and left what it did.
pub(super) fn has_left(journal: &Claim) -> bool {
    journal.part.as_ref().is_some_and(|part| part.left.is_some())
}

/// Whether a job may still be at work: its process cannot be seen to be gone, and its lease is not over.
pub(super) fn is_at_work(world: &World, journal: &Claim) -> bool {
    !has_left(journal) && !world.exec.has_ended(&journal.process) && journal.lease >= world.clock.now()
}

/// Whether a fleet has jobs that may still be at work.
pub(in crate::engine) async fn has_jobs_at_work(
    world: &World,
    store: &dyn ContextStore,
    claim: &Claim,
) -> Result<bool, StoreError> {
    if claim.fleet.is_none() {
        return Ok(false);
    }
    let jobs = Parts::list(store, &claim.place, &claim.run.id).await?.all().await?;
    Ok(jobs.values().any(|(_, journal)| is_at_work(world, journal)))
}

/// A dead run's journal, with what is known of its end; of a fleet all that its jobs wrote, as the journal of one process would have it,
/// and what the jobs left beside.
pub(in crate::engine) async fn merged(store: &dyn ContextStore, claim: &Claim) -> Result<(Claim, Vec<Left>), StoreError> {
    let mut claim = buried(claim.clone());
    let mut all_left = Vec::new();
    if claim.fleet.is_none() {
        return Ok((claim, all_left));
    }
    let (place, fleet) = (claim.place.clone(), claim.run.id.clone());
    for (_, (_, journal)) in Parts::list(store, &place, &fleet).await?.all().await? {
        let journal = buried(journal);
        claim.run.tasks.extend(journal.run.tasks);
        claim.applied.extend(journal.applied);
        claim.retiring.extend(journal.retiring);
        all_left.extend(journal.part.and_then(|part| part.left));
    }
    Ok((claim, all_left))
}

/// Takes the journals of a fleet's jobs away: what was in them is in the ledger.
pub(in crate::engine) async fn forget_parts(store: &dyn ContextStore, claim: &Claim) -> Result<(), StoreError> {
    let parts = store.parts(&claim.run.id).await?;
    store.delete_parts(&claim.run.id, &parts).await
}

/// The aliases of several jobs.
pub(super) fn aliases<'a>(journals: impl IntoIterator<Item = &'a Claim>) -> BTreeSet<Alias> {
    journals.into_iter().filter_map(|journal| journal.part.as_ref()).flat_map(|part| part.aliases.clone()).collect()
}
