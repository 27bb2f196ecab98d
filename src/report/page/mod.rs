//! What people read on GitHub of a run, a plan or a refusal: the same page as step summary and as comment, each as rich as fits.
//!
//! The first screen has the outcome, what failed and what to do; details are folded.

mod changes;
mod layers;
mod parts;
mod picture;
mod plan;
mod run;
#[cfg(test)]
mod tests;

use super::Surroundings;
use super::markdown::{Block, Inline, code, render};
use crate::domain::diagnostic::Problems;

pub(super) use plan::plan;
pub(super) use run::run;

/// Where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// On the page of the workflow run.
    Summary,
    /// In the conversation of a pull request.
    Comment,
}

/// A request that failed before anything began.
pub(super) fn refused(problems: &Problems, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| {
        let mut blocks =
            vec![Block::Title(Inline::from("❌ ") + command(surroundings) + " not started: " + code(&surroundings.title))];
        blocks.extend(parts::facts(parts::origin(surroundings)));
        blocks.push(Block::Paragraph("Nothing was changed.".into()));
        blocks.extend(parts::problems("What is wrong", problems, layer));
        blocks
    })
}

/// A run that goes on.
pub(super) fn running(surroundings: &Surroundings) -> String {
    let title = Inline::from("⏳ ") + command(surroundings) + " running: " + code(&surroundings.title);
    let blocks: Vec<Block> = [Block::Title(title)].into_iter().chain(parts::facts(parts::origin(surroundings))).collect();
    render(&blocks, usize::MAX).0
}

/// The command that was asked for, as the first word of a line.
fn command(surroundings: &Surroundings) -> Inline {
    match surroundings.command.as_str() {
        "deploy" => "Deploy".into(),
        "plan" => "Plan".into(),
        "rollback" => "Rollback".into(),
        "destroy" => "Destroy".into(),
        "validate" => "Validation".into(),
        other => code(other),
    }
}
