//! Plugins of several steps: each step is applied for itself, with a state of its own, one after the other, and taken away in the
//! reverse order.
//!
//! Of a plugin under the alias `cluster`, the step that publishes keeps that alias; another one, in the folder `addons`, is applied
//! as `cluster--addons`, and its source has `#addons` behind it.

use std::collections::{BTreeMap, BTreeSet};

use super::address::{AliasMember, PartialAddress, PartialTarget};
use super::diagnostic::{Diagnostic, Problems};
use super::failure::FailureReason;
use super::foreign::Foreign;
use super::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use super::names::{Alias, OutputName};
use super::plugin::Plugin;

/// A source's text in its parts: the plugin's, and the step's folder where one is named.
pub fn step_of(used: &str) -> (&str, Option<&str>) {
    match used.rsplit_once('#') {
        Some((plugin, step)) => (plugin, Some(step)),
        None => (used, None),
    }
}

/// The text that names a plugin of a folder: that of the folder, and the step where there are several.
pub fn used(folder: &str, plugin: &Plugin) -> String {
    match step(plugin) {
        Some(step) => format!("{folder}#{step}"),
        None => folder.to_owned(),
    }
}

/// The step that a plugin is, where its bundle has several.
fn step(plugin: &Plugin) -> Option<&str> {
    match &plugin.foreign {
        Some(Foreign::Massdriver(bundle)) if bundle.steps.len() > 1 => Some(&bundle.step),
        _ => None,
    }
}

/// The alias in the manifest of what is applied under this one.
pub fn main_of(alias: &Alias, plugin: &Plugin) -> Alias {
    let end = step(plugin).map(|step| format!("--{}", step.to_lowercase().replace('_', "-")));
    let main = end.and_then(|end| alias.as_str().strip_suffix(&end).map(str::to_owned));
    main.and_then(|main| Alias::new(main).ok()).unwrap_or_else(|| alias.clone())
}

/// Picks the plugin that a source's text means out of those of its folder.
pub fn pick<'a, T>(used: &str, plugins: &'a [(Plugin, T)]) -> Option<&'a (Plugin, T)> {
    match step_of(used).1 {
        Some(wanted) => plugins.iter().find(|(plugin, _)| step(plugin) == Some(wanted)),
        None => plugins.first(),
    }
}

/// One step of an applied plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// What it is applied as.
    alias: Alias,
    /// Its source.
    used: String,
    /// What it publishes.
    outputs: BTreeSet<OutputName>,
}

/// The applied plugins of several steps, by the alias in the manifest, each in the order of its steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequences(BTreeMap<Alias, Vec<Part>>);

impl Sequences {
    /// Finds them: `several` has the plugins of more than one step, by the text after `use:`.
    ///
    /// # Errors
    /// Aliases that the steps would need and that are taken or too long.
    pub fn of(manifest: &Manifest, several: &BTreeMap<String, Vec<Plugin>>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut sequences = BTreeMap::new();
        for (alias, sources) in sources(manifest) {
            let Some((used, plugins)) = sources.iter().find_map(|used| several.get_key_value(*used)) else { continue };
            if sources.len() > 1 {
                let message = format!("`{alias}` is another plugin in some environments, and one of them has several steps");
                problems.push(refused(message).help("apply the two under aliases of their own"));
                continue;
            }
            let main = plugins.iter().position(|plugin| !plugin.generates.is_empty()).unwrap_or(plugins.len() - 1);
            let mut parts = Vec::new();
            for (position, plugin) in plugins.iter().enumerate() {
                let name = if position == main { Ok(alias.clone()) } else { sub_alias(alias, step(plugin).unwrap_or_default()) };
                match name {
                    Ok(name) if position != main && manifest.plugins.contains_key(&name) => {
                        problems.push(refused(format!("a step of `{alias}` is applied as `{name}`, which is taken")));
                    }
                    Ok(name) => parts.push(Part {
                        alias: name,
                        used: self::used(used, plugin),
                        outputs: plugin.generates.keys().cloned().collect(),
                    }),
                    Err(problem) => problems.push(refused(problem).help("apply the plugin under a shorter alias")),
                }
            }
            sequences.insert(alias.clone(), parts);
        }
        if problems.any_error() { Err(problems) } else { Ok(Self(sequences)) }
    }

