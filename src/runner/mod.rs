//! The runner that a workflow's step runs on, as far as it listens to us: its log, in which some lines are commands, and the files
//! by which a step hands results on.
//!
//! Everything that is printed goes through [`RunnerConsole`], on one stream: the runner reads both and mixes their order, and a
//! mask must come before the secret it hides. Text is guarded line by line ([`guard()`]), so that only a [`Command`] of ours can be one.

mod annotations;
mod command;
mod console;
mod files;
mod guard;

pub use annotations::annotations;
pub use command::{Annotation, Command, Place};
pub use console::{GuardedConsole, RunnerConsole};
pub use files::{FileCommands, record};
pub use guard::guard;

#[cfg(test)]
mod tests;
