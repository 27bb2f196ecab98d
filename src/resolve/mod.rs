//! Resolving a deployable for one environment: every input and slot gets its value, or a problem that says why not.
//!
//! A pure function of what the caller has read: same in, same out (R5). The rules are R1 to R9, R15, R22, R42, R43 and R46.

mod assumed;
mod bundle;
mod check;
mod consumers;
mod contract;
mod declaration;
mod difference;
mod explain;
pub mod grants;
mod graph;
mod imported;
mod nearest;
mod schema;
mod settled;
mod slots;
mod taken;
mod types;
mod values;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::domain::address::{Address, AliasMember, PartialAddress, Place};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::deployment::{Choice, Deployment, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::{DeployableKind, Manifest};
use crate::domain::names::{Alias, EnvironmentName, InputName, OutputName, WorkspaceName};
use crate::domain::organization::{Environment, ImportedConnection, Limits, Workspace};
use crate::domain::overlay::{Seen, merged};
use crate::domain::plugin::Plugin;
use crate::domain::record::{AppliedRecord, ResolvedSource, StateLocation};

pub use assumed::assumed;
pub use difference::differences;
pub use explain::{Row, Subject, explain, to_text};
pub use graph::{Cycle, Graph};
pub use imported::{record as imported_record, shortcomings as imported_shortcomings};
pub use schema::{Schema, Violation};
pub use settled::settled;
pub use types::Types;

use contract::Contracts;
use nearest::suggest;
use slots::Slots;
use view::{Placed, View};

/// A plugin, read from its source.
#[derive(Debug, Clone)]
pub struct LoadedPlugin {
    /// Its document.
    pub plugin: Arc<Plugin>,
    /// Where it came from.
    pub source: ResolvedSource,
    /// Its document's file, as people know it.
    pub file: String,
}

/// Everything the resolver reads.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Where the deployable goes.
    pub place: Place,
    /// The environment that this one is a preview on top of.
    pub base: Option<&'a EnvironmentName>,
    /// The manifest's file, as people know it.
    pub file: &'a str,
    /// The manifest as it is written, overlays not merged.
    pub manifest: &'a Manifest,
    /// The workspace's document.
    pub workspace: &'a Workspace,
    /// The environment's document.
    pub environment: &'a Environment,
    /// The plugins, by the text after `use:`.
    pub plugins: &'a BTreeMap<String, LoadedPlugin>,
    /// The connection interface types.
    pub types: &'a Types,
    /// What was read from the context.
    pub context: &'a ContextView,
    /// The run's inputs.
    pub run_inputs: &'a BTreeMap<AliasMember<InputName>, Value>,
    /// The names of the sensitive inputs that the run was given.
    pub secrets: &'a BTreeSet<AliasMember<InputName>>,
    /// The organization's limits.
    pub limits: &'a Limits,
    /// Whether new bindings to degraded connections are accepted.
    pub allow_degraded: bool,
    /// The applied plugins that are given up.
    pub abandoned: &'a [Alias],
}

impl Inputs<'_> {
    /// What an address as it is written means, wherever that is by now.
    fn address(&self, written: &PartialAddress) -> Address {
        let address = self.named(written);
        self.context.redirects.get(&address).cloned().unwrap_or(address)
    }

    /// What an address as it is written names.
    fn named(&self, written: &PartialAddress) -> Address {
        named(written, &self.place, self.base)
    }
}

/// What was read from the context for one resolution.
#[derive(Debug, Clone, Default)]
pub struct ContextView {
    /// Published connections: at least those [`wanted`] names that exist.
    pub connections: BTreeMap<Address, ConnectionRecord>,
    /// Where connections are that were moved, by the addresses that documents still name.
    pub redirects: BTreeMap<Address, Address>,
    /// Imported connections: likewise.
    pub imported: BTreeMap<Address, ImportedConnection>,
    /// Where the producers' states are.
    pub states: BTreeMap<(Place, Alias), StateLocation>,
    /// The workspaces that own the connections.
    pub workspaces: BTreeMap<WorkspaceName, Workspace>,
    /// What the producers are; one that is not here counts as an application.
    pub kinds: BTreeMap<Place, DeployableKind>,
    /// The deployable's own applied records in this environment.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// Who is bound to the deployable's own published connections.
    pub consumers: BTreeMap<Address, Vec<ConsumerEntry>>,
    /// The environments that exist, to name the one that was probably meant.
    pub environments: BTreeMap<WorkspaceName, BTreeSet<EnvironmentName>>,
}

/// A deployable, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Every input and slot.
    pub deployment: Deployment,
    /// The order of its applied plugins.
    pub graph: Graph<Alias>,
    /// What is worth reading and stops nothing.
    pub warnings: Problems,
}

