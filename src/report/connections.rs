//! Connections and who needs them, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::run::{by_address, describe};
use super::table::table;
use super::{SCHEMA_VERSION, counted, one_line, to_json};
use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::declared::Declaration;
use crate::domain::need::Need;

/// A connection of an environment, with how many need it.
pub struct Listed {
    /// The connection.
    pub record: ConnectionRecord,
    /// How many slots are bound to it.
    pub bound: usize,
    /// How many of these know an older generation.
    pub behind: usize,
    /// How many declare it without being bound.
    pub declared: usize,
}

/// The connections of an environment as text.
pub fn text(listed: &[Listed], place: &Place) -> String {
    if listed.is_empty() {
        return format!("nothing is published in {}/{}\n", place.workspace, place.environment);
    }
    let mut text = String::new();
    for Listed { record, bound, behind, declared } in listed {
        describe(&mut text, record, false);
        let behind = if *behind > 0 { format!(", {behind} behind") } else { String::new() };
        let declared = if *declared > 0 { format!(", {declared} declared") } else { String::new() };
        let _ = writeln!(text, "    {}{behind}{declared}", counted(*bound, "consumer", "consumers"));
    }
    text
}

/// The same as JSON.
pub fn json(listed: &[Listed]) -> String {
    let counts: BTreeMap<String, Value> = listed
        .iter()
        .map(|one| (one.record.address.to_string(), json!({"bound": one.bound, "behind": one.behind, "declared": one.declared})))
        .collect();
    let connections = by_address(listed.iter().map(|one| &one.record));
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "connections": connections, "consumers": counts}))
}

/// A connection with everyone who needs it.
pub struct Shown<'a> {
    /// The connection.
    pub record: &'a ConnectionRecord,
    /// Who is bound to it.
    pub bound: &'a [ConsumerEntry],
    /// Who declares it without being bound.
    pub declared: &'a [Declaration],
    /// What would keep it from being destroyed.
    pub needs: &'a BTreeSet<Need>,
}

/// One connection as text.
pub fn one_text(connection: &Shown<'_>) -> String {
    let Shown { record, bound, declared, needs } = connection;
    let mut text = String::new();
    describe(&mut text, record, false);
    let producer = &record.producer;
    match &record.address.target {
        Target::Output { .. } => {
            let _ = writeln!(text, "  made by {} {} in run {}", producer.plugin, producer.version, producer.run);
        }
        Target::Imported(_) => text.push_str("  imported: a document of the context\n"),
    }
    if let Some(deprecation) = &record.deprecation {
        let _ = writeln!(text, "  {}", one_line(&deprecation.to_string()));
    }
    let _ = writeln!(text, "  {}", counted(bound.len(), "consumer", "consumers"));
    let rows = bound.iter().map(|entry| {
        let behind = if entry.is_behind(record) { ", behind" } else { "" };
        let uses: Vec<&str> = entry.attributes.iter().map(crate::domain::names::AttributeName::as_str).collect();
        vec![
            format!("    {}", entry.consumer),
            format!("generation {}{behind}", entry.generation),
            format!("{} {}", entry.type_name, entry.type_version),
            format!("uses {}", if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") }),
        ]
    });
    text.push_str(&table(&rows.collect::<Vec<_>>()));
    for entry in *declared {
        let _ = writeln!(text, "    {}, a {} that nothing is bound by", entry.consumer, entry.declared);
    }
    if !needs.is_empty() {
        text.push_str("  its destroy would be refused:\n");
        needs.iter().for_each(|need| _ = writeln!(text, "    {need}"));
    }
    text
}

/// The same as JSON.
pub fn one_json(connection: &Shown<'_>) -> String {
    let Shown { record, bound, declared, needs } = connection;
    let bound = bound.iter().map(|entry| {
        let mut shown = with_parts(json!(entry), &entry.consumer);
        shown["behind"] = json!(entry.is_behind(record));
        shown
    });
    let declared = declared.iter().map(|entry| with_parts(json!(entry), &entry.consumer));
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION, "connection": record, "consumers": bound.collect::<Vec<_>>(),
        "declared": declared.collect::<Vec<_>>(), "neededBy": needs,
    }))
}

/// An entry with the parts of its consumer, so that nobody has to take them apart.
fn with_parts(mut entry: Value, consumer: &str) -> Value {
    for (name, part) in ["workspace", "environment", "deployable", "slot"].into_iter().zip(consumer.split('/')) {
        entry[name] = json!(part);
    }
    entry
}

/// A published connection that was taken out of use.
pub struct Retired<'a> {
    /// Which one.
    pub address: &'a Address,
    /// The command that finishes it.
    pub next: &'a str,
}

impl Retired<'_> {
    /// As text.
    pub fn text(&self) -> String {
        format!("nobody needs {}, and nobody can bind to it any more\nto finish: {}\n", self.address, self.next)
    }

    /// As JSON.
    pub fn json(&self) -> String {
        to_json(&json!({"schemaVersion": SCHEMA_VERSION, "retired": self.address, "next": self.next}))
    }
}
