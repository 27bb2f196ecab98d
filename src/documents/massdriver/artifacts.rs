//! `artifacts`: what a bundle generates, and which of its steps does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::references::{Lookup, type_name};
use super::{entries, texts};
use crate::documents::finding::{Finding, listed};
use crate::domain::connection_type::{ConnectionType, TypeRef};
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{AttributeName, OutputName, TypeName};
use crate::domain::plugin::Output;

/// An artifact as the bundle declares it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Artifact {
    /// The field.
    pub(super) field: String,
    pub(super) output: OutputName,
    pub(super) type_name: TypeName,
    pub(super) required: bool,
    /// The file of its type in the bundle.
    pub(super) file: Option<String>,
}

impl Artifact {
    fn at(&self) -> Pointer {
        Pointer::keys(["artifacts", "properties", &self.field])
    }
}

/// Reads `artifacts`.
pub(super) fn artifacts(document: &Value, lookup: Lookup<'_>, findings: &mut Vec<Finding>) -> Vec<Artifact> {
    let none = json!({});
    let written = document.get("artifacts").unwrap_or(&none);
    let required = texts(written, "required");
    let mut found = Vec::new();
    for (field, declared) in entries(written, "properties") {
        let at = Pointer::keys(["artifacts", "properties", field]);
        let Some(reference) = declared.get("$ref").and_then(Value::as_str) else {
            let finding = Finding::new(at, format!("the artifact `{field}` refers to no resource type"));
            findings.push(finding.help("write `$ref:` with the name of a resource type"));
            continue;
        };
        match (OutputName::new(field.replace('_', "-")), type_name(reference, lookup)) {
            (Ok(output), Ok((type_name, file))) => {
                let required = required.contains(&field.as_str());
                found.push(Artifact { field: field.clone(), output, type_name, required, file });
            }
            (output, type_name) => {
                findings.extend(output.err().map(|error| Finding::new(at.clone().at_key(), error.to_string())));
                findings.extend(type_name.err().map(|why| Finding::new(at.clone().key("$ref"), why)));
            }
        }
    }
    found
}

/// Where the attributes of a field come from, in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// From here, each.
    Each(BTreeMap<String, String>),
    /// Each from the member of its name of this output.
    Members(String),
}

/// The outputs of each step: a field is that of the last step that publishes it.
pub(super) fn outputs(
    artifacts: &[Artifact],
    published: &[BTreeMap<String, Source>],
    types: &BTreeMap<String, ConnectionType>,
    findings: &mut Vec<Finding>,
    warnings: &mut Vec<Finding>,
) -> Vec<BTreeMap<OutputName, Output>> {
    let mut outputs = vec![BTreeMap::new(); published.len()];
    for artifact in artifacts {
        let steps: Vec<usize> = (0..published.len()).filter(|step| published[*step].contains_key(&artifact.field)).collect();
        let Some((last, before)) = steps.split_last() else {
            unpublished(artifact, findings, warnings);
            continue;
        };
        if !before.is_empty() {
            warnings.push(Finding::new(artifact.at().at_key(), "several steps publish this; the last one counts"));
        }
        let known = artifact.file.as_ref().and_then(|file| types.get(file));
        match from(artifact, &published[*last][&artifact.field], known) {
            Ok(from) => {
                let type_ref = TypeRef { name: artifact.type_name.clone(), version: Vec::new() };
                outputs[*last].insert(artifact.output.clone(), Output { type_ref: Some(type_ref), types: Vec::new(), from });
            }
            Err(finding) => findings.push(*finding),
        }
    }
    let undeclared = published.iter().flat_map(BTreeMap::keys).filter(|field| artifacts.iter().all(|one| one.field != **field));
    let undeclared: Vec<&str> = undeclared.map(String::as_str).collect();
    if !undeclared.is_empty() {
        let message = format!("{} is published, but `artifacts` does not declare it", listed(undeclared));
        warnings
            .push(Finding::new(Pointer::keys(["artifacts"]).at_key(), message).help("declare it under `artifacts.properties`"));
    }
    outputs
}

fn unpublished(artifact: &Artifact, findings: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    let field = &artifact.field;
    let finding = Finding::new(artifact.at().at_key(), format!("no step publishes the artifact `{field}`"))
        .help(format!("give the module of a step `output \"artifact_{field}\" {{ value = {{…}} }}`"));
    if artifact.required {
        findings.push(finding);
    } else {
        warnings.push(finding.note("it is not required, and is left out"));
    }
}

fn from(
    artifact: &Artifact,
    source: &Source,
    known: Option<&ConnectionType>,
) -> Result<BTreeMap<AttributeName, String>, Box<Finding>> {
    let named = |name: &str| AttributeName::new(name).map_err(|error| Box::new(Finding::new(artifact.at(), error.to_string())));
    match (source, known) {
        (Source::Each(from), _) => from.iter().map(|(name, path)| Ok((named(name)?, path.clone()))).collect(),
        (Source::Members(whole), Some(known)) => {
            Ok(known.names().into_iter().map(|name| (name.clone(), format!("{whole}.{name}"))).collect())
        }
        (Source::Members(whole), None) => Err(Box::new(
            Finding::new(
                artifact.at(),
                format!("which attributes the artifact `{}` has cannot be read from the module", artifact.field),
            )
            .note(format!("what becomes `{whole}` is not written as an object"))
            .help("write its value as an object, `{…}`, or put its resource type into the bundle and refer to it by its path"),
        )),
    }
}
