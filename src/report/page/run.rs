//! The page of a finished run.

use std::time::Duration;

use super::changes::{self, Tense};
use super::layers::{self, Layer};
use super::{Medium, parts, picture};
use crate::domain::failure::FailureReason;
use crate::domain::outcome::{RunReport, WayBack};
use crate::domain::record::{RunRecord, RunStatus, RunType, TaskRecord, TaskStatus, TaskType};
use crate::domain::visible::shortened;
use crate::report::Surroundings;
use crate::report::markdown::{Block, Inline, code, prose};
use crate::report::run::overridden;
use crate::report::times::moment;

/// The longest reason in the table of tasks, in characters.
const LONGEST_REASON: usize = 160;

/// A finished run.
pub(in crate::report) fn run(report: &RunReport, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| page(report, surroundings, medium, layer))
}

fn page(report: &RunReport, surroundings: &Surroundings, medium: Medium, layer: Layer) -> Vec<Block> {
    let run = &report.run;
    let mut blocks = vec![Block::Title(outcome(run) + ": " + parts::place(&report.place))];
    blocks.extend(facts(report, surroundings));
    blocks.extend(report.preview.iter().flat_map(super::preview::outlook));
    blocks.extend(parts::notes(&report.notes));
    blocks.extend(parts::notes(&run.overrides.iter().map(overridden).collect::<Vec<_>>()));
    blocks.extend(parts::problems("What failed", &report.problems, layer));
    blocks.push(tasks(report));
    blocks.extend(parts::connections(&report.connections, layer));
    let behind = "They were applied with an older generation than there is now. Deploy them to take in the new one.";
    blocks.extend(parts::consumers("Consumers that are behind", behind, &report.stale));
    if !report.retained.is_empty() {
        blocks.push(Block::Heading("Left behind on purpose"));
        blocks.push(Block::List(report.retained.iter().map(|address| code(address)).collect()));
    }
    if layer < Layer::Bare {
        blocks.extend(picture::picture(&report.place, &report.wiring, medium));
    }
    blocks.extend(details(report, layer));
    blocks.extend(report.back.iter().flat_map(going_back));
    blocks.extend(footer(run, surroundings));
    blocks
}

/// The outcome in a plain word.
fn outcome(run: &RunRecord) -> Inline {
    let what: Inline = match run.run_type {
        RunType::Deploy => "Deploy",
        RunType::Rollback => "Rollback",
        RunType::Destroy => "Destroy",
        RunType::Move => "Move",
        RunType::Adopt => "Adoption",
        RunType::Deprecate => "Deprecation",
        RunType::Retire => "Retirement",
        RunType::Unlock => "Unlocking",
    }
    .into();
    let (icon, word) = match (run.status, run.failure_reason) {
        (RunStatus::Running, _) => ("⏳ ", " running"),
        (RunStatus::Succeeded, _) => ("✅ ", " succeeded"),
        (RunStatus::UserError | RunStatus::RuntimeError, _) => ("❌ ", " failed"),
        (RunStatus::Aborted, Some(FailureReason::Cancelled)) => ("🛑 ", " cancelled"),
        (RunStatus::Aborted, Some(FailureReason::TimedOut)) => ("🛑 ", " timed out"),
        (RunStatus::Aborted, _) => ("🛑 ", " aborted"),
    };
    Inline::from(icon) + what + word
}

fn facts(report: &RunReport, surroundings: &Surroundings) -> Option<Block> {
    let run = &report.run;
    let counts = report.counts();
    let changed = if counts.is_empty() { "nothing changed".into() } else { prose(&changes::counts(counts, Tense::Past)) };
    let took = run.ended.and_then(|ended| (ended - run.started).to_std().ok()).map(|took| prose(&duration(took)));
    let release = (run.status == RunStatus::Succeeded).then(|| Inline::from("release ") + code(run.version_tag.as_str()));
    parts::facts([Some(changed), took, release].into_iter().chain(parts::origin(surroundings)))
}

