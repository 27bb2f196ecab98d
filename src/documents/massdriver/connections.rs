//! `connections`: what a bundle requires, as slots.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::references::{Lookup, type_name};
use super::schema::Modern;
use super::{entries, texts};
use crate::documents::finding::Finding;
use crate::documents::values;
use crate::domain::bundle::Used;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, SlotName};
use crate::domain::plugin::{Slot, Uses};

/// A connection as the bundle declares it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Connection {
    /// Its name in the bundle, which is also that of its variable.
    pub(super) name: String,
    pub(super) slot: SlotName,
    /// Without what is used of it, which each step says for itself.
    pub(super) required: Slot,
    /// The file of its type in the bundle.
    pub(super) file: Option<String>,
}

/// Reads `connections`.
pub(super) fn connections(document: &Value, lookup: Lookup<'_>, findings: &mut Vec<Finding>) -> Vec<Connection> {
    let none = json!({});
    let written = document.get("connections").unwrap_or(&none);
    let required = texts(written, "required");
    let mut found: Vec<Connection> = Vec::new();
    for (name, declared) in entries(written, "properties") {
        let at = Pointer::keys(["connections", "properties", name]);
        let connection = connection(name, declared, lookup, &at, findings);
        let Some(mut connection) = connection else { continue };
        connection.required.optional = !required.contains(&name.as_str());
        if let Some(other) = found.iter().find(|other| other.slot == connection.slot) {
            findings
                .push(Finding::new(at.at_key(), format!("`{name}` and `{}` are one name here: `{}`", other.name, other.slot)));
            continue;
        }
        found.push(connection);
    }
    for name in required {
        if !entries(written, "properties").any(|(known, _)| known == name) {
            let at = Pointer::keys(["connections", "required"]);
            findings.push(Finding::new(at, format!("`required` names `{name}`, which is no connection")));
        }
    }
    found
}

fn connection(name: &str, declared: &Value, lookup: Lookup<'_>, at: &Pointer, findings: &mut Vec<Finding>) -> Option<Connection> {
    let Some(written) = declared.get("$ref").and_then(Value::as_str) else {
        findings.push(
            Finding::new(at.clone(), format!("the connection `{name}` refers to no resource type"))
                .note("connections are matched by the name of their type")
                .help("write `$ref:` with the name of a resource type"),
        );
        return None;
    };
    let slot = SlotName::new(name.replace('_', "-"));
    match (slot, type_name(written, lookup)) {
        (Ok(slot), Ok((type_name, file))) => {
            let constraint = constraint(declared, lookup, at, findings);
            let required = Slot {
                type_name,
                version: None,
                optional: false,
                sensitive: std::collections::BTreeSet::new(),
                constraint,
                uses: Uses::Declared,
            };
            Some(Connection { name: name.to_owned(), slot, required, file })
        }
        (slot, type_name) => {
            findings.extend(slot.err().map(|error| Finding::new(at.clone().at_key(), error.to_string())));
            findings.extend(type_name.err().map(|why| Finding::new(at.clone().key("$ref"), why)));
            None
        }
    }
}

/// What is written beside `$ref`: conditions on what the connection says openly.
fn constraint(declared: &Value, lookup: Lookup<'_>, at: &Pointer, findings: &mut Vec<Finding>) -> Option<Value> {
    let kept = ["properties", "required", "oneOf", "anyOf", "allOf", "not"];
    let fields: Map<String, Value> = declared
        .as_object()?
        .iter()
        .filter(|(name, _)| kept.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    if fields.is_empty() {
        return None;
    }
    let mut modern = Modern::new(lookup);
    let made = modern.schema(&Value::Object(fields), "massdriver.yaml", at);
    findings.append(&mut modern.findings);
    let wrong = values::check_any_schema(&made, at);
    if entries(&made, "properties").any(|(name, _)| name == "data") {
        findings.push(hidden(at, "data"));
    }
    findings.extend(wrong);
    let mut made = made.as_object()?.clone();
    made.insert("type".to_owned(), json!("object"));
    Some(Value::Object(made))
}

fn hidden(at: &Pointer, name: &str) -> Finding {
    Finding::new(at.clone().key("properties").key(name).at_key(), format!("a condition cannot look at `{name}`: it is sensitive"))
        .help("put conditions on public attributes only, such as those under `specs`")
}

/// Conditions on what a type of the bundle's own calls sensitive.
pub(super) fn check_hidden(connections: &[Connection], types: &BTreeMap<String, ConnectionType>, findings: &mut Vec<Finding>) {
    for connection in connections {
        let known = connection.file.as_ref().and_then(|file| types.get(file));
        let (Some(known), Some(constraint)) = (known, &connection.required.constraint) else { continue };
        let sensitive = known.sensitive();
        let at = Pointer::keys(["connections", "properties", &connection.name]);
        let looked_at =
            entries(constraint, "properties").filter(|(name, _)| *name != "data" && sensitive.contains(name.as_str()));
        findings.extend(looked_at.map(|(name, _)| hidden(&at, name)));
    }
}

/// The slots of a step, with what its module uses of each.
pub(super) fn slots(connections: &[Connection], variables: &BTreeMap<String, Used>) -> BTreeMap<SlotName, Slot> {
    let slot = |connection: &Connection| {
        let underscored = connection.name.replace('-', "_");
        let found = [connection.name.as_str(), underscored.as_str()].iter().find_map(|name| variables.get(*name));
        let uses = match found {
            Some(used) if used.whole => Uses::All,
            Some(used) => Uses::Named(used.attributes.iter().filter_map(|name| AttributeName::new(name.as_str()).ok()).collect()),
            None => Uses::Named(std::collections::BTreeSet::new()),
        };
        (connection.slot.clone(), Slot { uses, ..connection.required.clone() })
    };
    connections.iter().map(slot).collect()
}

/// The slots of a step that is handed connections whole.
pub(super) fn whole_slots(connections: &[Connection]) -> BTreeMap<SlotName, Slot> {
    connections.iter().map(|one| (one.slot.clone(), Slot { uses: Uses::All, ..one.required.clone() })).collect()
}
