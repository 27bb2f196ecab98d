//! A Signadot `ResourcePlugin`: steps that only know texts, in a document whose parts may be files beside it.

mod embed;
mod outputs;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Value, json};

use super::finding::Finding;
use super::native::steps::{Around, check};
use super::tree::{Files, Translated};
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::Foreign;
use crate::domain::names::{InputName, PluginName};
use crate::domain::plugin::{Plugin, PluginKind, PluginLimits};
use crate::domain::step::StepsPart;

/// Reads the plugin of a folder.
pub(super) fn plugin(value: &Value, files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    let mut findings = Vec::new();
    let value = embed::filled(value, files, &mut findings);
    let spec = Pointer::keys(["spec"]);
    let named = name(&value, &mut findings);
    let steps = steps::part(&value["spec"], &spec, &mut findings);
    let inputs = sandbox_inputs(&steps, &spec, &mut findings);
    let known: BTreeSet<&str> = inputs.iter().map(InputName::as_str).collect();
    findings.extend(check(&steps, &Around { inputs: &known, slots: &BTreeSet::new() }, &spec));
    let Some((name, version)) = named.filter(|_| findings.is_empty()) else { return Err(findings) };

    let mut warnings = ignored(&value, &spec);
    if steps.delete.is_empty() && !steps.create.is_empty() {
        warnings.push(
            Finding::new(spec.at_key(), "the plugin has no `delete`: what its steps make is left behind")
                .help("add the steps that take it away again, unless it goes by itself"),
        );
    }
    let (steps, outputs) = outputs::published(steps, &name, &version, &mut warnings);
    let plugin = Plugin {
        api_version: "tieline/v1".to_owned(),
        kind: PluginKind::Plugin,
        name,
        version,
        description: text(&value["spec"]["description"]).unwrap_or_default().trim().to_owned(),
        inputs: schema(&inputs),
        requires: BTreeMap::new(),
        generates: outputs.generates,
        terraform: None,
        steps: Some(steps),
        limits: PluginLimits::default(),
        foreign: Some(Foreign::Signadot),
    };
    Ok(Translated { plugins: vec![plugin], types: outputs.types, warnings })
}

/// Its name and version: `<name>[@<version>]`, where a version may leave out its last parts.
fn name(value: &Value, findings: &mut Vec<Finding>) -> Option<(PluginName, Version)> {
    let at = Pointer::keys(["name"]);
    let Some(written) = text(&value["name"]) else {
        findings.push(Finding::new(at, "the plugin has no name").help("write `name: <name>`, or `<name>@<version>`"));
        return None;
    };
    let (name, version) = written.split_once('@').unwrap_or((&written, "0.0.0"));
    let parts: Vec<&str> = version.trim_start_matches('v').splitn(3, '.').collect();
    let whole = [parts.first(), parts.get(1), parts.get(2)].map(|part| part.copied().unwrap_or("0")).join(".");
    let name = PluginName::new(name.to_lowercase());
    match (name, Version::parse(&whole)) {
        (Ok(name), Ok(version)) => Some((name, version)),
        (Err(problem), _) => {
            findings.push(Finding::new(at, problem.to_string()));
            None
        }
        (_, Err(_)) => {
            findings.push(Finding::new(at, format!("`{version}` is not a version")).help("write one such as `1.2.0`"));
            None
        }
    }
}

/// The inputs that the steps take out of the sandbox.
fn sandbox_inputs(steps: &StepsPart, spec: &Pointer, findings: &mut Vec<Finding>) -> BTreeSet<InputName> {
    let mut inputs = BTreeSet::new();
    for (workflow, list) in [("create", &steps.create), ("delete", &steps.delete)] {
        for (index, step) in list.iter().enumerate() {
            for (position, input) in step.inputs.iter().enumerate().filter(|(_, input)| input.value_from_input) {
                let at = spec.clone().key(workflow).index(index).key("inputs").index(position).key("name");
                match InputName::new(input.name.as_str()) {
                    Ok(name) => _ = inputs.insert(name),
                    Err(problem) => findings.push(Finding::new(at, problem.to_string())),
                }
            }
        }
    }
    inputs
}

/// The inputs as a schema: all are needed, and each becomes a text where a step takes it (R14).
fn schema(inputs: &BTreeSet<InputName>) -> Value {
    let properties: BTreeMap<&str, Value> =
        inputs.iter().map(|name| (name.as_str(), json!({"type": ["string", "number", "boolean"]}))).collect();
    json!({"type": "object", "additionalProperties": false, "required": inputs, "properties": properties})
}

/// What of the document nothing here looks at.
fn ignored(value: &Value, spec: &Pointer) -> Vec<Finding> {
    let unknown = |of: &Value, at: &Pointer, known: &[&str]| {
        let fields = of.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let unknown = fields.filter(|name| !known.contains(name)).map(|name| {
            Finding::new(at.clone().key(name).at_key(), format!("`{name}` is no field that is known, and has no effect"))
        });
        unknown.collect::<Vec<_>>()
    };
    let mut warnings = unknown(value, &Pointer::default(), &["name", "spec", "apiVersion", "kind", "metadata"]);
    warnings.extend(unknown(&value["spec"], spec, &["description", "runner", "create", "delete"]));
    warnings.extend(unknown(
        &value["spec"]["runner"],
        &spec.clone().key("runner"),
        &["image", "namespace", "podTemplateOverlay"],
    ));
    warnings
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
