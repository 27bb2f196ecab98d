//! A move, for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::counted;
use super::run::status_word;
use super::style::{Style, paint};
use crate::domain::address::Place;
use crate::domain::moving::Relocation;
use crate::domain::outcome::RunReport;
use crate::domain::record::RunStatus;

/// What became of a move, and which documents still have the old name.
pub fn text(report: &RunReport, relocation: &Relocation, consumers: &BTreeSet<Place>, color: bool) -> String {
    let (from, to) = (relocation.subject(), relocation.goal());
    if report.run.status != RunStatus::Succeeded {
        let word = paint(&status_word(report.run.status, report.run.failure_reason), Style::Bad, color);
        return format!("The move of {from} {word}: everything is called what it was\n");
    }
    let plugins = counted(report.run.tasks.len(), "applied plugin", "applied plugins");
    let mut text = format!(
        "{} is {} from now on: {plugins}, {}, nothing was made anew\n",
        from,
        paint(&to, Style::Good, color),
        counted(report.connections.len(), "connection", "connections"),
    );
    text.push_str("\nTo change in documents\n");
    match &relocation.alias {
        Some((old, new)) => _ = writeln!(text, "  the manifest of {}: `{old}` is `{new}`", relocation.from),
        None => _ = writeln!(text, "  its manifest: `name` and `workspace`, and addresses that leave the workspace out"),
    }
    if !report.connections.is_empty() {
        _ = writeln!(
            text,
            "  defaults, references, grants and owners that name {from}; until then a redirect leads on, with a warning"
        );
    }
    for place in consumers.iter().filter(|place| **place != relocation.from) {
        let _ = writeln!(text, "  the manifest of {place}, a consumer, where it names {from}");
    }
    text
}
