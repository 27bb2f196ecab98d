//! The rules of a manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Document, check_environment_name, graph, keys_of, unknown};
use crate::documents::finding::{Finding, listed};
use crate::documents::{Kind, merge};
use crate::domain::address::{AliasMember, IMPORTED, PartialAddress, PartialTarget};
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, PreviewPart};
use crate::domain::names::{Alias, AttributeName, OutputName, SlotName};

type Plugins = BTreeMap<Alias, AppliedPlugin>;
type References = BTreeMap<AliasMember<SlotName>, PartialAddress>;
type StandIns = BTreeMap<AliasMember<OutputName>, PartialAddress>;

impl Document for Manifest {
    const KIND: Kind = Kind::Manifest;

    fn findings(&self, _file: &str, value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.name.as_str() == IMPORTED {
            let message =
                format!("`{IMPORTED}` cannot be the name of a deployable: addresses of imported connections have it there");
            findings.push(Finding::new(Pointer::keys(["name"]), message).help("choose another name"));
        }
        let environment = self.environment.iter().map(|name| (name, Pointer::keys(["environment"])));
        let overlays = self.environments.keys().map(|name| (name, overlay_at(name.as_str()).at_key()));
        findings.extend(environment.chain(overlays).filter_map(|(name, at)| check_environment_name(name, at)));

        let base = View::base(self, value);
        base.check_wiring(&mut findings);
        let cycles = base.cycles();
        findings.extend(cycles.iter().map(|cycle| base.cycle_finding(cycle)));
        for view in View::overlays(self, &base) {
            view.check_overlay(&base, &mut findings);
            findings.extend(view.cycles().iter().filter(|cycle| !cycles.contains(cycle)).map(|cycle| view.cycle_finding(cycle)));
        }
        findings.extend(self.preview.iter().flat_map(|preview| check_preview(preview, &base)));
        findings
    }
}

fn overlay_at(environment: &str) -> Pointer {
    Pointer::keys(["environments", environment])
}

/// The manifest as it is in one environment.
struct View<'a> {
    /// The way to what is special about it.
    at: Pointer,
    /// What it is called in a sentence; empty for the base.
    name: String,
    plugins: Plugins,
    /// Every alias, those that the schema refused the rest of included.
    aliases: BTreeSet<&'a str>,
    changes: Option<&'a BTreeMap<Alias, Option<AppliedPluginOverlay>>>,
    references: Option<&'a References>,
    stand_ins: Option<&'a StandIns>,
}

impl<'a> View<'a> {
    fn base(manifest: &Manifest, value: &'a Value) -> Self {
        Self {
            at: Pointer::default(),
            name: String::new(),
            plugins: manifest.plugins.clone(),
            aliases: keys_of(value, &Pointer::keys(["plugins"])),
            changes: None,
            references: None,
            stand_ins: None,
        }
    }

    fn overlays(manifest: &'a Manifest, base: &View<'a>) -> Vec<Self> {
        let environments = manifest.environments.iter().map(|(name, overlay)| Self {
            at: overlay_at(name.as_str()),
            name: format!(" in `{name}`"),
            plugins: merge::overlaid(manifest.plugins.clone(), &overlay.plugins),
            aliases: aliases_with(base, &overlay.plugins),
            changes: Some(&overlay.plugins),
            references: Some(&overlay.references),
            stand_ins: Some(&overlay.stand_ins),
        });
        let previews = manifest.preview.iter().map(|preview| Self {
            at: Pointer::keys(["preview"]),
            name: " in previews".to_owned(),
            plugins: merge::overlaid(merge::merged(manifest, Some(&preview.base)).plugins, &preview.plugins),
            aliases: {
                let below = manifest.environments.get(&preview.base).map(|overlay| aliases_with(base, &overlay.plugins));
                below.unwrap_or_else(|| base.aliases.clone()).into_iter().chain(aliases_with(base, &preview.plugins)).collect()
            },
            changes: Some(&preview.plugins),
            references: Some(&preview.references),
            stand_ins: Some(&preview.stand_ins),
        });
        environments.chain(previews).collect()
    }

    /// Links and `after` of the base.
    fn check_wiring(&self, findings: &mut Vec<Finding>) {
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
        for (index, other) in after.iter().enumerate() {
            let at = at.clone().index(index);
            if other == alias {
                findings.push(Finding::new(at, format!("`{alias}` cannot come after itself")).help("remove it from the list"));
            } else if after.iter().take(index).any(|earlier| earlier == other) {
                findings.push(Finding::new(at, format!("`{other}` is listed twice")).help("keep one of the two"));
            } else if !self.aliases.contains(other.as_str()) {
                findings.push(unknown(at, "applied plugin", other.as_str(), &self.aliases));
            }
        }
    }

    /// What an overlay says, and what its taking away leaves behind.
    fn check_overlay(&self, base: &View, findings: &mut Vec<Finding>) {
        for (alias, change) in self.changes.into_iter().flatten() {
            let at = self.at.clone().key("plugins").key(alias.as_str());
            self.check_change(alias, change.as_ref(), at, base, findings);
        }
        let references = self.references.into_iter().flatten().map(|(slot, _)| (&slot.alias, "references", slot.to_string()));
        let stand_ins = self.stand_ins.into_iter().flatten().map(|(output, _)| (&output.alias, "stand-ins", output.to_string()));
        for (alias, part, key) in references.chain(stand_ins) {
            if !self.aliases.contains(alias.as_str()) {
                let at = self.at.clone().key(part).key(key).at_key();
                findings.push(unknown(at, "applied plugin", alias.as_str(), &self.aliases));
            }
        }
    }

