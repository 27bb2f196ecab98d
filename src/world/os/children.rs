//! Who waits for which child.
//!
//! In a container we are process 1, to whom every process falls whose parent is gone: what a plugin left in the background, or a
//! git helper. Somebody has to wait for those, and nobody may wait for a child in place of the task that started it, which would
//! then never learn how it ended.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::host;

/// How long a process that fell to us may lie there in case that we missed the signal of its end.
const SLOW_TICK: Duration = Duration::from_secs(30);

/// The number that the first process of a container has.
const FIRST: u32 = 1;

/// The children that a task waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Children(Arc<Mutex<Vec<u32>>>);

/// That a task waits for a child, until this is dropped.
pub(super) struct Awaited {
    children: Children,
    id: u32,
}

impl Children {
    /// Starts a child that the caller waits for.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<(Child, Awaited)> {
        // Held over the start: a child that ends at once must not be taken for an orphan.
        let mut awaited = self.awaited();
        let child = command.spawn()?;
        let id = child.id().unwrap_or_default();
        awaited.push(id);
        Ok((child, Awaited { children: self.clone(), id }))
    }

    /// Waits, in the background, for every process that falls to us. Does nothing where we are not process 1.
    pub(super) fn adopt_orphans(&self) {
        if std::process::id() != FIRST {
            return;
        }
        let Ok(mut ended) = signal(SignalKind::child()) else { return };
        let children = self.clone();
        tokio::spawn(async move {
            loop {
                children.reap_orphans();
                #[expect(clippy::disallowed_methods, reason = "this is the seam")]
                let tick = tokio::time::sleep(SLOW_TICK);
                tokio::select! { _ = ended.recv() => {} () = tick => {} }
            }
        });
    }

    fn reap_orphans(&self) {
        let awaited = self.awaited();
        for id in host::ended_children().into_iter().filter(|id| !awaited.contains(id)) {
            // It ended; that is all there is to know of it.
            let _ = rustix::process::waitpid(i32::try_from(id).ok().and_then(Pid::from_raw), WaitOptions::NOHANG);
        }
    }

    fn awaited(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut awaited = self.children.awaited();
        if let Some(at) = awaited.iter().position(|id| *id == self.id) {
            awaited.swap_remove(at);
        }
    }
}
