//! A run that stops before its end: cancelled, or out of time.

use std::sync::atomic::Ordering;

use super::{Engine, Event};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::{FailureKind, FailureReason};

impl Engine {
    /// Waits for `work`; when the time limit is over, everything comes to an orderly end as after a cancel.
    pub(super) async fn within_time<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(limit) = self.time_limit else { return work.await };
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = self.world.clock.sleep(limit) => {}
        }
        if !self.cancel.is_cancelled() {
            self.out_of_time.store(true, Ordering::Relaxed);
            self.emit(Event::Note(format!("the time limit of {limit:?} is over: coming to an orderly end")));
            self.cancel.cancel();
        }
        work.await
    }

    /// Says that the run stopped, where nothing that stopped has said so; and that it was for the time, where it was.
    pub(super) fn name_stop(&self, problems: &mut Problems) {
        if self.cancel.is_cancelled() && !problems.0.iter().any(|problem| problem.reason.kind() == FailureKind::Aborted) {
            problems.push(Diagnostic::error(FailureReason::Cancelled, "the run was cancelled"));
        }
        if self.out_of_time.load(Ordering::Relaxed) {
            for problem in problems.0.iter_mut().filter(|problem| problem.reason == FailureReason::Cancelled) {
                problem.reason = FailureReason::TimedOut;
            }
        }
    }
}
