//! A test case of a plugin: `tests/<case>/test-case.yaml`, beside what the templates are expected to become.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{Fields, Report};
use super::plain;
use super::wiring::{Choice, choice_of};
use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::InputName;

/// A test case of a StackSpot plugin: what it is rendered with.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSpotCase {
    /// Which of the plugin's templates it is about.
    pub mode: CaseMode,
    /// The environment that it is deployed to, as the plugin's author calls it.
    pub environment: Option<String>,
    /// The answers, those for the environment included.
    pub inputs: BTreeMap<InputName, Value>,
    /// What the plugin requires, by the alias that its templates know.
    pub requires: BTreeMap<String, CaseConnection>,
    /// What the plugin generates, by alias.
    pub generates: BTreeMap<String, CaseConnection>,
}

/// Which of a plugin's templates a test case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseMode {
    /// Those that are rendered when the plugin is applied: they play no part here.
    Apply,
    /// Those of the module.
    Deploy,
}

/// A connection of a test case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseConnection {
    /// Its type, as it is written.
    pub type_name: String,
    /// What it is called outside of the plugin.
    pub selected: String,
    /// Its attributes.
    pub values: Map<String, Value>,
}

/// Reads a test case; with it what of it has no effect.
pub(in crate::documents) fn test_case(value: &Value) -> Result<(StackSpotCase, Vec<Finding>), Vec<Finding>> {
    let mut report = Report::default();
    let read = read(value, &mut report);
    report.result(read)
}

fn read(value: &Value, report: &mut Report) -> Option<StackSpotCase> {
    let root = Fields::of(value, Pointer::default(), report);
    root.only(&["schema-version", "schemaVersion", "kind", "metadata", "spec"], report);
    if root.get("kind").and_then(Value::as_str) != Some("test") {
        report.refuse(Finding::new(root.place("kind"), "this is not a test case: those are of the kind `test`"));
        return None;
    }
    let spec = root.below("spec", report);
    spec.only(&["type", "mode", "environment", "inputs", "inputs-envs", "requires", "generates", "skip"], report);
    if let Some(kind) = spec.text("type", report).filter(|kind| kind != "plugin") {
        report.refuse(Finding::new(
            spec.place("type"),
            format!("test cases of a `{kind}` are not read: plugins alone are deployed"),
        ));
    }
    let mode = mode(&spec, report);
    let environment = spec.text("environment", report).filter(|name| !name.is_empty());
    let mut requires = connections(&spec, "requires", report);
    let mut generates = connections(&spec, "generates", report);
    let mut inputs = BTreeMap::new();
    for (name, value, at) in answers(&spec, environment.as_deref(), report) {
        match choice_of(value, at.clone(), name) {
            Choice::Required(_) => {
                requires.insert(name.clone(), chosen(value));
            }
            Choice::Generated(_) => {
                generates.insert(name.clone(), chosen(value));
            }
            Choice::None => match InputName::new(name.as_str()) {
                Ok(name) => {
                    inputs.insert(name, value.clone());
                }
                Err(error) => report.refuse(Finding::new(at.at_key(), error.to_string())),
            },
        }
    }
    Some(StackSpotCase { mode: mode?, environment, inputs, requires, generates })
}

fn mode(spec: &Fields<'_>, report: &mut Report) -> Option<CaseMode> {
    match spec.text("mode", report).as_deref() {
        Some("deploy") => Some(CaseMode::Deploy),
        None | Some("apply") => Some(CaseMode::Apply),
        Some(other) => {
            let finding = Finding::new(spec.place("mode"), format!("`{other}` is not a mode of test cases"));
            report.refuse(finding.help("write `deploy` or `apply`"));
            None
        }
    }
}

/// Every answer with its place: those for the environment come last, and count.
fn answers<'a>(spec: &Fields<'a>, environment: Option<&str>, report: &mut Report) -> Vec<(&'a String, &'a Value, Pointer)> {
    let inputs = spec.below("inputs", report);
    let mut answers: Vec<_> = inputs.entries().map(|(name, value)| (name, value, inputs.place(name))).collect();
    let by_environment = spec.below("inputs-envs", report);
    for (name, values) in by_environment.entries() {
        let values = Fields::of(values, by_environment.place(name), report);
        let Some(environment) = environment else {
            let message = format!("`{name}` has a value for each environment, and the case does not say which one it is for");
            report.refuse(Finding::new(values.at.clone(), message).help("write `environment:` beside `mode`"));
            continue;
        };
        answers.extend(values.get(environment).map(|value| (name, value, values.place(environment))));
    }
    answers
}

fn connections(spec: &Fields<'_>, direction: &str, report: &mut Report) -> BTreeMap<String, CaseConnection> {
    const VALUES: [&str; 4] = ["outputs", "values", "attributes", "properties"];
    let group = spec.below(direction, report);
    group.only(&["connections"], report);
    let mut found = BTreeMap::new();
    for (at, entry) in group.list("connections") {
        let fields = Fields::of(entry, at, report);
        fields.only(&[["type", "selected", "alias"].as_slice(), &VALUES].concat(), report);
        let type_name = fields.text("type", report).unwrap_or_default();
        let alias = fields.text("alias", report).unwrap_or_else(|| type_name.clone());
        let selected = fields.text("selected", report).unwrap_or_default();
        let values = VALUES.iter().flat_map(|name| attributes(&fields, name, report)).collect();
        if found.insert(alias.clone(), CaseConnection { type_name, selected, values }).is_some() {
            report.refuse(Finding::new(fields.at.clone(), format!("there are two connections `{alias}`")));
        }
    }
    found
}

/// Attributes with their values: a mapping, or a list of names and values.
fn attributes(fields: &Fields<'_>, field: &str, report: &mut Report) -> Vec<(String, Value)> {
    let Some(Value::Array(_)) = fields.get(field) else {
        return fields.below(field, report).entries().map(|(name, value)| (name.clone(), value.clone())).collect();
    };
    let mut attributes = Vec::new();
    for (at, entry) in fields.list(field) {
        let entry = Fields::of(entry, at, report);
        let name = ["name", "key", "to"].into_iter().find_map(|name| entry.get(name).and_then(plain::text));
        match (name, entry.get("value")) {
            (Some(name), Some(value)) => attributes.push((name, value.clone())),
            _ => report.refuse(Finding::new(entry.at.clone(), "an attribute has no `name` or no `value`")),
        }
    }
    attributes
}

/// A connection that is chosen by an answer.
fn chosen(value: &Value) -> CaseConnection {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let values =
        ["outputs", "values", "attributes"].iter().find_map(|name| value.get(name)?.as_object().cloned()).unwrap_or_default();
    CaseConnection { type_name: text("type"), selected: text("selected"), values }
}
