//! The run's journal: its claim, kept up to date on the claim's ref; a fleet's jobs have one each, in refs of their own.
//!
//! At most one write is in flight. What changes meanwhile goes into the next one, so a burst of task events costs one write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::claim;
use super::fleet;
use super::publication::Publication;
use crate::context::ledger;
use crate::context::{CommitId, ContextStore, StoreError};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::{Fleet, PartName};
use crate::domain::names::{Alias, RunId};
use crate::domain::record::Claim;
use crate::world::World;

/// The run's journal, or that of one of a fleet's jobs.
pub struct Journal {
    world: World,
    store: Arc<dyn ContextStore>,
    claim: Mutex<Claim>,
    /// What it is called, where it is that of a fleet's job; otherwise it is the claim.
    part: Option<PartName>,
    /// The journal's commit and the content it holds; held while writing. A job's journal has none before there is something to write.
    written: tokio::sync::Mutex<(Option<CommitId>, Claim)>,
    /// Somebody took it over: nothing new may be started.
    lost: AtomicBool,
}

impl Journal {
    /// The journal of a claim that was just taken.
    pub(super) fn new(world: World, store: Arc<dyn ContextStore>, claim: Claim, commit: CommitId) -> Self {
        let written = tokio::sync::Mutex::new((Some(commit), claim.clone()));
        Self { world, store, claim: Mutex::new(claim), part: None, written, lost: AtomicBool::new(false) }
    }

    /// The journal of a fleet's job, which is written with its first attempt.
    pub(super) fn of_part(world: World, store: Arc<dyn ContextStore>, claim: Claim, part: PartName) -> Self {
        let written = tokio::sync::Mutex::new((None, claim.clone()));
        Self { world, store, claim: Mutex::new(claim), part: Some(part), written, lost: AtomicBool::new(false) }
    }

    /// Notes something; it is written with the next [`Journal::sync`].
    pub(super) fn note(&self, change: impl FnOnce(&mut Claim)) {
        match self.claim.lock() {
            Ok(mut claim) => change(&mut claim),
            Err(poisoned) => change(&mut poisoned.into_inner()),
        }
    }

    /// The claim as it stands.
    pub(super) fn claim(&self) -> Claim {
        match self.claim.lock() {
            Ok(claim) => claim.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// What the claim says that is a fleet's.
    pub fn fleet(&self) -> Option<Fleet> {
        self.claim().fleet
    }

    /// The run.
    pub(super) fn run(&self) -> RunId {
        self.claim().run.id
    }

    /// Makes sure that all that was noted before this call is written.
    ///
    /// # Errors
    /// `claimed` when the claim was taken over; `context-unavailable` when it cannot be written.
    pub(super) async fn sync(&self) -> Result<(), Problems> {
        self.write_unless(|written, now| written == now).await
    }

    /// Makes sure that the attempt that was noted for an applied plugin is written. Tasks that run side by side note theirs early,
    /// so one write often serves several.
    ///
    /// # Errors
    /// As for [`Journal::sync`].
    pub(super) async fn secure_attempt(&self, alias: &Alias) -> Result<(), Problems> {
        let attempt = |claim: &Claim| claim.applied.get(alias).map(|record| record.attempted.clone());
        self.write_unless(|written, now| attempt(written) == attempt(now)).await?;
        self.still_in_fleet().await
    }

    /// A job of a fleet writes what it is about to do and *then* looks whether the fleet goes on; who finishes a fleet closes it and *then*
    /// reads the journals: one of the two sees the other.
    async fn still_in_fleet(&self) -> Result<(), Problems> {
        let Some(part) = &self.part else { return Ok(()) };
        let claim = ledger::read_claim(&*self.store, &part.place).await?;
        let goes_on =
            claim.is_some_and(|(_, claim)| claim.run.id == part.fleet && claim.fleet.is_some_and(|fleet| !fleet.closing));
        if goes_on {
            return Ok(());
        }
        self.lost.store(true, Ordering::Relaxed);
        Err(self.taken_over())
    }

    async fn write_unless(&self, is_enough: impl Fn(&Claim, &Claim) -> bool) -> Result<(), Problems> {
        let mut written = self.written.lock().await;
        let now = self.claim();
        if is_enough(&written.1, &now) {
            return Ok(());
        }
        if self.lost.load(Ordering::Relaxed) {
            return Err(self.taken_over());
        }
        let (bytes, at) = (canonical::to_bytes(&now), written.0.as_ref());
        let wrote = match &self.part {
            None => self.store.write_claim(&now.place, &bytes, at).await,
            Some(part) => self.store.write_part(part, &bytes, at).await,
        };
        match wrote {
            Ok(commit) => {
                *written = (Some(commit), now);
                Ok(())
            }
            Err(StoreError::Conflict { .. }) => {
                self.lost.store(true, Ordering::Relaxed);
                Err(self.taken_over())
            }
            Err(problem) => Err(problem.into()),
        }
    }

    /// Renews the lease until `done`. A failed renewal is tried again a minute later; the lease outlives several.
    pub(super) async fn keep_alive(&self, done: &CancellationToken) {
        loop {
            tokio::select! {
                () = done.cancelled() => return,
                () = self.world.clock.sleep(claim::RENEWAL) => {}
            }
            let _ = self.renew().await;
        }
    }

    /// Renews the lease, which tells whether the claim is still ours.
    ///
    /// # Errors
    /// As for [`Journal::sync`].
    pub(super) async fn renew(&self) -> Result<(), Problems> {
        let lease = claim::lease_from(self.world.clock.now());
        self.note(|claim| claim.lease = lease);
        self.sync().await
    }

    /// Whether somebody took the claim over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Gives the claim up, if it is still ours; with that of a fleet its jobs' journals. A job has no claim of its own to give up.
    ///
    /// # Errors
    /// `context-unavailable` when the context cannot be written.
    pub async fn release(&self) -> Result<(), Problems> {
        let written = self.written.lock().await;
        let (None, Some(at)) = (&self.part, &written.0) else { return Ok(()) };
        let claim = self.claim();
        if claim.fleet.is_some() {
            fleet::forget_parts(&*self.store, &claim).await?;
        }
        match self.store.delete_claim(&claim.place, at).await {
            Err(problem) if !matches!(problem, StoreError::Conflict { .. }) => Err(problem.into()),
            _ => Ok(()),
        }
    }

    /// The time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    /// Commits records of the claimed place to the ledger.
    pub(super) async fn publish(&self, publication: Publication<'_>, message: &str) -> Result<(), Problems> {
        publication.commit(&self.world, &*self.store, message).await
    }

    /// What there is to say where it was.
    pub(super) fn taken_over(&self) -> Problems {
        if let Some(part) = &self.part {
            let message =
                format!("fleet `{}` does not go on: it was finished, or its claim on `{}` taken over", part.fleet, part.place);
            return Diagnostic::error(FailureReason::Claimed, message)
                .note("nothing new was started; what was running was let finish")
                .help("begin a new fleet: what is done already is skipped")
                .into();
        }
        Diagnostic::error(FailureReason::Claimed, format!("the claim on `{}` was taken over by another run", self.claim().place))
            .note("nothing new was started; what was running was let finish")
            .into()
    }
}
