//! The exclusive hold of a deployable in an environment (R21), and the rules by which a dead run's hold is taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::journal::Journal;
use super::{Settings, fleet, recovery};
use crate::context::ledger::{self, Snapshot};
use crate::context::{CommitId, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::deployment::{Choice, Deployment};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Digest, RunId};
use crate::domain::record::{Claim, RunRecord, RunStatus, SCHEMA_VERSION};
use crate::sources::Tree;
use crate::world::World;

/// How long a claim is believed without a renewal.
const LEASE: Duration = Duration::from_mins(15);

/// How often it is renewed.
pub(super) const RENEWAL: Duration = Duration::from_mins(5);

/// How many of the newest runs are looked at to find out whether a claim's run has ended.
const RECENT_RUNS: usize = 20;

/// So often, after such a pause, a claim is looked at whose holder is about to delete it.
pub(super) const MOMENTS: usize = 5;
pub(super) const MOMENT: Duration = Duration::from_secs(1);

/// The end of a lease that begins now.
pub(super) fn lease_from(now: DateTime<Utc>) -> DateTime<Utc> {
    now + chrono::TimeDelta::from_std(LEASE).unwrap_or_default()
}

/// What a claim needs to be taken.
pub struct Start {
    /// The effects.
    pub world: World,
    /// The context repository.
    pub store: Arc<dyn ContextStore>,
    /// The run.
    pub run: RunId,
    /// What was asked for.
    pub settings: Settings,
    /// The plugins' trees that are at hand: a dead run's journal names its trees by their digests alone.
    pub trees: BTreeMap<Digest, Arc<Tree>>,
}

/// A claim that is held.
pub type Held = Arc<Journal>;

/// What is to be claimed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The place.
    pub place: Place,
    /// The connections that it binds to.
    pub binds: BTreeSet<String>,
}

impl Wanted {
    /// A deployment's place.
    pub(super) fn of(deployment: &Deployment) -> Self {
        let slots = deployment.plugins.values().flat_map(|plugin| plugin.slots.values());
        let binds = slots.filter_map(|slot| match &slot.choice {
            Choice::Connection(chosen) => Some(chosen.record.address.to_string()),
            _ => None,
        });
        Self { place: deployment.place.clone(), binds: binds.collect() }
    }

    /// A place for a run that binds to nothing.
    pub fn alone(place: &Place) -> Self {
        Self { place: place.clone(), binds: BTreeSet::new() }
    }
}

/// Takes the claim on a deployment's place; a dead run's journal that stood in the way is folded into the ledger first. What that
/// means is told to `say`.
///
/// # Errors
/// `claimed`, naming the holder, when another run holds it; `context-unavailable` when the context cannot be read or written.
pub async fn claim(start: &Start, deployment: &Deployment, say: &(dyn Fn(String) + Sync)) -> Result<Held, Problems> {
    claim_place(start, Wanted::of(deployment), say).await
}

/// The same for several places, one after the other; where one is refused, those before it are given back.
///
/// # Errors
/// As for [`claim`].
pub async fn claim_all(
    start: &Start,
    wanted: impl IntoIterator<Item = Wanted>,
    say: &(dyn Fn(String) + Sync),
) -> Result<Vec<Held>, Problems> {
    let mut held: Vec<Held> = Vec::new();
    for wanted in wanted {
        match claim_place(start, wanted, say).await {
            Ok(one) => held.push(one),
            Err(mut problems) => {
                problems.extend(release_all(&held).await.err().unwrap_or_default());
                return Err(problems);
            }
        }
    }
    Ok(held)
}

