//! Applied plugins that are given up instead of destroyed (R46): no record leads to them any more, and their infrastructure stays.

use std::sync::Mutex;

use super::publication::is_of;
use super::tasks::{Results, Well};
use super::{Engine, locked};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::organization::Override;
use crate::domain::record::{ChangeCounts, Overridden, RunRecord, TaskStatus};

impl Engine {
    /// The override that gives an applied plugin up.
    pub(super) fn abandoned(&self, alias: &Alias) -> Option<&Overridden> {
        let gives_up =
            |set_aside: &&Overridden| set_aside.what == Override::Abandon && set_aside.subjects.contains(alias.as_str());
        self.settings.overrides.iter().find(gives_up)
    }

    /// What is asked to be given up and cannot be: only what is applied and would be destroyed can.
    pub(super) fn not_to_abandon(&self) -> Problems {
        let asked = self.settings.overrides.iter().filter(|set_aside| set_aside.what == Override::Abandon);
        let aliases = asked.flat_map(|set_aside| &set_aside.subjects);
        let unknown = aliases.filter(|alias| !self.removed.keys().any(|removed| removed.as_str() == alias.as_str()));
        let problems = unknown.map(|alias| {
            let is_applied = self.own.applied.keys().any(|applied| applied.as_str() == alias.as_str());
            let (why, help) = if is_applied {
                ("it would stay deployed", "take it out of the manifest, or let something stand in for it")
            } else {
                ("it is not deployed there", "check the alias")
            };
            Diagnostic::error(FailureReason::InvalidInput, format!("`{alias}` cannot be abandoned: {why}"))
                .in_file(&self.deployment.file)
                .help(help)
        });
        Problems(problems.collect())
    }

    /// Gives an applied plugin up: nothing is started, and what is recorded of it goes as if it were destroyed.
    pub(super) fn abandon(&self, alias: &Alias, results: &Mutex<Results>) -> Well {
        let state = &self.removed[alias].record.state;
        let reason = self.abandoned(alias).map(|set_aside| set_aside.reason.as_str()).unwrap_or_default();
        let left = format!("{alias}: all of it, in the state `{}` of the `{}` backend", state.key, state.backend.kind.as_str());
        self.records().retain(|address, _| !is_of(address, alias));
        let mut results = locked(results);
        results.destroyed.insert(alias.clone());
        results.retained.push(left);
        (TaskStatus::Skipped, Some(format!("abandoned, because {reason}")), ChangeCounts::default())
    }

    /// Notes in the run's record where the states are that it left behind.
    pub(super) fn note_left(&self, run: &mut RunRecord, results: &Results) {
        for set_aside in run.overrides.iter_mut().filter(|set_aside| set_aside.what == Override::Abandon) {
            let left = results.destroyed.iter().filter(|alias| set_aside.subjects.contains(alias.as_str()));
            set_aside.left = left.map(|alias| (alias.clone(), self.removed[alias].record.state.clone())).collect();
        }
    }
}
