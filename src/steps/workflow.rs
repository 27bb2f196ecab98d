//! A workflow, what happens while it runs, and what came of it.

use std::collections::BTreeMap;

use super::text::StepText;
use super::variables::Surroundings;
use crate::domain::diagnostic::Problems;
use crate::domain::names::{InputName, StepName};
use crate::domain::step::{Step, StepsPart};
use crate::world::Stream;

/// Which of a plugin's two workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Makes the thing.
    Create,
    /// Takes it away.
    Delete,
}

/// What steps left: outputs by step.
pub type Left = BTreeMap<StepName, BTreeMap<String, StepText>>;

/// A workflow with all that its steps can be handed. A value that is not there is not handed over: no variable, no file.
#[derive(Debug, Clone, Copy)]
pub struct Workflow<'a> {
    /// The plugin's steps.
    pub part: &'a StepsPart,
    /// Which of them.
    pub direction: Direction,
    /// Where it runs.
    pub surroundings: &'a Surroundings,
    /// The plugin's inputs, as texts ([`super::text_of`]).
    pub inputs: &'a BTreeMap<InputName, StepText>,
    /// Attributes of connections, by `slot.attribute` as the steps name them.
    pub connections: &'a BTreeMap<String, StepText>,
    /// What create steps are recorded to have left: what a delete workflow works with. A create workflow does not look at it.
    pub left: &'a Left,
}

impl<'a> Workflow<'a> {
    /// Its steps.
    pub fn steps(&self) -> &'a [Step] {
        match self.direction {
            Direction::Create => &self.part.create,
            Direction::Delete => &self.part.delete,
        }
    }
}

/// What happens in a workflow, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEvent {
    /// A step starts, for the first time or, after it failed, once more.
    Started {
        /// The step.
        step: StepName,
        /// Which attempt it is, from 1.
        attempt: u8,
    },
    /// A step wrote a line: hostile text, neither guarded nor redacted yet.
    Line {
        /// The step.
        step: StepName,
        /// Where it wrote it.
        stream: Stream,
        /// The line.
        text: String,
    },
    /// Nothing more comes of a step.
    Ended(StepEnd),
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEnd {
    /// The step.
    pub step: StepName,
    /// How it ended.
    pub status: StepStatus,
    /// Why it did not succeed, in words.
    pub because: Option<String>,
    /// How often it was started.
    pub attempts: u8,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Well; its outputs are recorded.
    Succeeded,
    /// It failed.
    Failed,
    /// A cancel, or the end of its time, reached it while it ran.
    Aborted,
    /// It was not started, since something that it needs failed or was stopped.
    Skipped,
    /// A delete step that was not started since what it would remove was never made (R61). Nothing is wrong.
    NothingToDo,
}

/// What came of a workflow.
#[derive(Debug, Clone, Default)]
pub struct WorkflowEnd {
    /// Each of its steps, in the order of the document.
    pub steps: Vec<StepEnd>,
    /// What the steps that succeeded left.
    pub left: Left,
    /// Why it did not succeed; and, as warnings, what is worth knowing.
    pub problems: Problems,
}

impl WorkflowEnd {
    /// Whether nothing failed and nothing was left undone.
    pub fn succeeded(&self) -> bool {
        let well = |end: &StepEnd| matches!(end.status, StepStatus::Succeeded | StepStatus::NothingToDo);
        !self.problems.any_error() && self.steps.iter().all(well)
    }
}
