//! The run's journal: its claim, kept up to date on the claim's ref.
//!
//! At most one write is in flight. What changes meanwhile goes into the next one, so a burst of task events costs one write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::claim;
use super::publication::Publication;
use crate::context::{CommitId, ContextStore, StoreError};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, RunId};
use crate::domain::record::Claim;
use crate::world::World;

/// The run's journal.
pub struct Journal {
    world: World,
    store: Arc<dyn ContextStore>,
    claim: Mutex<Claim>,
    /// The claim's commit and the content it holds; held while writing.
    written: tokio::sync::Mutex<(CommitId, Claim)>,
    /// Somebody took the claim over: nothing new may be started.
    lost: AtomicBool,
}

impl Journal {
    /// The journal of a claim that was just taken.
    pub(super) fn new(world: World, store: Arc<dyn ContextStore>, claim: Claim, commit: CommitId) -> Self {
        let written = tokio::sync::Mutex::new((commit, claim.clone()));
        Self { world, store, claim: Mutex::new(claim), written, lost: AtomicBool::new(false) }
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
        self.write_unless(|written, now| attempt(written) == attempt(now)).await
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
        match self.store.write_claim(&now.place, &canonical::to_bytes(&now), Some(&written.0)).await {
            Ok(commit) => {
                *written = (commit, now);
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

    /// Gives the claim up, if it is still ours.
    ///
    /// # Errors
    /// `context-unavailable` when the context cannot be written.
    pub async fn release(&self) -> Result<(), Problems> {
        let written = self.written.lock().await;
        match self.store.delete_claim(&self.claim().place, &written.0).await {
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
        Diagnostic::error(FailureReason::Claimed, format!("the claim on `{}` was taken over by another run", self.claim().place))
            .note("nothing new was started; what was running was let finish")
            .into()
    }
}
