//! Step workflows: a plugin's scripts, run in the order of what they need, each alone and knowing nothing but what it is handed
//! (R57 to R63).
//!
//! [`run()`] knows the order, the values and the rules; an [`Executor`] knows one place where a script can run: a container, a
//! process of this machine, a pod. What came of a step is handed over to be recorded before anything that needs it starts.

mod attempt;
mod choose;
mod client;
mod docker;
mod executor;
mod graph;
mod host;
mod kubernetes;
mod outputs;
mod resolve;
mod run;
mod text;
mod variables;
mod workflow;

pub use choose::{choose, without_effect};
pub use executor::{Executor, LineSink, NotRead, StepFailure, StepJob, StepLeft, executor};
pub use outputs::LARGEST_OUTPUT;
pub use run::{Recorder, Sink, run};
pub use text::{StepText, text_of};
pub use variables::Surroundings;
pub use workflow::{Direction, Left, StepEnd, StepEvent, StepStatus, Workflow, WorkflowEnd};

#[cfg(test)]
mod tests;
