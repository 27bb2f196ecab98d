//! The rules of a plugin.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Document, keys_of, steps, unknown};
use crate::documents::finding::Finding;
use crate::documents::{Kind, values};
use crate::domain::connection_type::sensitive_properties;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::InputName;
use crate::domain::plugin::{Output, Plugin, Slot, TerraformPart, TypedOutput, VariableSource};
use crate::domain::step::StepsPart;

impl Document for Plugin {
    const KIND: Kind = Kind::Plugin;

    fn findings(&self, _file: &str, value: &Value) -> Vec<Finding> {
        let mut findings = check_inputs(&self.inputs);
        for (name, slot) in &self.requires {
            findings.extend(check_slot(slot, &Pointer::keys(["requires", name.as_str()])));
        }
        for (name, output) in &self.generates {
            findings.extend(check_output(self, output, &Pointer::keys(["generates", name.as_str()])));
        }
        let slots = keys_of(value, &Pointer::keys(["requires"]));
        let inputs = keys_of(value, &Pointer::keys(["inputs", "properties"]));
        if let Some(terraform) = &self.terraform {
            findings.extend(check_terraform(terraform, self.steps.as_ref(), &inputs, &slots));
        }
        if let Some(part) = &self.steps {
            findings.extend(check_steps(part, &steps::Known { inputs, slots: &self.requires }));
        }
        if self.terraform.is_none() && self.steps.is_none() {
            findings.push(
                Finding::new(Pointer::keys(["name"]), "the plugin has neither a module nor steps")
                    .help("write `terraform:` for a Terraform module, `steps:` for scripts, or both"),
            );
        }
        findings
    }
}

fn check_steps(part: &StepsPart, known: &steps::Known<'_>) -> Vec<Finding> {
    let at = Pointer::keys(["steps"]);
    if part.create.is_empty() && part.delete.is_empty() {
        return vec![Finding::new(at, "there are no steps").help("write them under `create` and `delete`")];
    }
    steps::check(part, &at, known)
}

fn check_inputs(inputs: &Value) -> Vec<Finding> {
    let at = Pointer::keys(["inputs"]);
    let mut findings = values::check_object_schema(inputs, &at);
    for name in keys_of(inputs, &Pointer::keys(["properties"])) {
        if let Err(error) = InputName::new(name) {
            findings.push(Finding::new(at.clone().key("properties").key(name).at_key(), error.to_string()));
        }
    }
    for name in sensitive_properties(inputs) {
        let property = at.clone().key("properties").key(&name);
        if keys_of(inputs, &Pointer::keys(["properties", &name])).contains("default") {
            findings.push(
                Finding::new(property.key("default").at_key(), format!("the sensitive input `{name}` has a default"))
                    .label("would be a secret in a file")
                    .help("remove the default; sensitive inputs come through the action input `secrets`"),
            );
        }
    }
    findings
}

fn check_slot(slot: &Slot, at: &Pointer) -> Vec<Finding> {
    let Some(constraint) = &slot.constraint else { return Vec::new() };
    let at = at.clone().key("where");
    let mut findings = values::check_any_schema(constraint, &at);
    for name in keys_of(constraint, &Pointer::keys(["properties"])) {
        if slot.sensitive.contains(name) {
            findings.push(
                Finding::new(
                    at.clone().key("properties").key(name).at_key(),
                    format!("`where` cannot look at `{name}`: it is sensitive"),
                )
                .help("constrain public attributes only"),
            );
        }
    }
    findings
}

