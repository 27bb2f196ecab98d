//! Runs a workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::attempt::{Ended, Stage, attempt};
use super::executor::Executor;
use super::graph::{Turn, turn};
use super::resolve::{Resolved, resolve};
use super::text::StepText;
use super::workflow::{Left, StepEnd, StepEvent, StepStatus, Workflow, WorkflowEnd};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::duration::duration;
use crate::domain::failure::FailureReason::{Cancelled, TimedOut};
use crate::domain::names::StepName;
use crate::domain::step::Step;
use crate::world::World;

/// So many steps of a workflow run at a time.
const MOST_AT_ONCE: usize = 10;

/// Hears what happens. It is called from one task, never from two at once.
pub type Sink<'a> = &'a (dyn Fn(StepEvent) + Send + Sync);

/// Records what steps left.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Records what a step left, before anything that needs it starts (R60). What is a secret among it is not known to any redactor
    /// yet.
    ///
    /// # Errors
    /// When it cannot be recorded. Nothing more is started then.
    async fn record(&self, step: &StepName, left: &BTreeMap<String, StepText>) -> Result<(), Problems>;
}

/// Runs a workflow to its end: its steps in the order of what they need, those without a path between them side by side. Where one
/// fails, what needs it is skipped, and the rest goes on; where recording fails or a cancel comes, nothing more starts.
pub async fn run(
    workflow: &Workflow<'_>,
    executor: &dyn Executor,
    world: &World,
    sink: Sink<'_>,
    record: &dyn Recorder,
    cancel: &CancellationToken,
) -> WorkflowEnd {
    let refused: Vec<Diagnostic> = workflow.steps().iter().filter_map(|step| executor.refuses(step)).collect();
    let mut progress = Progress::new(workflow, sink);
    if !refused.is_empty() {
        progress.problems.0.extend(refused);
        progress.skip_the_rest("nothing was started");
        return progress.end();
    }
    let stage = Stage { executor, world, sink, record, cancel: cancel.child_token() };
    let limit = workflow.part.timeout.as_deref().and_then(|text| duration(text).ok());
    let time_is_over = over(world, limit);
    tokio::pin!(time_is_over);
    let mut timed_out = false;
    let mut running = FuturesUnordered::new();
    loop {
        if !stage.cancel.is_cancelled() && !progress.unrecorded {
            progress.start(&stage, &mut running);
        }
        tokio::select! {
            biased;
            ended = running.next() => match ended {
                Some((step, ended)) => progress.take(step, ended, timed_out),
                None => break,
            },
            () = &mut time_is_over, if !timed_out => {
                timed_out = true;
                stage.cancel.cancel();
            }
        }
    }
    drop(running);
    progress.stop(timed_out, cancel.is_cancelled());
    progress.end()
}

