//! A move (R40): the states are copied to where they will be, a plan with each must be empty, one commit makes the ledger call
//! everything by its new name, and only then the old states are emptied.
//!
//! Until that commit nothing of what was is touched, but that its connections are marked; after it nothing of it is needed. So a move
//! that was killed is mended by the same move: before the commit it starts again over its own copies, after it only old states are left.

mod affected;
mod rewrite;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::deploy::verdict;
use super::event::Event;
use super::publication::Publication;
use super::{Engine, Held, Removed, claim};
use crate::context::ledger::Snapshot;
use crate::context::publish::publish;
use crate::context::{Branch, Changes, StoreError};
use crate::domain::account::Account;
use crate::domain::address::{Address, Place, Target};
use crate::domain::change::PlannedResource;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus};
use crate::domain::deployment::Secrets;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::moving::Relocation;
use crate::domain::names::Alias;
use crate::domain::outcome::RunReport;
use crate::domain::record::{AppliedRecord, ChangeCounts, RunRecord, RunStatus, StateLocation, TaskRecord, TaskStatus, TaskType};
use crate::render;

pub use affected::Affected;

use states::Site;

/// How many of the newest runs are looked at to find out whether this one was recorded.
const RECENT_RUNS: usize = 5;

/// Runs the move whose claims are held, the old place's first. The engine is one of the old place, in whose removed plugins are all
/// that is applied there, and in the environment of the new one.
pub async fn relocate(engine: Arc<Engine>, relocation: Relocation, held: Vec<Held>) -> RunReport {
    let subjects = engine.subjects(&relocation);
    let tasks = subjects.keys().map(|alias| task(&relocation, alias)).collect::<Vec<_>>();
    for one in &held {
        one.note(|claim| claim.run.tasks.clone_from(&tasks));
    }
    let run = run_of(&held);
    engine.emit(Event::Note(format!("run {} moves {} to {}", run.id, relocation.subject(), relocation.goal())));
    let done = CancellationToken::new();
    let renewals: Vec<_> = held
        .iter()
        .map(|one| {
            let (one, done) = (one.clone(), done.clone());
            tokio::spawn(async move { one.keep_alive(&done).await })
        })
        .collect();
    let work = engine.identified(engine.within_time(engine.move_all(&relocation, &held, &subjects)));
    let mut report = Box::pin(work).await;
    engine.name_stop(&mut report.problems);
    done.cancel();
    for renewal in renewals {
        let _ = renewal.await;
    }
    if claim::release_all(&held).await.is_err() {
        engine.emit(Event::Note("a claim could not be deleted; it is void, since the run is recorded as ended".to_owned()));
    }
    report.with_texts(&|text| engine.redactor.redact(text))
}

/// Empties the old states that a move left, which was killed after its commit. The engine is one of the new place; `left` is where
/// the old states are, by today's alias. Says whether there were any.
///
/// # Errors
/// What Terraform says.
pub async fn empty_what_is_left(engine: Arc<Engine>, left: &BTreeMap<Alias, StateLocation>) -> Result<bool, Problems> {
    let work = async {
        let mut found = false;
        for (alias, old) in left {
            let Some(removed) = engine.removed.get(alias) else { continue };
            let mut site = engine.site(alias, removed, old.clone(), removed.record.state.clone()).await?;
            found |= engine.empty_old(&mut site).await?;
        }
        Ok(found)
    };
    Box::pin(engine.identified(engine.within_time(work))).await
}

/// What the ledger is told of what moves.
fn task(relocation: &Relocation, alias: &Alias) -> TaskRecord {
    let renamed = relocation.renamed(alias);
    TaskRecord {
        id: format!("{}:{renamed}", TaskType::Deploy),
        alias: renamed,
        task_type: TaskType::Deploy,
        status: TaskStatus::Running,
        because: None,
        started: None,
        ended: None,
        changes: ChangeCounts::default(),
    }
}

impl Engine {
    /// What moves, each with its bindings as they will be.
    fn subjects(&self, relocation: &Relocation) -> BTreeMap<Alias, Removed> {
        let moving = self.removed.iter().filter(|(alias, _)| relocation.covers(alias));
        moving
            .map(|(alias, removed)| {
                let mut removed = removed.clone();
                for (address, secrets) in &mut removed.secrets {
                    if let Some(location) = self.location_afterwards(relocation, address) {
                        *secrets = Secrets::Produced(location);
                    }
                }
                (alias.clone(), removed)
            })
            .collect()
    }

    /// Where the state behind a connection is afterwards, if it moves.
    fn location_afterwards(&self, relocation: &Relocation, address: &Address) -> Option<StateLocation> {
        let Target::Output { alias, .. } = &address.target else { return None };
        let moves = address.producer().as_ref() == Some(&relocation.from) && relocation.covers(alias);
        moves.then(|| self.new_location(relocation, alias))
    }

    fn new_location(&self, relocation: &Relocation, alias: &Alias) -> StateLocation {
        render::backend::state_location(&self.deployment.environment.backend, &relocation.to, &relocation.renamed(alias))
    }

