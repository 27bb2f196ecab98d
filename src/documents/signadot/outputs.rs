//! What the steps leave, as a connection: Signadot knows no contracts, so the plugin brings one of its own.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Value, json};

use crate::documents::finding::Finding;
use crate::domain::connection_type::{ConnectionType, ConnectionTypeKind, Orientation, TypeRef};
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, OutputName, PluginName, TypeName};
use crate::domain::plugin::Output;
use crate::domain::step::StepsPart;

/// The name of the one output.
const OUTPUT: &str = "outputs";

/// Parts of names that are secrets', as far as a name tells.
const SECRET: [&str; 10] =
    ["password", "passwd", "secret", "token", "credential", "privatekey", "apikey", "accesskey", "connectionstring", "dsn"];

/// What is published.
#[derive(Default)]
pub(super) struct Published {
    pub(super) generates: BTreeMap<OutputName, Output>,
    pub(super) types: Vec<ConnectionType>,
}

/// The output and its type; in the steps, what looks like a secret is one.
pub(super) fn published(
    mut steps: StepsPart,
    name: &PluginName,
    version: &Version,
    warnings: &mut Vec<Finding>,
) -> (StepsPart, Published) {
    let mut from: BTreeMap<AttributeName, String> = BTreeMap::new();
    let mut properties: BTreeMap<String, Value> = BTreeMap::new();
    let mut secrets = Vec::new();
    let twice = twice(&steps);
    for step in &mut steps.create {
        for output in &mut step.outputs {
            let written =
                if twice.contains(&output.name) { format!("{}_{}", step.name, output.name) } else { output.name.clone() };
            let Some(attribute) = attribute(&written) else { continue };
            output.sensitive = is_secret(&output.name);
            let mut schema = json!({"type": "string"});
            if output.sensitive {
                schema["x-sensitive"] = true.into();
                secrets.push(format!("`{attribute}`"));
            }
            if let Some(description) = &output.description {
                schema["description"] = description.as_str().into();
            }
            properties.insert(attribute.to_string(), schema);
            from.insert(attribute, format!("{}.{}", step.name, output.name));
        }
    }
    let type_name = TypeName::new(format!("signadot/{name}"));
    let (Ok(type_name), Ok(output), false) = (type_name, OutputName::new(OUTPUT), from.is_empty()) else {
        return (steps, Published::default());
    };
    if !secrets.is_empty() {
        warnings.push(
            Finding::new(
                Pointer::keys(["spec", "create"]).at_key(),
                format!("taken for secrets by their names: {}", secrets.join(", ")),
            )
            .note("the format has no word for it, and what is no secret is written to the context repository in clear")
            .help(format!("to say it yourself, give the context a type `{type_name}` with `x-sensitive: true` where it belongs")),
        );
    }
    let required: Vec<&String> = properties.keys().collect();
    let connection_type = ConnectionType {
        api_version: "tieline/v1".to_owned(),
        kind: ConnectionTypeKind::ConnectionInterfaceType,
        name: type_name.clone(),
        version: version.clone(),
        description: format!("What the steps of the Signadot plugin {name} leave."),
        orientation: Orientation::Link,
        attributes: json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties}),
    };
    let type_ref = TypeRef { name: type_name, version: Vec::new() };
    let generated = Output { type_ref: Some(type_ref), types: Vec::new(), from };
    (steps, Published { generates: BTreeMap::from([(output, generated)]), types: vec![connection_type] })
}

/// The names that outputs of several create steps have.
fn twice(steps: &StepsPart) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let names = steps.create.iter().flat_map(|step| &step.outputs).map(|output| &output.name);
    names.filter(|name| !seen.insert((*name).clone())).cloned().collect()
}

/// The name of an attribute that is made of this one.
fn attribute(name: &str) -> Option<AttributeName> {
    let fitting = name.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' });
    let fitting: String = fitting.collect();
    let fitting = if fitting.starts_with(|first: char| first.is_ascii_alphabetic()) { fitting } else { format!("o{fitting}") };
    AttributeName::new(fitting).ok()
}

fn is_secret(name: &str) -> bool {
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    SECRET.iter().any(|part| plain.contains(part))
}
