//! Servers of others, started on a free port of the loopback and ended with their test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to answer, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often a server is started, each time on another port: a free port may be taken before the server has it.
const TRIES: usize = 3;

/// A running server.
pub(super) struct Server {
    pub(super) port: u16,
    child: Child,
}

impl Server {
    /// Starts what `command` makes for a port, and waits until it `answers` there.
    pub(super) fn start(command: impl Fn(u16) -> Command, answers: impl Fn(u16) -> bool) -> Self {
        for _ in 0..TRIES {
            let port = free_port();
            let child = command(port).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            let mut server = Self { port, child };
            if server.is_up(&answers) {
                return server;
            }
        }
        panic!("the server did not start; its error output is above")
    }

    fn is_up(&mut self, answers: impl Fn(u16) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < PATIENCE && self.child.try_wait().unwrap().is_none() {
            if answers(self.port) {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Server {
    /// By an interrupt, so that it leaves nothing behind, such as PostgreSQL's shared memory.
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) && matches!(self.child.try_wait(), Ok(None)) {
            _ = kill_process(pid, Signal::INT);
            sleep(Duration::from_millis(50));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
