//! What an input takes, as JSON Schema: the loose forms too that people and tools have written.

use serde_json::{Map, Value, json};

use super::fields::{Fields, Report};
use super::plain;
use crate::documents::finding::Finding;
use crate::documents::values;
use crate::domain::connection_type::sensitive_properties;
use crate::domain::foreign::InputKind;

/// The types of inputs that are answered, as they are written.
const TYPES: [&str; 9] = ["text", "textarea", "select", "bool", "int", "password", "multiselect", "list", "object"];

/// What each of them is.
pub(super) fn kind(fields: &Fields<'_>, report: &mut Report) -> Option<InputKind> {
    let written = fields.text("type", report).unwrap_or_else(|| "text".to_owned());
    let kind = match written.as_str() {
        "text" | "textarea" | "select" | "string" => InputKind::Text,
        "password" => InputKind::Password,
        "bool" | "boolean" => InputKind::Bool,
        "int" | "integer" => InputKind::Int,
        "multiselect" => InputKind::Several,
        "list" => InputKind::List,
        "object" => InputKind::Object,
        _ => {
            let finding = Finding::new(fields.place("type"), format!("there is no type of input `{written}`"))
                .label("not known")
                .suggest(&written, TYPES)
                .note(format!("there is {}", crate::documents::finding::listed(TYPES)));
            report.refuse(finding);
            return None;
        }
    };
    Some(kind)
}

/// The schema of an input; with `optional`, no answer is one too.
pub(super) fn schema(fields: &Fields<'_>, kind: InputKind, optional: bool, report: &mut Report) -> Value {
    let choices = choices(fields);
    let mut schema = match kind {
        InputKind::Bool => json!({"enum": [true, false, "true", "false", "True", "False"]}),
        _ if !choices.is_empty() && !matches!(kind, InputKind::Several | InputKind::List | InputKind::Object) => {
            json!({"enum": loosely(&choices)})
        }
        InputKind::Text | InputKind::Password => json!({"type": ["string", "number", "boolean"]}),
        InputKind::Int => json!({"type": ["integer", "string"], "pattern": r"^\s*[+-]?[0-9]+\s*$"}),
        InputKind::Several if choices.is_empty() => json!({"type": ["array", "string"]}),
        InputKind::Several => json!({"type": ["array", "string"], "items": {"enum": loosely(&choices)}}),
        InputKind::List => json!({"type": ["array"], "items": element(fields, &choices, report)}),
        InputKind::Object => object(fields, report),
    };
    if kind == InputKind::Password {
        schema["x-sensitive"] = Value::Bool(true);
    }
    if matches!(kind, InputKind::Text | InputKind::Password) && choices.is_empty() {
        add_pattern(&mut schema, fields, report);
    }
    if optional {
        let_be_empty(&mut schema);
    }
    for (name, from) in [("title", "label"), ("description", "help")] {
        if let Some(text) = fields.get(from).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            schema[name] = Value::String(text.to_owned());
        }
    }
    schema
}

/// The default as it is meant; none where there is none that can be had.
pub(super) fn default(fields: &Fields<'_>, kind: InputKind, schema: &Value, report: &mut Report) -> Option<Value> {
    let written = fields.get("default")?;
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    let meant = kind.taken(written);
    if !sensitive_properties(&json!({"properties": {"it": schema}})).is_empty() {
        if *written != "" {
            let message = format!("the default of the secret input `{name}` is not taken: a secret in a file is none");
            // At its type: the line of the default would show it.
            let finding = Finding::new(fields.place("type"), message).label("has a default");
            report.warn(finding.help("hand the value over as a secret at each deploy, and take it out of the file"));
        }
        return None;
    }
    let fits = match kind {
        InputKind::Bool => meant.is_boolean(),
        InputKind::Int => meant.is_number(),
        InputKind::Several | InputKind::List => meant.is_array(),
        InputKind::Object => meant.is_object(),
        InputKind::Text | InputKind::Password => meant.is_string(),
    };
    if !fits && meant != "" {
        let asked = match kind {
            InputKind::Bool => "true or false",
            InputKind::Int => "a whole number",
            InputKind::Several | InputKind::List => "a list",
            InputKind::Object => "a mapping",
            InputKind::Text | InputKind::Password => "a text",
        };
        report.refuse(Finding::new(fields.place("default"), format!("the default of `{name}` is not {asked}")));
    }
    fits.then_some(meant)
}

