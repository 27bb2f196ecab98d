//! A workflow's surroundings, and an executor that does as it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::ContextUnavailable;
use crate::domain::names::{InputName, RunId, StepName};
use crate::domain::step::StepsPart;
use crate::steps::*;
use crate::world::{Exit, Stream, World, os};

/// What a scripted step does.
#[derive(Clone)]
pub(super) enum Act {
    /// Ends with this code and leaves these bytes in every output.
    Ends(i32, Vec<u8>),
    /// Leaves this in every output.
    Leaves(NotRead),
    /// Waits for the cancel.
    Hangs,
    /// Cancels the run, and then waits for it.
    Cancels,
}

/// An executor that knows what each step does, and keeps what happened.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) acts: BTreeMap<&'static str, Vec<Act>>,
    pub(super) log: Mutex<Vec<String>>,
    pub(super) jobs: Mutex<BTreeMap<String, String>>,
    pub(super) cancel: CancellationToken,
    /// So many steps wait for one another before any of them ends.
    pub(super) together: usize,
    pub(super) arrived: Mutex<usize>,
    pub(super) all_there: Notify,
    /// The step whose record fails.
    pub(super) unrecorded: Option<&'static str>,
}

impl Scripted {
    pub(super) fn new(acts: impl IntoIterator<Item = (&'static str, Vec<Act>)>) -> Self {
        Self { acts: acts.into_iter().collect(), ..Self::default() }
    }

    fn act(&self, step: &str) -> Act {
        let runs = self.log.lock().unwrap().iter().filter(|line| **line == format!("start {step}")).count();
        let acts = self.acts.get(step);
        acts.and_then(|acts| acts.get(runs - 1).or(acts.last())).cloned().unwrap_or(Act::Ends(0, step.as_bytes().to_vec()))
    }
}

#[async_trait]
impl Executor for Scripted {
    async fn run(&self, job: &StepJob<'_>, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        let step = job.step.as_str();
        self.log.lock().unwrap().push(format!("start {step}"));
        self.jobs.lock().unwrap().insert(step.to_owned(), format!("{job:?}"));
        lines(Stream::Out, format!("{step} speaks"));
        if self.together > 0 {
            let notified = self.all_there.notified();
            let arrived = {
                let mut arrived = self.arrived.lock().unwrap();
                *arrived += 1;
                *arrived
            };
            if arrived >= self.together { self.all_there.notify_waiters() } else { notified.await }
        }
        let act = self.act(step);
        let outputs = |left: Result<Vec<u8>, NotRead>| job.outputs.iter().map(|path| (path.clone(), left.clone())).collect();
        let exit = |code| Exit { code: Some(code), signal: None, cancelled: false };
        let left = match act {
            Act::Ends(code, bytes) => StepLeft { exit: exit(code), outputs: outputs(Ok(bytes)) },
            Act::Leaves(why) => StepLeft { exit: exit(0), outputs: outputs(Err(why)) },
            Act::Hangs | Act::Cancels => {
                if matches!(act, Act::Cancels) {
                    self.cancel.cancel();
                }
                cancel.cancelled().await;
                self.log.lock().unwrap().push(format!("stop {step}"));
                return Err(StepFailure::Cancelled);
            }
        };
        self.log.lock().unwrap().push(format!("end {step}"));
        Ok(left)
    }
}

/// What a workflow is handed beside its steps.
#[derive(Default)]
pub(super) struct Given {
    pub(super) inputs: BTreeMap<InputName, StepText>,
    pub(super) connections: BTreeMap<String, StepText>,
    pub(super) left: Left,
}

pub(super) fn part(yaml: &str) -> StepsPart {
    serde_yaml::from_str(yaml).unwrap()
}

pub(super) fn surroundings() -> Surroundings {
    Surroundings {
        place: Place {
            workspace: "retail".parse().unwrap(),
            environment: "staging".parse().unwrap(),
            deployable: "orders".parse().unwrap(),
        },
        alias: "db".parse().unwrap(),
        run: RunId::from_parts(0, 7),
    }
}

pub(super) fn real_world() -> World {
    os::world().unwrap()
}

#[async_trait]
impl Recorder for Scripted {
    async fn record(&self, step: &StepName, _: &BTreeMap<String, StepText>) -> Result<(), Problems> {
        if self.unrecorded == Some(step.as_str()) {
            return Err(Diagnostic::error(ContextUnavailable, "the claim cannot be written").into());
        }
        self.log.lock().unwrap().push(format!("record {step}"));
        Ok(())
    }
}

/// Runs a workflow; what was recorded is in the executor's log.
pub(super) async fn play(yaml: &str, direction: Direction, given: &Given, executor: &Scripted) -> WorkflowEnd {
    run_on(yaml, direction, given, executor, executor, &executor.cancel).await
}

pub(super) async fn run_on(
    yaml: &str,
    direction: Direction,
    given: &Given,
    executor: &dyn Executor,
    record: &dyn Recorder,
    cancel: &CancellationToken,
) -> WorkflowEnd {
    let (part, surroundings) = (part(yaml), surroundings());
    let Given { inputs, connections, left } = given;
    let workflow = Workflow { part: &part, direction, surroundings: &surroundings, inputs, connections, left };
    let world = real_world();
    // Callers start it on any thread.
    let running: BoxFuture<'_, WorkflowEnd> = Box::pin(run(&workflow, executor, &world, &|_| {}, record, cancel));
    running.await
}

/// How the steps ended, a line each.
pub(super) fn told(end: &WorkflowEnd) -> Vec<String> {
    let line = |step: &StepEnd| match &step.because {
        Some(because) => format!("{} {:?}: {because}", step.step, step.status),
        None => format!("{} {:?}", step.step, step.status),
    };
    end.steps.iter().map(line).collect()
}

/// What went wrong, a line each.
pub(super) fn problems(end: &WorkflowEnd) -> Vec<String> {
    end.problems.0.iter().map(|problem| format!("{}: {}", problem.reason, problem.message)).collect()
}
