//! The steps of the document, in our words.

use serde_json::{Map, Value, json};

use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::step::{Runner, Step, StepsPart};

/// The steps and where they run. What cannot be read is told, and left out.
pub(super) fn part(spec: &Value, at: &Pointer, findings: &mut Vec<Finding>) -> StepsPart {
    let runner = &spec["runner"];
    let text = |field: &str| runner[field].as_str().map(str::to_owned);
    let runner = Runner {
        image: text("image"),
        namespace: text("namespace"),
        pod_template_overlay: text("podTemplateOverlay"),
        ..Runner::default()
    };
    let mut workflow = |name: &str| {
        let at = at.clone().key(name);
        let steps = spec[name].as_array().into_iter().flatten().enumerate();
        steps.filter_map(|(index, step)| self::step(step, &at.clone().index(index), findings)).collect()
    };
    StepsPart { runner, timeout: None, create: workflow("create"), delete: workflow("delete") }
}

fn step(written: &Value, at: &Pointer, findings: &mut Vec<Finding>) -> Option<Step> {
    let list = |field: &str| written[field].as_array().cloned().unwrap_or_default();
    let step = json!({
        "name": written["name"],
        "script": written["script"],
        "inputs": list("inputs").iter().map(input).collect::<Vec<_>>(),
        "outputs": list("outputs").iter().map(output).collect::<Vec<_>>(),
    });
    match serde_json::from_value(step) {
        Ok(step) => Some(step),
        Err(problem) => {
            let finding = Finding::new(at.clone(), format!("this is no step: {problem}"));
            findings.push(finding.help(
                "a step has a `name`, a `script`, `inputs` with `name` and `as`, and `outputs` with `name` and `valueFromPath`",
            ));
            None
        }
    }
}

/// An input; its `type`, which says nothing, is left out.
fn input(written: &Value) -> Value {
    let mut input = Map::new();
    for (from, to) in [("name", "name"), ("as", "as"), ("valueFromSandbox", "valueFromInput"), ("valueFromStep", "valueFromStep")]
    {
        if let Some(value) = written.get(from) {
            input.insert(to.to_owned(), value.clone());
        }
    }
    input.entry("as").or_insert_with(|| json!({}));
    Value::Object(input)
}

/// An output, by `valueFromPath`, or as older documents have it by `path` or `valueFrom: {path}`. All are texts.
fn output(written: &Value) -> Value {
    let path = [&written["valueFromPath"], &written["path"], &written["valueFrom"]["path"]];
    let path = path.into_iter().find(|path| !path.is_null()).cloned().unwrap_or_default();
    let mut output = json!({"name": written["name"], "valueFromPath": path});
    if let Some(description) = written["description"].as_str() {
        output["description"] = description.into();
    }
    output
}
