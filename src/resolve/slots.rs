//! Which source feeds a slot (R1 to R3).

use std::collections::BTreeMap;

use super::Inputs;
use super::check::{Ask, Chosen, check};
use super::contract::{Contract, Contracts};
use super::declaration::{check_link, taken_link};
use super::grants;
use super::nearest::suggest;
use super::view::{Placed, View, in_document};
use crate::domain::address::{Address, AliasMember, PartialAddress};
use crate::domain::deployment::{Candidate, Choice, PublishedFace, ResolvedSlot, Via};
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Problems};
use crate::domain::failure::FailureReason::{InvalidDocument, UnresolvedSlot};
use crate::domain::names::{Alias, OutputName, SlotName, TypeName};
use crate::domain::organization::DefaultKey;
use crate::domain::plugin::Slot;

/// How many connections that nobody named are listed when a slot has nothing to take.
const LISTED: usize = 5;

/// Resolves slots of one deployable.
pub(super) struct Slots<'a> {
    inputs: &'a Inputs<'a>,
    view: &'a View<'a>,
    contracts: &'a Contracts<'a>,
    /// The environment's defaults by the types' own names.
    defaults: BTreeMap<(&'a TypeName, Option<&'a SlotName>), (&'a DefaultKey, &'a PartialAddress)>,
}

/// A declared source of a slot's connection.
struct Source<'a> {
    via: Via,
    address: &'a PartialAddress,
    origin: Origin,
}

