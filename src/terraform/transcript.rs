//! What is kept of a stream: the events that make up a result, and a bounded memory of the rest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::diagnostic::Severity;
use crate::domain::failure::FailureReason;
use crate::domain::record::ChangeCounts;
use crate::world::Exit;

use super::diagnose::{self, TfDiagnostic};
use super::event::Event;
use super::outcome::{Action, Applied, AppliedResource, Failure, OutputValue, Plan, ResourceChange};

/// Of errors and of warnings each.
const MOST_DIAGNOSTICS: usize = 50;
const LAST_LINES: usize = 20;

/// What is kept of one stream.
#[derive(Default)]
pub(super) struct Transcript {
    errors: Vec<TfDiagnostic>,
    warnings: Vec<TfDiagnostic>,
    tail: VecDeque<String>,
    planned: Vec<ResourceChange>,
    drift: Vec<ResourceChange>,
    refreshed: BTreeSet<String>,
    summary: Option<ChangeCounts>,
    resources: Vec<AppliedResource>,
    outputs: BTreeMap<String, OutputValue>,
}

impl Transcript {
    /// Takes in what `event` says.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Diagnostic(diagnostic) => self.note_diagnostic(diagnostic.clone()),
            Event::Text(line) if !line.trim().is_empty() => {
                if self.tail.len() == LAST_LINES {
                    self.tail.pop_front();
                }
                self.tail.push_back(line.clone());
            }
            Event::Planned(change) => self.planned.push(change.clone()),
            Event::Drifted(change) => self.drift.push(change.clone()),
            Event::Refreshing { address } => {
                self.refreshed.insert(address.clone());
            }
            Event::ResourceDone { address, action, elapsed } if *action != Action::Read => {
                self.resources.push(AppliedResource { address: address.clone(), action: *action, elapsed: *elapsed });
            }
            Event::ChangeSummary { counts, .. } => self.summary = Some(*counts),
            Event::Outputs(outputs) => self.outputs.clone_from(outputs),
            _ => {}
        }
    }

    fn note_diagnostic(&mut self, diagnostic: TfDiagnostic) {
        let kept = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        // Terraform repeats some, such as `execution halted`.
        if kept.len() < MOST_DIAGNOSTICS && !kept.contains(&diagnostic) {
            kept.push(diagnostic);
        }
    }

    /// Whether terraform came to the end of a plan: a crash of its own has the exit code of a plan with changes.
    pub(super) fn is_whole_plan(&self) -> bool {
        self.summary.is_some() && self.errors.is_empty()
    }

    /// The plan that the stream told.
    pub(super) fn into_plan(mut self, changed: bool) -> Plan {
        // What terraform only forgets is not refreshed, and what it imports is, though it was not there before (measured).
        for change in &self.planned {
            if change.imported {
                self.refreshed.remove(&change.address);
            } else if change.action == Action::Forget {
                self.refreshed.insert(change.address.clone());
            }
        }
        self.planned.sort_by(|a, b| a.address.cmp(&b.address));
        self.drift.sort_by(|a, b| a.address.cmp(&b.address));
        Plan {
            changed,
            prior: self.refreshed,
            resources: self.planned,
            counts: self.summary.unwrap_or_default(),
            drift: self.drift,
            warnings: self.warnings,
        }
    }

    /// What the stream's apply did.
    pub(super) fn into_applied(self) -> Applied {
        Applied {
            counts: self.summary.unwrap_or_else(|| count(&self.resources)),
            outputs: self.outputs,
            resources: self.resources,
            warnings: self.warnings,
        }
    }

    /// The failure that the stream and its end told, of `reason` unless they name a better one.
    pub(super) fn into_failure(mut self, reason: FailureReason, exit: Exit) -> Failure {
        if self.errors.is_empty() {
            self.errors = diagnose::from_text(self.tail.iter().map(String::as_str));
            self.errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
        }
        let lock = diagnose::held_lock(&self.errors);
        if self.errors.is_empty() && !exit.cancelled {
            self.errors.push(without_words(exit, &self.tail));
        }
        let reason = match lock {
            _ if exit.cancelled => FailureReason::Cancelled,
            Some(_) => FailureReason::StateLocked,
            None => reason,
        };
        let mut diagnostics = self.errors;
        diagnostics.extend_from_slice(&self.warnings);
        Failure {
            diagnostics,
            lock,
            interrupted: exit.cancelled,
            tail: self.tail.into(),
            applied: Applied {
                outputs: BTreeMap::new(),
                counts: count(&self.resources),
                resources: self.resources,
                warnings: self.warnings,
            },
            ..Failure::new(reason)
        }
    }
}

fn count(resources: &[AppliedResource]) -> ChangeCounts {
    let of = |actions: &[Action]| resources.iter().filter(|resource| actions.contains(&resource.action)).count() as u64;
    ChangeCounts { add: of(&[Action::Create]), change: of(&[Action::Update]), remove: of(&[Action::Delete]) }
}

/// Terraform ended without an error of its own: it crashed, or something ended it.
fn without_words(exit: Exit, tail: &VecDeque<String>) -> TfDiagnostic {
    let summary = match (exit.code, exit.signal) {
        (Some(code), _) => format!("terraform ended with code {code} and no error"),
        (None, Some(9)) => "terraform was killed; the machine may be out of memory".to_owned(),
        (None, signal) => format!("terraform was ended by signal {}", signal.unwrap_or_default()),
    };
    TfDiagnostic::error(summary, tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))
}
