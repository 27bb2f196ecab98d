//! The log of a workflow's step.

use std::sync::Arc;

use super::Command;
use super::guard::guard;
use crate::secrets::{Secret, worth_hiding};
use crate::world::{Console, Stream};

/// The log: all text on one stream, each line guarded, and commands of ours between them.
pub struct RunnerConsole(Arc<dyn Console>);

impl RunnerConsole {
    /// The log on the standard output of `console`.
    pub fn new(console: Arc<dyn Console>) -> Self {
        Self(console)
    }

    /// Has the runner hide a secret from here on: each of its lines, since a whole document appears nowhere, and only what is worth
    /// hiding, since a mask for a short or common word would blank the log (R65).
    pub fn mask(&self, secret: &Secret) {
        for line in secret.expose().lines().map(str::trim).filter(|line| worth_hiding(line)) {
            self.command(&Command::AddMask(line.to_owned()));
        }
    }

    /// Writes a line that the runner obeys.
    pub fn command(&self, command: &Command) {
        self.0.write(Stream::Out, &format!("{command}\n"));
    }
}

impl Console for RunnerConsole {
    fn write(&self, _stream: Stream, text: &str) {
        self.0.write(Stream::Out, &guarded(text));
    }

    fn is_terminal(&self, _stream: Stream) -> bool {
        false
    }

    fn width(&self) -> Option<usize> {
        None
    }
}

/// The outputs of the command line where a workflow's script runs it: the runner reads those too.
pub struct GuardedConsole(Arc<dyn Console>);

impl GuardedConsole {
    /// `console`, with each line guarded.
    pub fn new(console: Arc<dyn Console>) -> Self {
        Self(console)
    }
}

impl Console for GuardedConsole {
    fn write(&self, stream: Stream, text: &str) {
        self.0.write(stream, &guarded(text));
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        self.0.is_terminal(stream)
    }

    fn width(&self) -> Option<usize> {
        self.0.width()
    }
}

/// Whole lines, none of which is a command.
fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len() + 1);
    let text = text.strip_suffix('\n').unwrap_or(text);
    for line in text.split(['\n', '\r']) {
        guarded.push_str(&guard(line));
        guarded.push('\n');
    }
    guarded
}
