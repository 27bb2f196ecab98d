//! A release as the documents that would make it: a manifest in which everything is said, and plugins that publish as they did then.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::stored::{self, Stored};
use crate::domain::address::{Address, AliasMember, PartialAddress, PartialTarget, Place, Target};
use crate::domain::connection_type::TypeRef;
use crate::domain::manifest::{AppliedPlugin, Manifest};
use crate::domain::names::{Alias, OutputName, SlotName};
use crate::domain::plugin::{Plugin, TypedOutput};
use crate::domain::record::{Release, ReleasedPlugin};
use crate::resolve::LoadedPlugin;

/// The release as a manifest in which each applied plugin uses its own stored copy, under its alias for a name.
pub(super) fn as_written(
    place: &Place,
    written: &Manifest,
    release: &Release,
    rebind: &BTreeMap<AliasMember<SlotName>, PartialAddress>,
) -> Manifest {
    let applied = |(alias, plugin): (&Alias, &ReleasedPlugin)| {
        let connections = plugin.bindings.iter().map(|(slot, binding)| {
            let member = AliasMember { alias: alias.clone(), member: slot.clone() };
            (slot.clone(), rebind.get(&member).cloned().unwrap_or_else(|| in_full(place, release, &binding.address)))
        });
        let after = written.plugins.get(alias).map(|applied| applied.after.clone()).unwrap_or_default();
        let after = after.into_iter().filter(|first| release.plugins.contains_key(first)).collect();
        let inputs = plugin.inputs.clone();
        (alias.clone(), AppliedPlugin { source: alias.to_string(), inputs, connections: connections.collect(), after })
    };
    Manifest {
        plugins: release.plugins.iter().map(applied).collect(),
        name: place.deployable.clone(),
        workspace: Some(place.workspace.clone()),
        environments: BTreeMap::new(),
        preview: None,
        ..written.clone()
    }
}

/// An address as a manifest says it: a link where the release itself has the producer.
fn in_full(place: &Place, release: &Release, address: &Address) -> PartialAddress {
    let is_link = is_link(place, release, address);
    let target = match &address.target {
        Target::Output { deployable, alias, output } => PartialTarget::Output {
            deployable: (!is_link).then(|| deployable.clone()),
            alias: alias.clone(),
            output: output.clone(),
        },
        Target::Imported(name) => PartialTarget::Imported(name.clone()),
    };
    PartialAddress {
        workspace: (!is_link).then(|| address.workspace.clone()),
        environment: (!is_link).then(|| address.environment.clone()),
        target,
        generation: None,
    }
}

/// Whether the release has the producer of what was bound, under the alias that it has there.
pub(super) fn is_link(place: &Place, release: &Release, address: &Address) -> bool {
    let Target::Output { alias, .. } = &address.target else { return false };
    address.producer().as_ref() == Some(place) && release.plugins.contains_key(alias)
}

/// What stood in for outputs of the release.
pub(super) fn stand_ins(place: &Place, written: &Manifest) -> BTreeMap<(Alias, OutputName), Address> {
    let overlay = written.environments.get(&place.environment);
    let stand_ins = overlay.into_iter().flat_map(|overlay| &overlay.stand_ins);
    stand_ins.map(|(of, address)| ((of.alias.clone(), of.member.clone()), address.within(place))).collect()
}

/// The plugins under the names that the manifest has for them, publishing exactly the types that they did.
pub(super) fn loaded(release: &Release, stored: &BTreeMap<Alias, Stored>) -> BTreeMap<String, LoadedPlugin> {
    let of = |(alias, stored): (&Alias, &Stored)| {
        let released = &release.plugins[alias];
        let plugin = Arc::new(as_published(&stored.plugin, released));
        let file = format!("{}/plugin.yaml", stored::known_as(&released.source));
        (alias.to_string(), LoadedPlugin { plugin, source: released.source.clone(), file })
    };
    stored.iter().map(of).collect()
}

/// The plugin with its outputs' types as they were then: a newer version of a type may ask for more.
fn as_published(plugin: &Plugin, released: &ReleasedPlugin) -> Plugin {
    let mut plugin = plugin.clone();
    for (name, output) in &mut plugin.generates {
        let Some(types) = released.outputs.get(name) else { continue };
        let mut then = types.iter().map(|written| written.parse().ok());
        let mut set = |type_ref: &mut TypeRef| {
            if let Some(Some(then)) = then.next() {
                *type_ref = then;
            }
        };
        output.type_ref.iter_mut().for_each(&mut set);
        for typed in &mut output.types {
            set(match typed {
                TypedOutput::Plain(type_ref) => type_ref,
                TypedOutput::Mapped(mapped) => &mut mapped.type_ref,
            });
        }
    }
    plugin
}
