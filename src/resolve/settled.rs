//! Plugins of other systems, settled: their documents do not say what is sensitive, the context's types do.

use std::collections::{BTreeMap, BTreeSet};

use super::types::Types;
use crate::domain::foreign::Foreign;
use crate::domain::names::AttributeName;
use crate::domain::plugin::{Plugin, Slot, Uses};

/// The plugin with what follows from the types: which sensitive attributes its slots ask for, and which outputs of its steps are secrets.
/// A native plugin says both itself.
pub fn settled(plugin: &Plugin, types: &Types) -> Plugin {
    let mut plugin = plugin.clone();
    for slot in plugin.requires.values_mut() {
        slot.sensitive = asked_for(slot, types);
    }
    if matches!(plugin.foreign, Some(Foreign::Signadot)) {
        settle_steps(&mut plugin, types);
    }
    plugin
}

/// The sensitive attributes that a slot asks for; where its type is not known, those that it may mean.
fn asked_for(slot: &Slot, types: &Types) -> BTreeSet<AttributeName> {
    let newest = types.in_range(&slot.type_name, slot.version.as_ref()).last();
    let sensitive = newest.map(|newest| newest.sensitive());
    match (&slot.uses, sensitive) {
        (Uses::Declared, _) | (Uses::All, None) => slot.sensitive.clone(),
        (Uses::Named(names), None) => names.clone(),
        (Uses::Named(names), Some(sensitive)) => names.intersection(&sensitive).cloned().collect(),
        (Uses::All, Some(sensitive)) => sensitive,
    }
}

/// What a create step leaves is a secret exactly where an attribute that it becomes is one.
fn settle_steps(plugin: &mut Plugin, types: &Types) {
    let mut secret: BTreeMap<String, bool> = BTreeMap::new();
    for (type_ref, from) in plugin.generates.values().flat_map(|output| output.published()) {
        let Some(connection_type) = types.newest(type_ref) else { continue };
        let sensitive = connection_type.sensitive();
        for (attribute, source) in from {
            *secret.entry(source.clone()).or_default() |= sensitive.contains(attribute);
        }
    }
    for step in plugin.steps.iter_mut().flat_map(|steps| &mut steps.create) {
        for output in &mut step.outputs {
            if let Some(secret) = secret.get(&format!("{}.{}", step.name, output.name)) {
                output.sensitive = *secret;
            }
        }
    }
}
