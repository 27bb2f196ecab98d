//! What people read on GitHub of a run, a plan or a refusal: the same page as step summary and as comment, each as rich as fits.
//!
//! The first screen has the outcome, what failed and what to do; details are folded.

mod changes;
mod drift;
mod impact;
mod layers;
mod parts;
mod picture;
mod plan;
mod preview;
mod run;
#[cfg(test)]
mod tests;

use super::Surroundings;
use super::markdown::{Block, Inline, code, render};
use crate::domain::diagnostic::Problems;

pub(super) use drift::{drift, drifted};
pub(super) use plan::plan;
pub(super) use preview::{gone, removal, skipped, state, sweep};
pub(super) use run::run;

/// Where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// On the page of the workflow run.
    Summary,
    /// In the conversation of a pull request.
    Comment,
}

/// A request that failed before anything began; or, without an error, one that has nothing to tell but that it went well.
pub(super) fn refused(problems: &Problems, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| {
        if !problems.any_error() {
            let blocks = heading("✅ ", " succeeded", surroundings).into_iter();
            return blocks.chain(parts::problems("Worth reading", problems, layer)).collect();
        }
        let mut blocks = heading("❌ ", " not started", surroundings);
        blocks.push(Block::Paragraph("Nothing was changed.".into()));
        blocks.extend(parts::problems("What is wrong", problems, layer));
        blocks
    })
}

/// A run that goes on.
pub(super) fn running(surroundings: &Surroundings) -> String {
    render(&heading("⏳ ", " running", surroundings), usize::MAX).0
}

/// How a command goes or went, of which nothing more is known than what was asked for.
fn heading(icon: &'static str, word: &'static str, surroundings: &Surroundings) -> Vec<Block> {
    let title = Inline::from(icon) + command(surroundings) + word;
    let is_told = surroundings.title.is_empty() || surroundings.title == surroundings.command;
    let title = if is_told { title } else { title + ": " + code(&surroundings.title) };
    [Block::Title(title)].into_iter().chain(parts::facts(parts::origin(surroundings))).collect()
}

/// The command that was asked for, as the first word of a line.
fn command(surroundings: &Surroundings) -> Inline {
    match surroundings.command.as_str() {
        "deploy" => "Deploy".into(),
        "plan" => "Plan".into(),
        "rollback" => "Rollback".into(),
        "destroy" => "Destroy".into(),
        "drift" => "Drift".into(),
        "validate" => "Validation".into(),
        other => code(other),
    }
}
