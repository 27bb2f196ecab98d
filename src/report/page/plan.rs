//! The page of a plan.

use super::changes::{self, Tense};
use super::layers::{self, Layer};
use super::{Medium, impact, parts, picture};
use crate::domain::outcome::{PlanReport, PlannedTask, Verdict};
use crate::domain::rebinding::Rebinding;
use crate::domain::record::{RunType, TaskType};
use crate::report::markdown::{Block, Inline, code, prose};
use crate::report::plan::{gone, listed, steps};
use crate::report::{Surroundings, rebinding};

/// A plan.
pub(in crate::report) fn plan(report: &PlanReport, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| page(report, surroundings, medium, layer))
}

fn page(report: &PlanReport, surroundings: &Surroundings, medium: Medium, layer: Layer) -> Vec<Block> {
    let mut blocks = vec![Block::Title(outcome(report) + ": " + parts::place(&report.place))];
    blocks.extend(parts::facts([Some(expectation(report))].into_iter().chain(parts::origin(surroundings))));
    blocks.extend(parts::notes(&report.notes));
    blocks.extend(parts::problems("What failed", &report.problems, layer));
    let refused = match report.run_type {
        RunType::Destroy => "A destroy would be refused",
        RunType::Rollback => "A rollback would be refused",
        _ => "A deploy would be refused",
    };
    blocks.extend(parts::problems(refused, &report.refusals, layer));
    blocks.push(tasks(report));
    blocks.extend(rebindings(report));
    blocks.extend(impact::impact(&report.impact, layer));
    if !report.retained.is_empty() {
        blocks.push(Block::Heading("Would be left behind on purpose"));
        blocks.push(Block::List(report.retained.iter().map(|address| code(address)).collect()));
    }
    blocks.extend(approval(report));
    if layer < Layer::Bare {
        blocks.extend(picture::picture(&report.place, &report.wiring, medium));
    }
    blocks.extend(details(report, layer));
    blocks.extend(parts::facts([surroundings.terraform.as_deref().map(code)]));
    blocks
}

/// The outcome in a plain word.
fn outcome(report: &PlanReport) -> Inline {
    let (icon, word) = if report.problems.any_error() {
        ("❌ ", " failed")
    } else if !report.refusals.0.is_empty() {
        ("⚠️ ", " needs approval")
    } else if report.tasks.iter().all(PlannedTask::is_unchanged) {
        ("✅ ", " without changes")
    } else {
        ("📋 ", " with changes")
    };
    Inline::from(icon) + if is_rollback(report) { "Rollback plan" } else { "Plan" } + word
}

fn is_rollback(report: &PlanReport) -> bool {
    report.run_type == RunType::Rollback
}

fn expectation(report: &PlanReport) -> Inline {
    let counts = changes::counts(report.counts(), Tense::Future);
    let deferred = report.tasks.iter().filter(|task| task.is_deferred()).count();
    let later = (deferred > 0).then(|| format!("{deferred} planned later"));
    let told: Vec<String> = [counts].into_iter().filter(|counts| !counts.is_empty()).chain(later).collect();
    if told.is_empty() { "no resource changes".into() } else { prose(&told.join(", ")) }
}

fn tasks(report: &PlanReport) -> Block {
    let row = |task: &PlannedTask| {
        let (what, why): (Inline, Inline) = match &task.verdict {
            Verdict::Unchanged => ("➖ unchanged".into(), Inline::default()),
            Verdict::NoChanges => ("➖ no changes".into(), Inline::default()),
            Verdict::Abandoned => ("🏳️ abandoned".into(), "its infrastructure stays".into()),
            Verdict::Withheld { of } => {
                ("🔒 deferred (sensitive)".into(), Inline::from("may not read the secrets of ") + code(&listed(of)))
            }
            Verdict::Deferred { because } => ("⏳ planned later".into(), prose(&format!("waits for {because} to be applied"))),
            Verdict::Steps { module_waits: true } => ("⏳ steps first".into(), prose("the rest is planned after them")),
            Verdict::Steps { .. } | Verdict::Changes(_) if task.task == TaskType::Destroy => {
                ("🗑️ destroy".into(), gone(report.run_type).into())
            }
            Verdict::Steps { .. } | Verdict::Changes(_) => ("📝 deploy".into(), Inline::default()),
        };
        vec![code(task.alias.as_str()), what, prose(&words(task)), why]
    };
    Block::Table { head: &["Applied plugin", "Plan", "Changes", "Why"], rows: report.tasks.iter().map(row).collect() }
}

/// What slots would take instead of what they took, which a change of resources need not show.
fn rebindings(report: &PlanReport) -> Vec<Block> {
    let all = report.tasks.iter().flat_map(|task| task.rebindings.iter().map(move |rebinding| (task, rebinding)));
    let row = |(task, rebinding): (&PlannedTask, &Rebinding)| {
        vec![code(&format!("{}.{}", task.alias, rebinding.slot)), code(&rebinding::words(rebinding))]
    };
    let rows: Vec<_> = all.map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    vec![
        Block::Heading("Slots that take something else"),
        Block::Paragraph("What a slot took until now stays guarded until its new binding is applied.".into()),
        Block::Table { head: &["Slot", "What it takes"], rows },
    ]
}

fn words(task: &PlannedTask) -> String {
    let counts = changes::counts(task.counts, Tense::Future);
    let words = match &task.verdict {
        Verdict::Changes(resources) if resources.is_empty() => "only outputs".to_owned(),
        Verdict::Changes(_) if counts.is_empty() => "only the state".to_owned(),
        _ => counts,
    };
    let steps = (!task.steps.is_empty()).then(|| steps(task));
    [words].into_iter().filter(|words| !words.is_empty()).chain(steps).collect::<Vec<_>>().join("; ")
}

/// How to deploy exactly this plan.
fn approval(report: &PlanReport) -> Vec<Block> {
    if report.problems.any_error() {
        return Vec::new();
    }
    let what = match report.run_type {
        RunType::Destroy => "To destroy exactly this",
        RunType::Rollback => "To roll back by exactly this plan",
        _ => "To deploy exactly this plan",
    };
    let words = Inline::from(what) + ", and nothing else, pass it on as the input " + code("approved-plan") + ":";
    vec![
        Block::Paragraph(words),
        Block::Fence { language: "yaml", lines: vec![format!("approved-plan: {}", report.fingerprint)] },
    ]
}

/// The resources of each task, folded.
fn details(report: &PlanReport, layer: Layer) -> Vec<Block> {
    let details =
        report.resources().filter_map(|(task, resources)| changes::details(task.alias.as_str(), words(task), resources, layer));
    let mut details: Vec<Block> = details.collect();
    if !details.is_empty() {
        details.insert(0, Block::Heading("Changes"));
    }
    details
}