fn tasks(report: &RunReport) -> Block {
    let rows = report.run.main_tasks().map(|task| {
        let took = task.started.zip(task.ended).and_then(|(started, ended)| (ended - started).to_std().ok());
        vec![
            code(task.alias.as_str()),
            result(task),
            prose(&changes::counts(task.changes, Tense::Past)),
            took.filter(|took| !took.is_zero()).map(|took| prose(&duration(took))).unwrap_or_default(),
            reason(task, report),
        ]
    });
    Block::Table { head: &["Applied plugin", "Result", "Changes", "Time", "Why"], rows: rows.collect() }
}

/// Why a task was not done, where that is not plain and not told above.
fn reason(task: &TaskRecord, report: &RunReport) -> Inline {
    match &task.because {
        Some(because) if report.problems.0.iter().any(|problem| &problem.message == because) => "see above".into(),
        Some(because) if task.status != TaskStatus::Succeeded && !is_unchanged(task) => {
            prose(&shortened(because, LONGEST_REASON))
        }
        _ => Inline::default(),
    }
}

fn is_unchanged(task: &TaskRecord) -> bool {
    task.status == TaskStatus::Skipped && task.because.as_deref() == Some("unchanged")
}

fn result(task: &TaskRecord) -> Inline {
    match task.status {
        TaskStatus::Pending | TaskStatus::ReadyToRun => "⏳ not started",
        TaskStatus::Running => "⏳ running",
        TaskStatus::Succeeded if task.task_type == TaskType::Destroy => "✅ destroyed",
        TaskStatus::Succeeded if task.changes.is_empty() => "✅ no changes",
        TaskStatus::Succeeded => "✅ deployed",
        TaskStatus::Failed => "❌ failed",
        TaskStatus::InternalError => "❌ stopped by a bug",
        TaskStatus::Aborted => "🛑 aborted",
        TaskStatus::Skipped if is_unchanged(task) => "➖ unchanged",
        TaskStatus::Skipped => "⏭️ skipped",
    }
    .into()
}

/// The resources of each task, folded.
fn details(report: &RunReport, layer: Layer) -> Vec<Block> {
    let details = report.run.main_tasks().filter_map(|task| {
        let resources = report.changes.get(&task.alias)?;
        let was_started = !task.changes.is_empty() || task.status == TaskStatus::Succeeded;
        let done = changes::counts(task.changes, Tense::Past);
        let words = match (was_started, done.as_str()) {
            (false, _) => "planned, not applied".to_owned(),
            (true, "") => "only outputs".to_owned(),
            (true, _) => done,
        };
        changes::details(task.alias.as_str(), words, resources, layer)
    });
    let mut details: Vec<Block> = details.collect();
    if !details.is_empty() {
        details.insert(0, Block::Heading("Changes"));
    }
    details
}

/// The commands that lead back to what was there before.
fn going_back(back: &WayBack) -> Vec<Block> {
    let release =
        Inline::from("The release before this run is ") + code(back.version_tag.as_str()) + ", made " + code(&moment(back.made));
    let words = match back.dispatch {
        Some(_) => {
            release
                + ". The first line starts the workflow "
                + code("rollback.yml")
                + " of the examples, the second is the command line:"
        }
        None => release + ":",
    };
    let lines = back.dispatch.iter().chain([&back.command]).cloned().collect();
    vec![Block::Heading("To go back"), Block::Paragraph(words), Block::Fence { language: "sh", lines }]
}

fn footer(run: &RunRecord, surroundings: &Surroundings) -> Option<Block> {
    let id = Inline::from("run ") + code(run.id.as_str());
    parts::facts([Some(id), surroundings.terraform.as_deref().map(code)])
}

/// A time as people say it.
fn duration(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1}s", took.as_secs_f64()),
        seconds @ 60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        seconds => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}