    /// The manifest with every step as an applied plugin.
    #[must_use]
    pub fn applied(&self, manifest: &Manifest) -> Manifest {
        if self.0.is_empty() {
            return manifest.clone();
        }
        let mut applied = manifest.clone();
        applied.plugins = self.spread(&manifest.plugins, |part, before, plugin: &AppliedPlugin| AppliedPlugin {
            source: part.map_or_else(|| plugin.source.clone(), |part| part.used.clone()),
            connections: plugin.connections.iter().map(|(slot, address)| (slot.clone(), self.led(address))).collect(),
            after: self.after(&plugin.after, plugin.connections.values(), before),
            ..plugin.clone()
        });
        for overlay in applied.environments.values_mut() {
            self.change(overlay);
        }
        if let Some(preview) = &mut applied.preview {
            let mut overlay = preview.overlay();
            self.change(&mut overlay);
            (preview.plugins, preview.references, preview.stand_ins) = (overlay.plugins, overlay.references, overlay.stand_ins);
        }
        applied
    }

    /// The same values for every step of the applied plugins that they are for.
    pub fn given<M: Clone + Ord, V: Clone>(&self, values: BTreeMap<AliasMember<M>, V>) -> BTreeMap<AliasMember<M>, V> {
        let mut given = BTreeMap::new();
        for (of, value) in values {
            for alias in self.aliases(&of.alias) {
                given.insert(AliasMember { alias, member: of.member.clone() }, value.clone());
            }
        }
        given
    }

    /// What an alias of the manifest is applied as.
    pub fn aliases(&self, alias: &Alias) -> Vec<Alias> {
        match self.0.get(alias) {
            Some(parts) => parts.iter().map(|part| part.alias.clone()).collect(),
            None => vec![alias.clone()],
        }
    }

    fn change(&self, overlay: &mut Overlay) {
        let plugins = std::mem::take(&mut overlay.plugins);
        overlay.plugins = self.spread(&plugins, |part, before, changed: &Option<AppliedPluginOverlay>| {
            let changed = changed.as_ref()?;
            let links: Vec<PartialAddress> = changed.connections.values().flatten().cloned().collect();
            let after = self.after(changed.after.as_deref().unwrap_or_default(), links.iter(), before);
            Some(AppliedPluginOverlay {
                source: changed.source.as_ref().map(|source| part.map_or_else(|| source.clone(), |part| part.used.clone())),
                inputs: changed.inputs.clone(),
                connections: changed
                    .connections
                    .iter()
                    .map(|(slot, address)| (slot.clone(), address.as_ref().map(|address| self.led(address))))
                    .collect(),
                after: changed.after.as_ref().map(|_| after),
            })
        });
        overlay.references = self.given(std::mem::take(&mut overlay.references));
        overlay.references.values_mut().for_each(|address| *address = self.led(address));
        let stand_ins = std::mem::take(&mut overlay.stand_ins);
        overlay.stand_ins = stand_ins
            .into_iter()
            .map(|(of, address)| (AliasMember { alias: self.publisher(&of.alias, &of.member), member: of.member }, address))
            .collect();
    }

    /// Every entry once for each step; `make` is told the step and the alias of the one before it.
    fn spread<V, W>(
        &self,
        entries: &BTreeMap<Alias, V>,
        make: impl Fn(Option<&Part>, Option<&Alias>, &V) -> W,
    ) -> BTreeMap<Alias, W> {
        let mut spread = BTreeMap::new();
        for (alias, value) in entries {
            let Some(parts) = self.0.get(alias) else {
                spread.insert(alias.clone(), make(None, None, value));
                continue;
            };
            for (position, part) in parts.iter().enumerate() {
                let before = position.checked_sub(1).map(|before| &parts[before].alias);
                spread.insert(part.alias.clone(), make(Some(part), before, value));
            }
        }
        spread
    }

    /// What comes first: the step before, and of those that are named or linked all steps.
    fn after<'a>(&self, named: &[Alias], links: impl Iterator<Item = &'a PartialAddress>, before: Option<&Alias>) -> Vec<Alias> {
        let linked = links.filter_map(|address| match &address.target {
            PartialTarget::Output { deployable: None, alias, .. } => self.0.get(alias)?.last().map(|part| part.alias.clone()),
            _ => None,
        });
        let named = named.iter().map(|alias| self.0.get(alias).and_then(|parts| parts.last()).map_or(alias, |part| &part.alias));
        let mut after: Vec<Alias> = Vec::new();
        for alias in named.cloned().chain(linked).chain(before.cloned()) {
            if !after.contains(&alias) {
                after.push(alias);
            }
        }
        after
    }

    /// A link, to the step that publishes what it names.
    fn led(&self, address: &PartialAddress) -> PartialAddress {
        let mut led = address.clone();
        if let PartialTarget::Output { deployable: None, alias, output } = &mut led.target {
            *alias = self.publisher(alias, output);
        }
        led
    }

    /// The step of an applied plugin that publishes this.
    fn publisher(&self, alias: &Alias, output: &OutputName) -> Alias {
        let parts = self.0.get(alias).into_iter().flatten();
        parts.filter(|part| part.outputs.contains(output)).map(|part| part.alias.clone()).next().unwrap_or_else(|| alias.clone())
    }
}

