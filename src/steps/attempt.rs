//! One step, from its first attempt to what is recorded of it.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::executor::{Executor, StepFailure, StepJob};
use super::outputs::take;
use super::run::{Recorder, Sink, over};
use super::text::StepText;
use super::workflow::{StepEvent, StepStatus};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::duration::duration;
use crate::domain::failure::FailureReason::{StepFailed, TimedOut};
use crate::domain::step::Step;
use crate::world::{Exit, World};

/// What all steps of a workflow run with.
pub(super) struct Stage<'a> {
    pub(super) executor: &'a dyn Executor,
    pub(super) world: &'a World,
    pub(super) sink: Sink<'a>,
    pub(super) record: &'a dyn Recorder,
    pub(super) cancel: CancellationToken,
}

/// What came of a step.
pub(super) struct Ended {
    pub(super) status: StepStatus,
    pub(super) because: Option<String>,
    pub(super) attempts: u8,
    pub(super) left: Option<BTreeMap<String, StepText>>,
    pub(super) problems: Problems,
    /// Whether it succeeded, and that could not be recorded.
    pub(super) unrecorded: bool,
}

/// What came of one attempt, where it was not what was wanted.
enum Trouble {
    /// It was stopped from outside.
    Stopped,
    /// It failed, for these reasons.
    Failed(StepStatus, Vec<Diagnostic>),
}

/// Runs a step as often as it asks for, and has recorded what it left.
pub(super) async fn attempt(step: &Step, job: &StepJob<'_>, stage: &Stage<'_>) -> Ended {
    let mut attempts = 0;
    loop {
        attempts += 1;
        (stage.sink)(StepEvent::Started { step: step.name.clone(), attempt: attempts });
        match once(step, job, stage).await {
            Ok(left) => return recorded(step, left, attempts, stage).await,
            Err(Trouble::Stopped) => return ended(StepStatus::Aborted, None, attempts),
            Err(Trouble::Failed(..)) if attempts <= step.retries && !stage.cancel.is_cancelled() => {}
            Err(Trouble::Failed(status, problems)) => {
                let because = problems.first().map(|problem| problem.message.clone());
                return Ended { problems: Problems(problems), ..ended(status, because, attempts) };
            }
        }
    }
}

fn ended(status: StepStatus, because: Option<String>, attempts: u8) -> Ended {
    Ended { status, because, attempts, left: None, problems: Problems::default(), unrecorded: false }
}

async fn recorded(step: &Step, left: BTreeMap<String, StepText>, attempts: u8, stage: &Stage<'_>) -> Ended {
    match stage.record.record(&step.name, &left).await {
        Ok(()) => Ended { left: Some(left), ..ended(StepStatus::Succeeded, None, attempts) },
        Err(problems) => {
            let because = Some("what it left could not be recorded".to_owned());
            Ended { problems, unrecorded: true, ..ended(StepStatus::Failed, because, attempts) }
        }
    }
}

async fn once(step: &Step, job: &StepJob<'_>, stage: &Stage<'_>) -> Result<BTreeMap<String, StepText>, Trouble> {
    let cancel = stage.cancel.child_token();
    let lines = |stream, text| (stage.sink)(StepEvent::Line { step: step.name.clone(), stream, text });
    let work = stage.executor.run(job, &lines, &cancel);
    tokio::pin!(work);
    let limit = step.timeout.as_deref().and_then(|text| duration(text).ok());
    let mut timed_out = false;
    let result = tokio::select! {
        biased;
        result = &mut work => result,
        () = over(stage.world, limit) => {
            timed_out = true;
            cancel.cancel();
            work.await
        }
    };
    match result {
        Ok(left) if left.exit.success() => take(step, &left).map_err(|wrong| Trouble::Failed(StepStatus::Failed, wrong)),
        Ok(left) => Err(Trouble::Failed(StepStatus::Failed, vec![failed(step, left.exit)])),
        Err(StepFailure::Problem(problem)) => Err(Trouble::Failed(StepStatus::Failed, vec![*problem])),
        Err(StepFailure::Cancelled) if timed_out && !stage.cancel.is_cancelled() => {
            let limit = step.timeout.as_deref().unwrap_or_default();
            let problem =
                Diagnostic::error(TimedOut, format!("step `{}` was stopped: it took longer than its `{limit}`", step.name))
                    .note("what it had made by then may still be there")
                    .help("raise its `timeout`, or find out what is slow");
            Err(Trouble::Failed(StepStatus::Aborted, vec![problem]))
        }
        Err(StepFailure::Cancelled) => Err(Trouble::Stopped),
    }
}

fn failed(step: &Step, exit: Exit) -> Diagnostic {
    let how = match (exit.code, exit.signal) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "how it ended is not known".to_owned(),
    };
    let problem = Diagnostic::error(StepFailed, format!("step `{}` failed: {how}", step.name));
    match exit.code {
        Some(126 | 127) => problem.help("see that its `#!` line names a program that is there, and that it may be run"),
        _ => problem.help("read what it wrote"),
    }
}
