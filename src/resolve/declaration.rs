//! What can be checked in the manifest and the plugins alone (R4, R8).

use std::collections::{BTreeMap, BTreeSet};

use super::contract::Contracts;
use super::nearest::suggest;
use super::types::Types;
use super::view::{Placed, View};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::{ContractMismatch, InvalidDocument, LimitExceeded};
use crate::domain::names::{Alias, AttributeName, OutputName, PluginName, SlotName};
use crate::domain::plugin::Slot;

/// Checks that every name leads somewhere and every link joins what fits.
pub(super) fn check(view: &View<'_>, contracts: &Contracts<'_>, types: &Types, problems: &mut Problems) {
    check_overlay(view, contracts, problems);
    check_after(view, problems);
    check_single_use(view, contracts, problems);
    for (alias, applied) in view.deployed() {
        let Some(contract) = contracts.of(applied) else { continue };
        let slots = &contract.loaded.plugin.requires;
        for name in applied.connections.keys().filter(|name| !slots.contains_key(*name)) {
            let problem = Diagnostic::error(InvalidDocument, format!("`{alias}` has no slot `{name}`"));
            let problem = suggest(problem, name.as_str(), slots.keys().map(SlotName::as_str));
            problems.push(problem.placed(view.at_connection(alias, name)));
        }
        for (name, slot) in slots {
            let Some((producer, output)) = view.effective_link(alias, name) else { continue };
            if view.stand_in(&producer, &output).is_some() {
                continue;
            }
            let checked = check_link(view, contracts, types, (alias, name, slot), (&producer, &output));
            problems.0.extend(checked.into_iter().map(|problem| problem.placed(view.at_connection(alias, name))));
        }
    }
}

/// What each applied plugin comes after, as far as the manifest says.
pub(super) fn links(view: &View<'_>) -> BTreeMap<Alias, BTreeSet<Alias>> {
    let of = |(alias, applied): (&Alias, &crate::domain::manifest::AppliedPlugin)| {
        let linked = applied.connections.keys().filter_map(|slot| Some(view.effective_link(alias, slot)?.0));
        (alias.clone(), linked.chain(applied.after.iter().cloned()).collect())
    };
    view.deployed().map(of).collect()
}

/// Why a link cannot be: the producer, its output, or the contract is not there.
pub(super) fn check_link(
    view: &View<'_>,
    contracts: &Contracts<'_>,
    types: &Types,
    (consumer, name, slot): (&Alias, &SlotName, &Slot),
    (producer, output): (&Alias, &OutputName),
) -> Option<Diagnostic> {
    let Some(applied) = view.merged.plugins.get(producer) else { return Some(no_such_alias(view, producer)) };
    let contract = contracts.of(applied)?;
    let Some(faces) = contract.faces.get(output) else {
        let problem = Diagnostic::error(InvalidDocument, format!("`{producer}` has no output `{output}`"));
        return Some(suggest(problem, output.as_str(), contract.faces.keys().map(OutputName::as_str)));
    };
    let of_type: Vec<_> = faces.iter().filter(|face| types.same(&face.connection_type.name, &slot.type_name)).collect();
    let mismatch = |why: String| {
        let message = format!("slot `{consumer}.{name}` cannot take `{producer}.{output}`: {why}");
        Diagnostic::error(ContractMismatch, message)
    };
    if of_type.is_empty() {
        let found = listed(faces.iter().map(|face| &*face.connection_type));
        // Without a face the output's own types are broken, which was said.
        return (!faces.is_empty()).then(|| mismatch(format!("it needs a `{}`, and that is a {found}", slot.type_name)));
    }
    let in_range = of_type.iter().filter(|face| slot.accepts(&face.connection_type.version));
    let Some(face) = in_range.max_by_key(|face| &face.connection_type.version) else {
        let found = listed(of_type.iter().map(|face| &*face.connection_type));
        return Some(mismatch(format!("it needs {}, and that is a {found}", slot.wanted())));
    };
    let sensitive = face.connection_type.sensitive();
    let handed: BTreeSet<&AttributeName> = face.from.keys().filter(|attribute| sensitive.contains(*attribute)).collect();
    let lacking: Vec<&str> =
        slot.sensitive.iter().filter(|attribute| !handed.contains(attribute)).map(AttributeName::as_str).collect();
    (!lacking.is_empty())
        .then(|| mismatch(format!("it needs the sensitive `{}`, which is not published", lacking.join("`, `"))))
}

/// A slot's range, as checks use it.
pub(super) trait Range {
    /// Whether a type's version is in the slot's range.
    fn accepts(&self, version: &semver::Version) -> bool;
    /// The type and range in words.
    fn wanted(&self) -> String;
}

