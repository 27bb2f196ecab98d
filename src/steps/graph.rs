//! What can run now.

use std::collections::{BTreeMap, BTreeSet};

use super::workflow::StepStatus;
use crate::domain::names::StepName;
use crate::domain::step::Step;

/// What is to become of a step that was not started yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It starts.
    Ready,
    /// It waits for another.
    Waits,
    /// It never starts, for this reason.
    Never(StepStatus, String),
}

/// What the end of others means for a step. `here` are the steps of its workflow.
pub(super) fn turn(step: &Step, here: &BTreeSet<&StepName>, ended: &BTreeMap<&StepName, StepStatus>) -> Turn {
    let data = || step.inputs.iter().filter_map(|input| Some(&input.value_from_step.as_ref()?.name));
    let needs: BTreeSet<&StepName> = data().chain(&step.after).filter(|name| here.contains(name)).collect();
    for need in &needs {
        let because = match ended.get(need) {
            Some(StepStatus::Failed) => format!("step `{need}` failed"),
            Some(StepStatus::Aborted) => format!("step `{need}` was stopped"),
            Some(StepStatus::Skipped) => format!("step `{need}` was skipped"),
            Some(StepStatus::Succeeded | StepStatus::NothingToDo) | None => continue,
        };
        return Turn::Never(StepStatus::Skipped, because);
    }
    // R61: what only came after a step that had nothing to do still runs; what needs its outputs has nothing to do either.
    if let Some(need) = data().find(|name| ended.get(name) == Some(&StepStatus::NothingToDo)) {
        return Turn::Never(StepStatus::NothingToDo, format!("step `{need}` had nothing to do"));
    }
    if needs.iter().all(|need| ended.contains_key(need)) { Turn::Ready } else { Turn::Waits }
}
