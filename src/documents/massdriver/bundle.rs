//! A bundle: one plugin for each of its steps.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Map, Value};

use super::app::{App, app, warn_of_untaken};
use super::artifacts::{self, Source, artifacts};
use super::connections::{self, Connection, connections};
use super::params::{PRESET, Params, params};
use super::references::among;
use super::steps::{Step, Tool, steps};
use super::types::types;
use super::{annotations, helm, text};
use crate::documents::finding::Finding;
use crate::documents::tree::{Files, Translated};
use crate::domain::bundle::{Trouble, read};
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::{Bundle, Foreign};
use crate::domain::names::{OutputName, PluginName, SlotName};
use crate::domain::plugin::{Output, Plugin, PluginKind, PluginLimits, Slot, TerraformPart};

/// The variable that Massdriver tells modules about themselves in.
const METADATA: &str = "md_metadata";

/// What is the same in all plugins of a bundle.
struct Shared {
    name: PluginName,
    version: Version,
    description: String,
    inputs: Value,
    connections: Vec<Connection>,
    /// What the annotations, presets and variables of the application say, without a step.
    bundle: Bundle,
}

/// What one step is read into.
struct Read {
    published: BTreeMap<String, Source>,
    /// The variables that its module uses; none where it is handed everything.
    taken: Option<BTreeSet<String>>,
    requires: BTreeMap<SlotName, Slot>,
}

/// Reads the bundle of a folder.
pub(in crate::documents) fn bundle(value: &Value, files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    let (mut findings, mut warnings) = (Vec::new(), Vec::new());
    let lookup = among(files);
    let steps = steps(value, &mut findings, &mut warnings);
    let artifacts = artifacts(value, &lookup, &mut findings);
    let shared = shared(value, &lookup, &steps, &mut findings, &mut warnings);
    warn_of_unknown(value, &mut warnings);
    let Some(shared) = shared else { return Err(findings) };
    let own = shared.connections.iter().map(|one| &one.file).chain(artifacts.iter().map(|one| &one.file));
    let types = types(own.flatten().map(String::as_str).collect(), &lookup, &mut findings, &mut warnings);
    connections::check_hidden(&shared.connections, &types, &mut findings);
    let read: Vec<Read> = steps.iter().map(|step| read_step(step, &shared, files, &mut findings, &mut warnings)).collect();
    warn_of_untaken(value, read.iter().map(|step| step.taken.as_ref()), files, &mut warnings);
    let published: Vec<BTreeMap<String, Source>> = read.iter().map(|step| step.published.clone()).collect();
    let outputs = artifacts::outputs(&artifacts, &published, &types, &mut findings, &mut warnings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut plugins = Vec::new();
    for ((step, read), generates) in steps.iter().zip(read).zip(outputs) {
        match plugin(step, &shared, read.requires, generates, files) {
            Ok(plugin) => plugins.push(plugin),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(Translated { plugins, types: types.into_values().collect(), warnings }) } else { Err(findings) }
}

fn shared(
    value: &Value,
    lookup: &dyn Fn(&str) -> Option<Value>,
    steps: &[Step],
    findings: &mut Vec<Finding>,
    warnings: &mut Vec<Finding>,
) -> Option<Shared> {
    let name = PluginName::new(text(value, "name"));
    let version = version(value);
    let mut params = params(value, lookup);
    let mut app = app(value);
    findings.append(&mut params.findings);
    findings.append(&mut app.findings);
    warnings.append(&mut params.warnings);
    warnings.append(&mut app.warnings);
    let connections = connections(value, lookup, findings);
    collisions(&params, &app, &connections, findings);
    let mut bundle = Bundle {
        steps: steps.iter().map(|step| step.path.clone()).collect(),
        envs: std::mem::take(&mut app.envs),
        presets: std::mem::take(&mut params.presets),
        ..Bundle::default()
    };
    let inputs = with_secrets(params.schema, app);
    annotations::note(&inputs, &mut bundle, findings);
    for choice in &bundle.choices {
        if connections.iter().all(|one| one.slot != choice.slot) {
            let at = Pointer::keys(["params"]);
            findings.push(Finding::new(
                at,
                format!("`$md.enum` of `{}` names `{}`, which is no connection", choice.path.join("."), choice.slot),
            ));
        }
    }
    let names = inputs.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned();
    // The input that chooses a preset is ours, not a param.
    let names = names.filter(|name| name != PRESET || bundle.presets.is_empty());
    bundle.variables = names.chain(connections.iter().map(|one| one.name.clone())).chain([METADATA.to_owned()]).collect();
    match (name, version) {
        (Ok(name), Ok(version)) => {
            Some(Shared { name, version, description: text(value, "description"), inputs, connections, bundle })
        }
        (name, version) => {
            findings.extend(name.err().map(|error| Finding::new(Pointer::keys(["name"]), error.to_string())));
            findings.extend(version.err());
            None
        }
    }
}

/// A bundle without a version is one that still changes.
fn version(value: &Value) -> Result<Version, Finding> {
    match value.get("version") {
        None | Some(Value::Null) => Ok(Version::new(0, 0, 0)),
        Some(Value::String(text)) if text.is_empty() => Ok(Version::new(0, 0, 0)),
        Some(written) => written.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Finding::new(Pointer::keys(["version"]), format!("{written} is not a version"))
                .help("write three numbers, such as `1.2.0`")
        }),
    }
}

