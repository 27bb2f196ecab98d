//! A resource plugin.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Map, Value, json};

use super::expand::Expansion;
use super::fields::Found;
use super::outputs::outputs;
use super::steps::steps;
use crate::documents::finding::Finding;
use crate::documents::native::steps::{Known, check};
use crate::documents::tree::{Files, Translated};
use crate::documents::yaml;
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::Foreign;
use crate::domain::names::{InputName, PluginName};
use crate::domain::plugin::{Plugin, PluginKind, PluginLimits};
use crate::domain::step::{Runner, StepsPart};

/// Fields that a server adds to what it keeps.
const OF_SERVERS: [&str; 6] = ["apiVersion", "metadata", "createdAt", "updatedAt", "status", "version"];

/// Reads the plugin of a folder.
pub(in crate::documents) fn plugin(value: &Value, files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    let mut expansion = Expansion::new(files);
    let value = expansion.expand(value, &Pointer::default());
    let mut found = Found { findings: expansion.findings, warnings: Vec::new() };
    let plugin = read(&value, &mut found);
    match plugin {
        Some((plugin, types)) if found.findings.is_empty() => {
            Ok(Translated { plugins: vec![plugin], types, warnings: found.warnings })
        }
        _ => Err(found.findings),
    }
}

fn read(value: &Value, found: &mut Found) -> Option<(Plugin, Vec<crate::domain::connection_type::ConnectionType>)> {
    let root = Pointer::default();
    let top = found.mapping(value, &root)?;
    found.only(top, &[&["name", "spec", "kind"][..], &OF_SERVERS].concat(), &root);
    let named = name(top, found);
    let at = Pointer::keys(["spec"]);
    let spec = found.mapping(top.get("spec")?, &at)?;
    found.only(spec, &["description", "runner", "create", "delete"], &at);
    let description = found.text(spec, "description", &at).unwrap_or_default().trim().to_owned();
    let runner = runner(spec, &at.clone().key("runner"), found);
    let mut part =
        StepsPart { runner, timeout: None, create: steps(spec, "create", &at, found), delete: steps(spec, "delete", &at, found) };
    let inputs = inputs(&part);
    let known = Known { inputs: inputs.iter().map(String::as_str).collect(), slots: &BTreeMap::new() };
    found.findings.extend(check(&part, &at, &known));
    for name in &inputs {
        if let Err(problem) = InputName::new(name.as_str()) {
            found.wrong(at.clone(), problem.to_string(), "rename the input, here and where it is given");
        }
    }
    if part.delete.is_empty() {
        found.warnings.push(
            Finding::new(at, "the plugin has no delete steps: what it makes stays when it is removed")
                .label("no `delete`")
                .note("some things go by themselves in a cluster that Signadot looks after; here nothing does")
                .help("add a delete step that removes what the create steps make"),
        );
    }
    let (name, version) = named?;
    let generated = outputs(&name, &version, &mut part, found);
    let (generates, types) = generated.map(|(name, output, contract)| ((name, output), contract)).unzip();
    let plugin = Plugin {
        api_version: "tieline/v1".to_owned(),
        kind: PluginKind::Plugin,
        name,
        version,
        description,
        inputs: schema(&inputs),
        requires: BTreeMap::new(),
        generates: generates.into_iter().collect(),
        terraform: None,
        steps: Some(part),
        limits: PluginLimits::default(),
        foreign: Some(Foreign::Signadot),
    };
    Some((plugin, types.into_iter().collect()))
}

/// `name`, or `name@version`, of which as much as is known: `v1` is `1.0.0`.
fn name(top: &Map<String, Value>, found: &mut Found) -> Option<(PluginName, Version)> {
    let at = Pointer::keys(["name"]);
    let text = found.needed(top, "name", &Pointer::default())?;
    let (bare, version) = text.split_once('@').map_or((text.as_str(), None), |(bare, version)| (bare, Some(version)));
    let name = PluginName::new(bare.to_ascii_lowercase())
        .map_err(|problem| found.wrong(at.clone(), problem.to_string(), "give the plugin another name"));
    let version = version.map_or(Ok(Version::new(0, 0, 0)), |written| {
        canonical(written).ok_or_else(|| {
            let message = format!("`{written}` is not a version");
            found.wrong(at.clone(), message, "write it as in `name@1.2.0`, or leave `@` and all after it out");
        })
    });
    Some((name.ok()?, version.ok()?))
}

fn canonical(written: &str) -> Option<Version> {
    let text = written.strip_prefix('v').unwrap_or(written);
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let missing = 3usize.checked_sub(numbers.split('.').count())?;
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

fn runner(spec: &Map<String, Value>, at: &Pointer, found: &mut Found) -> Runner {
    let none = Map::new();
    let fields = spec.get("runner").and_then(|runner| found.mapping(runner, at)).unwrap_or(&none);
    found.only(fields, &["image", "namespace", "podTemplateOverlay"], at);
    let overlay = overlay(fields, at, found);
    let image = found.text(fields, "image", at).filter(|image| !image.is_empty()).or_else(|| image_of(overlay.as_deref()));
    if image.is_none() {
        found.wrong(at.clone(), "the runner has no image", "write `image`: the scripts run in a container of it");
    }
    let namespace = found.text(fields, "namespace", at).filter(|namespace| !namespace.is_empty());
    Runner { image, env: BTreeMap::new(), namespace, pod_template_overlay: overlay }
}

/// The overlay, as a text or as what the text would mean.
fn overlay(fields: &Map<String, Value>, at: &Pointer, found: &mut Found) -> Option<String> {
    match fields.get("podTemplateOverlay")? {
        mapping @ Value::Object(_) => Some(mapping.to_string()),
        _ => found.text(fields, "podTemplateOverlay", at).filter(|text| !text.trim().is_empty()),
    }
}

/// The image of the scripts' container where only the overlay names it.
fn image_of(overlay: Option<&str>) -> Option<String> {
    let pod = yaml::parse("podTemplateOverlay", overlay?.as_bytes()).ok()?;
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    let main = containers.iter().find(|one| one.get("name").and_then(Value::as_str) == Some("main"))?;
    Some(main.get("image")?.as_str()?.to_owned())
}

/// The sandbox's parameters that steps ask for.
fn inputs(part: &StepsPart) -> BTreeSet<String> {
    let all = part.all().flat_map(|step| &step.inputs);
    all.filter(|input| input.value_from_input).map(|input| input.name.clone()).collect()
}

/// Parameters are texts; a number or a truth value becomes one (R14).
fn schema(inputs: &BTreeSet<String>) -> Value {
    let properties: Map<String, Value> =
        inputs.iter().map(|name| (name.clone(), json!({"type": ["string", "number", "boolean"]}))).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": inputs})
}
