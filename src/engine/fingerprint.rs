//! Fingerprints: what decides whether an applied plugin needs another apply (R24), and what a person approves (R26).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::account::Account;
use crate::domain::address::Place;
use crate::domain::connection::Binding;
use crate::domain::names::{Alias, AttributeName, Digest, InputName, SlotName};
use crate::domain::record::{StateLocation, TerraformBuild};
use crate::render;

/// All that decides what an apply of a plugin does, but for sensitive inputs, which nothing may record.
#[derive(Serialize)]
pub(super) struct ApplyIdentity<'a> {
    /// Where it is applied.
    pub place: &'a Place,
    /// Under which alias.
    pub alias: &'a Alias,
    /// The plugin's tree.
    pub plugin: &'a Digest,
    /// The public inputs.
    pub inputs: &'a BTreeMap<InputName, Value>,
    /// The bindings.
    pub bindings: &'a BTreeMap<SlotName, Binding>,
    /// What is published under which types.
    pub contracts: Vec<String>,
    /// The state.
    pub state: &'a StateLocation,
    /// The account.
    pub account: Option<&'a Account>,
    /// The provider lock that init starts from.
    pub provider_lock: Option<&'a str>,
    /// The terraform; none for a plugin of steps alone.
    pub terraform: Option<&'a TerraformBuild>,
}

impl ApplyIdentity<'_> {
    /// The fingerprint of an apply.
    pub(super) fn fingerprint(&self) -> Digest {
        let bindings: BTreeMap<&SlotName, (&str, Cow<'_, Digest>, &BTreeSet<AttributeName>)> = self
            .bindings
            .iter()
            .map(|(slot, binding)| (slot, (binding.uid.as_str(), binding.values(), &binding.sensitive)))
            .collect();
        Digest::of_json(&serde_json::json!({
            "place": self.place, "alias": self.alias, "plugin": self.plugin, "inputs": self.inputs, "bindings": bindings,
            "contracts": self.contracts, "state": self.state, "account": self.account, "providerLock": self.provider_lock,
            "terraform": self.terraform, "generator": render::GENERATOR,
        }))
    }
}

/// What stands for a value that must not be seen.
const SENSITIVE: &str = "(sensitive)";
/// What stands for a value that is not known yet.
const UNKNOWN: &str = "(known after apply)";

/// The part of a plan that a person approves: per resource its address, actions, replaced paths and planned values, with sensitive
/// leaves and unknowns as fixed markers and the run's own directory rewritten.
pub(super) fn plan_essence(plan: &Value, directory: &str) -> Value {
    let resources: Vec<Value> = plan["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|resource| resource["mode"] == "managed" && resource["change"]["actions"] != serde_json::json!(["no-op"]))
        .map(|resource| {
            let change = &resource["change"];
            serde_json::json!({
                "address": resource["address"],
                "actions": change["actions"],
                "replace": change["replace_paths"],
                "after": masked(&change["after"], &change["after_unknown"], &change["after_sensitive"]),
            })
        })
        .collect();
    let outputs: Map<String, Value> = plan["output_changes"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, change)| {
            let after = masked(&change["after"], &change["after_unknown"], &change["after_sensitive"]);
            (name.clone(), serde_json::json!({"actions": change["actions"], "after": after}))
        })
        .collect();
    with_texts(&serde_json::json!({"resources": resources, "outputs": outputs}), &|text| text.replace(directory, "(run)"))
}

/// `after` with markers where the two companion trees say so. A `true` in them covers everything below.
pub(super) fn masked(after: &Value, unknown: &Value, sensitive: &Value) -> Value {
    if sensitive == &Value::Bool(true) {
        return SENSITIVE.into();
    }
    if unknown == &Value::Bool(true) {
        return UNKNOWN.into();
    }
    match after {
        Value::Object(fields) => {
            // What is not known yet has no key in `after`.
            let unknown_only = unknown.as_object().into_iter().flatten().filter(|(key, _)| !fields.contains_key(*key));
            let known = fields.iter().map(|(key, value)| (key.clone(), masked(value, &unknown[key], &sensitive[key])));
            known.chain(unknown_only.map(|(key, value)| (key.clone(), masked(&Value::Null, value, &sensitive[key])))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| masked(item, &unknown[index], &sensitive[index])).collect()
        }
        other => other.clone(),
    }
}

/// The same with every text put through `change`, keys included.
pub(super) fn with_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(text).into(),
        Value::Array(items) => items.iter().map(|item| with_texts(item, change)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, item)| (change(key), with_texts(item, change))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r26_sensitive_leaves_unknowns_and_the_runs_directory_do_not_count() {
        let plan = |secret: &str, directory: &str| {
            json!({"resource_changes": [{
                "address": "module.plugin.terraform_data.a", "mode": "managed",
                "change": {
                    "actions": ["create"],
                    "after": {"input": {"path": format!("{directory}/plugin/x"), "password": secret}},
                    "after_unknown": {"id": true}, "after_sensitive": {"input": {"password": true}}
                }
            }]})
        };
        let essence = plan_essence(&plan("one", "/tmp/a"), "/tmp/a");
        assert_eq!(essence, plan_essence(&plan("two", "/tmp/b"), "/tmp/b"));
        assert_eq!(
            essence["resources"][0]["after"],
            json!({"id": UNKNOWN, "input": {"path": "(run)/plugin/x", "password": SENSITIVE}})
        );
    }

    #[test]
    fn r26_a_changed_value_counts() {
        let plan = |size: &str| json!({"resource_changes": [{"address": "a", "mode": "managed", "change": {"actions": ["update"], "after": {"size": size}}}]});
        assert_ne!(plan_essence(&plan("small"), "/r"), plan_essence(&plan("large"), "/r"));
    }
}
