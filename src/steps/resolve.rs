//! What a step is handed.

use std::collections::BTreeMap;

use super::executor::StepJob;
use super::text::StepText;
use super::workflow::{Left, Workflow};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::StepFailed;
use crate::domain::names::InputName;
use crate::domain::step::{Step, StepInput};

/// What the system takes as one variable, its name, `=` and the final zero byte included.
const LARGEST_VARIABLE: usize = 128 << 10;

/// A step as it can, or cannot, be run.
pub(super) enum Resolved<'a> {
    /// With all that it is handed.
    Job(Box<StepJob<'a>>),
    /// What it would work on was never made (R61), for this reason.
    NothingToDo(String),
    /// A value does not fit where it is to go.
    Problem(Box<Diagnostic>),
}

/// Gathers what a step is handed. `left` is what steps of this run left.
pub(super) fn resolve<'a>(step: &'a Step, workflow: &Workflow<'a>, left: &Left) -> Resolved<'a> {
    let runner = &workflow.part.runner;
    let mut env: BTreeMap<String, StepText> =
        runner.env.iter().map(|(name, value)| (name.clone(), StepText::Plain(value.clone()))).collect();
    env.extend(workflow.surroundings.variables(&step.name));
    let mut files = BTreeMap::new();
    for input in &step.inputs {
        let value = match value_of(input, workflow, left) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(because) => return Resolved::NothingToDo(because),
        };
        if let Some(name) = &input.target.env {
            if let Some(wrong) = unfit(name, value.expose()) {
                let problem = Diagnostic::error(StepFailed, format!("step `{}` cannot be handed `{name}`: {wrong}", step.name));
                return Resolved::Problem(Box::new(problem.help("hand it over as a file, with `path` under `as`")));
            }
            env.insert(name.clone(), value.clone());
        }
        if let Some(path) = &input.target.path {
            files.insert(path.clone(), value.clone());
        }
    }
    Resolved::Job(Box::new(StepJob {
        step: &step.name,
        script: &step.script,
        env,
        files,
        outputs: step.outputs.iter().map(|output| output.value_from_path.clone()).collect(),
        runner,
        labels: labels(step, workflow),
    }))
}

/// An input's value; none where its source has none. An error says which step never left it.
fn value_of<'a>(input: &StepInput, workflow: &Workflow<'a>, left: &'a Left) -> Result<Option<&'a StepText>, String> {
    if let Some(from) = &input.value_from_step {
        let of = |left: &'a Left| left.get(&from.name)?.get(&from.output);
        let found = of(left).or_else(|| of(workflow.left));
        return found.map(Some).ok_or_else(|| format!("step `{}` never left `{}`", from.name, from.output));
    }
    if let Some(path) = &input.value_from_connection {
        return Ok(workflow.connections.get(path));
    }
    Ok(InputName::new(input.name.as_str()).ok().and_then(|name| workflow.inputs.get(&name)))
}

/// Why a text cannot be the value of a variable.
fn unfit(name: &str, text: &str) -> Option<String> {
    if text.contains('\0') {
        return Some("no variable holds a zero byte".to_owned());
    }
    let size = name.len() + text.len() + 2;
    (size > LARGEST_VARIABLE).then(|| format!("its {} bytes are more than a variable holds", text.len()))
}

fn labels(step: &Step, workflow: &Workflow<'_>) -> BTreeMap<&'static str, String> {
    let surroundings = workflow.surroundings;
    BTreeMap::from([
        ("workspace", surroundings.place.workspace.to_string()),
        ("environment", surroundings.place.environment.to_string()),
        ("deployable", surroundings.place.deployable.to_string()),
        ("alias", surroundings.alias.to_string()),
        ("run", surroundings.run.to_string()),
        ("step", step.name.to_string()),
    ])
}
