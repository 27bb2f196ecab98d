//! As what a slot takes a connection: as one of its own type, or through a mapping as one of another (R8). No chains: one mapping leads to
//! the slot's type, or none does.

use std::collections::BTreeSet;
use std::sync::Arc;

use semver::Version;
use serde_json::{Map, Value};

use super::schema::Schema;
use super::types::Types;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::Segment;
use crate::domain::mapping::{Conversion, Converted, Mapped};
use crate::domain::names::{AttributeName, TypeName};
use crate::domain::plugin::Slot;

/// Which of a connection's faces a slot takes.
pub(super) struct Taken {
    /// Its position.
    pub(super) face: usize,
    /// How it is made one of the slot's type, where it is of another.
    pub(super) conversion: Option<Arc<Conversion>>,
}

/// The newest of the faces of the slot's own type that it accepts; else the newest of the first type that a mapping leads from. A mapped
/// one counts as the newest version in the slot's range.
pub(super) fn taken<'f>(slot: &Slot, types: &Types, faces: impl Iterator<Item = (&'f TypeName, &'f Version)>) -> Option<Taken> {
    let faces: Vec<(usize, &TypeName, &Version)> =
        faces.enumerate().map(|(face, (name, version))| (face, name, version)).collect();
    let newest = |fits: &dyn Fn(&TypeName, &Version) -> bool| {
        let fitting = faces.iter().filter(|(_, name, version)| fits(name, version));
        fitting.max_by_key(|(_, _, version)| *version).map(|(face, ..)| *face)
    };
    if let Some(face) = newest(&|name, version| types.same(name, &slot.type_name) && accepts(slot, version)) {
        return Some(Taken { face, conversion: None });
    }
    let into = types.in_range(&slot.type_name, slot.version.as_ref()).last()?;
    let (from, mapping) = faces.iter().find_map(|(_, name, _)| Some((*name, types.mapping(name, &slot.type_name)?)))?;
    let conversion = Arc::new(Conversion { mapping: mapping.clone(), into: Arc::clone(into) });
    Some(Taken { face: newest(&|name, _| types.same(name, from))?, conversion: Some(conversion) })
}

/// Whether a type's version is in the slot's range.
pub(super) fn accepts(slot: &Slot, version: &Version) -> bool {
    slot.version.as_ref().is_none_or(|range| range.matches(version))
}

/// In what a connection falls short of the slot's type through a mapping, each with whether the mapping itself is to be corrected.
pub(super) fn shortcomings(conversion: &Conversion, converted: &Converted, slot: &Slot) -> Vec<String> {
    let of_type = format!("`{}` {}", conversion.into.name, conversion.into.version);
    let mut found = unknown(conversion);
    let lacking = conversion.lacking(converted);
    found.extend(lacking.iter().map(|name| format!("{}, which {of_type} requires", conversion.why_lacking(name))));
    let unasked = slot.sensitive.iter().filter(|name| !lacking.contains(*name) && !converted.sensitive.contains_key(*name));
    found.extend(unasked.map(|name| format!("it needs the sensitive `{name}`, and {}", conversion.why_lacking(name))));
    // A type that is no JSON Schema is refused where it is read.
    let attributes: Map<String, Value> =
        converted.attributes.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    let violations = Schema::compile(&conversion.schema()).ok().map(|schema| schema.violations(&Value::Object(attributes)));
    found.extend(violations.into_iter().flatten().map(|violation| match violation.path.first() {
        Some(Segment::Key(name)) => {
            format!("`{name}`, as {} makes it, is not what {of_type} says: {}", conversion.in_words(), violation.message)
        }
        _ => format!("what {} makes is not what {of_type} says: {}", conversion.in_words(), violation.message),
    }));
    found
}

/// In what an output that is not applied yet will fall short of the slot's type through a mapping, as far as its contract says it.
pub(super) fn link_shortcomings(conversion: &Conversion, face: &PublishedFace, slot: &Slot) -> Vec<String> {
    let of_type = format!("`{}` {}", conversion.into.name, conversion.into.version);
    let gives = |mapped: &Mapped| mapped.paths().iter().any(|path| face.from.contains_key(&path.attribute));
    let is_given = |name: &AttributeName| conversion.mapping.attributes.get(name).is_some_and(gives);
    let needed: BTreeSet<AttributeName> = conversion.into.required().into_iter().chain(slot.sensitive.iter().cloned()).collect();
    let lacking = needed.iter().filter(|name| !is_given(name)).map(|name| {
        let why = conversion.why_lacking(name);
        if slot.sensitive.contains(name) {
            format!("it needs the sensitive `{name}`, and {why}")
        } else {
            format!("{why}, which {of_type} requires")
        }
    });
    unknown(conversion).into_iter().chain(lacking).collect()
}

fn unknown(conversion: &Conversion) -> Vec<String> {
    let of_type = format!("`{}` {}", conversion.into.name, conversion.into.version);
    conversion
        .unknown()
        .iter()
        .map(|name| format!("{} gives `{name}`, which is no attribute of {of_type}", conversion.in_words()))
        .collect()
}
