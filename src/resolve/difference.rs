//! In what two resolutions of the same deployable differ, as far as it matters to a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::deployment::{Choice, Deployment, ResolvedPlugin};
use crate::domain::names::Alias;

/// What is another than before, each as a noun; nothing where a run would do the same.
pub fn differences(before: &Deployment, now: &Deployment) -> Vec<String> {
    let (then, environment) = (&before.environment, &now.environment);
    let documents = [
        ("the environment's account", then.account != environment.account),
        ("the environment's backend", then.backend != environment.backend),
        ("whether the environment is protected", then.protected != environment.protected),
        ("whether deploys may delete there", then.allow_destroy != environment.allow_destroy),
        ("what stands in for outputs", before.stand_ins != now.stand_ins),
    ];
    let mut found: Vec<String> = documents.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what.to_owned()).collect();
    for alias in changed(&before.plugins, &now.plugins, |_, _| false) {
        match (before.plugins.get(alias), now.plugins.get(alias)) {
            (Some(before), Some(now)) => found.extend(of_plugin(alias, before, now)),
            _ => found.push(format!("whether `{alias}` is deployed")),
        }
    }
    found
}

fn of_plugin(alias: &Alias, before: &ResolvedPlugin, now: &ResolvedPlugin) -> Vec<String> {
    let whole = [
        ("the plugin", before.source.digest != now.source.digest),
        ("the types of the outputs", before.outputs != now.outputs),
        ("the order", before.depends_on != now.depends_on),
    ];
    let whole = whole.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| format!("{what} of `{alias}`"));
    let inputs = changed(&before.inputs, &now.inputs, |before, now| before.value == now.value);
    let inputs = inputs.into_iter().map(|name| format!("the input `{alias}.{name}`"));
    let slots = changed(&before.slots, &now.slots, |before, now| {
        before.conversion == now.conversion && is_same(&before.choice, &now.choice)
    });
    whole.chain(inputs).chain(slots.into_iter().map(|name| format!("the slot `{alias}.{name}`"))).collect()
}

/// Whether the same connection is taken, with the same values, however it came to be chosen.
fn is_same(before: &Choice, now: &Choice) -> bool {
    match (before, now) {
        (Choice::Connection(before), Choice::Connection(now)) => {
            let (then, record) = (&before.record, &now.record);
            (&then.address, &then.uid, &then.digest) == (&record.address, &record.uid, &record.digest)
                && (before.face, &before.secrets) == (now.face, &now.secrets)
        }
        _ => before == now,
    }
}

/// The keys whose values are not the same, or that only one of both has.
fn changed<'a, K: Ord, V>(
    before: &'a BTreeMap<K, V>,
    now: &'a BTreeMap<K, V>,
    is_same: impl Fn(&V, &V) -> bool,
) -> BTreeSet<&'a K> {
    let keys: BTreeSet<&K> = before.keys().chain(now.keys()).collect();
    let is_changed = |key: &&K| match (before.get(*key), now.get(*key)) {
        (Some(before), Some(now)) => !is_same(before, now),
        _ => true,
    };
    keys.into_iter().filter(is_changed).collect()
}
