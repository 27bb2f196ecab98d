//! What a plugin promises and asks for, checked against the types and made ready for use: once per plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::LoadedPlugin;
use super::nearest::suggest;
use super::schema::{Schema, without_required};
use super::types::Types;
use super::view::{Placed, View};
use crate::domain::connection_type::{ConnectionType, TypeRef};
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::AppliedPlugin;
use crate::domain::names::{AttributeName, InputName, OutputName, SlotName};
use crate::domain::plugin::{Output, Slot};

/// A plugin with its schemas compiled and its outputs' types found.
pub(super) struct Contract<'a> {
    pub(super) loaded: &'a LoadedPlugin,
    pub(super) input_names: BTreeSet<InputName>,
    pub(super) sensitive: BTreeSet<InputName>,
    /// None when the schema itself is broken, which was said then.
    pub(super) inputs: Option<Schema>,
    pub(super) constraints: BTreeMap<SlotName, Schema>,
    pub(super) faces: BTreeMap<OutputName, Vec<PublishedFace>>,
}

/// The contracts of all plugins that are used, by the text after `use:`.
#[derive(Default)]
pub(super) struct Contracts<'a>(BTreeMap<String, Contract<'a>>);

impl<'a> Contracts<'a> {
    /// Adds the plugins that this view uses and none before did.
    pub(super) fn read(
        &mut self,
        view: &View<'_>,
        plugins: &'a BTreeMap<String, LoadedPlugin>,
        types: &Types,
        problems: &mut Problems,
    ) {
        for (alias, applied) in &view.merged.plugins {
            if self.0.contains_key(&applied.source) {
                continue;
            }
            let Some(loaded) = plugins.get(&applied.source) else {
                let message = format!("the plugin `{}` was not found", applied.source);
                problems.push(Diagnostic::error(FailureReason::PluginUnavailable, message).placed(view.at_source(alias)));
                continue;
            };
            let mut found = Vec::new();
            self.0.insert(applied.source.clone(), Contract::read(loaded, types, &mut found));
            problems.0.extend(found.into_iter().map(|problem| problem.placed(view.at_source(alias))));
        }
    }

    /// The contract of an applied plugin; none where the plugin was not found.
    pub(super) fn of(&self, applied: &AppliedPlugin) -> Option<&Contract<'a>> {
        self.0.get(&applied.source)
    }
}

impl<'a> Contract<'a> {
    fn read(loaded: &'a LoadedPlugin, types: &Types, problems: &mut Vec<Diagnostic>) -> Self {
        let plugin = &loaded.plugin;
        let sensitive = plugin.sensitive_inputs();
        let mut contract = Self {
            loaded,
            input_names: plugin.input_names(),
            inputs: None,
            constraints: BTreeMap::new(),
            faces: BTreeMap::new(),
            sensitive,
        };
        for name in contract.sensitive.iter().filter(|name| contract.default(name).is_some()) {
            let message = format!("the sensitive input `{name}` has a default in the plugin `{}`", plugin.name);
            problems.push(contract.problem(message, &format!("inputs.properties.{name}")).help("take the default away"));
        }
        match Schema::compile(&without_required(&plugin.inputs, &contract.sensitive)) {
            Ok(schema) => contract.inputs = Some(schema),
            Err(problem) => {
                let message = format!("the inputs of the plugin `{}` are not a JSON Schema: {problem}", plugin.name);
                problems.push(contract.problem(message, "inputs"));
            }
        }
        for (name, slot) in &plugin.requires {
            contract.read_slot(name, slot, types, problems);
        }
        for (name, output) in &plugin.generates {
            contract.read_output(name, output, types, problems);
        }
        contract
    }

    /// The slots whose type exists. Of the others nothing sensible can be said, but that, which was said.
    pub(super) fn known_slots(&self, types: &Types) -> impl Iterator<Item = (&'a SlotName, &'a Slot)> {
        self.loaded.plugin.requires.iter().filter(|(_, slot)| !types.versions(&slot.type_name).is_empty())
    }

