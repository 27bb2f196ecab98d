//! The answers that a manifest stores: what applied plugins are given, everywhere and in single environments.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, Report};
use super::plain::named;
use super::wiring::{Choice, Wiring, choice_of};
use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{AppliedPluginOverlay, Overlay};
use crate::domain::names::{Alias, EnvironmentName, InputName};

/// What all plugins of the deployable share.
pub(super) fn shared(spec: &Fields<'_>, report: &mut Report) -> BTreeMap<InputName, Value> {
    let mut shared = BTreeMap::new();
    for (field, name) in [("global-inputs", "global_inputs"), ("global-computed-inputs", "global_computed_inputs")] {
        let values = spec.below(field, report);
        let map: serde_json::Map<String, Value> = values.entries().map(|(name, value)| (name.clone(), value.clone())).collect();
        if let Some(name) = InputName::new(name).ok().filter(|_| !map.is_empty()) {
            shared.insert(name, Value::Object(map));
        }
    }
    shared
}

/// The answers, without those that choose a connection.
pub(super) fn inputs(
    fields: &Fields<'_>,
    shared: &BTreeMap<InputName, Value>,
    report: &mut Report,
) -> BTreeMap<InputName, Value> {
    let mut inputs = shared.clone();
    let answers = fields.below("inputs", report);
    for (name, value) in answers.entries() {
        let at = answers.place(name);
        if !matches!(choice_of(value, at.clone(), name), Choice::None) {
            continue;
        }
        if let Some(name) = input_name(name, &at, report) {
            check_answer(value, &at, report);
            inputs.insert(name, value.clone());
        }
    }
    inputs
}

fn input_name(name: &str, at: &Pointer, report: &mut Report) -> Option<InputName> {
    InputName::new(name).map_err(|error| report.refuse(Finding::new(at.clone().at_key(), error.to_string()))).ok()
}

/// What cannot stand in an answer: a connection below it, and a variable, which nothing would fill in.
fn check_answer(value: &Value, at: &Pointer, report: &mut Report) {
    match value {
        Value::Object(entries) if entries.contains_key("stk-type") => {
            let finding = Finding::new(at.clone(), "a connection inside another answer cannot be had here").label("a connection");
            report.refuse(
                finding.note("how many connections a plugin has is part of its contract here, and cannot depend on an answer"),
            );
        }
        Value::Object(entries) => entries.iter().for_each(|(name, value)| check_answer(value, &at.clone().key(name), report)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| check_answer(item, &at.clone().index(index), report));
        }
        Value::String(text) => {
            if let Some(variable) = variable(text) {
                let finding =
                    Finding::new(at.clone(), format!("`{variable}` is a variable of StackSpot, which nothing fills in here"));
                report.refuse(finding.label("a variable").help(
                    "write the value, or one for each environment under `inputs-envs`; secrets are handed over at each deploy",
                ));
            }
        }
        _ => {}
    }
}

/// The variable of an account or workspace that a text refers to: `{{ NAME }}` or `{{ var.NAME }}`.
fn variable(text: &str) -> Option<&str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(inside, _)| inside.trim()).find(|inside| {
        let name = inside.strip_prefix("var.").unwrap_or(inside);
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// What `inputs-envs` says: input to environment to value.
pub(super) fn add_overlays(
    alias: &Alias,
    fields: &Fields<'_>,
    wiring: &Wiring,
    environments: &mut BTreeMap<EnvironmentName, Overlay>,
    report: &mut Report,
) {
    let answers = fields.below("inputs-envs", report);
    for (input, values) in answers.entries() {
        let values = Fields::of(values, answers.place(input), report);
        for (environment, value) in values.entries() {
            let at = values.place(environment);
            let Some(name) = environment_name(environment, &at, report) else { continue };
            let overlay = environments.entry(name).or_default();
            let plugin = overlay.plugins.entry(alias.clone()).or_default().get_or_insert_with(AppliedPluginOverlay::default);
            match choice_of(value, at.clone(), input) {
                Choice::Required(wish) => {
                    plugin.connections.extend(wiring.connection(&wish, report).map(|(slot, to)| (slot, Some(to))));
                }
                Choice::Generated(_) => {}
                Choice::None => {
                    check_answer(value, &at, report);
                    plugin.inputs.extend(input_name(input, &at, report).map(|name| (name, value.clone())));
                }
            }
        }
    }
}

fn environment_name(written: &str, at: &Pointer, report: &mut Report) -> Option<EnvironmentName> {
    let name: Option<EnvironmentName> = named(written);
    match &name {
        None => report
            .refuse(Finding::new(at.clone().at_key(), format!("nothing of `{written}` can be part of an environment's name"))),
        Some(name) if name.as_str() != written => {
            report.warn(
                Finding::new(at.clone().at_key(), format!("the environment `{written}` is `{name}` here"))
                    .label("made a valid name"),
            );
        }
        Some(_) => {}
    }
    name
}
