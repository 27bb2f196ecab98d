//! A finished run, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{Style, paint};
use super::times::moment;
use super::{SCHEMA_VERSION, by_text, counted, one_line, problems, to_json};
use crate::domain::connection::ConnectionRecord;
use crate::domain::outcome::RunReport;
use crate::domain::record::{Overridden, RunStatus, TaskStatus};

/// A run as text.
pub fn text(report: &RunReport, color: bool) -> String {
    let run = &report.run;
    let changes = report.counts();
    let unchanged = run
        .main_tasks()
        .filter(|task| task.status == TaskStatus::Skipped && task.because.as_deref() == Some("unchanged"))
        .count();
    let style = if run.status == RunStatus::Succeeded { Style::Good } else { Style::Bad };
    let took = run.ended.and_then(|ended| (ended - run.started).to_std().ok()).unwrap_or_default();
    let mut text = format!(
        "{} {}: {}, {} unchanged, {changes}, {:.1}s\n",
        report.place,
        paint(&status_word(run.status, run.failure_reason), style, color),
        counted(run.main_tasks().count(), "task", "tasks"),
        unchanged,
        took.as_secs_f64()
    );
    report.notes.iter().for_each(|note| _ = writeln!(text, "{}", one_line(note)));
    for set_aside in &run.overrides {
        let _ = writeln!(text, "{}", one_line(&overridden(set_aside)));
    }
    if !report.connections.is_empty() {
        text.push_str("\nConnections\n");
        report.connections.values().for_each(|record| describe(&mut text, record, color));
    }
    for (address, consumers) in &report.stale {
        let _ = writeln!(
            text,
            "\n`{address}` has a newer generation than {} know; deploy them to take it in:",
            counted(consumers.len(), "consumer", "consumers")
        );
        for consumer in consumers {
            let _ = writeln!(text, "  {consumer}");
        }
    }
    if !report.retained.is_empty() {
        text.push_str("\nLeft behind on purpose\n");
        report.retained.iter().for_each(|address| _ = writeln!(text, "  {}", one_line(address)));
    }
    if let Some(preview) = &report.preview {
        let url = preview.url.as_deref().map(one_line);
        let _ =
            writeln!(text, "\nPreview\n  {}until {}", url.map(|url| url + "\n  ").unwrap_or_default(), moment(preview.expires));
    }
    if let Some(back) = &report.back {
        let _ = writeln!(
            text,
            "\nTo go back to release `{}` of {}:\n  {}",
            back.version_tag,
            moment(back.made),
            one_line(&back.command)
        );
    }
    text
}

/// What was set aside, and why.
pub(super) fn overridden(set_aside: &Overridden) -> String {
    let subjects: Vec<String> = set_aside.subjects.iter().map(|subject| format!(" `{subject}`")).collect();
    format!("set aside: {}{}, because: {}", set_aside.what, subjects.join(","), set_aside.reason)
}

/// How a run stands, in a word, with the reason where it failed.
pub(super) fn status_word(status: RunStatus, reason: Option<crate::domain::failure::FailureReason>) -> String {
    let word = match status {
        RunStatus::Running => "runs",
        RunStatus::Succeeded => "succeeded",
        RunStatus::UserError | RunStatus::RuntimeError => "failed",
        RunStatus::Aborted => "was aborted",
    };
    reason.map_or_else(|| word.to_owned(), |reason| format!("{word} ({reason})"))
}

/// A connection with its public attributes; of the sensitive ones only the names.
pub(super) fn describe(text: &mut String, record: &ConnectionRecord, color: bool) {
    let status = match record.status {
        crate::domain::connection::ConnectionStatus::Ready => String::new(),
        other => format!(", {}", paint(&format!("{other:?}").to_lowercase(), Style::Bad, color)),
    };
    for face in record.faces() {
        let _ = writeln!(
            text,
            "  {}  {} {}, generation {}{status}",
            paint(&record.address.to_string(), Style::Strong, color),
            face.type_name,
            face.type_version,
            record.generation
        );
        for (name, value) in &face.attributes {
            let _ = writeln!(text, "    {name} = {}", one_line(&value.to_string()));
        }
        for name in face.sensitive.keys() {
            let _ = writeln!(text, "    {name} = {}", paint("(sensitive)", Style::Dim, color));
        }
    }
}

/// A run as JSON: the record, what happened to resources, the connections, the outputs by alias, what went wrong.
pub fn json(report: &RunReport) -> String {
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "command": report.run.run_type,
        "place": report.place,
        "run": report.run,
        "counts": report.counts(),
        "changes": report.changes,
        "connections": by_address(report.connections.values()),
        "outputs": by_alias(report),
        "stale": by_text(&report.stale),
        "retained": report.retained,
        "blockers": report.blockers,
        "wiring": report.wiring,
        "notes": report.notes,
        "back": report.back,
        "preview": report.preview,
        "problems": problems::list(&report.problems),
    }))
}

/// Connections by address: type, generation, public attributes, handles of the sensitive ones.
pub(super) fn by_address<'a>(records: impl Iterator<Item = &'a ConnectionRecord>) -> BTreeMap<String, Value> {
    let described = records.map(|record| {
        let described = json!({
            "type": record.face.type_name, "typeVersion": record.face.type_version, "generation": record.generation,
            "attributes": record.face.attributes, "sensitive": record.face.sensitive, "status": record.status,
        });
        (record.address.to_string(), described)
    });
    described.collect()
}

/// The public attributes by alias and output.
pub(super) fn by_alias(report: &RunReport) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut outputs: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for record in report.connections.values() {
        if let crate::domain::address::Target::Output { alias, output, .. } = &record.address.target {
            outputs.entry(alias.to_string()).or_default().insert(output.to_string(), json!(record.face.attributes));
        }
    }
    outputs
}