    fn check_change(
        &self,
        alias: &Alias,
        change: Option<&AppliedPluginOverlay>,
        at: Pointer,
        base: &View,
        findings: &mut Vec<Finding>,
    ) {
        let known = base.aliases.contains(alias.as_str()) || self.aliases_below_has(alias);
        match change {
            None if !known => findings.push(unknown(at.at_key(), "applied plugin", alias.as_str(), &base.aliases)),
            None => findings.extend(self.left_behind(alias).map(|(user, slot)| {
                Finding::new(at.clone(), format!("`{alias}` is taken away{}, but `{user}.{slot}` is linked to it", self.name))
                    .help(format!("add `{user}.{slot}` to `references`, or take `{user}` away too"))
            })),
            Some(change) if !known && change.source.is_none() => findings.push(
                unknown(at.at_key(), "applied plugin", alias.as_str(), &base.aliases)
                    .help("to add a plugin here only, say which with `use`"),
            ),
            Some(change) => {
                for (slot, address) in &change.connections {
                    let at = at.clone().key("connections").key(slot.as_str());
                    findings.extend(address.as_ref().and_then(|address| self.check_link(alias, address, at)));
                }
                self.check_after(alias, change.after.as_deref().unwrap_or_default(), &at.key("after"), findings);
            }
        }
    }

    /// Whether the environment that a preview is based on has the alias, though the base has not.
    fn aliases_below_has(&self, alias: &Alias) -> bool {
        self.aliases.contains(alias.as_str()) && self.changes.is_some_and(|changes| !changes.contains_key(alias))
    }

    /// The slots that are linked to an applied plugin and have nothing else in this environment.
    fn left_behind(&self, alias: &Alias) -> impl Iterator<Item = (&Alias, &SlotName)> {
        self.links().filter(move |(_, _, producer)| *producer == alias).map(|(user, slot, _)| (user, slot))
    }

    /// Consumer, slot and producer of each link that holds in this environment (R1).
    fn links(&self) -> impl Iterator<Item = (&Alias, &SlotName, &Alias)> {
        let wired =
            self.plugins.iter().flat_map(|(user, plugin)| plugin.connections.iter().map(move |(slot, to)| (user, slot, to)));
        wired.filter_map(|(user, slot, address)| {
            let (producer, output) = link(address)?;
            let referred = self.references.is_some_and(|all| all.keys().any(|key| key.alias == *user && key.member == *slot));
            let stood_in =
                self.stand_ins.is_some_and(|all| all.keys().any(|key| key.alias == *producer && key.member == *output));
            (!referred && !stood_in).then_some((user, slot, producer))
        })
    }

    fn cycles(&self) -> Vec<Vec<String>> {
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

    fn cycle_finding(&self, cycle: &[String]) -> Finding {
        let way: Vec<&str> = cycle.iter().chain(cycle.first()).map(String::as_str).collect();
        let steps: Vec<(&str, &str)> = way.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect();
        let at = match (self.changes, steps.first()) {
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

fn aliases_with<'a>(base: &View<'a>, changes: &'a BTreeMap<Alias, Option<AppliedPluginOverlay>>) -> BTreeSet<&'a str> {
    let added = changes.iter().filter(|(_, change)| change.as_ref().is_some_and(|change| change.source.is_some()));
    base.aliases.iter().copied().chain(added.map(|(alias, _)| alias.as_str())).collect()
}

fn check_preview(preview: &PreviewPart, base: &View) -> Vec<Finding> {
    let at = |field: &str| Pointer::keys(["preview", field]);
    let mut findings: Vec<Finding> = check_environment_name(&preview.base, at("base")).into_iter().collect();
    if let Some(ttl) = preview.ttl.as_deref().filter(|ttl| !is_duration(ttl)) {
        let message = format!("`{ttl}` is not a length of time");
        findings.push(Finding::new(at("ttl"), message).help("write a whole number and `m`, `h` or `d`, such as `72h`"));
    }
    if let Some(url) = &preview.url {
        let parts: Vec<&str> = url.split('.').collect();
        match parts.as_slice() {
            [alias, output, attribute] if OutputName::new(*output).is_ok() && AttributeName::new(*attribute).is_ok() => {
                let aliases: BTreeSet<&str> =
                    base.aliases.iter().copied().chain(preview.plugins.keys().map(Alias::as_str)).collect();
                if !aliases.contains(alias) {
                    findings.push(unknown(at("url"), "applied plugin", alias, &aliases));
                }
            }
            _ => findings.push(
                Finding::new(at("url"), format!("`{url}` is not an attribute of an output"))
                    .help(format!("write `alias.output.attribute`; the aliases are {}", listed(base.aliases.iter().copied()))),
            ),
        }
    }
    findings
}

fn is_duration(text: &str) -> bool {
    text.strip_suffix(['m', 'h', 'd']).and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number > 0)
}
