//! The seams: every effect the product has on the world outside. `main` builds one [`World`]; everything below takes it as a
//! parameter, and nothing else starts a process, reads a file or a variable, prints, or asks the time.

mod clock;
mod console;
mod environment;
mod files;
pub mod http;
mod process;
mod random;

pub mod os;

use std::path::PathBuf;
use std::sync::Arc;

pub use clock::Clock;
pub use console::{Console, Stream};
pub use environment::Variables;
pub use files::{Beneath, EntryKind, Files, FolderEntry, HeldFile, Metadata};
pub use http::{Http, HttpError};
pub use process::{Apart, Captured, Exec, Exit, Line, OnCancel, ProcessSpec, SpawnError};
pub use random::Random;

/// The bundle of effects. Cloning it is cheap.
#[derive(Clone)]
pub struct World {
    /// Starts processes.
    pub exec: Arc<dyn Exec>,
    /// Reads and writes files.
    pub files: Files,
    /// Tells the time and waits.
    pub clock: Arc<dyn Clock>,
    /// The variables the process was started with.
    pub variables: Arc<Variables>,
    /// Writes what people and programs read.
    pub console: Arc<dyn Console>,
    /// Talks to servers.
    pub http: Arc<dyn Http>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// The working directory at the start.
    pub directory: PathBuf,
    /// This machine and this process.
    pub host: Arc<Host>,
}

/// This machine and this process.
#[derive(Debug, Clone)]
pub struct Host {
    /// The machine's name.
    pub name: String,
    /// This process.
    pub process: crate::domain::record::Process,
    /// The program that it runs.
    pub program: PathBuf,
    /// Whether it runs as root.
    pub is_root: bool,
}
