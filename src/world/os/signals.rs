//! Signals.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels on the first SIGINT, SIGTERM or SIGHUP, and swallows every later one: a second signal passed on would lose state.
pub fn cancel_on_signal(cancel: &CancellationToken) {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let cancel = cancel.clone();
        if let Ok(mut signals) = signal(kind) {
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    cancel.cancel();
                }
            });
        }
    }
}