/// The sources that each alias has, in whichever environment.
fn sources(manifest: &Manifest) -> BTreeMap<&Alias, BTreeSet<&str>> {
    let mut sources: BTreeMap<&Alias, BTreeSet<&str>> = BTreeMap::new();
    for (alias, applied) in &manifest.plugins {
        sources.entry(alias).or_default().insert(&applied.source);
    }
    let overlays = manifest.environments.values().map(|overlay| &overlay.plugins);
    for (alias, changed) in overlays.chain(manifest.preview.iter().map(|preview| &preview.plugins)).flatten() {
        if let Some(source) = changed.as_ref().and_then(|changed| changed.source.as_deref()) {
            sources.entry(alias).or_default().insert(source);
        }
    }
    sources
}

fn sub_alias(alias: &Alias, step: &str) -> Result<Alias, String> {
    Alias::new(format!("{alias}--{}", step.to_lowercase().replace('_', "-"))).map_err(|problem| problem.to_string())
}

fn refused(message: String) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidDocument, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::foreign::Bundle;

    fn steps() -> BTreeMap<String, Vec<Plugin>> {
        let step = |step: &str, outputs: &[&str]| {
            let generates: serde_json::Map<_, _> =
                outputs.iter().map(|output| ((*output).to_owned(), json!({"type": "t", "from": {"a": "a"}}))).collect();
            let mut plugin: Plugin = serde_json::from_value(json!({
                "apiVersion": "tieline/v1", "kind": "Plugin", "name": "eks", "version": "1.0.0", "generates": generates,
            }))
            .unwrap();
            let steps = ["base", "src", "core_addons"].map(str::to_owned).to_vec();
            plugin.foreign = Some(Foreign::Massdriver(Box::new(Bundle { step: step.to_owned(), steps, ..Bundle::default() })));
            plugin
        };
        BTreeMap::from([(
            "./eks".to_owned(),
            vec![step("base", &[]), step("src", &["cluster"]), step("core_addons", &["ingress"])],
        )])
    }

    fn manifest(plugins: &serde_json::Value) -> Manifest {
        serde_json::from_value(json!({
            "apiVersion": "tieline/v1", "kind": "Application", "name": "shop", "plugins": plugins,
            "environments": {"production": {
                "plugins": {"eks": {"inputs": {"size": 3}}}, "references": {"eks.network": "network/vpc.vpc"},
                "stand-ins": {"eks.ingress": "imported/ingress"},
            }},
        }))
        .unwrap()
    }

    #[test]
    fn each_step_is_applied_after_the_one_before_and_users_come_after_all_of_them() {
        let manifest = manifest(&json!({
            "eks": {"use": "./eks", "inputs": {"name": "x"}, "after": ["dns"]},
            "dns": {"use": "./dns"},
            "web": {"use": "./web", "connections": {"cluster": "eks.cluster", "ingress": "eks.ingress"}},
        }));
        let sequences = Sequences::of(&manifest, &steps()).unwrap();
        let applied = serde_json::to_value(sequences.applied(&manifest)).unwrap();
        assert_eq!(
            applied["plugins"],
            json!({
                "dns": {"use": "./dns"},
                "eks--base": {"use": "./eks#base", "inputs": {"name": "x"}, "after": ["dns"]},
                "eks": {"use": "./eks#src", "inputs": {"name": "x"}, "after": ["dns", "eks--base"]},
                "eks--core-addons": {"use": "./eks#core_addons", "inputs": {"name": "x"}, "after": ["dns", "eks"]},
                "web": {
                    "use": "./web", "connections": {"cluster": "eks.cluster", "ingress": "eks--core-addons.ingress"},
                    "after": ["eks--core-addons"],
                },
            })
        );
        let production = &applied["environments"]["production"];
        assert_eq!(production["plugins"]["eks--core-addons"], json!({"inputs": {"size": 3}}));
        assert_eq!(production["references"]["eks--base.network"], json!("network/vpc.vpc"));
        assert_eq!(production["stand-ins"], json!({"eks--core-addons.ingress": "imported/ingress"}));
        assert_eq!(main_of(&Alias::new("eks--core-addons").unwrap(), &steps()["./eks"][2]).as_str(), "eks");
    }

    #[test]
    fn a_name_that_a_step_needs_must_be_free() {
        let manifest = manifest(&json!({"eks": {"use": "./eks"}, "eks--base": {"use": "./dns"}}));
        let refused = Sequences::of(&manifest, &steps()).unwrap_err();
        assert_eq!(refused.0[0].message, "a step of `eks` is applied as `eks--base`, which is taken");
        let long = "e".repeat(60);
        let manifest = self::manifest(&json!({long: {"use": "./eks"}}));
        assert!(Sequences::of(&manifest, &steps()).is_err());
    }
}
