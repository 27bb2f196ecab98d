//! Where a plugin's scripts run.

use crate::domain::diagnostic::Diagnostic;
use crate::domain::organization::StepRunner;
use crate::domain::step::Runner;

/// Where scripts with this runner run: where it was asked for, else in a pod where the document speaks of Kubernetes, in a container
/// where it names an image, and on this machine where it does not.
///
/// # Errors
/// When the context's ceilings do not permit it, or the document lacks what it takes.
pub fn choose(asked: Option<StepRunner>, runner: &Runner, permitted: &[StepRunner]) -> Result<StepRunner, Box<Diagnostic>> {
    todo!("{asked:?} {runner:?} {permitted:?}")
}

/// What the document says about where its scripts run that has no effect there.
pub fn without_effect(runner: &Runner, chosen: StepRunner) -> Option<Diagnostic> {
    todo!("{runner:?} {chosen:?}")
}
