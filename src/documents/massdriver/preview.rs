//! `preview.json` and `preview.yaml`: the preview part of a manifest.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{entries, text};
use crate::documents::finding::Finding;
use crate::domain::address::{AliasMember, PartialAddress};
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{AppliedPluginOverlay, PreviewPart};
use crate::domain::names::{Alias, EnvironmentName, InputName, InvalidName, OutputName, SlotName};

/// Reads a preview of either generation, with what of it has no effect.
pub(in crate::documents) fn preview(value: &Value) -> Result<(PreviewPart, Vec<Finding>), Vec<Finding>> {
    let mut reader = Reader::default();
    let base = EnvironmentName::new(text(value, "baseEnvironment"));
    if let Err(error) = &base {
        reader.findings.push(Finding::new(Pointer::keys(["baseEnvironment"]), error.to_string()));
    }
    reader.head(value);
    for field in ["packages", "instances"] {
        for (id, written) in entries(value, field) {
            reader.instance(id, written, &Pointer::keys([field, id]));
        }
    }
    match base {
        Ok(base) if reader.findings.is_empty() => {
            let Reader { plugins, references, stand_ins, warnings, .. } = reader;
            Ok((PreviewPart { base, ttl: None, url: None, plugins, references, stand_ins }, warnings))
        }
        _ => Err(reader.findings),
    }
}