impl Range for Slot {
    fn accepts(&self, version: &semver::Version) -> bool {
        self.version.as_ref().is_none_or(|range| range.matches(version))
    }

    fn wanted(&self) -> String {
        match &self.version {
            Some(range) => format!("a `{}` in `{range}`", self.type_name),
            None => format!("a `{}`", self.type_name),
        }
    }
}

fn listed<'a>(types: impl Iterator<Item = &'a ConnectionType>) -> String {
    types.map(|one| format!("`{}` {}", one.name, one.version)).collect::<Vec<_>>().join(" and ")
}

/// Says that an alias leads nowhere.
pub(super) fn no_such_alias(view: &View<'_>, alias: &Alias) -> Diagnostic {
    let problem = Diagnostic::error(InvalidDocument, format!("there is no applied plugin `{alias}`"));
    match (view.written.plugins.contains_key(alias), view.environment) {
        (true, Some(environment)) => problem.note(format!("environment `{environment}` leaves it out")),
        _ => suggest(problem, alias.as_str(), view.merged.plugins.keys().map(Alias::as_str)),
    }
}

fn check_overlay(view: &View<'_>, contracts: &Contracts<'_>, problems: &mut Problems) {
    let Some(overlay) = view.overlay() else { return };
    for (alias, patch) in &overlay.plugins {
        let brings_its_own = patch.as_ref().is_some_and(|patch| patch.source.is_some());
        if !brings_its_own && !view.written.plugins.contains_key(alias) {
            problems.push(no_such_alias(view, alias).placed(view.at_patch(alias)));
        }
    }
    for (of, address) in &overlay.references {
        let problem = match view.merged.plugins.get(&of.alias) {
            None => Some(no_such_alias(view, &of.alias)),
            Some(applied) => contracts.of(applied).and_then(|contract| {
                let slots = &contract.loaded.plugin.requires;
                let message = format!("`{}` has no slot `{}`", of.alias, of.member);
                let problem = || Diagnostic::error(InvalidDocument, message);
                (!slots.contains_key(&of.member))
                    .then(|| suggest(problem(), of.member.as_str(), slots.keys().map(SlotName::as_str)))
            }),
        };
        let own = view.own(address).map(|_| {
            Diagnostic::error(InvalidDocument, format!("`{address}` is not elsewhere: it is an output of this deployable"))
                .help(format!("make it a link, under `plugins.{}.connections`", of.alias))
        });
        problems.0.extend(problem.or(own).map(|problem| problem.placed(view.at_reference(of))));
    }
    for (of, address) in &overlay.stand_ins {
        let problem = match view.merged.plugins.get(&of.alias) {
            None => Some(no_such_alias(view, &of.alias)),
            Some(applied) => contracts.of(applied).and_then(|contract| {
                let outputs = &contract.loaded.plugin.generates;
                let message = format!("`{}` has no output `{}`", of.alias, of.member);
                let problem = || Diagnostic::error(InvalidDocument, message);
                (!outputs.contains_key(&of.member))
                    .then(|| suggest(problem(), of.member.as_str(), outputs.keys().map(OutputName::as_str)))
            }),
        };
        let own = view.own(address).map(|_| {
            Diagnostic::error(InvalidDocument, format!("`{address}` is not elsewhere: it is an output of this deployable"))
                .help("name a connection of another deployable, or an imported one")
        });
        problems.0.extend(problem.or(own).map(|problem| problem.placed(view.at_stand_in(of))));
    }
}

fn check_after(view: &View<'_>, problems: &mut Problems) {
    for (alias, applied) in view.deployed() {
        for (index, earlier) in applied.after.iter().enumerate() {
            if !view.merged.plugins.contains_key(earlier) {
                problems.push(no_such_alias(view, earlier).placed(view.at_after(alias, index)));
            }
        }
    }
}

fn check_single_use(view: &View<'_>, contracts: &Contracts<'_>, problems: &mut Problems) {
    let mut first: BTreeMap<&PluginName, &Alias> = BTreeMap::new();
    for (alias, applied) in view.deployed() {
        let Some(contract) = contracts.of(applied) else { continue };
        let plugin = &contract.loaded.plugin;
        if !plugin.limits.single_use {
            continue;
        }
        if let Some(earlier) = first.get(&plugin.name) {
            let message = format!("the plugin `{}` may be used only once: `{earlier}` uses it already", plugin.name);
            problems.push(Diagnostic::error(LimitExceeded, message).placed(view.at_source(alias)));
        } else {
            first.insert(&plugin.name, alias);
        }
    }
}
