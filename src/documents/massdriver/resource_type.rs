//! Resource types, which were called artifact definitions, as connection interface types.

use semver::Version;
use serde_json::{Map, Value, json};

use super::references::{Lookup, among, stem};
use super::schema::Modern;
use super::text;
use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::documents::values;
use crate::domain::connection_type::{ConnectionType, ConnectionTypeKind, Orientation};
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, TypeName};

/// Reads a resource type of `file`, with what of it has no effect. References to other files lead where `lookup` finds them.
pub(super) fn resource_type(
    file: &str,
    value: &Value,
    lookup: Lookup<'_>,
) -> Result<(ConnectionType, Vec<Finding>), Vec<Finding>> {
    let legacy = value.get("$md").filter(|_| value.get("schema").is_none_or(|schema| !schema.is_object()));
    let (head, schema, at) = match (legacy, value.get("schema")) {
        (Some(md), _) => (md, value, Pointer::default()),
        (None, Some(schema)) => (value, schema, Pointer::keys(["schema"])),
        (None, None) => return Err(vec![Finding::new(Pointer::default(), "there is no `schema`")]),
    };
    let mut modern = Modern::new(lookup);
    let made = modern.schema(schema, file, &at);
    let mut findings = modern.findings;
    let Value::Object(mut attributes) = made else {
        findings.push(Finding::new(at, "the schema must be a mapping"));
        return Err(findings);
    };
    attributes.remove("$md");
    attributes.retain(|name, _| !name.starts_with("$md."));
    attributes.remove("x-sensitive");
    attributes.entry("type").or_insert_with(|| json!("object"));
    mark_data(&mut attributes);
    for name in attributes.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        if let Err(error) = AttributeName::new(name.as_str()) {
            findings.push(Finding::new(at.clone().key("properties").key(name).at_key(), error.to_string()));
        }
    }
    let attributes = Value::Object(attributes);
    if findings.is_empty() {
        findings.extend(values::check_object_schema(&attributes, &at));
    }
    let name = named(file, head, schema, &mut findings);
    let version = version(head, &mut findings);
    match name {
        Some(name) if findings.is_empty() => {
            let description =
                Some(text(schema, "description")).filter(|text| !text.is_empty()).unwrap_or_else(|| text(head, "label"));
            let orientation = match head.pointer("/ui/connectionOrientation").and_then(Value::as_str) {
                Some("environmentDefault") => Orientation::EnvironmentDefault,
                _ => Orientation::Link,
            };
            let kind = ConnectionTypeKind::ConnectionInterfaceType;
            let api_version = "tieline/v1".to_owned();
            Ok((ConnectionType { api_version, kind, name, version, description, orientation, attributes }, modern.warnings))
        }
        _ => Err(findings),
    }
}

/// Reads a resource type that may refer to `files`. What `file` starts with before a `:` is no part of its path.
pub(in crate::documents) fn resource_type_among(
    file: &str,
    value: &Value,
    files: &Files<'_>,
) -> Result<(ConnectionType, Vec<Finding>), Vec<Finding>> {
    resource_type(file.rsplit(':').next().unwrap_or(file), value, &among(files))
}

/// Whatever is under `data` was never shown by Massdriver.
fn mark_data(attributes: &mut Map<String, Value>) {
    let data = attributes.get_mut("properties").and_then(|properties| properties.get_mut("data"));
    if let Some(Value::Object(data)) = data {
        data.insert("x-sensitive".to_owned(), Value::Bool(true));
    }
}

fn named(file: &str, head: &Value, schema: &Value, findings: &mut Vec<Finding>) -> Option<TypeName> {
    let said = [head, schema].iter().map(|part| text(part, "name")).find(|name| !name.is_empty());
    let name = said.unwrap_or_else(|| stem(file).to_owned());
    match TypeName::new(name) {
        Ok(name) => Some(name),
        Err(error) => {
            findings.push(Finding::new(Pointer::default(), error.to_string()).help("write `name:`"));
            None
        }
    }
}

fn version(head: &Value, findings: &mut Vec<Finding>) -> Version {
    match head.get("version").and_then(Value::as_str) {
        None => Version::new(0, 0, 0),
        Some(text) => text.parse().unwrap_or_else(|_| {
            findings.push(Finding::new(Pointer::keys(["version"]), format!("`{text}` is not a version")));
            Version::new(0, 0, 0)
        }),
    }
}
