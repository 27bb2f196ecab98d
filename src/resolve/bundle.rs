//! What the params of a Massdriver bundle ask for beyond their schema: presets, values that no preview takes over, values that stay.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Inputs;
use super::contract::Contract;
use super::view::{Placed, View};
use crate::domain::deployment::{InputValue, ResolvedInput};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::{Bundle, Foreign};
use crate::domain::names::{Alias, InputName};

/// The bundle that a plugin is of.
pub(super) fn of<'a>(contract: &Contract<'a>) -> Option<&'a Bundle> {
    match &contract.loaded.plugin.foreign {
        Some(Foreign::Massdriver(bundle)) => Some(bundle),
        _ => None,
    }
}

/// What the preset that is asked for gives: it fills in what nothing else gives.
pub(super) fn preset<'a>(bundle: &'a Bundle, asked: Option<&Value>) -> impl Iterator<Item = (InputName, &'a Value)> {
    let values = asked.and_then(Value::as_str).and_then(|name| bundle.presets.get(name));
    values.into_iter().flatten().filter_map(|(name, value)| Some((InputName::new(name.as_str()).ok()?, value)))
}

/// What is at the end of a way into a value; `[]` in it goes on in each item of a list.
fn at<'a>(value: &'a Value, way: &[String]) -> Vec<&'a Value> {
    match way.split_first() {
        None => vec![value],
        Some((step, rest)) if step == "[]" => value.as_array().into_iter().flatten().flat_map(|item| at(item, rest)).collect(),
        Some((step, rest)) => value.get(step).map(|inner| at(inner, rest)).unwrap_or_default(),
    }
}

/// Whether an input, or a part of it, is nothing that a preview takes from its base (`$md.copyable`).
pub(super) fn stays_in_base(bundle: &Bundle, name: &InputName) -> bool {
    bundle.not_copyable.iter().any(|way| way.first().is_some_and(|first| first == name.as_str()))
}

/// Refuses other values than those that something was applied with, where they cannot be changed (`$md.immutable`).
pub(super) fn check_immutable(
    inputs: &Inputs<'_>,
    view: &View<'_>,
    (alias, contract): (&Alias, &Contract<'_>),
    now: &BTreeMap<InputName, ResolvedInput>,
    problems: &mut Problems,
) {
    let (Some(bundle), Some(before)) = (of(contract), inputs.context.applied.get(alias)) else { return };
    for way in &bundle.immutable {
        let Some((name, inside)) = way.split_first() else { continue };
        let now = now.get(name.as_str()).and_then(|input| match &input.value {
            InputValue::Plain(value) => Some(value),
            InputValue::Sensitive => None,
        });
        let (was, now) = (before.inputs.get(name.as_str()), now);
        let parts = |value: Option<&Value>| value.map(|value| at(value, inside).into_iter().cloned().collect::<Vec<_>>());
        if parts(was) != parts(now) {
            let message = format!("input `{}` of `{alias}` cannot be changed any more: it is applied", way.join("."));
            let was = was.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
            problems.push(
                Diagnostic::error(FailureReason::InvalidDocument, message)
                    .note(format!("it was applied with {was}, and the bundle marks it as `$md.immutable`"))
                    .help("leave it as it was; or destroy the applied plugin, and make it anew")
                    .placed(view.at_alias(alias)),
            );
        }
    }
}
