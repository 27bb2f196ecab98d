//! What a resource plugin leaves, as one output of a type of its own.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde_json::{Map, Value, json};

use super::fields::Found;
use crate::documents::finding::{Finding, listed};
use crate::domain::connection_type::{ConnectionType, ConnectionTypeKind, Orientation, TypeRef};
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, OutputName, PluginName, TypeName};
use crate::domain::plugin::Output;
use crate::domain::step::StepsPart;

/// The one output of such a plugin.
const OUTPUTS: &str = "outputs";

/// Words in a name that mean that the value is a secret.
const SECRET: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "privatekey",
    "credential",
    "connectionstring",
    "connstring",
    "apikey",
    "accesskey",
    "kubeconfig",
];

/// The same, where they are a word of their own.
const SECRET_WORDS: [&str; 3] = ["dsn", "pwd", "pass"];

/// The outputs, and their type; none where the plugin leaves nothing. Marks those whose name says that they are secrets.
pub(super) fn outputs(
    name: &PluginName,
    version: &Version,
    part: &mut StepsPart,
    found: &mut Found,
) -> Option<(OutputName, Output, ConnectionType)> {
    let from = attributes(part);
    if from.is_empty() {
        return None;
    }
    mark_secrets(name, part, found);
    let output = OutputName::new(OUTPUTS).ok()?;
    let type_name = match TypeName::new(format!("signadot/{name}")) {
        Ok(name) => name,
        Err(problem) => {
            found.wrong(Pointer::keys(["name"]), problem.to_string(), "give the plugin a shorter name");
            return None;
        }
    };
    let property = |way: &String| {
        let output = way.split_once('.').and_then(|(step, output)| part.output(step, output));
        let mut property = json!({"type": "string"});
        if output.is_some_and(|output| output.sensitive) {
            property["x-sensitive"] = true.into();
        }
        if let Some(description) = output.and_then(|output| output.description.as_deref()) {
            property["description"] = description.into();
        }
        property
    };
    let properties: Map<String, Value> = from.iter().map(|(name, way)| (name.to_string(), property(way))).collect();
    let required: Vec<&String> = properties.keys().collect();
    let contract = ConnectionType {
        api_version: "tieline/v1".to_owned(),
        kind: ConnectionTypeKind::ConnectionInterfaceType,
        name: type_name.clone(),
        version: version.clone(),
        description: format!("What the steps of `{name}` leave."),
        orientation: Orientation::Link,
        attributes: json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required}),
    };
    let output_of_it = Output { type_ref: Some(TypeRef { name: type_name, version: Vec::new() }), types: Vec::new(), from };
    Some((output, output_of_it, contract))
}

/// Attributes, and the way to what each comes from. An output has its own name where no other step has one of that name.
fn attributes(part: &StepsPart) -> BTreeMap<AttributeName, String> {
    let all = || part.create.iter().flat_map(|step| step.outputs.iter().map(move |output| (&step.name, &output.name)));
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, output) in all() {
        *count.entry(output).or_default() += 1;
    }
    let mut from: BTreeMap<AttributeName, String> = BTreeMap::new();
    for (step, output) in all() {
        let wanted = if count[output.as_str()] == 1 { output.clone() } else { format!("{step}_{output}") };
        let candidates = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}_{number}")));
        // Only so many names are taken.
        let free = candidates.filter_map(|name| valid(&name)).take(from.len() + 1).find(|name| !from.contains_key(name));
        from.extend(free.map(|name| (name, format!("{step}.{output}"))));
    }
    from
}

/// The nearest name that an attribute can have.
fn valid(name: &str) -> Option<AttributeName> {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let plain = if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("o{plain}") };
    // The end tells names apart: it stays.
    let plain = if plain.len() > 63 { format!("{}{}", &plain[..31], &plain[plain.len() - 32..]) } else { plain };
    AttributeName::new(plain).ok()
}

fn mark_secrets(name: &PluginName, part: &mut StepsPart, found: &mut Found) {
    let mut marked = BTreeSet::new();
    for (index, step) in part.create.iter_mut().enumerate() {
        for (place, output) in step.outputs.iter_mut().enumerate().filter(|(_, output)| is_secret(&output.name)) {
            output.sensitive = true;
            marked.insert((index, place, format!("{}.{}", step.name, output.name)));
        }
    }
    let Some((index, place, _)) = marked.first() else { return };
    let at = Pointer::keys(["spec", "create"]).index(*index).key("outputs").index(*place).key("name");
    let names = listed(marked.iter().map(|(.., way)| way.as_str()));
    let are = if marked.len() == 1 { "is taken for a secret" } else { "are taken for secrets" };
    found.warnings.push(
        Finding::new(at, format!("{names} {are}, by the name"))
            .note("what a secret step output holds is sealed before it is recorded, and handed on by reference alone")
            .help(format!("to decide it yourself, give the context a connection interface type `signadot/{name}` that says which attributes are `x-sensitive`")),
    );
}

/// Whether a name says that the value is a secret.
fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let joined = words.concat();
    SECRET.iter().any(|word| joined.contains(word)) || words.iter().any(|word| SECRET_WORDS.contains(word))
}