impl<'a> Slots<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, view: &'a View<'a>, contracts: &'a Contracts<'a>, problems: &mut Problems) -> Self {
        let mut slots = Self { inputs, view, contracts, defaults: BTreeMap::new() };
        for (key, address) in &inputs.environment.defaults {
            let own_key = (inputs.types.own_name(&key.type_name), key.slot.as_ref());
            if inputs.types.versions(&key.type_name).is_empty() {
                let problem = Diagnostic::warning(InvalidDocument, format!("there is no type `{}`", key.type_name));
                let problem = suggest(problem, key.type_name.as_str(), inputs.types.names());
                problems.push(problem.placed(slots.at_default(key)));
            }
            if let Some((other, _)) = slots.defaults.insert(own_key, (key, address)) {
                let message = format!("the defaults `{other}` and `{key}` are for the same type");
                problems.push(Diagnostic::error(InvalidDocument, message).placed(slots.at_default(key)));
            }
        }
        slots
    }

    /// The slots of one applied plugin. Those with problems are left out.
    pub(super) fn resolve(
        &self,
        alias: &Alias,
        contract: &Contract<'_>,
        problems: &mut Problems,
    ) -> BTreeMap<SlotName, ResolvedSlot> {
        let mut resolved = BTreeMap::new();
        let mut by_default: BTreeMap<&TypeName, Vec<&SlotName>> = BTreeMap::new();
        for (name, slot) in contract.known_slots(self.inputs.types) {
            let sources = self.sources(alias, name, slot);
            if sources.first().is_some_and(|first| first.via == Via::TypeDefault) {
                by_default.entry(self.inputs.types.own_name(&slot.type_name)).or_default().push(name);
            }
            let ask = Ask { alias, name, slot, constraint: contract.constraints.get(name) };
            if let Some(one) = self.resolve_slot(&ask, &sources, problems) {
                resolved.insert(name.clone(), one);
            }
        }
        for (type_name, names) in by_default.into_iter().filter(|(_, names)| names.len() > 1) {
            problems.push(self.shared_default(alias, type_name, &names));
        }
        resolved
    }

    fn resolve_slot(&self, ask: &Ask<'_>, sources: &[Source<'_>], problems: &mut Problems) -> Option<ResolvedSlot> {
        // What comes after knows types by their own names only.
        let slot = || Slot { type_name: self.inputs.types.own_name(&ask.slot.type_name).clone(), ..ask.slot.clone() };
        let Some(source) = sources.first() else {
            let considered = self.considered(ask, sources, None);
            if !ask.slot.optional {
                problems.push(self.unresolved(ask, &considered));
                return None;
            }
            return Some(ResolvedSlot { slot: slot(), choice: Choice::Unset, conversion: None, considered });
        };
        let own = self.view.own(source.address);
        let stand_in = own.as_ref().and_then(|of| self.view.stand_in(of));
        let (choice, conversion) = match (own, stand_in) {
            (None, _) => check(self.inputs, ask, source.via, source.address, &source.origin, problems)?,
            (Some(of), None) => self.link(ask, source, of, problems)?,
            (Some(of), Some(address)) => check(self.inputs, ask, Via::StandIn, address, &self.view.at_stand_in(&of), problems)?,
        };
        Some(ResolvedSlot { slot: slot(), choice, conversion, considered: self.considered(ask, sources, stand_in) })
    }

    fn link(&self, ask: &Ask<'_>, source: &Source<'_>, of: AliasMember<OutputName>, problems: &mut Problems) -> Option<Chosen> {
        // The links that the manifest declares were checked with it; a default that leads back here was not.
        if source.via != Via::Link {
            let consumer = (ask.alias, ask.name, ask.slot);
            if let Some(problem) = check_link(self.view, self.contracts, self.inputs.types, consumer, &of) {
                problems.push(problem.placed(source.origin.clone()));
                return None;
            }
        }
        let producer = self.view.merged.plugins.get(&of.alias).and_then(|applied| self.contracts.of(applied));
        let faces = producer.and_then(|contract| contract.faces.get(&of.member));
        let taken = faces.and_then(|faces| taken_link(ask.slot, faces, self.inputs.types));
        Some((Choice::Link { alias: of.alias, output: of.member }, taken.and_then(|taken| taken.conversion)))
    }

    /// The declared sources of a slot, in order of precedence.
    fn sources(&self, alias: &Alias, name: &SlotName, slot: &Slot) -> Vec<Source<'_>> {
        let mut sources = Vec::new();
        if let Some(address) = self.view.reference(alias, name) {
            let of = AliasMember { alias: alias.clone(), member: name.clone() };
            sources.push(Source { via: Via::Reference, address, origin: self.view.at_reference(&of) });
        }
        if let Some(address) = self.view.connection(alias, name) {
            let via = if self.view.own(address).is_some() { Via::Link } else { Via::Reference };
            sources.push(Source { via, address, origin: self.view.at_connection(alias, name) });
        }
        let own_name = self.inputs.types.own_name(&slot.type_name);
        for (via, of_slot) in [(Via::SlotDefault, Some(name)), (Via::TypeDefault, None)] {
            if let Some((key, address)) = self.defaults.get(&(own_name, of_slot)) {
                sources.push(Source { via, address, origin: self.at_default(key) });
            }
        }
        sources
    }

    /// Every source, in order of precedence, with why it was or was not taken. The first with an address is the chosen one.
    fn considered(&self, ask: &Ask<'_>, sources: &[Source<'_>], stand_in: Option<&PartialAddress>) -> Vec<Candidate> {
        let mut considered = Vec::new();
        let mut add = |via, address: Option<&PartialAddress>, verdict: String| {
            considered.push(Candidate { via, address: address.map(PartialAddress::to_string), verdict });
        };
        for via in [Via::Reference, Via::Link, Via::SlotDefault, Via::TypeDefault] {
            let mut declared = sources.iter().enumerate().filter(|(_, source)| source.via == via).peekable();
            if declared.peek().is_none() {
                add(via, None, self.undeclared(ask, via));
            }
            for (position, source) in declared {
                match (position, stand_in) {
                    (0, None) => add(via, Some(source.address), "taken".to_owned()),
                    (0, Some(address)) => {
                        add(via, Some(source.address), "replaced by the stand-in".to_owned());
                        add(Via::StandIn, Some(address), "taken".to_owned());
                    }
                    _ => add(via, Some(source.address), format!("not needed: the {} comes first", sources[0].via)),
                }
            }
        }
        considered
    }

    /// Where a source would have been declared.
    fn undeclared(&self, ask: &Ask<'_>, via: Via) -> String {
        let Ask { alias, name, slot, .. } = ask;
        let (environment, type_name) = (self.inputs.standing(), &slot.type_name);
        match via {
            Via::Reference => format!("no `{alias}.{name}` under `{}.references`", self.view.overlay_name()),
            Via::Link | Via::StandIn => format!("no `{name}` under `plugins.{alias}.connections`"),
            Via::SlotDefault => format!("no `{type_name}:{name}` under `defaults` of environment `{environment}`"),
            Via::TypeDefault => format!("no `{type_name}` under `defaults` of environment `{environment}`"),
        }
    }

    fn unresolved(&self, ask: &Ask<'_>, considered: &[Candidate]) -> Diagnostic {
        let Ask { alias, name, slot, .. } = ask;
        let message = format!("slot `{alias}.{name}` has nothing to take: it needs a `{}`", slot.type_name);
        let mut problem = Diagnostic::error(UnresolvedSlot, message).placed(self.view.at_alias(alias));
        for candidate in considered {
            problem = problem.note(format!("{}: {}", candidate.via, candidate.verdict));
        }
        for output in self.outputs_of(&slot.type_name).filter(|output| !output.starts_with(&format!("{alias}."))) {
            problem = problem.help(format!("to link it, add `{name}: {output}` under `plugins.{alias}.connections`"));
        }
        for address in self.elsewhere_of(&slot.type_name).take(LISTED) {
            problem = problem.note(format!("`{address}` is a `{}`, but nothing names it for this slot", slot.type_name));
            let missing = self.inputs.missing_grants(address, !slot.sensitive.is_empty());
            if !missing.is_empty() {
                problem = problem.help(grants::to_add(address, &self.inputs.consumer(), &missing));
            }
        }
        problem
    }

    /// The outputs of this deployable that are of a type.
    fn outputs_of(&self, type_name: &TypeName) -> impl Iterator<Item = String> {
        self.view.merged.plugins.iter().flat_map(move |(alias, applied)| {
            let faces = self.contracts.of(applied).map(|contract| &contract.faces);
            let types = self.inputs.types;
            let fits = move |face: &PublishedFace| {
                let name = &face.connection_type.name;
                types.same(name, type_name) || types.mapping(name, type_name).is_some()
            };
            let outputs = faces.into_iter().flatten().filter(move |(_, faces)| faces.iter().any(fits));
            outputs.map(move |(output, _)| format!("{alias}.{output}"))
        })
    }

    /// The connections of a type that were read and are not of this deployable.
    fn elsewhere_of(&self, type_name: &TypeName) -> impl Iterator<Item = &Address> {
        let context = self.inputs.context;
        let same = move |other: &TypeName| self.inputs.types.same(other, type_name);
        let published = context.connections.iter().filter(move |(_, one)| one.faces().any(|face| same(&face.type_name)));
        let imported = context.imported.iter().filter(move |(_, one)| same(&one.type_name));
        let addresses = published.map(|(address, _)| address).chain(imported.map(|(address, _)| address));
        addresses.filter(|address| address.producer().as_ref() != Some(&self.inputs.place))
    }

    fn shared_default(&self, alias: &Alias, type_name: &TypeName, names: &[&SlotName]) -> Diagnostic {
        let listed: Vec<String> = names.iter().map(|name| format!("`{alias}.{name}`")).collect();
        let keys: Vec<String> = names.iter().map(|name| format!("`{type_name}:{name}`")).collect();
        let message = format!("one default must not feed several slots of one plugin: {}", listed.join(" and "));
        Diagnostic::error(UnresolvedSlot, message)
            .placed(self.view.at_alias(alias))
            .note(format!("all of them would take the default for `{type_name}` of environment `{}`", self.inputs.standing()))
            .help(format!(
                "wire them under `plugins.{alias}.connections`, or give the environment the defaults {}",
                keys.join(" and ")
            ))
    }

    fn at_default(&self, key: &DefaultKey) -> Origin {
        in_document(&self.inputs.environment_file(), Pointer::keys(["defaults", &key.to_string()]))
    }
}
