//! From a resolved slot to what is recorded of it and what the renderer needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::{Binding, ConnectionRecord, Face, Handle};
use crate::domain::deployment::{Choice, ResolvedSlot, Secrets};
use crate::domain::mapping::{BoundMapping, Made};
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
    /// What the mapping to the slot's type should give and does not, in words.
    pub lacking: Vec<String>,
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
            let face = linked_face(record, resolved)?;
            let state = render::backend::state_location(backend, place, alias);
            Some(bound(record, face, (name, resolved), &Secrets::Produced(state)))
        }
        Choice::Connection(chosen) => Some(bound(&chosen.record, chosen.face, (name, resolved), &chosen.secrets)),
        Choice::Pending { .. } | Choice::Unset => None,
    }
}

/// The face of a link's record that the slot takes: of its own type, or of the one that its mapping leads from.
fn linked_face(record: &ConnectionRecord, resolved: &ResolvedSlot) -> Option<usize> {
    if let Some(conversion) = &resolved.conversion {
        let of_type = record.faces().enumerate().filter(|(_, face)| face.type_name == conversion.mapping.from);
        return of_type.max_by_key(|(_, face)| &face.type_version).map(|(position, _)| position);
    }
    let accepts = |version: &semver::Version| resolved.slot.version.as_ref().is_none_or(|range| range.matches(version));
    record.faces().position(|face| face.type_name == resolved.slot.type_name && accepts(&face.type_version))
}

fn bound(record: &ConnectionRecord, position: usize, (name, resolved): (&SlotName, &ResolvedSlot), secrets: &Secrets) -> Bound {
    let face = record.faces().nth(position).unwrap_or(&record.face);
    let handed = handed(face, resolved);
    let binding = Binding {
        address: record.address.clone(),
        uid: record.uid.clone(),
        generation: record.generation,
        digest: record.digest.clone(),
        type_name: face.type_name.clone(),
        type_version: face.type_version.clone(),
        attributes: handed.attributes,
        sensitive: handed.sensitive,
        mapping: handed.mapping,
    };
    let handles = face.sensitive.clone();
    let slot = rendered(name, &binding, position, (secrets, &handles));
    Bound { binding, slot, lacking: handed.lacking, handles }
}

/// What of a connection goes to a slot.
struct Handed {
    attributes: BTreeMap<AttributeName, Value>,
    sensitive: BTreeSet<AttributeName>,
    mapping: Option<BoundMapping>,
    lacking: Vec<String>,
}

fn handed(face: &Face, resolved: &ResolvedSlot) -> Handed {
    let asked = &resolved.slot.sensitive;
    let Some(conversion) = &resolved.conversion else {
        let sensitive = asked.iter().filter(|name| face.sensitive.contains_key(*name)).cloned().collect();
        return Handed { attributes: face.attributes.clone(), sensitive, mapping: None, lacking: Vec::new() };
    };
    let converted = conversion.of(face);
    let sensitive = conversion.handed(&resolved.slot, &converted);
    let missing = conversion.lacking(&converted).into_iter().chain(asked.difference(&sensitive).cloned());
    Handed {
        lacking: missing.map(|name| conversion.why_lacking(&name)).collect(),
        mapping: Some(conversion.recorded(&converted, &sensitive)),
        attributes: converted.attributes,
        sensitive,
    }
}

/// What is rendered for a recorded binding.
pub(super) fn rendered(slot: &SlotName, binding: &Binding, face: usize, (secrets, handles): (&Secrets, &Handles)) -> BoundSlot {
    let found = |name: &AttributeName| match handles.get(name) {
        // Opened by the run, and handed over like what a person gives.
        Some(Handle::Sealed { .. }) => Some(SensitiveSource::Variable(render::names::attribute_variable(slot, name))),
        _ => source(binding, name, face, secrets),
    };
    let source = |name: &AttributeName| match &binding.mapping {
        Some(mapping) => made_of(mapping.sensitive.get(name)?, &found),
        None => found(name),
    };
    let sources = binding.sensitive.iter().filter_map(|name| Some((name.clone(), source(name)?)));
    // What was handed over through a mapping is what the resolver let through; the plugin itself cannot ask for all of it.
    let unasked = binding.mapping.iter().flat_map(|_| binding.sensitive.iter().cloned()).collect();
    BoundSlot { attributes: binding.attributes.clone(), sensitive: sources.collect(), unasked }
}

/// Where a value that a mapping made is found; none where one of its parts is nowhere.
fn made_of(made: &Made, source: &dyn Fn(&AttributeName) -> Option<SensitiveSource>) -> Option<SensitiveSource> {
    Some(match made {
        Made::Plain(value) => SensitiveSource::Plain(value.clone()),
        Made::Part(path) => {
            let of = Box::new(source(&path.attribute)?);
            SensitiveSource::Part { of, attribute: path.attribute.clone(), inside: path.inside.clone() }
        }
        Made::Object(entries) => {
            let entries = entries.iter().map(|(name, made)| Some((name.clone(), made_of(made, source)?)));
            SensitiveSource::Object(entries.collect::<Option<_>>()?)
        }
    })
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
