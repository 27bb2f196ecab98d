//! A workflow of steps, run for an applied plugin.

use std::sync::{Arc, Mutex};

use super::handed::Handed;
use super::recorder::Recording;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, StepName};
use crate::domain::organization::StepRunner;
use crate::domain::record::AppliedRecord;
use crate::domain::step::{Step, StepsPart};
use crate::engine::event::Event;
use crate::engine::journal::Journal;
use crate::engine::{Engine, locked};
use crate::steps::{self, Direction, Left, StepStatus, Surroundings, Workflow, WorkflowEnd};

/// One of an applied plugin's two workflows.
pub(super) struct Work<'a> {
    pub(super) alias: &'a Alias,
    pub(super) part: &'a StepsPart,
    pub(super) direction: Direction,
}

/// What came of one.
pub(super) struct Ran {
    /// The record, with what the steps left.
    pub(super) record: AppliedRecord,
    /// What they left.
    pub(super) left: Left,
    /// The steps that came to a good end.
    pub(super) done: Vec<StepName>,
    /// What went wrong; where nothing did, all that was to be done is done.
    pub(super) problems: Problems,
}

impl<'a> Work<'a> {
    /// Its steps.
    pub(super) fn steps(&self) -> &'a [Step] {
        match self.direction {
            Direction::Create => &self.part.create,
            Direction::Delete => &self.part.delete,
        }
    }
}

impl Engine {
    /// Where the steps of an applied plugin run.
    pub(super) fn step_runner(&self, alias: &Alias, part: &StepsPart) -> Result<StepRunner, Problems> {
        let runners = &self.settings.step_runners;
        steps::choose(runners.asked, &part.runner, &runners.permitted)
            .map_err(|problem| self.at_alias(alias, Problems::from(*problem)))
    }

    /// Runs a workflow to its end. What its steps leave is in the journal as soon as it is there.
    pub(super) async fn run_steps(
        &self,
        work: &Work<'_>,
        (handed, left): (&Handed, &Left),
        record: AppliedRecord,
        journal: &Arc<Journal>,
    ) -> Result<Ran, Problems> {
        let alias = work.alias;
        let runner = self.step_runner(alias, work.part)?;
        if let Some(warning) = steps::without_effect(&work.part.runner, runner) {
            self.emit(Event::Warning(warning.at(&self.deployment.file, self.pointer(alias))));
        }
        let surroundings = self.surroundings(alias, &record);
        let workflow = Workflow {
            part: work.part,
            direction: work.direction,
            surroundings: &surroundings,
            inputs: &handed.inputs,
            connections: &handed.connections,
            left,
        };
        let recording = Recording {
            world: self.world.clone(),
            learn: self.learn.clone(),
            redactor: self.redactor.clone(),
            keys: self.keys.clone(),
            alias: alias.clone(),
            direction: work.direction,
            journal: journal.clone(),
            record: Mutex::new(record),
        };
        let executor = steps::executor(runner, &self.world);
        let sink = |event| self.emit(Event::Step { alias: alias.clone(), event });
        let ended = steps::run(&workflow, &*executor, &self.world, &sink, &recording, &self.cancel).await;
        let record = locked(&recording.record).clone();
        Ok(self.ran(alias, ended, record))
    }

    fn ran(&self, alias: &Alias, ended: WorkflowEnd, record: AppliedRecord) -> Ran {
        let done = ended.steps.iter().filter(|end| end.status == StepStatus::Succeeded).map(|end| end.step.clone()).collect();
        for idle in ended.steps.iter().filter(|end| end.status == StepStatus::NothingToDo) {
            let because = idle.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
            self.add_note(format!("the step `{}` of `{alias}` was not needed{because}", idle.step));
        }
        let succeeded = ended.succeeded();
        let mut problems = self.at_alias(alias, ended.problems);
        if !succeeded && !problems.any_error() {
            let message = format!("the steps of `{alias}` did not come to an end");
            problems.push(Diagnostic::error(FailureReason::StepFailed, message).at(&self.deployment.file, self.pointer(alias)));
        }
        Ran { record, left: ended.left, done, problems }
    }

    /// What the documented variables say: the names that things were made under stay, should the plugin be moved (R40).
    fn surroundings(&self, alias: &Alias, record: &AppliedRecord) -> Surroundings {
        let origin = record.origin();
        Surroundings {
            place: origin.map_or(&self.deployment.place, |origin| &origin.place).clone(),
            alias: origin.map_or(alias, |origin| &origin.alias).clone(),
            run: record.attempted.run.clone(),
        }
    }
}