    /// The account that a recorded plugin is worked on in: that of the environment, where it says one.
    fn account_of(&self, removed: &Removed) -> Option<Account> {
        self.deployment.environment.account.clone().or_else(|| removed.record.account.clone())
    }

    async fn move_all(&self, relocation: &Relocation, held: &[Held], subjects: &BTreeMap<Alias, Removed>) -> RunReport {
        let mut run = run_of(held);
        let mut progress = Progress::default();
        let mut problems = Problems::default();
        let moved = match self.sites(relocation, subjects).await {
            Ok(mut sites) => match self.try_to_move(relocation, held, &mut sites, &mut run, &mut progress).await {
                Ok(()) => {
                    problems.extend(self.empty_old_states(relocation, &mut sites).await);
                    true
                }
                Err(refused) => {
                    problems.extend(refused);
                    if !progress.unknown {
                        problems.extend(self.empty_new_states(&mut sites).await);
                    }
                    false
                }
            },
            Err(refused) => {
                problems.extend(refused);
                false
            }
        };
        if !moved {
            self.name_stop(&mut problems);
            problems.extend(self.record_failure(relocation, &mut run, &progress, &problems).await);
        }
        let connections = progress.affected.filter(|_| moved).map(|affected| affected.moved_connections(relocation));
        RunReport {
            place: relocation.to.clone(),
            run,
            problems,
            changes: progress.changes,
            connections: connections.unwrap_or_default(),
            stale: BTreeMap::new(),
            retained: Vec::new(),
            wiring: Vec::new(),
            blockers: Vec::new(),
            notes: self.notes(),
            back: None,
            preview: None,
        }
    }

