//! Shows a run as it goes: a line for what matters, drawn from typed events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::log::Log;
use super::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::engine::{Event, Sink};
use crate::request::cli::LogLevel;
use crate::runner::{Command, RunnerConsole};
use crate::secrets::Redactor;
use crate::world::{Console, Stream};

/// Turns events into lines on the error output.
pub(super) struct Watcher {
    shown: Arc<Shown>,
}

struct Shown {
    console: Arc<dyn Console>,
    redactor: Redactor,
    level: LogLevel,
    log: Mutex<Log>,
    /// The runner's log, which folds.
    folds: Option<Arc<RunnerConsole>>,
    started: chrono::DateTime<chrono::Utc>,
    clock: Arc<dyn crate::world::Clock>,
    /// What was warned of.
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Watcher {
    pub(super) fn new(session: &Session) -> Self {
        let log = Log::new(
            session.uses_color(Stream::Err),
            session.is_interactive().then(|| session.world.console.width().unwrap_or(80)),
        );
        Self {
            shown: Arc::new(Shown {
                console: session.world.console.clone(),
                redactor: session.redactor.clone(),
                level: session.display.log_level,
                log: Mutex::new(log),
                folds: session.workflow.as_ref().map(|workflow| workflow.console.clone()),
                started: session.world.clock.now(),
                clock: session.world.clock.clone(),
                warnings: Mutex::default(),
            }),
        }
    }

    /// Where events go.
    pub(super) fn sink(&self) -> Sink {
        let shown = self.shown.clone();
        Arc::new(move |event| shown.show(&event))
    }

    /// What was warned of, each once.
    pub(super) fn warnings(&self) -> Problems {
        Problems(self.shown.warnings.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone())
    }

    /// Takes the progress line away.
    pub(super) fn finish(&self) {
        self.shown.write(Log::finish);
    }
}

impl Shown {
    fn show(&self, event: &Event) {
        if let Event::Warning(warning) = event {
            let mut warnings = self.warnings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        if self.level >= LogLevel::Info {
            let elapsed = (self.clock.now() - self.started).to_std().unwrap_or_default();
            match (&self.folds, event) {
                (Some(console), Event::TaskEnded { alias, .. }) => self.fold(console, alias.as_str(), event, elapsed),
                _ => self.write(|log| log.lines(event, elapsed)),
            }
        }
    }

    /// The end of a task, with what its plan did folded below it.
    fn fold(&self, console: &RunnerConsole, alias: &str, event: &Event, elapsed: Duration) {
        let mut log = self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (title, plan) = (self.redactor.redact(&log.lines(event, elapsed)), log.take_plan(alias));
        if plan.is_empty() {
            console.write(Stream::Out, &title);
        } else {
            console.command(&Command::Group(title.trim_end().to_owned()));
            console.write(Stream::Out, &self.redactor.redact(&plan.join("\n")));
            console.command(&Command::EndGroup);
        }
    }

    fn write(&self, lines: impl FnOnce(&mut Log) -> String) {
        let mut log = self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = lines(&mut log);
        if !text.is_empty() {
            self.console.write(Stream::Err, &self.redactor.redact(&text));
        }
    }
}