/// What `items` offers to choose from.
fn choices(fields: &Fields<'_>) -> Vec<Value> {
    let offered = fields.list("items").into_iter().filter_map(|(_, item)| match item {
        Value::Object(entries) => entries.get("value"),
        other => Some(other),
    });
    offered.filter(|item| item.is_string() || item.is_number() || item.is_boolean()).cloned().collect()
}

/// The choices, each as it is written, as text, and as what YAML makes of the text where nobody quotes it.
fn loosely(choices: &[Value]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for choice in choices {
        let text = plain::text(choice);
        let unquoted = text.as_deref().and_then(|text| serde_json::from_str(text).ok()).filter(|value: &Value| !value.is_null());
        let forms = [Some(choice.clone()), text.map(Value::String), unquoted];
        let forms = forms.into_iter().flatten().filter(|form| !form.is_array() && !form.is_object());
        for form in forms {
            if !all.contains(&form) {
                all.push(form);
            }
        }
    }
    all
}

/// Patterns are looked for anywhere in the text, as JSON Schema does.
fn add_pattern(schema: &mut Value, fields: &Fields<'_>, report: &mut Report) {
    let Some(pattern) = fields.text("pattern", report).filter(|pattern| !pattern.is_empty()) else { return };
    if values::check_any_schema(&json!({"pattern": pattern}), &fields.at).is_empty() {
        schema["pattern"] = Value::String(pattern);
    } else {
        let message =
            format!("the pattern `{pattern}` is not a regular expression that is understood here: nothing is checked against it");
        report.warn(Finding::new(fields.place("pattern"), message).label("not checked"));
    }
}

/// Lets an input be null or empty: that is how one is stored that nobody answered.
fn let_be_empty(schema: &mut Value) {
    if let Some(choices) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        choices.extend([json!(""), Value::Null]);
    }
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.push(json!("null"));
    }
    if let Some(Value::String(pattern)) = schema.get_mut("pattern") {
        *pattern = format!("^$|(?:{pattern})");
    }
}

/// The schema of what a list is of.
fn element(fields: &Fields<'_>, choices: &[Value], report: &mut Report) -> Value {
    let described = ["items", "item", "input", "inputs", "element"].into_iter().find_map(|name| {
        let (at, value) = fields.list(name).into_iter().next()?;
        value.get("type").is_some().then_some((at, value))
    });
    let Some((at, value)) = described else {
        return if choices.is_empty() { json!({}) } else { json!({"enum": loosely(choices)}) };
    };
    let fields = Fields::of(value, at, report);
    if refuse_connection(&fields, "a list", report) {
        return json!({});
    }
    kind(&fields, report).map_or_else(|| json!({}), |kind| schema(&fields, kind, false, report))
}

/// The schema of an object with its child inputs.
fn object(fields: &Fields<'_>, report: &mut Report) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (at, value) in ["inputs", "items", "fields"].into_iter().flat_map(|name| fields.list(name)) {
        let child = Fields::of(value, at, report);
        let Some(name) = child.needed("name", "an input of the object", report) else { continue };
        if refuse_connection(&child, "an object", report) {
            continue;
        }
        let Some(kind) = kind(&child, report) else { continue };
        let needed = child.flag("required", report) == Some(true) && child.get("condition").is_none();
        properties.insert(name.clone(), schema(&child, kind, !needed, report));
        if needed {
            required.push(name);
        }
    }
    json!({"type": ["object"], "properties": properties, "required": required})
}

/// Whether the input is a connection, which only an applied plugin as a whole can have here.
fn refuse_connection(fields: &Fields<'_>, inside: &str, report: &mut Report) -> bool {
    let Some(kind) = fields.get("type").and_then(Value::as_str).filter(|kind| kind.ends_with("-connection")) else {
        return false;
    };
    let finding = Finding::new(fields.place("type"), format!("a `{kind}` inside {inside} cannot be had here"))
        .label("a connection in an answer")
        .note("how many connections a plugin has is part of its contract here, and cannot depend on an answer")
        .help(format!("write one input of type `{kind}` for each, with a condition where it is not always there"));
    report.refuse(finding);
    true
}