    /// The default of an input in the plugin's schema.
    pub(super) fn default(&self, name: &InputName) -> Option<&'a Value> {
        self.loaded.plugin.inputs.get("properties")?.get(name.as_str())?.get("default")
    }

    /// Whether the schema refuses inputs that it does not name.
    pub(super) fn is_closed(&self) -> bool {
        self.loaded.plugin.inputs.get("additionalProperties") == Some(&Value::Bool(false))
    }

    /// Whether the schema asks for this input.
    pub(super) fn requires(&self, name: &InputName) -> bool {
        let required = self.loaded.plugin.inputs.get("required").and_then(Value::as_array);
        required.into_iter().flatten().any(|one| one.as_str() == Some(name.as_str()))
    }

    fn problem(&self, message: impl Into<String>, within: &str) -> Diagnostic {
        Diagnostic::error(FailureReason::InvalidDocument, message).note(format!("in `{}`, at `{within}`", self.loaded.file))
    }

    fn read_slot(&mut self, name: &SlotName, slot: &Slot, types: &Types, problems: &mut Vec<Diagnostic>) {
        let within = format!("requires.{name}");
        let label = format!("slot `{name}` of the plugin `{}`", self.loaded.plugin.name);
        if types.versions(&slot.type_name).is_empty() {
            let problem = self.problem(format!("{label}: there is no type `{}`", slot.type_name), &within);
            problems.push(suggest(problem, slot.type_name.as_str(), types.names()));
        } else if types.in_range(&slot.type_name, slot.version.as_ref()).next().is_none() {
            let range = slot.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let problem = self.problem(format!("{label}: `{}` has no version in `{range}`", slot.type_name), &within);
            problems.push(problem.note(format!("there are: {}", listed(types.versions(&slot.type_name)))));
        } else {
            let sensitive: BTreeSet<AttributeName> =
                types.in_range(&slot.type_name, slot.version.as_ref()).flat_map(|one| one.sensitive()).collect();
            for attribute in slot.sensitive.difference(&sensitive) {
                let message = format!("{label}: `{}` has no sensitive attribute `{attribute}`", slot.type_name);
                let problem = self.problem(message, &format!("{within}.sensitive"));
                problems.push(suggest(problem, attribute.as_str(), sensitive.iter().map(AttributeName::as_str)));
            }
        }
        match slot.constraint.as_ref().map(Schema::compile) {
            Some(Ok(schema)) => {
                self.constraints.insert(name.clone(), schema);
            }
            Some(Err(problem)) => {
                let message = format!("{label}: `where` is not a JSON Schema: {problem}");
                problems.push(self.problem(message, &format!("{within}.where")));
            }
            None => {}
        }
    }

    fn read_output(&mut self, name: &OutputName, output: &Output, types: &Types, problems: &mut Vec<Diagnostic>) {
        let within = format!("generates.{name}");
        let label = format!("output `{name}` of the plugin `{}`", self.loaded.plugin.name);
        let published = output.published();
        if published.is_empty() {
            problems.push(self.problem(format!("{label} has no type"), &within).help("give it a `type`"));
        }
        let mut faces = Vec::new();
        for (type_ref, from) in published {
            let Some(connection_type) = types.newest(type_ref) else {
                problems.push(self.no_such_type(&label, type_ref, types, &within));
                continue;
            };
            for problem in mapping_problems(connection_type, from) {
                problems.push(self.problem(format!("{label}: {problem}"), &format!("{within}.from")));
            }
            faces.push(PublishedFace { connection_type: Arc::clone(connection_type), from: from.clone() });
        }
        self.faces.insert(name.clone(), faces);
    }

    fn no_such_type(&self, label: &str, type_ref: &TypeRef, types: &Types, within: &str) -> Diagnostic {
        let problem = self.problem(format!("{label}: there is no type `{type_ref}`"), within);
        match types.versions(&type_ref.name) {
            [] => suggest(problem, type_ref.name.as_str(), types.names()),
            versions => problem.note(format!("there are: {}", listed(versions))),
        }
    }
}

/// How a mapping to Terraform outputs falls short of the type.
fn mapping_problems(connection_type: &ConnectionType, from: &BTreeMap<AttributeName, String>) -> Vec<String> {
    let of_type = format!("`{}` {}", connection_type.name, connection_type.version);
    let names = connection_type.names();
    let open = connection_type.attributes.get("additionalProperties").is_some_and(|further| further != &Value::Bool(false));
    let unknown = from.keys().filter(|name| !open && !names.contains(*name)).map(|name| {
        let known: Vec<&str> = names.iter().map(AttributeName::as_str).collect();
        format!("`from` names `{name}`, which is no attribute of {of_type}; it has `{}`", known.join("`, `"))
    });
    let required = connection_type.required();
    let missing = required.iter().filter(|name| !from.contains_key(*name));
    unknown.chain(missing.map(|name| format!("`from` lacks `{name}`, which {of_type} requires"))).collect()
}

fn listed(versions: &[Arc<ConnectionType>]) -> String {
    versions.iter().map(|one| one.version.to_string()).collect::<Vec<_>>().join(", ")
}