fn check_output(plugin: &Plugin, output: &Output, at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&output.type_ref, output.types.is_empty()) {
        (None, true) => findings.push(
            Finding::new(at.clone(), format!("`{at}` does not say which connection interface type it publishes"))
                .help("write `type: <name>`, or `types:` with several"),
        ),
        (Some(_), false) => findings.push(
            Finding::new(at.clone().key("types").at_key(), format!("`{at}` has both `type` and `types`"))
                .help("put everything into `types`, or keep `type` alone"),
        ),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for (index, typed) in output.types.iter().enumerate() {
        let type_ref = match typed {
            TypedOutput::Plain(type_ref) => type_ref,
            TypedOutput::Mapped(mapped) => &mapped.type_ref,
        };
        if !seen.insert(type_ref) {
            findings.push(Finding::new(at.clone().key("types").index(index), format!("`{type_ref}` is listed twice")));
        }
    }
    if let Some((type_ref, _)) = output.published().into_iter().find(|(_, from)| from.is_empty()) {
        findings.push(
            Finding::new(at.clone(), format!("`{at}` does not say where the attributes of `{type_ref}` come from"))
                .help("write `from:` with the type's attributes and the module's outputs, such as `from: {host: endpoint}`"),
        );
    }
    findings.extend(output_names(output, at).filter_map(|(at, name)| check_from(plugin, name, at)));
    findings
}

/// Where an attribute comes from: an output of the module, something inside one, or what a create step leaves.
fn check_from(plugin: &Plugin, name: &str, at: Pointer) -> Option<Finding> {
    if let Some(part) = &plugin.steps {
        let first = name.split('.').next().unwrap_or_default();
        if plugin.terraform.is_none() || part.all().any(|step| step.name.as_str() == first) {
            return steps::check_step_output(part, name, at);
        }
    }
    (!name.split('.').all(is_identifier)).then(|| {
        Finding::new(at, format!("`{name}` cannot be the name of a Terraform output"))
            .help("write the name of an output of the module, without `output.` before it")
    })
}

/// The module outputs that are named, each with its place.
fn output_names<'a>(output: &'a Output, at: &'a Pointer) -> impl Iterator<Item = (Pointer, &'a str)> {
    let own = output.from.iter().map(|(attribute, name)| (at.clone().key("from").key(attribute.as_str()), name.as_str()));
    let mapped = output.types.iter().enumerate().filter_map(|(index, typed)| match typed {
        TypedOutput::Plain(_) => None,
        TypedOutput::Mapped(mapped) => Some((at.clone().key("types").index(index).key("from"), &mapped.from)),
    });
    own.chain(
        mapped
            .flat_map(|(at, from)| from.iter().map(move |(attribute, name)| (at.clone().key(attribute.as_str()), name.as_str()))),
    )
}

fn check_terraform(
    terraform: &TerraformPart,
    steps: Option<&StepsPart>,
    inputs: &BTreeSet<&str>,
    slots: &BTreeSet<&str>,
) -> Vec<Finding> {
    let at = Pointer::keys(["terraform"]);
    let mut findings = Vec::new();
    let module = terraform.module.as_str();
    let outside = module.starts_with('/') || module.split('/').any(|part| part == "..");
    if module.is_empty() || outside || module.contains(['\\', ':']) {
        findings.push(
            Finding::new(at.clone().key("module"), format!("`{module}` is not a folder inside the plugin"))
                .help("write a path from the plugin's own folder, with `/` and without `..`"),
        );
    }
    for (variable, source) in &terraform.variables {
        let at = at.clone().key("variables").key(variable);
        if !is_identifier(variable) {
            findings.push(Finding::new(at.clone().at_key(), format!("`{variable}` cannot be the name of a Terraform variable")));
        }
        match source {
            VariableSource::Input(name) if !inputs.contains(name.as_str()) => {
                findings.push(unknown(at.key("input"), "input", name.as_str(), inputs));
            }
            VariableSource::Connection(path) => {
                let slot = path.split('.').next().unwrap_or_default();
                if path.split('.').count() > 2 || path.split('.').any(str::is_empty) {
                    let finding = Finding::new(at.key("connection"), format!("`{path}` is not a slot or an attribute of one"));
                    findings.push(finding.help("write `slot`, or `slot.attribute`"));
                } else if !slots.contains(slot) {
                    findings.push(unknown(at.key("connection"), "slot", slot, slots));
                }
            }
            VariableSource::Step(way) => {
                let none = StepsPart::default();
                findings.extend(steps::check_step_output(steps.unwrap_or(&none), way, at.key("step")));
            }
            VariableSource::Input(_) => {}
        }
    }
    findings
}

/// Whether Terraform takes the text as an identifier.
pub(in crate::documents) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
