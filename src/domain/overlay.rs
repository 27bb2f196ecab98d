//! Overlays: what differs in one environment.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::address::PartialAddress;
use super::deployment::Layer;
use super::diagnostic::Pointer;
use super::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use super::names::{Alias, EnvironmentName};

/// From where a manifest is looked at, which says what of it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// From nowhere in particular: no overlay holds.
    Plain,
    /// From an environment: its overlay holds.
    In(&'a EnvironmentName),
    /// From a preview: the overlay of its base holds, and the manifest's preview part on top of that.
    Preview {
        /// The preview, where it is a certain one.
        name: Option<&'a EnvironmentName>,
        /// The environment that it is on top of.
        base: &'a EnvironmentName,
    },
}

impl<'a> Seen<'a> {
    /// From this environment, which is a preview if it has a base.
    pub fn from(environment: &'a EnvironmentName, base: Option<&'a EnvironmentName>) -> Self {
        match base {
            Some(base) => Self::Preview { name: Some(environment), base },
            None => Self::In(environment),
        }
    }

    /// The environment, where it is a certain one.
    pub fn environment(self) -> Option<&'a EnvironmentName> {
        match self {
            Self::Plain => None,
            Self::In(name) => Some(name),
            Self::Preview { name, .. } => name,
        }
    }

    /// An address as it is written in a document, as it is meant here: from a preview, what is of others is that of its base.
    fn meant(self, address: &PartialAddress, manifest: &Manifest) -> PartialAddress {
        match self {
            Self::Preview { base, .. } => address.seen_from_preview(&manifest.name, base),
            Self::Plain | Self::In(_) => address.clone(),
        }
    }
}

/// An overlay, as one part of a manifest has it.
#[derive(Debug, Clone)]
pub struct OverlayPart<'a> {
    /// Where it is written.
    pub at: Pointer,
    /// The layer that its inputs are.
    pub layer: Layer,
    /// What it changes.
    pub overlay: Cow<'a, Overlay>,
}

/// The overlays that hold, weakest first.
pub fn overlays<'a>(manifest: &'a Manifest, seen: Seen<'_>) -> Vec<OverlayPart<'a>> {
    let of_environment = |name: &EnvironmentName| {
        let overlay = manifest.environments.get(name)?;
        let at = Pointer::keys(["environments", name.as_str()]);
        Some(OverlayPart { at, layer: Layer::EnvironmentOverlay, overlay: Cow::Borrowed(overlay) })
    };
    match seen {
        Seen::Plain => Vec::new(),
        Seen::In(name) => of_environment(name).into_iter().collect(),
        Seen::Preview { base, .. } => {
            let of_preview = manifest.preview.as_ref().map(|preview| OverlayPart {
                at: Pointer::keys(["preview"]),
                layer: Layer::PreviewOverlay,
                overlay: Cow::Owned(preview.overlay()),
            });
            of_environment(base).into_iter().chain(of_preview).collect()
        }
    }
}

/// The references and stand-ins that hold: those of all overlays, without those of applied plugins that a later one leaves out.
pub fn wiring(manifest: &Manifest, seen: Seen<'_>) -> Overlay {
    let mut wiring = Overlay::default();
    for OverlayPart { overlay, .. } in overlays(manifest, seen) {
        let is_left_out = |alias: &Alias| matches!(overlay.plugins.get(alias), Some(None));
        wiring.references.retain(|of, _| !is_left_out(&of.alias));
        wiring.stand_ins.retain(|of, _| !is_left_out(&of.alias));
        let meant = |address| seen.meant(address, manifest);
        wiring.references.extend(overlay.references.iter().map(|(of, address)| (of.clone(), meant(address))));
        wiring.stand_ins.extend(overlay.stand_ins.iter().map(|(of, address)| (of.clone(), meant(address))));
    }
    wiring
}

/// The manifest as it is from there: the plugins of the overlays that hold are merged in, and of `environments` only that one's
/// references and stand-ins are left.
pub fn merged(manifest: &Manifest, seen: Seen<'_>) -> Manifest {
    let mut merged = Manifest { environments: BTreeMap::new(), ..manifest.clone() };
    let overlays = overlays(manifest, seen);
    for part in &overlays {
        merged.plugins = overlaid(merged.plugins, &part.overlay.plugins);
    }
    for address in merged.plugins.values_mut().flat_map(|applied| applied.connections.values_mut()) {
        *address = seen.meant(address, manifest);
    }
    if let (Some(name), false) = (seen.environment(), overlays.is_empty()) {
        merged.environments.insert(name.clone(), wiring(manifest, seen));
    }
    if let (Seen::Preview { .. }, Some(preview)) = (seen, &mut merged.preview) {
        *preview = preview.without_overlay();
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
