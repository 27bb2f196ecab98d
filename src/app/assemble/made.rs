//! Plugins whose module is rendered from templates: as they were applied, and, before an apply, as they would be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Resolved;
use super::stored::Stored;
use crate::app::load;
use crate::domain::address::Place;
use crate::domain::deployment::{Choice, InputValue, ResolvedPlugin, ResolvedSlot};
use crate::domain::diagnostic::Problems;
use crate::domain::names::{Alias, AttributeName, SlotName};
use crate::domain::plugin::Plugin;
use crate::domain::record::AppliedRecord;
use crate::engine;
use crate::render::templates::Scope;
use crate::render::{BoundSlot, SensitiveSource, placeholder};
use crate::resolve::Types;

/// The plugin of an applied record, with its module as it was applied. Nothing sensitive is in that but by reference, so whatever stands in
/// for it, the module is the same.
pub(super) fn as_applied(place: &Place, alias: &Alias, record: &AppliedRecord, stored: Stored) -> Result<Stored, Problems> {
    if stored.plugin.foreign.is_none() {
        return Ok(stored);
    }
    let mut plugin = Plugin::clone(&stored.plugin);
    for (slot, binding) in &record.bindings {
        if let Some(slot) = plugin.requires.get_mut(slot) {
            slot.sensitive.clone_from(&binding.sensitive);
        }
    }
    let slots = record.bindings.iter().map(|(slot, binding)| {
        let sensitive = binding.sensitive.iter().map(|name| (name.clone(), SensitiveSource::Placeholder(Value::Null)));
        (
            slot.clone(),
            BoundSlot { attributes: binding.attributes.clone(), sensitive: sensitive.collect(), unasked: BTreeSet::new() },
        )
    });
    let origin = record.origin();
    let scope = Scope {
        inputs: &record.inputs,
        sensitive_inputs: &record.sensitive_inputs,
        slots: &slots.collect(),
        place: origin.map_or(place, |origin| &origin.place),
        alias: origin.map_or(alias, |origin| &origin.alias),
    };
    let known_as = super::stored::known_as(&record.source);
    let (plugin, content) =
        engine::made(&plugin, &stored.content, &scope).map_err(|problems| load::in_plugin(&known_as, problems))?;
    Ok(Stored { plugin: plugin.into_owned().into(), content: content.into_owned(), proposed: stored.proposed })
}

impl Resolved {
    /// Renders what is rendered from templates, so that it can be held against contracts and gates before anything starts. What is not
    /// known yet of connections is made up; where a template cannot do with that, it is looked at when it is applied.
    pub(super) fn with_modules(mut self, types: &Types) -> Result<Self, Problems> {
        let mut problems = super::choices::check(&self.deployment);
        for (alias, plugin) in &self.deployment.plugins {
            let Some(content) = self.contents.get_mut(alias).filter(|content| !content.is_rendered()) else { continue };
            let (slots, is_made_up) = assumed(plugin, types);
            let plain = plugin.inputs.iter().filter_map(|(name, input)| match &input.value {
                InputValue::Plain(value) => Some((name.clone(), value.clone())),
                InputValue::Sensitive => None,
            });
            let sensitive = plugin.inputs.iter().filter(|(_, input)| input.value == InputValue::Sensitive);
            let scope = Scope {
                inputs: &plain.collect(),
                sensitive_inputs: &sensitive.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(),
                slots: &slots,
                place: &self.deployment.place,
                alias,
            };
            let made = engine::made(&plugin.plugin, content, &scope).map(|(_, content)| content.into_owned());
            match made {
                Ok(made) => *content = made,
                Err(_) if is_made_up => {}
                Err(found) => problems.extend(load::in_plugin(&self.folders[alias], found)),
            }
        }
        if problems.any_error() { Err(problems) } else { Ok(self) }
    }
}

/// The slots of an applied plugin, as far as they are known; and whether anything in them is made up.
fn assumed(plugin: &ResolvedPlugin, types: &Types) -> (BTreeMap<SlotName, BoundSlot>, bool) {
    let mut is_made_up = false;
    let mut slots = BTreeMap::new();
    for (name, slot) in &plugin.slots {
        match &slot.choice {
            Choice::Unset => {}
            Choice::Connection(chosen) => {
                let attributes = chosen.face().attributes.clone();
                slots.insert(name.clone(), BoundSlot { attributes, sensitive: withheld(slot), unasked: BTreeSet::new() });
            }
            Choice::Link { .. } | Choice::Pending { .. } => {
                is_made_up = true;
                let schema = types.in_range(&slot.slot.type_name, slot.slot.version.as_ref()).last();
                let attributes = schema.into_iter().flat_map(|contract| {
                    contract.names().into_iter().map(|name| {
                        let value = placeholder(&contract.attributes["properties"][name.as_str()]);
                        (name, value)
                    })
                });
                let public = attributes.filter(|(name, _)| !slot.slot.sensitive.contains(name));
                slots.insert(
                    name.clone(),
                    BoundSlot { attributes: public.collect(), sensitive: withheld(slot), unasked: BTreeSet::new() },
                );
            }
        }
    }
    (slots, is_made_up)
}

fn withheld(slot: &ResolvedSlot) -> BTreeMap<AttributeName, SensitiveSource> {
    slot.slot.sensitive.iter().map(|name| (name.clone(), SensitiveSource::Placeholder(Value::Null))).collect()
}
