//! A plan, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;

use super::style::{Style, paint};
use super::{SCHEMA_VERSION, by_text, counted, impact, one_line, problems, rebinding, to_json};
use crate::domain::address::Address;
use crate::domain::outcome::{PlanReport, PlannedTask, Verdict};
use crate::domain::record::{RunType, TaskType};

/// A plan as text.
pub fn text(report: &PlanReport, color: bool) -> String {
    let what = match report.run_type {
        RunType::Destroy => "Plan to destroy",
        RunType::Rollback => "Rollback plan for",
        _ => "Plan for",
    };
    let mut text = format!("{what} {}\n\n", paint(&report.place.to_string(), Style::Strong, color));
    report.notes.iter().for_each(|note| _ = writeln!(text, "{}", one_line(note)));
    if !report.notes.is_empty() {
        text.push('\n');
    }
    for task in &report.tasks {
        describe(&mut text, task, report.run_type, color);
    }
    let total = report.counts();
    let deferred = report.tasks.iter().filter(|task| task.is_deferred()).count();
    let later =
        if deferred > 0 { format!(", {} planned later", counted(deferred, "plugin is", "plugins are")) } else { String::new() };
    let _ = writeln!(text, "\n{} to add, {} to change, {} to destroy{later}.", total.add, total.change, total.remove);
    for (address, found) in &report.impact {
        impact::describe(&mut text, address, found);
    }
    if !report.retained.is_empty() {
        text.push_str("\nWould be left behind on purpose\n");
        report.retained.iter().for_each(|address| _ = writeln!(text, "  {}", one_line(address)));
    }
    let gap = if report.impact.is_empty() && report.retained.is_empty() { "" } else { "\n" };
    if report.problems.any_error() {
        let _ = writeln!(text, "{gap}No fingerprint: not everything could be planned.");
    } else {
        let _ = writeln!(text, "{gap}Fingerprint: {}", report.fingerprint);
    }
    text
}

/// Why a run destroys what it does, where that is not plain.
pub(super) fn gone(run_type: RunType) -> &'static str {
    match run_type {
        RunType::Destroy => "",
        RunType::Rollback => "not in the release",
        _ => "no longer in the manifest",
    }
}

fn describe(text: &mut String, task: &PlannedTask, run_type: RunType, color: bool) {
    let gone = match (task.task, gone(run_type)) {
        (TaskType::Destroy, gone) if !gone.is_empty() => format!(" ({gone})"),
        _ => String::new(),
    };
    let alias = paint(task.alias.as_str(), Style::Strong, color);
    let _ = match &task.verdict {
        Verdict::Unchanged => writeln!(text, "{alias}: unchanged"),
        Verdict::NoChanges => writeln!(text, "{alias}: no changes"),
        Verdict::Abandoned => writeln!(text, "{alias}{gone}: abandoned, its infrastructure stays"),
        Verdict::Withheld { of } => {
            writeln!(text, "{alias}: deferred (sensitive), it may not read the secrets of {}", listed(of))
        }
        Verdict::Deferred { because } => writeln!(text, "{alias}: deferred until {because} is applied"),
        Verdict::Steps { module_waits: true } => writeln!(text, "{alias}: its steps run, and the rest is planned after them"),
        Verdict::Steps { .. } if task.steps.is_empty() => {
            writeln!(text, "{alias}{gone}: no steps, only what is recorded of it goes")
        }
        Verdict::Steps { .. } => writeln!(text, "{alias}{gone}: its steps run"),
        Verdict::Changes(_) => writeln!(text, "{alias}{gone}: {}", task.counts),
    };
    if let Verdict::Changes(resources) = &task.verdict {
        for resource in resources {
            let (sign, style) = match resource.action.as_str() {
                "create" => ("+", Style::Good),
                "delete" => ("-", Style::Bad),
                "replace" => ("-/+", Style::Bad),
                _ => ("~", Style::Changed),
            };
            let _ = writeln!(text, "  {} {} {}", paint(sign, style, color), resource.action, one_line(&resource.address));
        }
        if resources.is_empty() {
            let _ = writeln!(text, "  only outputs");
        }
    }
    if !task.steps.is_empty() {
        let _ = writeln!(text, "  {}", steps(task));
    }
    for one in &task.rebindings {
        let _ = writeln!(text, "  slot {}: {}", one.slot, rebinding::words(one));
    }
}

/// The scripts that would run, and when.
pub(super) fn steps(task: &PlannedTask) -> String {
    let names: Vec<&str> = task.steps.iter().map(crate::domain::names::StepName::as_str).collect();
    let when = match (&task.verdict, task.task) {
        (Verdict::Steps { .. }, _) => "",
        (_, TaskType::Destroy) => " afterwards",
        _ => " before that",
    };
    let (steps, run) = if names.len() == 1 { ("step", "runs") } else { ("steps", "run") };
    format!("the {steps} {} {run}{when}", names.join(", "))
}

/// A plan as JSON: the tasks with what they would do to resources, the fingerprint, what a deploy would refuse.
pub fn json(report: &PlanReport) -> String {
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "command": "plan",
        "for": report.run_type,
        "place": report.place,
        "tasks": report.tasks.iter().map(task_json).collect::<Vec<_>>(),
        "counts": report.counts(),
        "fingerprint": report.fingerprint,
        "impact": by_text(&report.impact),
        "wiring": report.wiring,
        "notes": report.notes,
        "retained": report.retained,
        "blockers": report.blockers,
        "refusals": problems::list(&report.refusals),
        "problems": problems::list(&report.problems),
    }))
}

/// Connections, one after the other.
pub(super) fn listed(addresses: &BTreeSet<Address>) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

fn task_json(task: &PlannedTask) -> serde_json::Value {
    let (verdict, resources, because) = match &task.verdict {
        Verdict::Unchanged => ("unchanged", [].as_slice(), None),
        Verdict::NoChanges => ("no-changes", [].as_slice(), None),
        Verdict::Abandoned => ("abandoned", [].as_slice(), None),
        Verdict::Withheld { of } => ("deferred-sensitive", [].as_slice(), Some(listed(of))),
        Verdict::Deferred { because } => ("deferred", [].as_slice(), Some(because.clone())),
        Verdict::Steps { module_waits } => ("steps", [].as_slice(), module_waits.then(|| "its steps".to_owned())),
        Verdict::Changes(resources) => ("changes", resources.as_slice(), None),
    };
    let mut json = json!({"alias": task.alias, "type": task.task, "verdict": verdict, "because": because, "counts": task.counts, "resources": resources, "rebindings": task.rebindings});
    if !task.steps.is_empty() {
        json["steps"] = json!(task.steps);
    }
    json
}
