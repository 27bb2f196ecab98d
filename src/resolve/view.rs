//! The manifest as it holds in one environment, and where in the file each part of it is written.

use crate::domain::address::{AliasMember, PartialAddress, PartialTarget, Place};
use crate::domain::deployment::Layer;
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Spot};
use crate::domain::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use crate::domain::names::{Alias, EnvironmentName, InputName, OutputName, SlotName};
use crate::domain::overlay::{OverlayPart, Seen, merged, overlays, wiring};

/// A manifest, seen from one environment; or from none, as it is without any overlay.
pub(super) struct View<'a> {
    pub(super) file: &'a str,
    pub(super) environment: Option<&'a EnvironmentName>,
    pub(super) written: &'a Manifest,
    pub(super) merged: Manifest,
    /// The overlays that hold, weakest first.
    pub(super) overlays: Vec<OverlayPart<'a>>,
    /// The references and stand-ins that hold.
    wiring: Overlay,
    pub(super) is_preview: bool,
    /// None where only the documents are checked.
    place: Option<&'a Place>,
}

impl<'a> View<'a> {
    pub(super) fn new(file: &'a str, written: &'a Manifest, seen: Seen<'a>, place: Option<&'a Place>) -> Self {
        Self {
            file,
            environment: seen.environment(),
            written,
            merged: merged(written, seen),
            overlays: overlays(written, seen),
            wiring: wiring(written, seen),
            is_preview: matches!(seen, Seen::Preview { .. }),
            place,
        }
    }

    /// The applied plugins that are deployed: all but those behind a stand-in.
    pub(super) fn deployed(&self) -> impl Iterator<Item = (&Alias, &AppliedPlugin)> {
        self.merged.plugins.iter().filter(|(alias, _)| !self.is_stood_in(alias))
    }

    /// Whether a stand-in takes the place of the applied plugin.
    pub(super) fn is_stood_in(&self, alias: &Alias) -> bool {
        self.stand_ins().any(|(of, _)| of.alias == *alias)
    }

    pub(super) fn references(&self) -> impl Iterator<Item = (&AliasMember<SlotName>, &PartialAddress)> {
        self.wiring.references.iter()
    }

    pub(super) fn stand_ins(&self) -> impl Iterator<Item = (&AliasMember<OutputName>, &PartialAddress)> {
        self.wiring.stand_ins.iter()
    }

    pub(super) fn stand_in(&self, of: &AliasMember<OutputName>) -> Option<&PartialAddress> {
        self.wiring.stand_ins.get(of)
    }

    pub(super) fn reference(&self, alias: &Alias, slot: &SlotName) -> Option<&PartialAddress> {
        self.wiring.references.get(&AliasMember { alias: alias.clone(), member: slot.clone() })
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

    /// What the overlays change of an applied plugin, strongest first: none below one that leaves it out.
    pub(super) fn patches(&self, alias: &Alias) -> impl Iterator<Item = (&OverlayPart<'a>, &AppliedPluginOverlay)> {
        let changes = self.overlays.iter().rev().filter_map(|part| Some((part, part.overlay.plugins.get(alias)?)));
        changes.map_while(|(part, change)| Some((part, change.as_ref()?)))
    }

    /// An applied plugin as the manifest has it without overlays, unless one leaves it out.
    pub(super) fn in_base(&self, alias: &Alias) -> Option<&'a AppliedPlugin> {
        let is_left_out = self.overlays.iter().any(|part| matches!(part.overlay.plugins.get(alias), Some(None)));
        self.written.plugins.get(alias).filter(|_| !is_left_out)
    }

    /// Where what is to hold here alone is written.
    pub(super) fn overlay_name(&self) -> String {
        match (self.is_preview, self.environment) {
            (false, Some(environment)) => format!("environments.{environment}"),
            _ => "preview".to_owned(),
        }
    }

    pub(super) fn at_alias(&self, alias: &Alias) -> Origin {
        match self.in_base(alias) {
            Some(_) => self.at(in_plugin(alias).at_key()),
            None => self.at(self.part(alias, |_| true).at_key()),
        }
    }

    pub(super) fn at_source(&self, alias: &Alias) -> Origin {
        self.at(self.part(alias, |patch| patch.source.is_some()).key("use"))
    }

    pub(super) fn at_inputs(&self, alias: &Alias) -> Origin {
        match self.in_base(alias) {
            Some(applied) if !applied.inputs.is_empty() => self.at(in_plugin(alias).key("inputs").at_key()),
            _ => self.at_alias(alias),
        }
    }

    /// Where a layer of the manifest gives an input.
    pub(super) fn in_input(&self, alias: &Alias, name: &InputName, layer: Layer) -> Pointer {
        let part = self.overlays.iter().find(|part| part.layer == layer);
        part.map_or_else(|| in_plugin(alias), |part| in_patch(part, alias)).key("inputs").key(name.as_str())
    }

    pub(super) fn at_connection(&self, alias: &Alias, slot: &SlotName) -> Origin {
        self.at(self.part(alias, |patch| patch.connections.contains_key(slot)).key("connections").key(slot.as_str()))
    }

    pub(super) fn at_after(&self, alias: &Alias, index: usize) -> Origin {
        self.at(self.part(alias, |patch| patch.after.is_some()).key("after").index(index))
    }

    pub(super) fn at_reference(&self, of: &AliasMember<SlotName>) -> Origin {
        self.at(self.in_overlay(|overlay| overlay.references.contains_key(of)).key("references").key(of.to_string()))
    }

    pub(super) fn at_stand_in(&self, of: &AliasMember<OutputName>) -> Origin {
        self.at(self.in_overlay(|overlay| overlay.stand_ins.contains_key(of)).key("stand-ins").key(of.to_string()))
    }

    pub(super) fn at(&self, pointer: Pointer) -> Origin {
        in_document(self.file, pointer)
    }

    /// The strongest of an applied plugin's parts that says what is asked for.
    fn part(&self, alias: &Alias, says: impl Fn(&AppliedPluginOverlay) -> bool) -> Pointer {
        let overlaid = self.patches(alias).find(|(_, patch)| says(patch));
        overlaid.map_or_else(|| in_plugin(alias), |(part, _)| in_patch(part, alias))
    }

    /// The strongest overlay that says what is asked for.
    fn in_overlay(&self, says: impl Fn(&Overlay) -> bool) -> Pointer {
        self.overlays.iter().rev().find(|part| says(&part.overlay)).map(|part| part.at.clone()).unwrap_or_default()
    }
}

/// The place of an applied plugin's changes in an overlay.
pub(super) fn in_patch(part: &OverlayPart<'_>, alias: &Alias) -> Pointer {
    part.at.clone().key("plugins").key(alias.as_str())
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