/// Secrets are inputs that never stand in a document.
fn with_secrets(mut schema: Map<String, Value>, app: App) -> Value {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.extend(app.secrets);
    }
    if !app.required.is_empty() {
        let required = schema.entry("required").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(names) = required {
            names.extend(app.required.into_iter().map(Value::String));
        }
    }
    Value::Object(schema)
}

/// Params, connections and secrets all become variables.
fn collisions(params: &Params, app: &App, connections: &[Connection], findings: &mut Vec<Finding>) {
    let inputs: BTreeSet<String> = params
        .schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(|name| name.replace('-', "_"))
        .collect();
    let mut taken = |what: &str, at: Pointer, name: &str| {
        if inputs.contains(&name.replace('-', "_")) {
            findings.push(
                Finding::new(at.at_key(), format!("the {what} `{name}` and the param of that name would be one variable"))
                    .help("rename one of them"),
            );
        }
    };
    for connection in connections {
        taken("connection", Pointer::keys(["connections", "properties", &connection.name]), &connection.name);
    }
    for name in app.secrets.keys() {
        taken("secret", Pointer::keys(["app", "secrets", name]), name);
    }
}

fn read_step(step: &Step, shared: &Shared, files: &Files<'_>, findings: &mut Vec<Finding>, warnings: &mut Vec<Finding>) -> Read {
    let folder = format!("{}/", step.path);
    if step.tool == Tool::Helm {
        let published = helm::published(step, files, findings);
        return Read { published, taken: None, requires: connections::whole_slots(&shared.connections) };
    }
    if !files.keys().any(|path| path.strip_prefix(&folder).is_some_and(|name| !name.contains('/') && is_terraform(name))) {
        let finding = Finding::new(step.at.clone().key("path"), format!("there is no Terraform file in `{}`", step.path));
        findings.push(finding.help("put the step's module there, or take the step out"));
    }
    let reading = read(&Bundle { step: step.path.clone(), ..shared.bundle.clone() }, files);
    findings.extend(reading.troubles.iter().map(|trouble| told(trouble, step)));
    warnings.extend(reading.notes.iter().map(|note| told(note, step)));
    let source = |field: &crate::domain::bundle::Field| match &field.from {
        Some(from) => Source::Each(from.clone()),
        None => Source::Members(field.whole.clone()),
    };
    let published = reading.fields.iter().map(|(name, field)| (name.clone(), source(field))).collect();
    let taken = Some(reading.variables.keys().cloned().collect());
    Read { published, taken, requires: connections::slots(&shared.connections, &reading.variables) }
}

fn is_terraform(name: &str) -> bool {
    name.ends_with(".tf") || name.ends_with(".tf.json")
}

fn told(trouble: &Trouble, step: &Step) -> Finding {
    let at = match &trouble.field {
        Some(field) => Pointer::keys(["artifacts", "properties", field]).at_key(),
        None => step.at.clone(),
    };
    let finding = Finding::new(at, trouble.message.clone()).help(trouble.help.clone());
    if trouble.message.contains(&trouble.file) { finding } else { finding.note(format!("in `{}`", trouble.file)) }
}

fn plugin(
    step: &Step,
    shared: &Shared,
    requires: BTreeMap<SlotName, Slot>,
    generates: BTreeMap<OutputName, Output>,
    files: &Files<'_>,
) -> Result<Plugin, Finding> {
    let bundle = Bundle { step: step.path.clone(), ..shared.bundle.clone() };
    let (terraform, steps) = match step.tool {
        Tool::Terraform => {
            let keep_on_destroy = if step.kept { vec!["*".to_owned()] } else { Vec::new() };
            let module = step.path.clone();
            let part =
                TerraformPart { module, variables: BTreeMap::new(), required_version: None, moved: Vec::new(), keep_on_destroy };
            (Some(part), None)
        }
        Tool::Helm => {
            let chart = helm::Chart {
                step,
                inputs: &shared.inputs,
                chooses: !bundle.presets.is_empty(),
                connections: &shared.connections,
                envs: &bundle.envs,
                outputs: &generates,
            };
            (None, Some(chart.steps(files)?))
        }
    };
    Ok(Plugin {
        api_version: "tieline/v1".to_owned(),
        kind: PluginKind::Plugin,
        name: shared.name.clone(),
        version: shared.version.clone(),
        description: shared.description.clone(),
        inputs: shared.inputs.clone(),
        requires,
        generates,
        terraform,
        steps,
        limits: PluginLimits::default(),
        foreign: Some(Foreign::Massdriver(Box::new(bundle))),
    })
}

/// Fields that say nothing that matters here are taken silently; those that nobody knows are not.
fn warn_of_unknown(value: &Value, warnings: &mut Vec<Finding>) {
    const KNOWN: [&str; 15] = [
        "name",
        "description",
        "version",
        "source_url",
        "icon",
        "steps",
        "params",
        "connections",
        "artifacts",
        "ui",
        "app",
        "schema",
        "access",
        "type",
        "title",
    ];
    for name in value.as_object().into_iter().flat_map(Map::keys).filter(|name| !KNOWN.contains(&name.as_str())) {
        let finding = Finding::new(Pointer::keys([name]).at_key(), format!("`{name}` is not known, and has no effect"));
        warnings.push(match name.as_str() {
            "dependencies" | "required" | "properties" => {
                finding.help(format!("it belongs under `params`: write `params.{name}`"))
            }
            _ => finding,
        });
    }
}
