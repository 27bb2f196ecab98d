//! Connections, for people and for programs.

use std::fmt::Write as _;

use serde_json::json;

use super::run::{by_address, describe};
use super::{counted, to_json};
use crate::domain::address::Place;
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};

/// The connections of an environment as text.
pub fn text(records: &[ConnectionRecord], place: &Place) -> String {
    if records.is_empty() {
        return format!("nothing is published in {}/{}\n", place.workspace, place.environment);
    }
    let mut text = String::new();
    for record in records {
        describe(&mut text, record, false);
    }
    text
}

/// The same as JSON.
pub fn json(records: &[ConnectionRecord]) -> String {
    to_json(&json!({"schemaVersion": 1, "connections": by_address(records.iter())}))
}

/// One connection with its consumers as text.
pub fn one_text(record: &ConnectionRecord, consumers: &[ConsumerEntry]) -> String {
    let mut text = String::new();
    describe(&mut text, record, false);
    let producer = &record.producer;
    let _ = writeln!(text, "  made by {} {} in run {}", producer.plugin, producer.version, producer.run);
    let _ = writeln!(text, "  {}", counted(consumers.len(), "consumer", "consumers"));
    for consumer in consumers {
        let stale = if consumer.generation < record.generation { ", stale" } else { "" };
        let _ = writeln!(text, "    {} since generation {}{stale}", consumer.consumer, consumer.generation);
    }
    text
}

/// The same as JSON.
pub fn one_json(record: &ConnectionRecord, consumers: &[ConsumerEntry]) -> String {
    to_json(&json!({"schemaVersion": 1, "connection": record, "consumers": consumers}))
}