/// Waits for the end of a time that may not be limited.
pub(super) async fn over(world: &World, limit: Option<Duration>) {
    match limit {
        Some(limit) => world.clock.sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// How far a workflow is.
struct Progress<'a> {
    workflow: &'a Workflow<'a>,
    here: BTreeSet<&'a StepName>,
    started: BTreeSet<&'a StepName>,
    ended: BTreeMap<&'a StepName, StepStatus>,
    ends: BTreeMap<&'a StepName, StepEnd>,
    left: Left,
    problems: Problems,
    unrecorded: bool,
    sink: Sink<'a>,
}

type Running<'a> = FuturesUnordered<BoxFuture<'a, (&'a Step, Ended)>>;

impl<'a> Progress<'a> {
    fn new(workflow: &'a Workflow<'a>, sink: Sink<'a>) -> Self {
        Self {
            workflow,
            here: workflow.steps().iter().map(|step| &step.name).collect(),
            started: BTreeSet::new(),
            ended: BTreeMap::new(),
            ends: BTreeMap::new(),
            left: Left::new(),
            problems: Problems::default(),
            unrecorded: false,
            sink,
        }
    }

    /// Starts what can start now, in the order of the document, and settles what never will.
    fn start<'b>(&mut self, stage: &'b Stage<'b>, running: &mut Running<'b>)
    where
        'a: 'b,
    {
        let mut settled = true;
        while settled {
            settled = false;
            for step in self.workflow.steps() {
                if self.started.contains(&step.name) || self.ended.contains_key(&step.name) {
                    continue;
                }
                match turn(step, &self.here, &self.ended) {
                    Turn::Ready if running.len() < MOST_AT_ONCE => match resolve(step, self.workflow, &self.left) {
                        Resolved::Job(job) => {
                            self.started.insert(&step.name);
                            running.push(Box::pin(async move { (step, attempt(step, &job, stage).await) }));
                        }
                        Resolved::NothingToDo(because) => {
                            self.settle(step, StepStatus::NothingToDo, Some(because), 0);
                            settled = true;
                        }
                        Resolved::Problem(problem) => {
                            self.settle(step, StepStatus::Failed, Some(problem.message.clone()), 0);
                            self.problems.push(*problem);
                            settled = true;
                        }
                    },
                    Turn::Never(status, because) => {
                        self.settle(step, status, Some(because), 0);
                        settled = true;
                    }
                    Turn::Ready | Turn::Waits => {}
                }
            }
        }
    }

    /// Takes in what came of a step.
    fn take(&mut self, step: &'a Step, ended: Ended, timed_out: bool) {
        let Ended { status, because, attempts, left, problems, unrecorded } = ended;
        self.left.extend(left.map(|left| (step.name.clone(), left)));
        self.unrecorded |= unrecorded;
        self.problems.extend(problems);
        if status == StepStatus::Aborted && because.is_none() {
            let (reason, what) =
                if timed_out { (TimedOut, "the time of its workflow was over") } else { (Cancelled, "the run was cancelled") };
            self.problems.push(
                Diagnostic::error(reason, format!("step `{}` was stopped: {what}", step.name))
                    .note("what it had made by then may still be there, and nothing that it left was recorded"),
            );
            return self.settle(step, status, Some(what.to_owned()), attempts);
        }
        self.settle(step, status, because, attempts);
    }

    fn settle(&mut self, step: &'a Step, status: StepStatus, because: Option<String>, attempts: u8) {
        let end = StepEnd { step: step.name.clone(), status, because, attempts };
        self.ended.insert(&step.name, status);
        self.ends.insert(&step.name, end.clone());
        (self.sink)(StepEvent::Ended(end));
    }

    fn skip_the_rest(&mut self, because: &str) {
        for step in self.workflow.steps() {
            if !self.ended.contains_key(&step.name) {
                self.settle(step, StepStatus::Skipped, Some(because.to_owned()), 0);
            }
        }
    }

    /// Settles the steps that were not started since all of it was stopped.
    fn stop(&mut self, timed_out: bool, cancelled: bool) {
        let aborted = self.ended.values().any(|status| *status == StepStatus::Aborted);
        let waiting = self.ended.len() < self.here.len();
        let because = match (self.unrecorded, timed_out, cancelled) {
            (true, ..) => "what came before it could not be recorded",
            (_, true, _) => "the time of the workflow was over",
            (_, _, true) => "the run was cancelled",
            // Only a document that was not checked comes here.
            _ => "its needs go in a circle",
        };
        if waiting && !aborted && !self.unrecorded {
            let reason = if timed_out { TimedOut } else { Cancelled };
            self.problems.push(Diagnostic::error(reason, format!("the workflow was stopped between two steps: {because}")));
        }
        self.skip_the_rest(because);
    }

    fn end(mut self) -> WorkflowEnd {
        let steps = self.workflow.steps().iter().filter_map(|step| self.ends.remove(&step.name)).collect();
        WorkflowEnd { steps, left: self.left, problems: self.problems }
    }
}
