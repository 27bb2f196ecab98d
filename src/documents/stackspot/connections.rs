//! What a plugin requires and generates, in every form in which that is written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, Report};
use super::plain::{named, type_ref};
use super::uses::Looks;
use crate::documents::finding::Finding;
use crate::domain::connection_type::TypeRef;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::SlotName;
use crate::domain::plugin::Slot;

/// One connection that a plugin requires or generates.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    /// What templates know it as.
    pub(super) alias: String,
    pub(super) type_ref: TypeRef,
    pub(super) optional: bool,
    /// Its document; none where only its type is written.
    pub(super) fields: Option<Fields<'a>>,
    pub(super) at: Pointer,
}

/// What is under `requires` or `generates`: connections with aliases, or types alone.
pub(super) fn declared<'a>(spec: &Fields<'a>, field: &str, report: &mut Report) -> Vec<Connection<'a>> {
    const LISTS: [&str; 3] = ["connections", "connection-interface", "connection-interfaces"];
    // Early plugins have a list of mappings of one entry in the place of a mapping of lists.
    let groups: Vec<Fields<'a>> = match spec.get(field) {
        Some(Value::Array(_)) => spec.list(field).into_iter().map(|(at, entry)| Fields::of(entry, at, report)).collect(),
        _ => vec![spec.below(field, report)],
    };
    let known = ["plugin", "plugins", "action", "actions", "link", "links", "cli-only"];
    let mut found = Vec::new();
    for group in groups {
        if group.get("type").is_some() {
            found.extend(connection(group, "type", "alias", report));
            continue;
        }
        group.only(&[LISTS.as_slice(), &known].concat(), report);
        for (at, entry) in LISTS.iter().flat_map(|list| group.list(list)) {
            found.extend(match entry {
                Value::String(name) => of_type(name, at, report),
                _ => connection(Fields::of(entry, at, report), "type", "alias", report),
            });
        }
    }
    found
}

/// An input that is a connection.
pub(super) fn of_input<'a>(fields: Fields<'a>, report: &mut Report) -> Option<Connection<'a>> {
    let optional = fields.flag("required", report) != Some(true) || fields.get("condition").is_some();
    let connection = connection(fields, "connection-interface-type", "name", report)?;
    Some(Connection { optional, ..connection })
}

fn connection<'a>(fields: Fields<'a>, kind: &str, alias: &str, report: &mut Report) -> Option<Connection<'a>> {
    if kind == "type" {
        fields.only(&["type", "alias", "outputs"], report);
    }
    let written = fields.needed(kind, "a connection", report)?;
    let alias = fields.text(alias, report).filter(|alias| !alias.is_empty()).unwrap_or_else(|| written.clone());
    let at = fields.place(kind);
    Some(Connection {
        alias,
        type_ref: known_type(&written, at, report)?,
        optional: false,
        at: fields.at.clone(),
        fields: Some(fields),
    })
}

fn of_type<'a>(name: &str, at: Pointer, report: &mut Report) -> Option<Connection<'a>> {
    let type_ref = known_type(name, at.clone(), report)?;
    Some(Connection { alias: name.to_owned(), type_ref, optional: false, fields: None, at })
}

fn known_type(name: &str, at: Pointer, report: &mut Report) -> Option<TypeRef> {
    let found = type_ref(name);
    if found.is_none() {
        report.refuse(Finding::new(at, format!("`{name}` cannot be the name of a connection interface type")));
    }
    found
}

/// The alias as a name of ours, which no other may have.
pub(super) fn own_name<T: TryFrom<String> + Ord + Clone + std::fmt::Display>(
    connection: &Connection<'_>,
    taken: &BTreeMap<T, String>,
    report: &mut Report,
) -> Option<T> {
    let Connection { alias, at, .. } = connection;
    let Some(name) = named::<T>(alias) else {
        report.refuse(
            Finding::new(at.clone(), format!("nothing of the alias `{alias}` can be part of a name"))
                .help("choose another alias"),
        );
        return None;
    };
    if let Some(other) = taken.get(&name) {
        let message = if other == alias {
            format!("there are two connections `{alias}`")
        } else {
            format!("the aliases `{other}` and `{alias}` would both be `{name}` here")
        };
        report.refuse(Finding::new(at.clone(), message).label("taken already").help("give each an alias of its own"));
        return None;
    }
    Some(name)
}

/// The slots of what is required, and the aliases that templates know them under.
pub(super) fn slots(
    required: &[Connection<'_>],
    looks: &Looks,
    report: &mut Report,
) -> (BTreeMap<SlotName, Slot>, BTreeMap<String, SlotName>) {
    let mut taken: BTreeMap<SlotName, String> = BTreeMap::new();
    let mut slots = BTreeMap::new();
    for connection in required {
        let Some(name) = own_name(connection, &taken, report) else { continue };
        taken.insert(name.clone(), connection.alias.clone());
        let parts: Vec<String> = connection.type_ref.version.iter().map(u64::to_string).collect();
        let slot = Slot {
            type_name: connection.type_ref.name.clone(),
            version: semver::VersionReq::parse(&parts.join(".")).ok().filter(|_| !parts.is_empty()),
            optional: connection.optional,
            sensitive: std::collections::BTreeSet::new(),
            constraint: None,
            uses: looks.of(&connection.alias),
        };
        slots.insert(name, slot);
    }
    (slots, taken.into_iter().map(|(name, alias)| (alias, name)).collect())
}
