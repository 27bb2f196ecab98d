//! Values that must be among what a connection offers, as a Massdriver bundle asks for it (`$md.enum`).

use serde_json::Value;

use crate::domain::deployment::{Choice as Chosen, Deployment, InputValue, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::{Choice, Foreign};
use crate::render::bundle::jq;

/// Refuses values that a connection does not offer. What only a link will offer, and what is sensitive, nobody can look at yet.
pub(super) fn check(deployment: &Deployment) -> Problems {
    let mut problems = Problems::default();
    for (alias, plugin) in &deployment.plugins {
        let Some(Foreign::Massdriver(bundle)) = &plugin.plugin.foreign else { continue };
        for choice in &bundle.choices {
            let Some(offered) = offered(choice, plugin) else { continue };
            for value in given(choice, plugin).into_iter().filter(|value| !offered.contains(value)) {
                let message = format!("`{value}` of `{alias}` is not offered by what slot `{alias}.{}` takes", choice.slot);
                let offered: Vec<String> = offered.iter().map(|value| format!("`{value}`")).collect();
                let first = choice.path.first().map_or("", String::as_str);
                problems.push(
                    Diagnostic::error(FailureReason::ContractMismatch, message)
                        .at(&deployment.file, Pointer::keys(["plugins", alias.as_str(), "inputs", first]))
                        .note(format!("it offers {}", offered.join(", ")))
                        .help("take one of these, or wire the slot to another connection"),
                );
            }
        }
    }
    problems
}

/// What the connection offers; none where that cannot be told.
fn offered(choice: &Choice, plugin: &ResolvedPlugin) -> Option<Vec<Value>> {
    let Chosen::Connection(chosen) = &plugin.slots.get(&choice.slot)?.choice else { return None };
    let attributes = serde_json::to_value(&chosen.face().attributes).ok()?;
    jq::options(choice, &attributes).ok().filter(|offered| !offered.is_empty())
}

/// The values of the input that the choice is about.
fn given<'a>(choice: &Choice, plugin: &'a ResolvedPlugin) -> Vec<&'a Value> {
    let Some((first, inside)) = choice.path.split_first() else { return Vec::new() };
    match plugin.inputs.get(first.as_str()).map(|input| &input.value) {
        Some(InputValue::Plain(value)) => inside.iter().fold(vec![value], |values, step| {
            let next = |value: &'a Value| match step.as_str() {
                "[]" => value.as_array().into_iter().flatten().collect::<Vec<_>>(),
                name => value.get(name).into_iter().collect(),
            };
            values.into_iter().flat_map(next).collect()
        }),
        _ => Vec::new(),
    }
}
