//! The step summary of a workflow run, in Markdown. The runner drops one that is longer than it allows.

use super::Surroundings;
use super::page::{self, Medium};
use crate::domain::diagnostic::Problems;
use crate::domain::outcome::{PlanReport, RunReport};

/// A finished run, in at most `limit` bytes.
pub fn run(report: &RunReport, surroundings: &Surroundings, limit: usize) -> String {
    page::run(report, surroundings, Medium::Summary, limit)
}

/// A plan, in at most `limit` bytes.
pub fn plan(report: &PlanReport, surroundings: &Surroundings, limit: usize) -> String {
    page::plan(report, surroundings, Medium::Summary, limit)
}

/// A request that failed before anything began, in at most `limit` bytes.
pub fn refused(problems: &Problems, surroundings: &Surroundings, limit: usize) -> String {
    page::refused(problems, surroundings, Medium::Summary, limit)
}
