//! A connection interface type, in the two shapes that its draft had: a mapping of attributes, and before it a list.

use serde_json::{Map, Value, json};

use super::fields::{Fields, Report};
use super::plain::{named, type_ref, version};
use crate::documents::finding::{Finding, listed};
use crate::documents::native::Document;
use crate::domain::connection_type::{ConnectionType, ConnectionTypeKind, Orientation};
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, TypeName};

/// The types of attributes.
const TYPES: [&str; 8] = ["string", "number", "integer", "boolean", "array", "object", "secret", "json"];

/// Reads a connection interface type; what of it has no effect is left out.
pub(in crate::documents) fn connection_type(value: &Value) -> Result<ConnectionType, Vec<Finding>> {
    let mut report = Report::default();
    let read = read(value, &mut report);
    let (document, _) = report.result(read)?;
    let broken = document.findings("", value);
    if broken.is_empty() { Ok(document) } else { Err(broken) }
}

fn read(value: &Value, report: &mut Report) -> Option<ConnectionType> {
    let root = Fields::of(value, Pointer::default(), report);
    let metadata = root.below("metadata", report);
    let spec = root.below("spec", report);
    let name = name(&metadata, &spec, report);
    let written = metadata.text("version", report);
    let version = version(written.as_deref()).unwrap_or_else(|()| {
        let message = format!("`{}` is not a version", written.unwrap_or_default());
        report.refuse(Finding::new(metadata.place("version"), message).help("write it as `1.2.3`"));
        None
    });
    let description = metadata.text("description", report).unwrap_or_default();
    let attributes = attributes(&spec, report);
    Some(ConnectionType {
        api_version: "tieline/v1".to_owned(),
        kind: ConnectionTypeKind::ConnectionInterfaceType,
        name: name?,
        version: version.unwrap_or(semver::Version::new(0, 0, 0)),
        description,
        orientation: Orientation::Link,
        attributes,
    })
}

/// The name: `spec.type` where it is there, since the name beside it is a title then.
fn name(metadata: &Fields<'_>, spec: &Fields<'_>, report: &mut Report) -> Option<TypeName> {
    let (fields, field) = if spec.get("type").is_some() { (spec, "type") } else { (metadata, "name") };
    let written = fields.needed(field, "the type", report)?;
    let name = type_ref(&written).map(|found| found.name).or_else(|| named(&written));
    if name.is_none() {
        let message = format!("nothing of `{written}` can be part of a type's name");
        report.refuse(Finding::new(fields.place(field), message).help("write it as `aws-s3-conn`"));
    }
    name
}

fn attributes(spec: &Fields<'_>, report: &mut Report) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, fields) in outputs(spec, report) {
        if let Err(error) = AttributeName::new(name.as_str()) {
            report.refuse(Finding::new(fields.at.clone(), error.to_string()));
            continue;
        }
        if fields.flag("required", report) == Some(true) {
            required.push(name.clone());
        }
        let schema = schema(&fields, report);
        if properties.insert(name.clone(), schema).is_some() {
            report.refuse(Finding::new(fields.at.clone(), format!("there are two attributes `{name}`")));
        }
    }
    if properties.is_empty() && report.errors.is_empty() {
        report.refuse(Finding::new(spec.at.clone(), "the type has no attributes").help("list them under `spec.outputs`"));
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// The attributes by name.
fn outputs<'a>(spec: &Fields<'a>, report: &mut Report) -> Vec<(String, Fields<'a>)> {
    if let Some(Value::Array(_)) = spec.get("outputs") {
        let entries = spec.list("outputs").into_iter().filter_map(|(at, entry)| {
            let fields = Fields::of(entry, at, report);
            Some((fields.needed("name", "an attribute", report)?, fields))
        });
        return entries.collect();
    }
    let outputs = spec.below("outputs", report);
    outputs.entries().map(|(name, value)| (name.clone(), Fields::of(value, outputs.place(name), report))).collect()
}

fn schema(fields: &Fields<'_>, report: &mut Report) -> Value {
    let Some(written) = fields.text("type", report) else { return json!({}) };
    let mut schema = match written.as_str() {
        "secret" => json!({"type": "string", "x-sensitive": true}),
        "json" => json!({}),
        "array" => json!({"type": "array", "items": items(fields, report)}),
        "object" => object(fields, report),
        "string" | "number" | "integer" | "boolean" => json!({"type": written}),
        _ => {
            let finding = Finding::new(fields.place("type"), format!("there is no type of attribute `{written}`"));
            report.refuse(finding.label("not known").suggest(&written, TYPES).note(format!("there is {}", listed(TYPES))));
            json!({})
        }
    };
    if let Some(Value::String(text)) = fields.get("description") {
        schema["description"] = Value::String(text.clone());
    }
    schema
}

/// What an array is of: `items: {type: …}`, or with a name for one of them: `items: {subnet: {type: …}}`.
fn items(fields: &Fields<'_>, report: &mut Report) -> Value {
    let items = fields.below("items", report);
    if items.get("type").is_some_and(Value::is_string) {
        return schema(&items, report);
    }
    let named = items.entries().next().map(|(name, value)| Fields::of(value, items.place(name), report));
    named.map_or_else(|| json!({}), |fields| schema(&fields, report))
}

fn object(fields: &Fields<'_>, report: &mut Report) -> Value {
    let below = fields.below("properties", report);
    let properties: Map<String, Value> = below
        .entries()
        .map(|(name, value)| (name.clone(), schema(&Fields::of(value, below.place(name), report), report)))
        .collect();
    if properties.is_empty() { json!({"type": "object"}) } else { json!({"type": "object", "properties": properties}) }
}
