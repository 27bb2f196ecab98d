//! The steps of a resource plugin, in both spellings that there are: `as` was `to`, `path` was `localPath`, `valueFromPath` was `from`.

use serde_json::{Map, Value};

use super::fields::Found;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::StepName;
use crate::domain::step::{Step, StepInput, StepOutput, StepOutputRef, StepTarget};

/// The steps of a workflow that can be read.
pub(super) fn steps(spec: &Map<String, Value>, workflow: &str, at: &Pointer, found: &mut Found) -> Vec<Step> {
    let base = at.clone().key(workflow);
    let items = found.list(spec, workflow, at);
    items.iter().enumerate().filter_map(|(index, value)| step(value, &base.clone().index(index), found)).collect()
}

fn step(value: &Value, at: &Pointer, found: &mut Found) -> Option<Step> {
    let fields = found.mapping(value, at)?;
    found.only(fields, &["name", "inputs", "script", "outputs", "description"], at);
    let name = step_name(fields, "name", at, found);
    let script = found.needed(fields, "script", at);
    let (inputs, outputs) = (found.list(fields, "inputs", at), found.list(fields, "outputs", at));
    let at_input = |index| at.clone().key("inputs").index(index);
    let inputs = inputs.iter().enumerate().filter_map(|(index, value)| input(value, &at_input(index), found)).collect();
    let at_output = |index| at.clone().key("outputs").index(index);
    let outputs = outputs.iter().enumerate().filter_map(|(index, value)| output(value, &at_output(index), found)).collect();
    Some(Step { name: name?, after: [].into(), inputs, script: script?, outputs, timeout: None, retries: 0 })
}

fn step_name(fields: &Map<String, Value>, key: &str, at: &Pointer, found: &mut Found) -> Option<StepName> {
    let text = found.needed(fields, key, at)?;
    StepName::new(text)
        .map_err(|problem| found.wrong(at.clone().key(key), problem.to_string(), "give the step another name"))
        .ok()
}

fn input(value: &Value, at: &Pointer, found: &mut Found) -> Option<StepInput> {
    let fields = found.mapping(value, at)?;
    found.only(fields, &["name", "type", "description", "valueFromSandbox", "valueFromStep", "as", "to"], at);
    let name = found.needed(fields, "name", at)?;
    let from_sandbox = match fields.get("valueFromSandbox") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is)) => *is,
        Some(_) => {
            let at = at.clone().key("valueFromSandbox");
            found.wrong(at.clone(), format!("`{at}` must be `true` or `false`"), "write `valueFromSandbox: true`");
            return None;
        }
    };
    let value_from_step = match fields.get("valueFromStep") {
        None | Some(Value::Null) => None,
        Some(from) => Some(step_output(from, &at.clone().key("valueFromStep"), found)?),
    };
    if !from_sandbox && value_from_step.is_none() {
        found.wrong(
            at.clone().key("name"),
            format!("the input `{name}` has no source"),
            "write `valueFromSandbox: true`, or `valueFromStep` with a step's `name` and its `output`",
        );
        return None;
    }
    let target = target(fields, at, found);
    Some(StepInput { name, value_from_input: from_sandbox, value_from_connection: None, value_from_step, target })
}

fn step_output(value: &Value, at: &Pointer, found: &mut Found) -> Option<StepOutputRef> {
    let fields = found.mapping(value, at)?;
    found.only(fields, &["name", "output"], at);
    let (name, output) = (step_name(fields, "name", at, found), found.needed(fields, "output", at));
    Some(StepOutputRef { name: name?, output: output? })
}

fn target(fields: &Map<String, Value>, at: &Pointer, found: &mut Found) -> StepTarget {
    let Some(key) = ["as", "to"].into_iter().find(|key| fields.get(*key).is_some_and(|value| !value.is_null())) else {
        return StepTarget::default();
    };
    let at = at.clone().key(key);
    let Some(target) = fields.get(key).and_then(|value| found.mapping(value, &at)) else { return StepTarget::default() };
    found.only(target, &["env", "path", "localPath"], &at);
    let path = found.text(target, "path", &at).or_else(|| found.text(target, "localPath", &at));
    StepTarget { env: found.text(target, "env", &at), path }
}

fn output(value: &Value, at: &Pointer, found: &mut Found) -> Option<StepOutput> {
    let fields = found.mapping(value, at)?;
    found.only(fields, &["name", "type", "description", "valueFromPath", "from", "path", "valueFrom"], at);
    let name = found.needed(fields, "name", at);
    let nested = fields.get("valueFrom").and_then(Value::as_object).map(|from| (from, "path", at.clone().key("valueFrom")));
    let spelled = ["from", "path"].into_iter().find(|key| fields.contains_key(*key)).map(|key| (fields, key, at.clone()));
    let (holder, key, place) = match fields.get("valueFromPath") {
        None => spelled.or(nested).unwrap_or((fields, "valueFromPath", at.clone())),
        Some(_) => (fields, "valueFromPath", at.clone()),
    };
    let path = found.needed(holder, key, &place);
    let description = found.text(fields, "description", at);
    // Whatever `type` says: what a file holds is a text.
    Some(StepOutput { name: name?, kind: None, description, value_from_path: path?, sensitive: false, trim: false })
}