    async fn sites<'a>(
        &self,
        relocation: &Relocation,
        subjects: &'a BTreeMap<Alias, Removed>,
    ) -> Result<Vec<Site<'a>>, Problems> {
        let mut sites = Vec::new();
        for (alias, removed) in subjects {
            let (old, new) = (removed.record.state.clone(), self.new_location(relocation, alias));
            sites.push(self.site(alias, removed, old, new).await?);
        }
        Ok(sites)
    }

    /// Everything up to the commit, which records the run as succeeded.
    async fn try_to_move(
        &self,
        relocation: &Relocation,
        held: &[Held],
        sites: &mut [Site<'_>],
        run: &mut RunRecord,
        progress: &mut Progress,
    ) -> Result<(), Problems> {
        let ours: BTreeSet<Place> = held.iter().map(|one| one.claim().place).collect();
        let affected = Affected::read(&*self.store, relocation).await?;
        refuse_unclaimed(&affected, &ours)?;
        affected.refuse_taken(relocation)?;
        progress.affected = Some(affected.clone());
        let going = affected.to_mark();
        held[0].note(|claim| claim.retiring = going.iter().map(|record| (record.address.clone(), record.status)).collect());
        held[0].sync().await?;
        self.mark_retiring(&going, &run.id).await?;
        let blockers = self.binding_runs(going.iter().map(|record| &record.address), &ours).await?;
        if !blockers.is_empty() {
            return Err(self.refused(&blockers).await);
        }
        for site in &mut *sites {
            self.copy_state(site).await?;
        }
        self.refuse_changes(relocation, sites, progress).await?;
        for one in held {
            one.renew().await?;
        }
        let now = self.world.clock.now();
        (run.status, run.ended) = (RunStatus::Succeeded, Some(now));
        for task in &mut run.tasks {
            (task.status, task.ended) = (TaskStatus::Succeeded, Some(now));
            task.because = Some("moved, nothing changed".to_owned());
        }
        let records = sites.iter().filter_map(|site| {
            let record = affected.applied.get(site.alias)?.clone();
            let account = self.deployment.environment.account.clone().or_else(|| record.account.clone());
            Some((site.alias.clone(), AppliedRecord { state: site.new.clone(), account, ..record }))
        });
        let changes = affected.rewritten(relocation, &records.collect(), run, &ours);
        self.commit_or_find_out(&changes, relocation, run, progress).await
    }

    /// The plan of everything that moves must be empty where it will be.
    async fn refuse_changes(
        &self,
        relocation: &Relocation,
        sites: &mut [Site<'_>],
        progress: &mut Progress,
    ) -> Result<(), Problems> {
        let mut refused = Problems::default();
        for site in sites {
            let changes = self.changes_at_new(site).await?;
            if !changes.is_empty() {
                refused.push(not_empty(relocation, site.alias, &changes));
                progress.changes.insert(relocation.renamed(site.alias), changes);
            }
        }
        if self.cancel.is_cancelled() {
            refused.push(Diagnostic::error(FailureReason::Cancelled, "the move was cancelled before anything was recorded"));
        }
        if refused.any_error() { Err(refused) } else { Ok(()) }
    }

    /// Commits; where it is not known whether that went well, looks.
    async fn commit_or_find_out(
        &self,
        changes: &Changes,
        relocation: &Relocation,
        run: &RunRecord,
        progress: &mut Progress,
    ) -> Result<(), Problems> {
        let message = format!("Move {} to {}, run {}", relocation.subject(), relocation.goal(), run.id);
        let rebuild = |_| std::future::ready(Ok::<_, StoreError>(changes.clone()));
        let Err(problem) = publish(&*self.store, &self.world, Branch::Ledger, &message, rebuild).await else { return Ok(()) };
        let recorded = match Snapshot::newest(&*self.store).await {
            Ok(snapshot) => snapshot.runs(&relocation.to, RECENT_RUNS).await,
            Err(problem) => Err(problem),
        };
        match recorded {
            Ok(runs) if runs.iter().any(|one| one.id == run.id) => return Ok(()),
            Ok(_) => {}
            Err(_) => progress.unknown = true,
        }
        let mut problems = Problems::from(problem);
        if progress.unknown {
            let help = "run the same move again: it finds out, and goes on from there";
            problems.push(
                Diagnostic::error(
                    FailureReason::ContextUnavailable,
                    "nobody knows whether the move was recorded: both states were left",
                )
                .help(help),
            );
        }
        Err(problems)
    }

    async fn empty_new_states(&self, sites: &mut [Site<'_>]) -> Problems {
        let mut problems = Problems::default();
        for site in sites {
            problems.extend(self.empty_new(site).await.err().unwrap_or_default());
        }
        problems
    }

    async fn empty_old_states(&self, relocation: &Relocation, sites: &mut [Site<'_>]) -> Problems {
        let mut problems = Problems::default();
        for site in sites {
            for problem in self.empty_old(site).await.err().unwrap_or_default().0 {
                let note = format!("`{}` was moved and is recorded; only its old state is not empty yet", relocation.subject());
                problems.push(problem.note(note).help("run the same `tieline move` again: it empties the old state"));
            }
        }
        problems
    }

    /// Makes the connections what they were, and records the run as failed.
    async fn record_failure(
        &self,
        relocation: &Relocation,
        run: &mut RunRecord,
        progress: &Progress,
        refused: &Problems,
    ) -> Problems {
        (run.status, run.failure_reason) = verdict(refused);
        run.ended = Some(self.world.clock.now());
        for task in &mut run.tasks {
            (task.status, task.ended) = (TaskStatus::Failed, run.ended);
            task.because = Some("nothing was moved".to_owned());
        }
        if progress.unknown {
            return Problems::default();
        }
        let mut publication = Publication::new(&relocation.from);
        let marked = progress.affected.iter().flat_map(Affected::to_mark).collect::<Vec<_>>();
        for record in &marked {
            publication.connection(record);
        }
        publication.run(run);
        let message = format!("Move of {} failed, run {}", relocation.subject(), run.id);
        publication.commit(&self.world, &*self.store, &message).await.err().unwrap_or_default()
    }
}

/// The run, out of the claim on the old place, which is always there.
fn run_of(held: &[Held]) -> RunRecord {
    held[0].claim().run
}

/// How far a move came.
#[derive(Default)]
struct Progress {
    /// What the ledger said, once it was read.
    affected: Option<Affected>,
    /// What the plans would change.
    changes: BTreeMap<Alias, Vec<PlannedResource>>,
    /// Whether it is not known if the move was recorded.
    unknown: bool,
}

/// A consumer may have come between the first look and the claims.
fn refuse_unclaimed(affected: &Affected, ours: &BTreeSet<Place>) -> Result<(), Problems> {
    match affected.places().into_iter().find(|place| !ours.contains(place)) {
        None => Ok(()),
        Some(place) => {
            let message = format!("`{place}` has become a consumer of what moves just now");
            Err(Diagnostic::error(FailureReason::BindingChanged, message).help("run the same move again").into())
        }
    }
}

fn not_empty(relocation: &Relocation, alias: &Alias, changes: &[PlannedResource]) -> Diagnostic {
    let count = changes.len();
    let things = if count == 1 { "resource" } else { "resources" };
    let renamed = relocation.renamed(alias);
    let message = format!("as `{}/{renamed}` it would change {count} {things}, so nothing was moved", relocation.to);
    let mut diagnostic = Diagnostic::error(FailureReason::PlanChanged, message).help(format!(
        "a move changes nothing: deploy `{}` until `tieline plan --refresh` shows no changes, then move it",
        relocation.from
    ));
    for change in changes.iter().take(10) {
        diagnostic = diagnostic.note(format!("{} {}", change.action, change.address));
    }
    if count > 10 { diagnostic.note(format!("and {} more", count - 10)) } else { diagnostic }
}

/// A connection as it is once no run retires it: one that was killed may have left its mark. What its owner retired, which is always
/// deprecated too, stays so.
fn unmarked(record: &ConnectionRecord) -> ConnectionRecord {
    let status = match record.status {
        ConnectionStatus::Retiring if record.deprecation.is_some() => ConnectionStatus::Retiring,
        ConnectionStatus::Retiring if record.degraded_by.is_some() => ConnectionStatus::Degraded,
        ConnectionStatus::Retiring => ConnectionStatus::Ready,
        other => other,
    };
    ConnectionRecord { status, ..record.clone() }
}
