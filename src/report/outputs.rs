//! The outputs of the action: compact JSON, one line each.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::by_text;
use super::run::{by_address, by_alias};
use crate::domain::names::Alias;
use crate::domain::outcome::RunReport;
use crate::domain::record::{ChangeCounts, TaskStatus};

/// `connections`: address to type, generation, public attributes and handles of the sensitive ones.
pub fn connections(report: &RunReport) -> String {
    compact(&by_address(report.connections.values()))
}

/// `outputs`: alias to output to public attributes.
pub fn outputs(report: &RunReport) -> String {
    compact(&by_alias(report))
}

/// `changes`: how many resources were added, changed and removed; of a plan, how many would be.
pub fn changes(counts: ChangeCounts) -> String {
    compact(&counts)
}

/// `stale-consumers`: address to the consumers that are bound to an older generation of it.
pub fn stale_consumers(report: &RunReport) -> String {
    compact(&by_text(&report.stale))
}

/// `skipped`: the aliases that were not applied, because they needed none or could not be.
pub fn skipped(report: &RunReport) -> String {
    let skipped = report.run.main_tasks().filter(|task| task.status == TaskStatus::Skipped);
    compact(&skipped.map(|task| &task.alias).collect::<BTreeSet<&Alias>>())
}

/// On one line, without blanks.
pub(super) fn compact(value: &impl Serialize) -> String {
    serde_json::to_value(value).unwrap_or(Value::Null).to_string()
}
