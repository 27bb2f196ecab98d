//! `params`: what a bundle is given, as the schema of inputs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::references::Lookup;
use super::schema::Modern;
use super::texts;
use crate::documents::finding::Finding;
use crate::documents::values;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::InputName;

/// What `params` is read into.
#[derive(Default)]
pub(super) struct Params {
    /// The schema of the inputs.
    pub(super) schema: Map<String, Value>,
    /// Named sets of values.
    pub(super) presets: BTreeMap<String, BTreeMap<String, Value>>,
    pub(super) findings: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

/// The input that names a preset.
pub(super) const PRESET: &str = "preset";

/// Reads `params`.
pub(super) fn params(document: &Value, lookup: Lookup<'_>) -> Params {
    let at = Pointer::keys(["params"]);
    let written = document.get("params").filter(|params| !params.is_null()).cloned().unwrap_or_else(|| json!({}));
    if !written.is_object() {
        let findings = vec![Finding::new(at, "`params` must be a JSON Schema: a mapping")];
        return Params { findings, ..Params::default() };
    }
    let mut modern = Modern::new(lookup);
    modern.booleans = true;
    let Value::Object(mut schema) = modern.schema(&written, "massdriver.yaml", &at) else { return Params::default() };
    schema.remove("examples");
    schema.entry("type").or_insert_with(|| json!("object"));
    if !schema.get("properties").is_some_and(Value::is_object) {
        schema.insert("properties".to_owned(), json!({}));
    }
    lift(&mut schema);
    schema.entry("additionalProperties").or_insert(Value::Bool(false));
    let mut params = Params { findings: modern.findings, warnings: modern.warnings, ..Params::default() };
    params.presets = presets(&written, &mut params.warnings);
    params.schema = schema;
    add_preset(&mut params);
    params.check(&at);
    params
}

impl Params {
    fn check(&mut self, at: &Pointer) {
        let names: Vec<String> =
            self.schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
        for name in &names {
            if let Err(error) = InputName::new(name.as_str()) {
                self.findings.push(Finding::new(at.clone().key("properties").key(name).at_key(), error.to_string()));
            }
        }
        let schema = Value::Object(self.schema.clone());
        for name in texts(&schema, "required") {
            if !names.iter().any(|known| known == name) {
                let finding = Finding::new(at.clone().key("required"), format!("`required` names `{name}`, which is no param"));
                self.findings.push(finding.suggest(name, names.iter().map(String::as_str)));
            }
        }
        if self.findings.is_empty() {
            self.findings.extend(values::check_object_schema(&schema, at));
        }
    }
}

/// What is only there under a condition is an input too: its name has to be known.
fn lift(schema: &mut Map<String, Value>) {
    let mut names = Vec::new();
    for keyword in ["allOf", "anyOf", "oneOf", "dependentSchemas", "if", "then", "else"] {
        if let Some(schema) = schema.get(keyword) {
            conditional(schema, &mut names, 0);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for name in names {
            properties.entry(name).or_insert_with(|| json!({}));
        }
    }
}

fn conditional(schema: &Value, names: &mut Vec<String>, depth: usize) {
    const DEEPEST: usize = 16;
    match schema {
        _ if depth > DEEPEST => {}
        Value::Array(schemas) => schemas.iter().for_each(|schema| conditional(schema, names, depth + 1)),
        Value::Object(fields) => {
            for (keyword, value) in fields {
                match keyword.as_str() {
                    "properties" => names.extend(value.as_object().into_iter().flat_map(Map::keys).cloned()),
                    "not" | "items" | "patternProperties" | "$defs" => {}
                    _ => conditional(value, names, depth + 1),
                }
            }
        }
        _ => {}
    }
}

/// `examples`: sets of values, each with its `__name`.
fn presets(params: &Value, warnings: &mut Vec<Finding>) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut presets = BTreeMap::new();
    let examples = params.get("examples").and_then(Value::as_array);
    for (index, example) in examples.into_iter().flatten().enumerate() {
        let at = Pointer::keys(["params", "examples"]).index(index);
        let named = example.as_object().and_then(|fields| Some((fields.get("__name")?.as_str()?, fields)));
        let Some((name, fields)) = named else {
            warnings.push(Finding::new(at, "a preset without `__name` cannot be chosen").help("write `__name:`"));
            continue;
        };
        let values = fields.iter().filter(|(key, _)| *key != "__name").map(|(key, value)| (key.clone(), value.clone())).collect();
        if presets.insert(name.to_owned(), values).is_some() {
            warnings.push(Finding::new(at, format!("there are two presets `{name}`; the last one counts")));
        }
    }
    presets
}

/// A preset is chosen by an input of its own.
fn add_preset(params: &mut Params) {
    let names: Vec<&String> = params.presets.keys().collect();
    if names.is_empty() {
        return;
    }
    let input = json!({
        "type": "string",
        "description": "Which of the bundle's presets stands in for what is not given.",
        "enum": names,
    });
    let Some(Value::Object(properties)) = params.schema.get_mut("properties") else { return };
    if properties.contains_key(PRESET) {
        let finding = Finding::new(Pointer::keys(["params", "properties", PRESET]).at_key(), "presets cannot be chosen by name");
        params.warnings.push(finding.note("a param is called `preset` itself"));
        params.presets.clear();
    } else {
        properties.insert(PRESET.to_owned(), input);
    }
}
