//! The inputs of a plugin, as the schema of what it takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::answers;
use super::fields::{Fields, Report};
use crate::documents::finding::{Finding, listed};
use crate::domain::foreign::{Condition, InputKind};
use crate::domain::names::InputName;

/// The operators of conditions.
const OPERATORS: [&str; 10] =
    ["==", "!=", ">", ">=", "<", "<=", "containsAny", "notContainsAny", "containsAll", "notContainsAll"];

/// The fields of an input.
const FIELDS: [&str; 17] = [
    "label",
    "name",
    "type",
    "required",
    "default",
    "help",
    "pattern",
    "items",
    "global",
    "condition",
    "scope",
    "item",
    "input",
    "inputs",
    "element",
    "connection-interface-type",
    "outputs",
];

/// What the inputs of a plugin come to.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    /// The JSON Schema of an object.
    pub(super) schema: Value,
    pub(super) global: Vec<InputName>,
    pub(super) conditions: Vec<Condition>,
    pub(super) kinds: BTreeMap<InputName, InputKind>,
    /// The inputs that are connections, with their types: `required-connection` and `generated-connection`.
    pub(super) connections: Vec<(String, Fields<'a>)>,
}

/// One entry of the list.
struct Entry<'a> {
    name: InputName,
    kind: InputKind,
    fields: Fields<'a>,
    required: bool,
    condition: Option<Condition>,
}

/// Reads the inputs of a plugin's `spec`.
pub(super) fn inputs<'a>(spec: &Fields<'a>, report: &mut Report) -> Inputs<'a> {
    let mut read = Inputs {
        schema: Value::Null,
        global: Vec::new(),
        conditions: Vec::new(),
        kinds: BTreeMap::new(),
        connections: Vec::new(),
    };
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for (at, value) in ["inputs", "inputs-envs", "env-inputs"].into_iter().flat_map(|name| spec.list(name)) {
        let fields = Fields::of(value, at, report);
        fields.only(&FIELDS, report);
        let Some(name) = name(&fields, report) else { continue };
        let condition = condition(&name, &fields, report);
        if let Some(kind) = fields.get("type").and_then(Value::as_str).filter(|kind| kind.ends_with("-connection")) {
            read.conditions.extend(condition);
            read.connections.push((kind.to_owned(), fields));
            continue;
        }
        let Some(kind) = answers::kind(&fields, report) else { continue };
        if fields.flag("global", report) == Some(true) && !read.global.contains(&name) {
            read.global.push(name.clone());
        }
        let required = fields.flag("required", report) == Some(true);
        entries.push(Entry { name, kind, fields, required, condition });
    }
    read.schema = schema(entries, &mut read.conditions, &mut read.kinds, report);
    read
}

fn name(fields: &Fields<'_>, report: &mut Report) -> Option<InputName> {
    let text = fields.needed("name", "an input", report)?;
    InputName::new(text).map_err(|error| report.refuse(Finding::new(fields.place("name"), error.to_string()))).ok()
}

fn condition(input: &InputName, fields: &Fields<'_>, report: &mut Report) -> Option<Condition> {
    fields.get("condition")?;
    let condition = fields.below("condition", report);
    condition.only(&["variable", "operator", "value"], report);
    let variable = condition.needed("variable", "a condition", report)?;
    let operator = condition.needed("operator", "a condition", report)?;
    if !OPERATORS.contains(&operator.as_str()) {
        let finding = Finding::new(condition.place("operator"), format!("there is no operator `{operator}`"));
        report.refuse(finding.suggest(&operator, OPERATORS).note(format!("there is {}", listed(OPERATORS))));
    }
    let value = condition.get("value").cloned().unwrap_or_default();
    Some(Condition { input: input.clone(), variable, operator, value, default: None })
}

/// The schema of all; inputs of the same name become one.
fn schema(
    entries: Vec<Entry<'_>>,
    conditions: &mut Vec<Condition>,
    kinds: &mut BTreeMap<InputName, InputKind>,
    report: &mut Report,
) -> Value {
    let mut by_name: BTreeMap<InputName, Vec<Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        by_name.entry(entry.name.clone()).or_default().push(entry);
    }
    let shared = json!({"type": "object", "description": "what other plugins of the deployable share"});
    let mut properties =
        Map::from_iter([("global_inputs".to_owned(), shared.clone()), ("global_computed_inputs".to_owned(), shared)]);
    let mut required = Vec::new();
    for (name, entries) in by_name {
        let needed = matches!(entries.as_slice(), [only] if only.required && only.condition.is_none());
        kinds.extend(entries.first().map(|entry| (name.clone(), entry.kind)));
        let property = property(entries, needed, conditions, report);
        if needed && property.get("default").is_none() {
            required.push(name.as_str().to_owned());
        }
        properties.insert(name.into(), property);
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": true})
}

/// What one input takes, which may be there several times: then it takes what any of them takes.
fn property(entries: Vec<Entry<'_>>, needed: bool, conditions: &mut Vec<Condition>, report: &mut Report) -> Value {
    let mut forms: Vec<Value> = Vec::new();
    let mut defaults: Vec<Option<Value>> = Vec::new();
    for Entry { kind, fields, condition, .. } in entries {
        let form = answers::schema(&fields, kind, !needed, report);
        let default = answers::default(&fields, kind, &form, report);
        conditions.extend(condition.map(|condition| Condition { default: default.clone(), ..condition }));
        defaults.push(default);
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    let mut property = if forms.len() == 1 { forms.remove(0) } else { json!({"anyOf": forms}) };
    // Where each case has a default of its own, only the condition says which.
    if defaults.windows(2).all(|pair| pair[0] == pair[1])
        && let Some(Some(default)) = defaults.into_iter().next()
    {
        property["default"] = default;
    }
    property
}
