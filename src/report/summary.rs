//! The step summary of a workflow run, in Markdown.

use super::surroundings::Surroundings;
use crate::domain::diagnostic::Problems;
use crate::domain::outcome::{PlanReport, RunReport};

/// A finished run, in at most `limit` bytes.
pub fn run(report: &RunReport, surroundings: &Surroundings, limit: usize) -> String {
    let _ = (surroundings, limit);
    super::run::text(report, false)
}

/// A plan, in at most `limit` bytes.
pub fn plan(report: &PlanReport, surroundings: &Surroundings, limit: usize) -> String {
    let _ = (surroundings, limit);
    super::plan::text(report, false)
}

/// A request that failed before anything began, in at most `limit` bytes.
pub fn refused(problems: &Problems, surroundings: &Surroundings, limit: usize) -> String {
    let _ = (problems, limit);
    surroundings.title.clone()
}
