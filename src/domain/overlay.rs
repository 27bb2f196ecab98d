//! Overlays: what differs in one environment.

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use super::names::{Alias, EnvironmentName};

/// The manifest as it is in one environment: its overlay's plugins are merged in. Of `environments` only that overlay's
/// references and stand-ins are kept. Without an environment, the manifest without overlays.
pub fn merged(manifest: &Manifest, environment: Option<&EnvironmentName>) -> Manifest {
    let mut merged = Manifest { environments: BTreeMap::new(), ..manifest.clone() };
    if let Some((name, overlay)) = environment.and_then(|name| manifest.environments.get_key_value(name)) {
        merged.plugins = overlaid(merged.plugins, &overlay.plugins);
        merged.environments.insert(name.clone(), Overlay { plugins: BTreeMap::new(), ..overlay.clone() });
    }
    merged
}

/// The applied plugins with the changes of an overlay: entries merge by key, and null takes one away. A plugin that only the
/// overlay has is added if the overlay says its source.
pub fn overlaid(
    mut plugins: BTreeMap<Alias, AppliedPlugin>,
    changes: &BTreeMap<Alias, Option<AppliedPluginOverlay>>,
) -> BTreeMap<Alias, AppliedPlugin> {
    for (alias, change) in changes {
        let Some(change) = change else {
            plugins.remove(alias);
            continue;
        };
        match (plugins.get_mut(alias), &change.source) {
            (Some(plugin), _) => apply(plugin, change),
            (None, Some(source)) => {
                let mut plugin = AppliedPlugin {
                    source: source.clone(),
                    inputs: BTreeMap::new(),
                    connections: BTreeMap::new(),
                    after: Vec::new(),
                };
                apply(&mut plugin, change);
                plugins.insert(alias.clone(), plugin);
            }
            (None, None) => {}
        }
    }
    plugins
}

fn apply(plugin: &mut AppliedPlugin, change: &AppliedPluginOverlay) {
    if let Some(source) = &change.source {
        plugin.source.clone_from(source);
    }
    for (name, value) in &change.inputs {
        match value {
            Value::Null => plugin.inputs.remove(name),
            value => plugin.inputs.insert(name.clone(), value.clone()),
        };
    }
    for (slot, address) in &change.connections {
        match address {
            None => plugin.connections.remove(slot),
            Some(address) => plugin.connections.insert(slot.clone(), address.clone()),
        };
    }
    if let Some(after) = &change.after {
        plugin.after.clone_from(after);
    }
}
