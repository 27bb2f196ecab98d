//! A manifest as it is in one environment: its wiring, and what an overlay makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{graph, keys_of, unknown};
use crate::documents::finding::Finding;
use crate::domain::address::{AliasMember, PartialAddress, PartialTarget};
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay, PreviewPart};
use crate::domain::names::{Alias, OutputName, SlotName};
use crate::domain::overlay;

type Changes = BTreeMap<Alias, Option<AppliedPluginOverlay>>;

/// The manifest as it is in one environment.
pub(super) struct View<'a> {
    /// The way to what is special about it.
    at: Pointer,
    /// What it is called in a sentence; empty for the base.
    name: String,
    plugins: BTreeMap<Alias, AppliedPlugin>,
    /// Every alias that can be named, those that the schema refused the rest of included.
    pub(super) aliases: BTreeSet<&'a str>,
    layer: Option<Layer<'a>>,
    /// Slots that a reference supplies.
    referred: BTreeSet<&'a AliasMember<SlotName>>,
    /// Outputs that a stand-in supplies.
    stood_in: BTreeSet<&'a AliasMember<OutputName>>,
}

/// What an overlay lays over the aliases below it.
struct Layer<'a> {
    below: BTreeSet<&'a str>,
    changes: &'a Changes,
    references: Vec<&'a AliasMember<SlotName>>,
    stand_ins: Vec<&'a AliasMember<OutputName>>,
}

/// The way to the overlay of an environment.
pub(super) fn overlay_at(environment: &str) -> Pointer {
    Pointer::keys(["environments", environment])
}

impl<'a> View<'a> {
    /// Without any overlay.
    pub(super) fn base(manifest: &Manifest, value: &'a Value) -> Self {
        Self {
            at: Pointer::default(),
            name: String::new(),
            plugins: manifest.plugins.clone(),
            aliases: keys_of(value, &Pointer::keys(["plugins"])),
            layer: None,
            referred: BTreeSet::new(),
            stood_in: BTreeSet::new(),
        }
    }

    /// Each environment that has an overlay, and previews, which are laid over their base environment.
    pub(super) fn overlays(manifest: &'a Manifest, base: &Self) -> Vec<Self> {
        let mut views: Vec<Self> =
            manifest.environments.iter().map(|(name, overlay)| base.with_overlay(name.as_str(), overlay)).collect();
        if let Some(preview) = &manifest.preview {
            let overlay = manifest.environments.get(&preview.base);
            let below = overlay.map(|overlay| base.with_overlay(preview.base.as_str(), overlay));
            views.push(below.as_ref().unwrap_or(base).with_preview(preview));
        }
        views
    }

    fn with_overlay(&self, name: &str, overlay: &'a Overlay) -> Self {
        let layer = Layer {
            below: self.aliases.clone(),
            changes: &overlay.plugins,
            references: overlay.references.keys().collect(),
            stand_ins: overlay.stand_ins.keys().collect(),
        };
        self.with(overlay_at(name), format!(" in `{name}`"), layer)
    }

    fn with_preview(&self, preview: &'a PreviewPart) -> Self {
        let layer = Layer {
            below: self.aliases.clone(),
            changes: &preview.plugins,
            references: preview.references.keys().collect(),
            stand_ins: preview.stand_ins.keys().collect(),
        };
        self.with(Pointer::keys(["preview"]), " in previews".to_owned(), layer)
    }

    fn with(&self, at: Pointer, name: String, layer: Layer<'a>) -> Self {
        let added = layer.changes.iter().filter(|(_, change)| change.as_ref().is_some_and(|change| change.source.is_some()));
        Self {
            at,
            name,
            plugins: overlay::overlaid(self.plugins.clone(), layer.changes),
            aliases: self.aliases.iter().copied().chain(added.map(|(alias, _)| alias.as_str())).collect(),
            referred: self.referred.iter().chain(&layer.references).copied().collect(),
            stood_in: self.stood_in.iter().chain(&layer.stand_ins).copied().collect(),
            layer: Some(layer),
        }
    }

    /// Links and `after` of the base.
    pub(super) fn check_wiring(&self, findings: &mut Vec<Finding>) {
        for (alias, plugin) in &self.plugins {
            let at = self.at.clone().key("plugins").key(alias.as_str());
            if plugin.source.trim().is_empty() {
                let finding = Finding::new(at.clone().key("use"), format!("`{alias}` does not say which plugin it uses"));
                findings
                    .push(finding.help("write `./path`, `github:owner/repo//path@ref`, `git::url//path?ref=` or `name@range`"));
            }
            for (slot, address) in &plugin.connections {
                findings.extend(self.check_link(alias, address, at.clone().key("connections").key(slot.as_str())));
            }
            self.check_after(alias, &plugin.after, &at.key("after"), findings);
        }
    }

    fn check_link(&self, alias: &Alias, address: &PartialAddress, at: Pointer) -> Option<Finding> {
        let (producer, _) = link(address)?;
        if producer == alias {
            let finding = Finding::new(at, format!("`{alias}` is linked to itself")).label("its own output");
            return Some(finding.help("link the slot to an output of another applied plugin"));
        }
        (!self.aliases.contains(producer.as_str())).then(|| unknown(at, "applied plugin", producer.as_str(), &self.aliases))
    }

    fn check_after(&self, alias: &Alias, after: &[Alias], at: &Pointer, findings: &mut Vec<Finding>) {
        let mut seen = BTreeSet::new();
        for (index, other) in after.iter().enumerate() {
            let at = at.clone().index(index);
            if other == alias {
                findings.push(Finding::new(at, format!("`{alias}` cannot come after itself")).help("remove it from the list"));
            } else if !seen.insert(other) {
                findings.push(Finding::new(at, format!("`{other}` is listed twice")).help("keep one of the two"));
            } else if !self.aliases.contains(other.as_str()) {
                findings.push(unknown(at, "applied plugin", other.as_str(), &self.aliases));
            }
        }
    }

