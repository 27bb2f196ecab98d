//! The manifest as it holds in one environment, and where in the file each part of it is written.

use crate::domain::address::{AliasMember, PartialAddress, PartialTarget, Place};
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Spot};
use crate::domain::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use crate::domain::names::{Alias, EnvironmentName, InputName, OutputName, SlotName};
use crate::domain::overlay::merged;

/// A manifest, seen from one environment; or from none, as it is without any overlay.
pub(super) struct View<'a> {
    pub(super) file: &'a str,
    pub(super) environment: Option<&'a EnvironmentName>,
    pub(super) written: &'a Manifest,
    pub(super) merged: Manifest,
    /// None where only the documents are checked.
    place: Option<&'a Place>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        file: &'a str,
        written: &'a Manifest,
        environment: Option<&'a EnvironmentName>,
        place: Option<&'a Place>,
    ) -> Self {
        let merged = match environment {
            Some(environment) => merged(written, Some(environment)),
            None => Manifest { environments: [].into(), ..written.clone() },
        };
        Self { file, environment, written, merged, place }
    }

    /// The applied plugins that are deployed: all but those behind a stand-in.
    pub(super) fn deployed(&self) -> impl Iterator<Item = (&Alias, &AppliedPlugin)> {
        self.merged.plugins.iter().filter(|(alias, _)| !self.is_stood_in(alias))
    }

    /// Whether a stand-in takes the place of the applied plugin.
    pub(super) fn is_stood_in(&self, alias: &Alias) -> bool {
        self.stand_ins().any(|(of, _)| of.alias == *alias)
    }

    pub(super) fn stand_ins(&self) -> impl Iterator<Item = (&'a AliasMember<OutputName>, &'a PartialAddress)> {
        self.overlay().into_iter().flat_map(|overlay| &overlay.stand_ins)
    }

    pub(super) fn stand_in(&self, of: &AliasMember<OutputName>) -> Option<&'a PartialAddress> {
        self.overlay()?.stand_ins.get(of)
    }

    pub(super) fn reference(&self, alias: &Alias, slot: &SlotName) -> Option<&'a PartialAddress> {
        self.overlay()?.references.get(&AliasMember { alias: alias.clone(), member: slot.clone() })
    }

    pub(super) fn connection(&self, alias: &Alias, slot: &SlotName) -> Option<&PartialAddress> {
        self.merged.plugins.get(alias)?.connections.get(slot)
    }

    /// The output of this deployable that the address means; none for an address of elsewhere.
    pub(super) fn own(&self, address: &PartialAddress) -> Option<AliasMember<OutputName>> {
        let PartialTarget::Output { deployable, alias, output } = &address.target else { return None };
        let workspace = self.place.map(|place| &place.workspace).or(self.written.workspace.as_ref());
        let own = deployable.as_ref().is_none_or(|name| *name == self.written.name)
            && address.workspace.as_ref().is_none_or(|name| Some(name) == workspace)
            && address.environment.as_ref().is_none_or(|name| Some(name) == self.environment);
        own.then(|| AliasMember { alias: alias.clone(), member: output.clone() })
    }

    /// The link of a slot, unless a reference comes first.
    pub(super) fn effective_link(&self, alias: &Alias, slot: &SlotName) -> Option<AliasMember<OutputName>> {
        match self.reference(alias, slot) {
            Some(_) => None,
            None => self.own(self.connection(alias, slot)?),
        }
    }

    /// This environment's overlay, if there is one.
    pub(super) fn overlay(&self) -> Option<&'a Overlay> {
        self.written.environments.get(self.environment?)
    }

    /// What the overlay changes of an applied plugin.
    pub(super) fn patch(&self, alias: &Alias) -> Option<&'a AppliedPluginOverlay> {
        self.overlay()?.plugins.get(alias)?.as_ref()
    }

    pub(super) fn at_alias(&self, alias: &Alias) -> Origin {
        let base = self.written.plugins.contains_key(alias);
        self.at(if base { in_plugin(alias).at_key() } else { self.in_patch(alias).at_key() })
    }

    pub(super) fn at_patch(&self, alias: &Alias) -> Origin {
        self.at(self.in_patch(alias).at_key())
    }

    pub(super) fn at_source(&self, alias: &Alias) -> Origin {
        let overlaid = self.patch(alias).is_some_and(|patch| patch.source.is_some());
        self.at(self.part(alias, overlaid).key("use"))
    }

    pub(super) fn at_inputs(&self, alias: &Alias) -> Origin {
        match self.written.plugins.get(alias) {
            Some(applied) if !applied.inputs.is_empty() => self.at(in_plugin(alias).key("inputs").at_key()),
            _ => self.at_alias(alias),
        }
    }

    pub(super) fn in_input(&self, alias: &Alias, name: &InputName, overlaid: bool) -> Pointer {
        self.part(alias, overlaid).key("inputs").key(name.as_str())
    }

    pub(super) fn at_connection(&self, alias: &Alias, slot: &SlotName) -> Origin {
        let overlaid = self.patch(alias).is_some_and(|patch| patch.connections.contains_key(slot));
        self.at(self.part(alias, overlaid).key("connections").key(slot.as_str()))
    }

    pub(super) fn at_after(&self, alias: &Alias, index: usize) -> Origin {
        let overlaid = self.patch(alias).is_some_and(|patch| patch.after.is_some());
        self.at(self.part(alias, overlaid).key("after").index(index))
    }

    pub(super) fn at_reference(&self, of: &AliasMember<SlotName>) -> Origin {
        self.at(self.in_overlay().key("references").key(of.to_string()))
    }

    pub(super) fn at_stand_in(&self, of: &AliasMember<OutputName>) -> Origin {
        self.at(self.in_overlay().key("stand-ins").key(of.to_string()))
    }

    pub(super) fn at(&self, pointer: Pointer) -> Origin {
        in_document(self.file, pointer)
    }

    fn part(&self, alias: &Alias, overlaid: bool) -> Pointer {
        if overlaid { self.in_patch(alias) } else { in_plugin(alias) }
    }

    fn in_patch(&self, alias: &Alias) -> Pointer {
        self.in_overlay().key("plugins").key(alias.as_str())
    }

    fn in_overlay(&self) -> Pointer {
        Pointer::keys(["environments", self.environment.map_or("", EnvironmentName::as_str)])
    }
}

fn in_plugin(alias: &Alias) -> Pointer {
    Pointer::keys(["plugins", alias.as_str()])
}

/// A value in a document.
pub(super) fn in_document(file: &str, pointer: Pointer) -> Origin {
    Origin { file: file.to_owned(), at: Spot::Pointer(pointer) }
}

/// Gives a problem its place.
pub(super) trait Placed {
    /// Sets the place.
    fn placed(self, origin: Origin) -> Self;
}

impl Placed for Diagnostic {
    fn placed(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }
}
