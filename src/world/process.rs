//! Processes: a value first, then started.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Stream;

/// What a process is started with. It can be printed: it holds no secret but in `environment` and `stdin`, which `Debug` leaves
/// out.
#[derive(Clone)]
pub struct ProcessSpec {
    /// The program: a path, or a name that is looked up on the `PATH` of `environment`.
    pub program: PathBuf,
    /// Its arguments. Never a secret.
    pub arguments: Vec<String>,
    /// Where it starts.
    pub directory: PathBuf,
    /// Its whole environment: nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// What it reads; none means an empty input.
    pub stdin: Option<Vec<u8>>,
    /// What a cancel does to it.
    pub on_cancel: OnCancel,
    /// How long it may take, after which it is treated as cancelled.
    pub time_limit: Option<Duration>,
    /// How far it is kept from us.
    pub apart: Apart,
}

/// How far a process is kept from us. By itself it runs as our user, in a group of its own, but in our session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Apart {
    /// In a session of its own, without our terminal.
    pub session: bool,
    /// As another user, with that group and no other; only root may ask for it.
    pub user: Option<u32>,
}

/// What a cancel does to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It is killed: it has nothing to lose.
    Kill,
    /// Its group gets one SIGINT and is then waited for, however long it takes: a second signal or a kill would lose state.
    InterruptOnce,
    /// Its group gets one SIGTERM and, after this long, SIGKILL. However it ended, what is left of its group is killed: what it
    /// started does not outlive it.
    Terminate(Duration),
    /// It is not told; its end is waited for.
    Finish,
}

impl fmt::Debug for ProcessSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSpec")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ProcessSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

/// How a process ended. A code other than 0 is data; the caller decides what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the cancel (or the time limit) reached it while it ran.
    pub cancelled: bool,
}

impl Exit {
    /// Whether it ended with code 0.
    pub fn success(self) -> bool {
        self.code == Some(0)
    }
}

/// A process's end with all that it wrote.
#[derive(Debug, Clone)]
pub struct Captured {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote to its output.
    pub stdout: Vec<u8>,
    /// What it wrote to its error output.
    pub stderr: Vec<u8>,
}

/// A process could not be started or watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot run `{program}`: {source}")]
pub struct SpawnError {
    /// The program.
    pub program: String,
    /// Why.
    pub source: std::io::Error,
}

/// A line that a process wrote, without its end (`\n`, `\r\n` or `\r`), decoded lossily.
pub type Line = (Stream, String);

/// Starts processes.
#[async_trait]
pub trait Exec: Send + Sync {
    /// Runs `spec` and keeps at most this many bytes of its output, which is closed to it then: memory stays bounded.
    ///
    /// # Errors
    /// When it cannot be started.
    async fn capture_at_most(&self, spec: &ProcessSpec, most: u64, cancel: &CancellationToken) -> Result<Captured, SpawnError>;

    /// Runs `spec` to its end and keeps all that it writes, as bytes.
    ///
    /// # Errors
    /// When it cannot be started.
    async fn capture(&self, spec: &ProcessSpec, cancel: &CancellationToken) -> Result<Captured, SpawnError> {
        self.capture_at_most(spec, u64::MAX, cancel).await
    }

    /// Runs `spec` to its end and sends each line as it comes; waits where `lines` is full, so that memory stays bounded.
    ///
    /// # Errors
    /// When it cannot be started.
    async fn stream(&self, spec: &ProcessSpec, lines: mpsc::Sender<Line>, cancel: &CancellationToken)
    -> Result<Exit, SpawnError>;

    /// Whether this very process is known to have ended; one that cannot be looked at from here is not.
    fn has_ended(&self, process: &crate::domain::record::Process) -> bool;

    /// Whether this very process is known to live; one that cannot be looked at from here is not.
    fn is_alive(&self, _process: &crate::domain::record::Process) -> bool {
        false
    }
}