/// What an address as it is written names at this place, which is in a preview if there is a base.
fn named(written: &PartialAddress, place: &Place, base: Option<&EnvironmentName>) -> Address {
    match base {
        Some(base) => written.seen_from_preview(&place.deployable, base).within(place),
        None => written.within(place),
    }
}

/// The addresses that resolution may read, so that they can be read in one go before it.
pub fn wanted(
    manifest: &Manifest,
    environment: &Environment,
    place: &Place,
    base: Option<&EnvironmentName>,
) -> BTreeSet<Address> {
    let merged = merged(manifest, Seen::from(&place.environment, base));
    let overlay = merged.environments.get(&place.environment);
    let connections = merged.plugins.values().flat_map(|applied| applied.connections.values());
    let references = overlay.into_iter().flat_map(|overlay| overlay.references.values());
    let stand_ins = overlay.into_iter().flat_map(|overlay| overlay.stand_ins.values());
    connections
        .chain(references)
        .chain(stand_ins)
        .chain(environment.defaults.values())
        .map(|address| named(address, place, base))
        .filter(|address| address.producer().as_ref() != Some(place))
        .collect()
}

/// Checks the documents alone, for every environment that the manifest has an overlay for, and for previews (R8).
pub fn declaration(file: &str, manifest: &Manifest, plugins: &BTreeMap<String, LoadedPlugin>, types: &Types) -> Problems {
    let mut problems = Problems::default();
    let mut contracts = Contracts::default();
    let previews = manifest.preview.iter().map(|preview| Seen::Preview { name: None, base: &preview.base });
    for seen in std::iter::once(Seen::Plain).chain(manifest.environments.keys().map(Seen::In)).chain(previews) {
        let view = View::new(file, manifest, seen, None);
        let mut found = Problems::default();
        contracts.read(&view, plugins, types, &mut found);
        declaration::check(&view, &contracts, types, &mut found);
        values::check_offline(&view, &contracts, &mut found);
        let links = declaration::links(&view);
        found.extend(order(&view, links).err().unwrap_or_default());
        // What is wrong in the manifest itself comes up again in each environment.
        found.0.retain(|problem| !problems.0.contains(problem));
        problems.extend(found);
    }
    problems
}

/// Resolves every input and slot.
///
/// # Errors
/// Every problem that was found, warnings included, when at least one of them is an error.
pub fn resolve(inputs: &Inputs<'_>) -> Result<Resolved, Problems> {
    let mut problems = Problems::default();
    let seen = Seen::from(&inputs.place.environment, inputs.base);
    let view = View::new(inputs.file, inputs.manifest, seen, Some(&inputs.place));
    let mut contracts = Contracts::default();
    contracts.read(&view, inputs.plugins, inputs.types, &mut problems);
    declaration::check(&view, &contracts, inputs.types, &mut problems);
    values::check_names(inputs, &view, &contracts, &mut problems);
    check_environments(inputs, &view, &mut problems);
    check_limits(inputs, &view, &mut problems);
    check_stand_ins(inputs, &view, &mut problems);

    let mut plugins = applied_plugins(inputs, &view, &contracts, &mut problems);
    consumers::check(inputs, &view, &plugins, &mut problems);
    let graph = order(&view, dependencies(&view, &plugins)).unwrap_or_else(|cycle| {
        problems.extend(cycle);
        Graph::default()
    });
    if problems.any_error() {
        return Err(problems);
    }
    for (alias, resolved) in &mut plugins {
        resolved.depends_on = graph.dependencies(alias).cloned().collect();
    }
    let stand_in = |(of, address): (&AliasMember<OutputName>, &PartialAddress)| {
        ((of.alias.clone(), of.member.clone()), inputs.address(address))
    };
    let deployment = Deployment {
        place: inputs.place.clone(),
        kind: inputs.manifest.kind,
        environment: inputs.environment.clone(),
        stand_ins: view.stand_ins().map(stand_in).collect(),
        manifest: view.merged,
        file: inputs.file.to_owned(),
        plugins,
    };
    Ok(Resolved { deployment, graph, warnings: problems })
}

fn applied_plugins(
    inputs: &Inputs<'_>,
    view: &View<'_>,
    contracts: &Contracts<'_>,
    problems: &mut Problems,
) -> BTreeMap<Alias, ResolvedPlugin> {
    let slots = Slots::new(inputs, view, contracts, problems);
    let mut plugins = BTreeMap::new();
    for (alias, applied) in view.deployed() {
        let Some(contract) = contracts.of(applied) else { continue };
        let resolved = ResolvedPlugin {
            plugin: Arc::clone(&contract.loaded.plugin),
            source: contract.loaded.source.clone(),
            inputs: values::resolve(inputs, view, alias, contract, problems),
            slots: slots.resolve(alias, contract, problems),
            outputs: contract.faces.clone(),
            depends_on: BTreeSet::new(),
        };
        plugins.insert(alias.clone(), resolved);
    }
    plugins
}