    /// What an overlay says, and what its taking away leaves behind.
    pub(super) fn check_overlay(&self, findings: &mut Vec<Finding>) {
        let Some(layer) = &self.layer else { return };
        for (alias, change) in layer.changes {
            let at = self.at.clone().key("plugins").key(alias.as_str());
            let known = layer.below.contains(alias.as_str());
            let stranger = |at: Pointer| unknown(at.at_key(), "applied plugin", alias.as_str(), &layer.below);
            match change {
                None if !known => findings.push(stranger(at)),
                None => findings.extend(self.left_behind(alias, &at)),
                Some(change) if !known && change.source.is_none() => {
                    findings.push(stranger(at).help("to add a plugin here only, say which with `use`"));
                }
                Some(change) => self.check_change(alias, change, &at, findings),
            }
        }
        let references = layer.references.iter().map(|slot| (&slot.alias, "references", slot.to_string()));
        let stand_ins = layer.stand_ins.iter().map(|output| (&output.alias, "stand-ins", output.to_string()));
        for (alias, part, key) in references.chain(stand_ins) {
            if !self.aliases.contains(alias.as_str()) {
                let at = self.at.clone().key(part).key(key).at_key();
                findings.push(unknown(at, "applied plugin", alias.as_str(), &self.aliases));
            }
        }
    }

    fn check_change(&self, alias: &Alias, change: &AppliedPluginOverlay, at: &Pointer, findings: &mut Vec<Finding>) {
        for (slot, address) in &change.connections {
            let at = at.clone().key("connections").key(slot.as_str());
            findings.extend(address.as_ref().and_then(|address| self.check_link(alias, address, at)));
        }
        self.check_after(alias, change.after.as_deref().unwrap_or_default(), &at.clone().key("after"), findings);
    }

    /// The slots that are linked to an applied plugin that is taken away, and have nothing else.
    fn left_behind(&self, alias: &Alias, at: &Pointer) -> Vec<Finding> {
        let users = self.links().filter(|(_, _, producer)| *producer == alias);
        users
            .map(|(user, slot, _)| {
                let message = format!("`{alias}` is taken away{}, but `{user}.{slot}` is linked to it", self.name);
                Finding::new(at.clone(), message).help(format!("add `{user}.{slot}` to `references`, or take `{user}` away too"))
            })
            .collect()
    }

    /// Consumer, slot and producer of each link that holds in this environment (R1).
    fn links(&self) -> impl Iterator<Item = (&Alias, &SlotName, &Alias)> {
        let wired =
            self.plugins.iter().flat_map(|(user, plugin)| plugin.connections.iter().map(move |(slot, to)| (user, slot, to)));
        wired.filter_map(|(user, slot, address)| {
            let (producer, output) = link(address)?;
            let referred = self.referred.iter().any(|key| key.alias == *user && key.member == *slot);
            let stood_in = self.stood_in.iter().any(|key| key.alias == *producer && key.member == *output);
            (!referred && !stood_in).then_some((user, slot, producer))
        })
    }

    pub(super) fn cycles(&self) -> Vec<Vec<String>> {
        let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (user, _, producer) in self.links().filter(|(user, _, producer)| user != producer) {
            needs.entry(user.as_str()).or_default().push(producer.as_str());
        }
        for (alias, plugin) in &self.plugins {
            needs
                .entry(alias.as_str())
                .or_default()
                .extend(plugin.after.iter().filter(|other| *other != alias).map(Alias::as_str));
        }
        graph::cycles(&needs).into_iter().map(|cycle| cycle.into_iter().map(str::to_owned).collect()).collect()
    }

    pub(super) fn cycle_finding(&self, cycle: &[String]) -> Finding {
        let way: Vec<&str> = cycle.iter().chain(cycle.first()).map(String::as_str).collect();
        let steps: Vec<(&str, &str)> = way.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect();
        let at = match (&self.layer, steps.first()) {
            (None, Some((user, producer))) => self.place_of_need(user, producer),
            _ => self.at.clone().at_key(),
        };
        let message = format!("the plugins need one another in a circle{}: {}", self.name, way.join(" -> "));
        let finding = Finding::new(at, message).help("take one of these links or `after` entries away");
        steps.into_iter().fold(finding, |finding, (user, producer)| finding.note(self.need(user, producer)))
    }

    fn link_between(&self, user: &str, producer: &str) -> Option<&SlotName> {
        self.links().find(|(from, _, to)| from.as_str() == user && to.as_str() == producer).map(|(_, slot, _)| slot)
    }

    fn need(&self, user: &str, producer: &str) -> String {
        match self.link_between(user, producer) {
            Some(slot) => format!("`{user}.{slot}` is linked to `{producer}`"),
            None => format!("`{user}` comes after `{producer}`"),
        }
    }

    fn place_of_need(&self, user: &str, producer: &str) -> Pointer {
        let at = self.at.clone().key("plugins").key(user);
        match self.link_between(user, producer) {
            Some(slot) => at.key("connections").key(slot.as_str()),
            None => at.key("after"),
        }
    }
}

/// The applied plugin and output that an address links to, if it is a link inside the deployable.
fn link(address: &PartialAddress) -> Option<(&Alias, &OutputName)> {
    match (&address.workspace, &address.environment, &address.target) {
        (None, None, PartialTarget::Output { deployable: None, alias, output }) => Some((alias, output)),
        _ => None,
    }
}