#[derive(Default)]
struct Reader {
    plugins: BTreeMap<Alias, Option<AppliedPluginOverlay>>,
    references: BTreeMap<AliasMember<SlotName>, PartialAddress>,
    stand_ins: BTreeMap<AliasMember<OutputName>, PartialAddress>,
    findings: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Reader {
    fn head(&mut self, value: &Value) {
        for (name, written) in value.as_object().into_iter().flatten() {
            let at = Pointer::keys([name]).at_key();
            let empty = is_empty(written);
            match name.as_str() {
                "project" | "projectSlug" | "baseEnvironment" | "packages" | "instances" | "id" | "name" => {}
                "copyEnvironmentDefaults" | "copyRemoteReferences" if *written == Value::Bool(false) => {
                    self.warnings.push(Finding::new(at, format!("`{name}` is always on: a preview sees what its base sees")))
                }
                "copyEnvironmentDefaults" | "copyRemoteReferences" => {}
                "copySecrets" if empty => {}
                "copySecrets" => self.findings.push(
                    Finding::new(at, "secrets of the base are not copied: they are kept nowhere")
                        .help("hand the preview's runs their secrets through the action's input `secrets`"),
                ),
                "attributes" | "credentials" if empty => {}
                "attributes" => self.warnings.push(Finding::new(at, "`attributes` have no effect")),
                "credentials" => {
                    let finding = Finding::new(at, "`credentials` have no effect: a preview runs with the account of its base");
                    self.warnings.push(finding.help("where it needs another, base it on an environment that has that account"));
                }
                "environmentDefaults" if empty => {}
                "environmentDefaults" => self.findings.push(
                    Finding::new(at, "a preview has the defaults of its base, and no others")
                        .help("refer to the connection for each slot: `references: {<alias>.<slot>: <address>}`"),
                ),
                _ => self.warnings.push(Finding::new(at, format!("`{name}` is not known, and has no effect"))),
            }
        }
    }

    fn instance(&mut self, id: &str, written: &Value, at: &Pointer) {
        let alias = match Alias::new(id) {
            Ok(alias) => alias,
            Err(error) => return self.findings.push(Finding::new(at.clone().at_key(), error.to_string())),
        };
        let mut overlay = AppliedPluginOverlay::default();
        for (name, value) in written.as_object().into_iter().flatten() {
            let at = at.clone().key(name);
            match name.as_str() {
                "params" => self.params(value, &at, &mut overlay),
                "version" => self.version(value, at),
                "releaseStrategy" => {
                    self.warnings.push(Finding::new(
                        at.at_key(),
                        "`releaseStrategy` has no effect: the lock file says which version it is",
                    ));
                }
                "secrets" if is_empty(value) => {}
                "secrets" => {
                    self.findings
                        .push(Finding::new(at, "secrets do not stand in a document").label("would be a secret in a file").help(
                        "take them out, give the secret a new value, and hand it to the run through the action's input `secrets`",
                    ))
                }
                "remoteReferences" => self.remote(&alias, value, &at),
                _ => self.warnings.push(Finding::new(at.at_key(), format!("`{name}` is not known, and has no effect"))),
            }
        }
        if overlay != AppliedPluginOverlay::default() {
            self.plugins.insert(alias, Some(overlay));
        }
    }

    fn params(&mut self, value: &Value, at: &Pointer, overlay: &mut AppliedPluginOverlay) {
        self.find_variables(value, at);
        for (name, value) in value.as_object().into_iter().flatten() {
            match InputName::new(name.as_str()) {
                Ok(name) => _ = overlay.inputs.insert(name, value.clone()),
                Err(error) => self.findings.push(Finding::new(at.clone().key(name).at_key(), error.to_string())),
            }
        }
    }

    fn version(&mut self, value: &Value, at: Pointer) {
        match value.as_str() {
            Some("" | "latest") => {
                self.warnings.push(Finding::new(at, "`version` has no effect: the lock file says which version it is"))
            }
            _ => self.findings.push(
                Finding::new(at, "a version does not say where the plugin comes from")
                    .help("write the whole source in the manifest: `preview.plugins.<alias>.use: <name>@<range>`"),
            ),
        }
    }

    /// A package's own reference replaced what it publishes; an instance's fills one of its slots.
    fn remote(&mut self, alias: &Alias, value: &Value, at: &Pointer) {
        for (index, reference) in value.as_array().into_iter().flatten().enumerate() {
            let at = at.clone().index(index);
            let field = text(reference, "field").replace('_', "-");
            let (key, replaces) =
                if reference.get("artifactId").is_some() { ("artifactId", true) } else { ("resourceId", false) };
            let address = match address(&text(reference, key)) {
                Ok(address) => address,
                Err(finding) => {
                    self.findings.push(finding.below(&at.key(key)));
                    continue;
                }
            };
            let put = if replaces {
                OutputName::new(field)
                    .map(|member| _ = self.stand_ins.insert(AliasMember { alias: alias.clone(), member }, address))
            } else {
                SlotName::new(field)
                    .map(|member| _ = self.references.insert(AliasMember { alias: alias.clone(), member }, address))
            };
            self.findings.extend(put.err().map(|error: InvalidName| Finding::new(at.key("field"), error.to_string())));
        }
    }

    /// The vendor's tools put variables of the process into the text.
    fn find_variables(&mut self, value: &Value, at: &Pointer) {
        match value {
            Value::String(text) if expands(text) => self.findings.push(
                Finding::new(at.clone(), format!("`{text}` names a variable of the process, which is not put in here")).help(
                    "leave it out here, and hand the value to the run: the action's input `inputs` takes values of its workflow",
                ),
            ),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.find_variables(item, &at.clone().index(index)));
            }
            Value::Object(fields) => fields.iter().for_each(|(name, value)| self.find_variables(value, &at.clone().key(name))),
            _ => {}
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => Map::is_empty(fields),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn expands(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| text[at + 1..].starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic()))
}

/// A published resource is called `<project>-<environment>-<component>.<field>`; an imported one by a number of its own.
fn address(id: &str) -> Result<PartialAddress, Finding> {
    let parts = id.rsplit_once('.').and_then(|(instance, field)| match instance.split('-').collect::<Vec<_>>()[..] {
        [project, environment, component] => Some(format!("{environment}/{project}/{component}.{}", field.replace('_', "-"))),
        _ => None,
    });
    let address = parts.and_then(|text| text.parse().ok());
    address.ok_or_else(|| {
        Finding::new(Pointer::default(), format!("`{id}` is known to Massdriver alone"))
            .help("write the connection's address in the manifest's own preview part; one that nobody here publishes is first imported as `imported/<name>`")
    })
}