/// What each applied plugin comes after: by link, or because it says so.
fn dependencies(view: &View<'_>, plugins: &BTreeMap<Alias, ResolvedPlugin>) -> BTreeMap<Alias, BTreeSet<Alias>> {
    let of = |(alias, resolved): (&Alias, &ResolvedPlugin)| {
        let linked = resolved.slots.values().filter_map(|slot| match &slot.choice {
            Choice::Link { alias, .. } => Some(alias.clone()),
            _ => None,
        });
        let after = view.merged.plugins.get(alias).into_iter().flat_map(|applied| applied.after.iter().cloned());
        (alias.clone(), linked.chain(after).collect())
    };
    plugins.iter().map(of).collect()
}

/// Orders the applied plugins, or says which of them wait for one another (R4).
fn order(view: &View<'_>, dependencies: BTreeMap<Alias, BTreeSet<Alias>>) -> Result<Graph<Alias>, Problems> {
    Graph::new(dependencies).map_err(|cycle| {
        let message = format!("the applied plugins wait for one another: `{cycle}`");
        let problem = Diagnostic::error(FailureReason::InvalidDocument, message)
            .help("take one of these links, or one of their `after` entries, away");
        Problems::from(Diagnostic { origin: cycle.0.first().map(|alias| view.at_alias(alias)), ..problem })
    })
}

/// Refuses stand-ins for what is deployed: it must go first, or be given up (R46).
fn check_stand_ins(inputs: &Inputs<'_>, view: &View<'_>, problems: &mut Problems) {
    let is_deployed = |alias: &Alias| inputs.context.applied.contains_key(alias) && !inputs.abandoned.contains(alias);
    for (of, _) in view.stand_ins().filter(|(of, _)| is_deployed(&of.alias)) {
        let message = format!("`{}` is deployed in `{}`: nothing can stand in for it", of.alias, inputs.place);
        let way = format!(
            "take `{0}` out of this environment and deploy, which destroys it; or give it up with `--abandon {0}` and a `--reason`",
            of.alias
        );
        problems.push(Diagnostic::error(FailureReason::InvalidDocument, message).help(way).placed(view.at_stand_in(of)));
    }
}

/// Warns of overlays for environments that do not exist: what they say would never hold.
fn check_environments(inputs: &Inputs<'_>, view: &View<'_>, problems: &mut Problems) {
    let Some(known) = inputs.context.environments.get(&inputs.place.workspace) else { return };
    for name in inputs.manifest.environments.keys().filter(|name| !known.contains(*name)) {
        let message = format!("workspace `{}` has no environment `{name}`", inputs.place.workspace);
        let problem = Diagnostic::warning(FailureReason::InvalidDocument, message);
        let problem = suggest(problem, name.as_str(), known.iter().map(EnvironmentName::as_str));
        problems.push(problem.placed(view.at(Pointer::keys(["environments", name.as_str()]).at_key())));
    }
}

fn check_limits(inputs: &Inputs<'_>, view: &View<'_>, problems: &mut Problems) {
    let count = view.deployed().count();
    let limits = [
        (inputs.workspace.limits.max_plugins, format!("workspace `{}`", inputs.place.workspace), inputs.workspace_file()),
        (inputs.limits.max_plugins, "the organization".to_owned(), "context:context.yaml".to_owned()),
    ];
    for (limit, whose, file) in limits {
        if let Some(limit) = limit.filter(|limit| count > *limit as usize) {
            let message = format!("{count} applied plugins are more than {whose} allows a deployable to have: {limit}");
            problems.push(
                Diagnostic::error(FailureReason::LimitExceeded, message)
                    .at(inputs.file, Pointer::keys(["plugins"]).at_key())
                    .note(format!("it is `limits.max-plugins` in {file}"))
                    .help("make two deployables of it that share connections, or ask for a higher limit"),
            );
        }
    }
}

impl Inputs<'_> {
    /// The environment whose document it is: of a preview, its base.
    fn standing(&self) -> &EnvironmentName {
        self.base.unwrap_or(&self.place.environment)
    }

    /// The environment's document, as people know it.
    fn environment_file(&self) -> String {
        format!("context:workspaces/{}/environments/{}.yaml", self.place.workspace, self.standing())
    }

    /// The workspace's document, as people know it.
    fn workspace_file(&self) -> String {
        format!("context:workspaces/{}/workspace.yaml", self.place.workspace)
    }
}
