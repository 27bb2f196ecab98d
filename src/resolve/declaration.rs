//! What can be checked in the manifest and the plugins alone (R4, R8).

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{Contract, Contracts};
use super::nearest::suggest;
use super::taken::{Taken, link_shortcomings, taken};
use super::types::Types;
use super::view::{Placed, View, in_patch};
use crate::domain::address::{AliasMember, PartialAddress};
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::{ContractMismatch, InvalidDocument, LimitExceeded};
use crate::domain::manifest::AppliedPlugin;
use crate::domain::names::{Alias, AttributeName, OutputName, PluginName, SlotName};
use crate::domain::plugin::Slot;

/// Checks that every name leads somewhere and every link joins what fits.
pub(super) fn check(view: &View<'_>, contracts: &Contracts<'_>, types: &Types, problems: &mut Problems) {
    check_overlay(view, contracts, problems);
    check_preview_link(view, contracts, problems);
    check_after(view, problems);
    check_single_use(view, contracts, problems);
    for (alias, applied) in view.deployed() {
        let Some(contract) = contracts.of(applied) else { continue };
        let slots = &contract.loaded.plugin.requires;
        for (name, address) in &applied.connections {
            let unknown = (!slots.contains_key(name)).then(|| no_such_slot(alias, name, contract));
            let problem = unknown.or_else(|| pinned_link(view, address));
            problems.0.extend(problem.map(|problem| problem.placed(view.at_connection(alias, name))));
        }
        for (name, slot) in contract.known_slots(types) {
            let link = view.effective_link(alias, name).filter(|of| view.stand_in(of).is_none());
            let problem = link.and_then(|of| check_link(view, contracts, types, (alias, name, slot), &of));
            problems.0.extend(problem.map(|problem| problem.placed(view.at_connection(alias, name))));
        }
    }
}

fn pinned_link(view: &View<'_>, address: &PartialAddress) -> Option<Diagnostic> {
    let own = view.own(address).filter(|_| address.generation.is_some())?;
    let message = format!("a link takes what this run makes: `{address}` cannot ask for a generation");
    Some(Diagnostic::error(InvalidDocument, message).help(format!("write `{own}`")))
}

