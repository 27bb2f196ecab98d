//! The step of a workflow: what it knows of its run, and what it hands to the runner.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::presence::Presence;
use super::session::Session;
use crate::report::Surroundings;
use crate::request::event::WorkflowRun;
use crate::request::variables::runner as variables;
use crate::runner::{FileCommands, RunnerConsole};
use crate::world::World;

/// The largest event that is read.
const LARGEST_EVENT: u64 = 32 << 20;

/// A step of a workflow.
pub(super) struct Workflow {
    /// What it was asked to do.
    pub(super) command: String,
    /// The run that it is part of.
    pub(super) run: WorkflowRun,
    /// Its log.
    pub(super) console: Arc<RunnerConsole>,
    /// The terraform that is used, once it is known.
    pub(super) terraform: OnceLock<String>,
    /// How the post stage learns what became of this one; none where there is no post stage.
    pub(super) presence: Option<Presence>,
    pub(super) files: FileCommands,
}

impl Workflow {
    /// The step that the variables tell of.
    pub(super) fn of(world: &World) -> Self {
        let variable = |name: &str| world.variables.get(name);
        let file = |name| variable(name).map(PathBuf::from);
        let event = file(variables::EVENT_PATH).and_then(|path| world.files.read(&path, LARGEST_EVENT).ok());
        Self {
            command: variable("INPUT_COMMAND").unwrap_or("nothing").to_owned(),
            run: WorkflowRun::of(variable, event.as_deref()),
            console: Arc::new(RunnerConsole::new(world.console.clone())),
            terraform: OnceLock::new(),
            presence: None,
            files: FileCommands {
                output: file(variables::OUTPUT),
                state: file(variables::STATE),
                summary: file(variables::STEP_SUMMARY),
            },
        }
    }

    /// What reports say beside their data; `title` is what they are about.
    pub(super) fn surroundings(&self, title: String) -> Surroundings {
        Surroundings {
            command: self.command.clone(),
            title,
            run_url: self.run.url.clone(),
            commit: self.run.commit().map(str::to_owned),
            terraform: self.terraform.get().cloned(),
        }
    }

    /// Sets outputs. What the runner does not take is told, and changes nothing else.
    pub(super) fn set_outputs(&self, session: &Session, outputs: &[(&str, String)]) {
        told(session, "the outputs of this step", self.files.set_outputs(&session.world, outputs));
    }

    /// Sets state for the post stage.
    pub(super) fn set_state(&self, session: &Session, state: &[(&str, String)]) {
        told(session, "the state of this step", self.files.set_state(&session.world, state));
    }

    /// Adds to the summary.
    pub(super) fn add_summary(&self, session: &Session, markdown: &str) {
        told(session, "the summary of this step", self.files.add_summary(&session.world, markdown));
    }
}

fn told(session: &Session, what: &str, written: std::io::Result<()>) {
    if let Err(problem) = written {
        session.say(&format!("warning: cannot write {what}: {problem}"));
    }
}

/// The folder for files that later steps read: as we see it, and as they do. A container has it at another place than the runner.
pub(super) fn shared_folder(world: &World) -> Option<(PathBuf, PathBuf)> {
    const IN_CONTAINER: &str = "/github/runner_temp";
    let ours = PathBuf::from(world.variables.get(variables::TEMP)?);
    world.files.metadata(&ours).filter(|found| found.is_folder)?;
    let theirs = match world.variables.get(variables::WORKSPACE).and_then(|workspace| Path::new(workspace).parent()) {
        Some(work) if ours == Path::new(IN_CONTAINER) => work.join("_temp"),
        _ => ours.clone(),
    };
    Some((ours, theirs))
}
