//! What rules are asked about, as docs/policies.md describes it.

use serde_json::{Map, Value, json};

use crate::domain::address::Place;
use crate::domain::connection::Binding;
use crate::domain::deployment::{Choice, Deployment, InputValue, ResolvedPlugin, ResolvedSlot};
use crate::domain::names::{Alias, InputName};
use crate::domain::record::{AppliedRecord, RunType, TaskType};

/// The version of the input. It rises when something in it goes or means something else.
pub const VERSION: u32 = 1;
/// What stands for a value that must not be seen.
const SENSITIVE: &str = "(sensitive)";

/// Who does what.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What kind of run it is.
    pub run_type: RunType,
    /// Who started it.
    pub actor: Option<&'a str>,
    /// The repository that it runs for.
    pub repository: Option<&'a str>,
    /// That repository's numeric id.
    pub repository_id: Option<u64>,
}

/// The input of rules about a deployment.
pub fn of_deployment(deployment: &Deployment, run: &Run<'_>) -> Value {
    let Deployment { place, environment, .. } = deployment;
    let account = environment.account.as_ref();
    let plugins: Map<String, Value> =
        deployment.plugins.iter().map(|(alias, plugin)| (alias.to_string(), resolved(place, plugin))).collect();
    json!({
        "version": VERSION,
        "run": {
            "type": run.run_type, "actor": run.actor, "repository": run.repository, "repositoryId": run.repository_id,
        },
        "deployment": {
            "workspace": place.workspace, "environment": place.environment, "deployable": place.deployable,
            "kind": deployment.kind, "preview": place.environment.is_preview(), "protected": environment.protected,
            "account": account.map(|account| json!({"provider": account.provider, "id": account.id, "region": account.region})),
            "backend": environment.backend.kind.as_str(),
            "plugins": plugins,
        },
    })
}

/// The input of rules about a plan of one applied plugin; `plan` is Terraform's, masked. `removed` is what was applied, where it goes.
pub fn of_plan(deployment: &Deployment, run: &Run<'_>, alias: &Alias, removed: Option<&AppliedRecord>, plan: Value) -> Value {
    let task = if removed.is_some() { TaskType::Destroy } else { TaskType::Deploy };
    let plugin = match (removed, deployment.plugins.get(alias)) {
        (Some(record), _) => recorded(record),
        (None, Some(plugin)) => resolved(&deployment.place, plugin),
        (None, None) => Value::Null,
    };
    let mut input = of_deployment(deployment, run);
    for (key, value) in [("alias", json!(alias)), ("task", json!(task)), ("plugin", plugin), ("plan", plan)] {
        input[key] = value;
    }
    input
}

fn resolved(place: &Place, plugin: &ResolvedPlugin) -> Value {
    let value = |value: &InputValue| match value {
        InputValue::Plain(value) => value.clone(),
        InputValue::Sensitive => SENSITIVE.into(),
    };
    let inputs: Map<String, Value> = plugin.inputs.iter().map(|(name, input)| (name.to_string(), value(&input.value))).collect();
    let slots: Map<String, Value> =
        plugin.slots.iter().filter_map(|(name, slot)| Some((name.to_string(), filled(place, slot)?))).collect();
    json!({
        "name": plugin.plugin.name, "version": plugin.plugin.version,
        "source": plugin.source.written, "commit": plugin.source.commit, "digest": plugin.source.digest,
        "inputs": inputs, "connections": slots,
    })
}

/// What feeds a slot; none where nothing does.
fn filled(place: &Place, slot: &ResolvedSlot) -> Option<Value> {
    let address = match &slot.choice {
        Choice::Link { alias, output } => place.output(alias, output),
        Choice::Connection(chosen) => chosen.record.address.clone(),
        Choice::Pending { address, .. } => address.clone(),
        Choice::Unset => return None,
    };
    Some(json!({"address": address, "type": slot.slot.type_name}))
}

fn recorded(record: &AppliedRecord) -> Value {
    let sensitive = record.sensitive_inputs.iter().map(|name| (name, Value::from(SENSITIVE)));
    let inputs = record.inputs.iter().map(|(name, value)| (name, value.clone())).chain(sensitive);
    let named = |(name, value): (&InputName, Value)| (name.to_string(), value);
    let slot = |binding: &Binding| json!({"address": binding.address, "type": binding.type_name});
    json!({
        "name": record.plugin, "version": record.version,
        "source": record.source.written, "commit": record.source.commit, "digest": record.source.digest,
        "inputs": inputs.map(named).collect::<Map<_, _>>(),
        "connections": record.bindings.iter().map(|(name, bound)| (name.to_string(), slot(bound))).collect::<Map<_, _>>(),
    })
}