/// What each applied plugin comes after, as far as the manifest says.
pub(super) fn links(view: &View<'_>) -> BTreeMap<Alias, BTreeSet<Alias>> {
    let of = |(alias, applied): (&Alias, &AppliedPlugin)| {
        let linked = applied.connections.keys().filter_map(|slot| Some(view.effective_link(alias, slot)?.alias));
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
    of: &AliasMember<OutputName>,
) -> Option<Diagnostic> {
    let Some(applied) = view.merged.plugins.get(&of.alias) else { return Some(no_such_alias(view, &of.alias)) };
    let contract = contracts.of(applied)?;
    let Some(faces) = contract.faces.get(&of.member) else { return Some(no_such_output(of, contract)) };
    if view.is_stood_in(&of.alias) {
        let message = format!("`{}` is stood in for, but slot `{consumer}.{name}` takes its output `{}`", of.alias, of.member);
        let problem = Diagnostic::error(InvalidDocument, message)
            .note("stand-ins cover all outputs of an applied plugin that are used, or none")
            .help(format!("add `{of}` under `{}.stand-ins`", view.overlay_name()));
        return Some(problem);
    }
    let message = |why| format!("slot `{consumer}.{name}` cannot take `{of}`: {why}");
    mismatch(slot, faces, types).map(|why| Diagnostic::error(ContractMismatch, message(why)))
}

/// Why a slot cannot take what is published under these types.
fn mismatch(slot: &Slot, faces: &[PublishedFace], types: &Types) -> Option<String> {
    // Without a face the output's own types are broken, which was said where the plugin was read.
    let found = (!faces.is_empty()).then(|| listed(faces))?;
    let Some(taken) = taken_link(slot, faces, types) else {
        return Some(format!("it needs {}, and that is a {found}", wanted(slot)));
    };
    let face = &faces[taken.face];
    if let Some(conversion) = &taken.conversion {
        let shortcomings = link_shortcomings(conversion, face, slot);
        return (!shortcomings.is_empty()).then(|| shortcomings.join("; and "));
    }
    let sensitive = face.connection_type.sensitive();
    let is_handed = |attribute: &AttributeName| face.from.contains_key(attribute) && sensitive.contains(attribute);
    let lacking: Vec<&str> = slot.sensitive.iter().filter(|attribute| !is_handed(attribute)).map(AttributeName::as_str).collect();
    (!lacking.is_empty()).then(|| format!("it needs the sensitive `{}`, which is not published", lacking.join("`, `")))
}

/// As what a slot takes an output that is published under these types.
pub(super) fn taken_link(slot: &Slot, faces: &[PublishedFace], types: &Types) -> Option<Taken> {
    taken(slot, types, faces.iter().map(|face| (&face.connection_type.name, &face.connection_type.version)))
}

/// What a slot needs, in words.
pub(super) fn wanted(slot: &Slot) -> String {
    match &slot.version {
        Some(range) => format!("a `{}` in `{range}`", slot.type_name),
        None => format!("a `{}`", slot.type_name),
    }
}

fn listed(faces: &[PublishedFace]) -> String {
    let types = faces.iter().map(|face| format!("`{}` {}", face.connection_type.name, face.connection_type.version));
    types.collect::<Vec<_>>().join(" and ")
}

/// Says that an alias leads nowhere.
fn no_such_alias(view: &View<'_>, alias: &Alias) -> Diagnostic {
    let problem = Diagnostic::error(InvalidDocument, format!("there is no applied plugin `{alias}`"));
    match (view.written.plugins.contains_key(alias), view.environment) {
        (true, Some(environment)) => problem.note(format!("environment `{environment}` leaves it out")),
        (true, None) => problem.note("previews leave it out"),
        _ => suggest(problem, alias.as_str(), view.merged.plugins.keys().map(Alias::as_str)),
    }
}

fn check_overlay(view: &View<'_>, contracts: &Contracts<'_>, problems: &mut Problems) {
    let mut known: BTreeSet<&Alias> = view.written.plugins.keys().collect();
    for part in &view.overlays {
        for (alias, patch) in &part.overlay.plugins {
            if patch.as_ref().is_some_and(|patch| patch.source.is_some()) {
                known.insert(alias);
            } else if !known.contains(alias) {
                problems.push(no_such_alias(view, alias).placed(view.at(in_patch(part, alias).at_key())));
            }
        }
    }
    for (of, address) in view.references() {
        let unknown = match view.merged.plugins.get(&of.alias) {
            None => Some(no_such_alias(view, &of.alias)),
            Some(applied) => contracts.of(applied).and_then(|contract| {
                let missing = !contract.loaded.plugin.requires.contains_key(&of.member);
                missing.then(|| no_such_slot(&of.alias, &of.member, contract))
            }),
        };
        let own = || view.own(address).map(|own| not_elsewhere(&own, "make it a link, under `connections`"));
        problems.0.extend(unknown.or_else(own).map(|problem| problem.placed(view.at_reference(of))));
    }
    for (of, address) in view.stand_ins() {
        let unknown = match view.merged.plugins.get(&of.alias) {
            None => Some(no_such_alias(view, &of.alias)),
            Some(applied) => contracts.of(applied).and_then(|contract| {
                let missing = !contract.faces.contains_key(&of.member);
                missing.then(|| no_such_output(of, contract))
            }),
        };
        let own = || view.own(address).map(|own| not_elsewhere(&own, "name a connection that something else supplies"));
        problems.0.extend(unknown.or_else(own).map(|problem| problem.placed(view.at_stand_in(of))));
    }
}

/// What a preview is shown by must be something that it publishes in clear.
fn check_preview_link(view: &View<'_>, contracts: &Contracts<'_>, problems: &mut Problems) {
    let written = view.written.preview.as_ref().filter(|_| view.is_preview).and_then(|preview| preview.url.as_deref());
    let Some((output, attribute)) = written.and_then(|url| url.rsplit_once('.')) else { return };
    let Ok(of) = output.parse::<AliasMember<OutputName>>() else { return };
    let problem = match view.merged.plugins.get(&of.alias) {
        None => Some(no_such_alias(view, &of.alias)),
        Some(applied) => contracts.of(applied).and_then(|contract| match contract.faces.get(&of.member) {
            None => Some(no_such_output(&of, contract)),
            Some(faces) => {
                let is_shown = |face: &PublishedFace| {
                    face.from.contains_key(attribute) && !face.connection_type.sensitive().contains(attribute)
                };
                let message = format!("`{of}` publishes no attribute `{attribute}` that can be shown");
                (!faces.iter().any(is_shown)).then(|| Diagnostic::error(InvalidDocument, message))
            }
        }),
    };
    problems.0.extend(problem.map(|problem| problem.placed(view.at(Pointer::keys(["preview", "url"])))));
}

fn no_such_slot(alias: &Alias, name: &SlotName, contract: &Contract<'_>) -> Diagnostic {
    let problem = Diagnostic::error(InvalidDocument, format!("`{alias}` has no slot `{name}`"));
    suggest(problem, name.as_str(), contract.loaded.plugin.requires.keys().map(SlotName::as_str))
}

fn no_such_output(of: &AliasMember<OutputName>, contract: &Contract<'_>) -> Diagnostic {
    let problem = Diagnostic::error(InvalidDocument, format!("`{}` has no output `{}`", of.alias, of.member));
    suggest(problem, of.member.as_str(), contract.faces.keys().map(OutputName::as_str))
}

fn not_elsewhere(own: &AliasMember<OutputName>, help: &str) -> Diagnostic {
    Diagnostic::error(InvalidDocument, format!("`{own}` is an output of this deployable, not a connection elsewhere")).help(help)
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
