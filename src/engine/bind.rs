//! From a resolved slot to what is recorded of it and what the renderer needs.

use std::collections::BTreeMap;

use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::{Binding, ConnectionRecord, Handle};
use crate::domain::deployment::{Choice, ResolvedSlot, Secrets};
use crate::domain::names::{Alias, AttributeName, SlotName};
use crate::domain::organization::{Backend, SecretReference};
use crate::render::{self, BoundSlot, SensitiveSource};

/// The records that bindings are made against: those of this deployable as the run leaves them.
pub(super) type Records = BTreeMap<Address, ConnectionRecord>;

/// A slot's binding and what is rendered for it; nothing for a slot that is unset.
pub(super) struct Bound {
    /// What is recorded.
    pub binding: Binding,
    /// What is rendered.
    pub slot: BoundSlot,
    /// The handles of its connection's sensitive attributes.
    pub handles: Handles,
}

/// How the sensitive attributes of a connection are reached, as its record says.
pub(super) type Handles = BTreeMap<AttributeName, Handle>;

/// Binds every slot. A link whose record is not there is left out: its producer has not been applied.
pub(super) fn bind(
    place: &Place,
    backend: &Backend,
    slots: &BTreeMap<SlotName, ResolvedSlot>,
    own: &Records,
) -> BTreeMap<SlotName, Bound> {
    slots.iter().filter_map(|(name, slot)| Some((name.clone(), bind_one(place, backend, (name, slot), own)?))).collect()
}

fn bind_one(place: &Place, backend: &Backend, (name, resolved): (&SlotName, &ResolvedSlot), own: &Records) -> Option<Bound> {
    match &resolved.choice {
        Choice::Link { alias, output } => {
            let record = own.get(&place.output(alias, output))?;
            let accepts = |version: &semver::Version| resolved.slot.version.as_ref().is_none_or(|range| range.matches(version));
            let face =
                record.faces().position(|face| face.type_name == resolved.slot.type_name && accepts(&face.type_version))?;
            let state = render::backend::state_location(backend, place, alias);
            Some(bound(record, face, (name, resolved), &Secrets::Produced(state)))
        }
        Choice::Connection(chosen) => Some(bound(&chosen.record, chosen.face, (name, resolved), &chosen.secrets)),
        Choice::Pending { .. } | Choice::Unset => None,
    }
}

fn bound(record: &ConnectionRecord, position: usize, (name, resolved): (&SlotName, &ResolvedSlot), secrets: &Secrets) -> Bound {
    let face = record.faces().nth(position).unwrap_or(&record.face);
    let binding = Binding {
        address: record.address.clone(),
        uid: record.uid.clone(),
        generation: record.generation,
        digest: record.digest.clone(),
        type_name: face.type_name.clone(),
        type_version: face.type_version.clone(),
        attributes: face.attributes.clone(),
        sensitive: resolved.slot.sensitive.iter().filter(|name| face.sensitive.contains_key(*name)).cloned().collect(),
    };
    let handles = face.sensitive.clone();
    let slot = rendered(name, &binding, position, (secrets, &handles));
    Bound { binding, slot, handles }
}

/// What is rendered for a recorded binding.
pub(super) fn rendered(slot: &SlotName, binding: &Binding, face: usize, (secrets, handles): (&Secrets, &Handles)) -> BoundSlot {
    let source = |name: &AttributeName| match handles.get(name) {
        // Opened by the run, and handed over like what a person gives.
        Some(Handle::Sealed { .. }) => Some(SensitiveSource::Variable(render::names::attribute_variable(slot, name))),
        _ => source(binding, name, face, secrets),
    };
    let sources = binding.sensitive.iter().filter_map(|name| Some((name.clone(), source(name)?)));
    BoundSlot { attributes: binding.attributes.clone(), sensitive: sources.collect() }
}

fn source(binding: &Binding, attribute: &AttributeName, face: usize, secrets: &Secrets) -> Option<SensitiveSource> {
    match (secrets, &binding.address.target) {
        (Secrets::Produced(location), Target::Output { output, .. }) => {
            Some(SensitiveSource::State { location: location.clone(), output: output.clone(), face })
        }
        (Secrets::Imported(references), _) => match references.get(attribute)? {
            SecretReference::State(state) => {
                Some(SensitiveSource::ForeignState { backend: state.backend.clone(), output: state.output.clone() })
            }
            SecretReference::Env(name) => Some(SensitiveSource::Variable(format!("{FROM_ENVIRONMENT}{name}"))),
            // The handle says so, and comes first.
            SecretReference::Sealed(_) => None,
        },
        _ => None,
    }
}

/// The start of the names of root variables that carry an environment variable of the run.
pub(super) const FROM_ENVIRONMENT: &str = "tieline_env_";

/// The aliases of the same deployable that a plugin takes connections from.
pub(super) fn linked(slots: &BTreeMap<SlotName, ResolvedSlot>) -> impl Iterator<Item = &Alias> {
    slots.values().filter_map(|slot| match &slot.choice {
        Choice::Link { alias, .. } => Some(alias),
        _ => None,
    })
}