/// Gives claims back.
///
/// # Errors
/// `context-unavailable` when the context cannot be written; each was tried.
pub async fn release_all(held: &[Held]) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for one in held {
        problems.extend(one.release().await.err().unwrap_or_default());
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// Takes the claim on a place, as [`claim`] does.
///
/// # Errors
/// As for [`claim`].
pub async fn claim_place(start: &Start, wanted: Wanted, say: &(dyn Fn(String) + Sync)) -> Result<Held, Problems> {
    let claim = start.claim_of(wanted);
    let commit = claim_as(start, &claim, say).await?;
    Ok(Arc::new(Journal::new(start.world.clone(), start.store.clone(), claim, commit)))
}

/// Takes a place with this claim.
///
/// # Errors
/// As for [`claim`].
pub(super) async fn claim_as(start: &Start, claim: &Claim, say: &(dyn Fn(String) + Sync)) -> Result<CommitId, Problems> {
    let taken = take(&start.world, &*start.store, claim).await?;
    if let Some(dead) = &taken.dead {
        say(format!(
            "run {} on {} ended without a word; its journal is folded into the ledger and its claim taken over",
            dead.run.id, dead.host
        ));
    }
    settle(start, claim, taken).await
}

/// Takes a claim over from a run whose death the caller answers for. None where the claim is not any more what the caller looked at: a
/// run that has renewed its lease since lives, and so does a fleet with a job at work.
///
/// # Errors
/// `claimed` when somebody else was faster; `context-unavailable` when the context cannot be read or written.
pub async fn take_over(start: &Start, judged: &Claim) -> Result<Option<Held>, Problems> {
    let Some((held_at, holder)) = ledger::read_claim(&*start.store, &judged.place).await? else { return Ok(None) };
    if holder != *judged || fleet::has_jobs_at_work(&start.world, &*start.store, judged).await? {
        return Ok(None);
    }
    let claim = start.claim_of(Wanted::alone(&judged.place));
    let taken = seize(&start.world, &*start.store, &claim, (&held_at, holder)).await?;
    let commit = settle(start, &claim, taken).await?;
    Ok(Some(Arc::new(Journal::new(start.world.clone(), start.store.clone(), claim, commit))))
}

/// Makes a claim that was taken ours alone: a dead run's journal is folded first.
async fn settle(start: &Start, claim: &Claim, taken: Taken) -> Result<CommitId, Problems> {
    let Some(dead) = &taken.dead else { return Ok(taken.commit) };
    recovery::fold(&start.world, &*start.store, &start.trees, dead).await?;
    lost_race(start.store.write_claim(&claim.place, &canonical::to_bytes(claim), Some(&taken.commit)).await, claim)
}

impl Start {
    pub(super) fn claim_of(&self, Wanted { place, binds }: Wanted) -> Claim {
        let now = self.world.clock.now();
        let run = RunRecord {
            schema_version: SCHEMA_VERSION,
            id: self.run.clone(),
            run_type: self.settings.run_type,
            status: RunStatus::Running,
            failure_reason: None,
            tasks: Vec::new(),
            version_tag: self.settings.version_tag.clone(),
            actor: self.settings.actor.clone(),
            repository: self.settings.repository.clone(),
            repository_id: self.settings.repository_id,
            approved_in: self.settings.approved_in.clone(),
            commit: self.settings.commit.clone(),
            run_url: self.settings.run_url.clone(),
            source: self.settings.source.clone(),
            overrides: self.settings.overrides.clone(),
            plan_fingerprint: None,
            started: now,
            ended: None,
        };
        Claim {
            schema_version: SCHEMA_VERSION,
            place,
            run,
            host: self.world.host.name.clone(),
            process: self.world.host.process.clone(),
            lease: lease_from(now),
            binds,
            applied: BTreeMap::new(),
            retiring: BTreeMap::new(),
            fleet: None,
            part: None,
        }
    }
}

/// The claim of a dead run, held by this process while its journal is folded.
pub(super) fn held_now(world: &World, dead: &Claim) -> Claim {
    Claim {
        host: world.host.name.clone(),
        process: world.host.process.clone(),
        lease: lease_from(world.clock.now()),
        ..dead.clone()
    }
}

/// A claim that was taken.
struct Taken {
    /// The claim's commit.
    commit: CommitId,
    /// The dead run's claim that stood in the way; its journal is in the claim until it is folded.
    dead: Option<Claim>,
}

async fn take(world: &World, store: &dyn ContextStore, claim: &Claim) -> Result<Taken, Problems> {
    let bytes = canonical::to_bytes(claim);
    match store.write_claim(&claim.place, &bytes, None).await {
        Ok(commit) => return Ok(Taken { commit, dead: None }),
        Err(StoreError::Conflict { .. }) => {}
        Err(problem) => return Err(problem.into()),
    }
    let Some((held_at, holder)) = standing(world, store, &claim.place).await? else {
        // It was released between our two looks: once more, and whoever is faster has it.
        let commit = lost_race(store.write_claim(&claim.place, &bytes, None).await, claim)?;
        return Ok(Taken { commit, dead: None });
    };
    if !is_dead(world, store, &holder).await? {
        return Err(held_by(world, &holder).into());
    }
    seize(world, store, claim, (&held_at, holder)).await
}

/// Takes a dead run's claim. It is held by us, but with its journal still: that is lost only once it is folded.
async fn seize(
    world: &World,
    store: &dyn ContextStore,
    claim: &Claim,
    (held_at, holder): (&CommitId, Claim),
) -> Result<Taken, Problems> {
    let held = canonical::to_bytes(&held_now(world, &holder));
    let commit = lost_race(store.write_claim(&claim.place, &held, Some(held_at)).await, claim)?;
    Ok(Taken { commit, dead: Some(holder) })
}

/// The claim that stands in the way. A run that is recorded as ended gives its claim up next, and gets a moment for that: there are
/// stores that delete a claim whoever holds it by then.
async fn standing(world: &World, store: &dyn ContextStore, place: &Place) -> Result<Option<(CommitId, Claim)>, Problems> {
    for _ in 0..MOMENTS {
        match ledger::read_claim(store, place).await? {
            Some((_, holder)) if is_giving_up(world, store, &holder).await? => world.clock.sleep(MOMENT).await,
            found => return Ok(found),
        }
    }
    Ok(ledger::read_claim(store, place).await?)
}

/// Whether a run is recorded as ended, and its process may be about to delete the claim.
async fn is_giving_up(world: &World, store: &dyn ContextStore, holder: &Claim) -> Result<bool, Problems> {
    Ok(!has_ended(world, holder) && is_recorded_as_ended(store, holder).await?)
}

fn lost_race(written: Result<CommitId, StoreError>, claim: &Claim) -> Result<CommitId, Problems> {
    written.map_err(|problem| match problem {
        StoreError::Conflict { .. } => {
            Diagnostic::error(FailureReason::Claimed, format!("`{}` was claimed by another run just now", claim.place))
                .help("wait until it has ended, then run again")
                .into()
        }
        problem => problem.into(),
    })
}

/// A claim is void when its run is recorded as ended, and dead when its process is known to have ended.
async fn is_dead(world: &World, store: &dyn ContextStore, holder: &Claim) -> Result<bool, Problems> {
    if is_recorded_as_ended(store, holder).await? {
        return Ok(true);
    }
    // Whoever finished a fleet may be gone while its jobs go on.
    Ok(has_ended(world, holder) && !fleet::has_jobs_at_work(world, store, holder).await?)
}

/// Whether the process that holds a claim is known to have ended. A fleet's is held by none before somebody finishes it.
pub(super) fn has_ended(world: &World, holder: &Claim) -> bool {
    holder.fleet.as_ref().is_none_or(|fleet| fleet.closing) && world.exec.has_ended(&holder.process)
}

async fn is_recorded_as_ended(store: &dyn ContextStore, holder: &Claim) -> Result<bool, Problems> {
    let runs = Snapshot::newest(store).await?.runs(&holder.place, RECENT_RUNS).await?;
    Ok(runs.iter().any(|run| run.id == holder.run.id && run.status != RunStatus::Running))
}

pub(super) fn held_by(world: &World, holder: &Claim) -> Diagnostic {
    if holder.fleet.is_some() {
        return held_by_fleet(holder);
    }
    let who = holder.run.actor.as_deref().unwrap_or("somebody");
    let mut diagnostic =
        Diagnostic::error(FailureReason::Claimed, format!("`{}` is held by run `{}`", holder.place, holder.run.id)).note(
            format!(
                "started {} by {who} on `{}`, process {}",
                holder.run.started.format("%Y-%m-%d %H:%M:%S UTC"),
                holder.host,
                holder.process.id
            ),
        );
    if let Some(url) = &holder.run.run_url {
        diagnostic = diagnostic.note(format!("watch it at {url}"));
    }
    if holder.lease >= world.clock.now() {
        return diagnostic.help("wait until it has ended, then run again");
    }
    diagnostic
        .note(format!(
            "its lease ended {}, but its process cannot be looked at from here",
            holder.lease.format("%Y-%m-%d %H:%M:%S UTC")
        ))
        .help(format!("if it is surely dead, run again on `{}`, which can tell and takes over", holder.host))
        .help(format!("or free its claim with `tieline unlock --claim {} --reason <text>`", holder.run.id))
}

fn held_by_fleet(holder: &Claim) -> Diagnostic {
    let (who, run) = (holder.run.actor.as_deref().unwrap_or("somebody"), &holder.run.id);
    let message = format!("`{}` is held by the jobs of fleet `{run}`", holder.place);
    let started = format!("begun {} by {who}", holder.run.started.format("%Y-%m-%d %H:%M:%S UTC"));
    let watch = holder.run.run_url.iter().map(|url| format!("watch it at {url}"));
    let mut diagnostic = Diagnostic::error(FailureReason::Claimed, message);
    diagnostic.notes = std::iter::once(started).chain(watch).collect();
    diagnostic.help(format!(
        "wait until it is finished; where none of its jobs works any more, `tieline fleet finish --fleet {run}` does it"
    ))
}
