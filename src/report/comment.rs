//! The comment on a pull request, in Markdown. GitHub refuses one that is longer than it allows.

use super::Surroundings;
use super::page::{self, Medium};
use crate::domain::diagnostic::Problems;
use crate::domain::outcome::{PlanReport, RunReport};

/// A finished run, in at most `limit` bytes.
pub fn run(report: &RunReport, surroundings: &Surroundings, limit: usize) -> String {
    page::run(report, surroundings, Medium::Comment, limit)
}

/// A plan, in at most `limit` bytes.
pub fn plan(report: &PlanReport, surroundings: &Surroundings, limit: usize) -> String {
    page::plan(report, surroundings, Medium::Comment, limit)
}

/// A request that failed before anything began, in at most `limit` bytes.
pub fn refused(problems: &Problems, surroundings: &Surroundings, limit: usize) -> String {
    page::refused(problems, surroundings, Medium::Comment, limit)
}

/// What the comment says while the run goes on.
pub fn running(surroundings: &Surroundings) -> String {
    page::running(surroundings)
}
