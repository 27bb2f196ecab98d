//! Servers on ports of the loopback, on a thread of their own.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use axum::Router;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What answers on some ports until it is dropped.
pub(super) struct Host {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// A port that nobody answers on yet.
pub(super) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    pub(super) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { address: listener.local_addr().unwrap(), listener }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Host {
    pub(super) fn start(served: Vec<(Port, Router)>) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            runtime.block_on(async {
                let mut servers = JoinSet::new();
                for (port, router) in served {
                    let listener = tokio::net::TcpListener::from_std(port.listener).unwrap();
                    servers.spawn(async move { axum::serve(listener, router).await });
                }
                stopped.cancelled().await;
            });
            runtime.shutdown_background();
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
