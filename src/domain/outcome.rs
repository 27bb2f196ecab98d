//! What a plan found and what a run did: the data that reports are drawn from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::{Address, Place};
use super::blocker::Blocker;
use super::change::PlannedResource;
use super::connection::ConnectionRecord;
use super::diagnostic::Problems;
use super::impact::Impact;
use super::names::{Alias, Digest, RunId, SlotName, StepName, TypeName, VersionTag};
use super::preview::Outlook;
use super::rebinding::Rebinding;
use super::record::{ChangeCounts, RunRecord, RunType, TaskType};

/// What would happen to an applied plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: no Terraform was started.
    Unchanged,
    /// Nothing: Terraform found no changes.
    NoChanges,
    /// These resources would change.
    Changes(Vec<PlannedResource>),
    /// It is given up: what is recorded of it goes, its infrastructure stays.
    Abandoned,
    /// Its plan would read secrets that it may not read.
    Withheld {
        /// Of which connections.
        of: BTreeSet<Address>,
    },
    /// Its steps would run; what else there is to it is not known yet.
    Steps {
        /// Whether its module can only be planned after them.
        module_waits: bool,
    },
    /// It can only be planned once others are applied.
    Deferred {
        /// Which ones.
        because: String,
    },
}

/// The plan of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTask {
    /// The applied plugin.
    pub alias: Alias,
    /// Deploy or destroy.
    pub task: TaskType,
    /// What would happen.
    pub verdict: Verdict,
    /// The resource changes, counted.
    pub counts: ChangeCounts,
    /// The slots that would take something else than at its last apply.
    pub rebindings: Vec<Rebinding>,
    /// The scripts that would run: before its module is applied, or after it is destroyed.
    pub steps: Vec<StepName>,
}

impl PlannedTask {
    /// Whether it could not be planned yet.
    pub fn is_deferred(&self) -> bool {
        matches!(self.verdict, Verdict::Deferred { .. } | Verdict::Withheld { .. } | Verdict::Steps { module_waits: true })
    }

    /// Whether nothing would be another than it is, bindings included.
    pub fn is_unchanged(&self) -> bool {
        matches!(self.verdict, Verdict::Unchanged | Verdict::NoChanges) && self.rebindings.is_empty() && self.steps.is_empty()
    }
}

/// What a person approves: a digest over all tasks, followed by four characters for each task, in the order of their names. The
/// digest decides; the characters only let a changed plan be told by its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanFingerprint(String);

impl PlanFingerprint {
    /// The fingerprint of these tasks, each with the digest of what is approved of it.
    pub fn of(place: &Place, tasks: &BTreeMap<String, Digest>) -> Self {
        let marks: String = tasks.values().map(mark).collect();
        Self(format!("{}-{marks}", Digest::of_json(&(place, tasks))))
    }

    /// Takes what a person passes on.
    pub fn approved(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tasks of `now` whose plan is not the approved one; none when the tasks themselves are others.
    pub fn changed_tasks<'a>(&self, now: &Self, names: &[&'a str]) -> Option<Vec<&'a str>> {
        let marks = |text: &str| -> Vec<String> {
            let marks = text.split_once('-').map_or("", |(_, marks)| marks).chars().collect::<Vec<_>>();
            marks.chunks(MARK).map(|mark| mark.iter().collect()).collect()
        };
        let (approved, now) = (marks(&self.0), marks(&now.0));
        (approved.len() == now.len() && now.len() == names.len())
            .then(|| names.iter().zip(approved.iter().zip(&now)).filter(|(_, (a, b))| a != b).map(|(name, _)| *name).collect())
    }
}

/// How many characters stand for a task.
const MARK: usize = 4;

fn mark(digest: &Digest) -> &str {
    digest.as_str().get(..MARK).unwrap_or_default()
}

impl std::fmt::Display for PlanFingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The plan of a deployable.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReport {
    /// Where it would go.
    pub place: Place,
    /// What it is the plan of.
    pub run_type: RunType,
    /// Its tasks: what is destroyed first, then in the order of the graph.
    pub tasks: Vec<PlannedTask>,
    /// What a person approves.
    pub fingerprint: PlanFingerprint,
    /// What failed to plan.
    pub problems: Problems,
    /// What the run would refuse.
    pub refusals: Problems,
    /// What keeps things from being taken away.
    pub blockers: Vec<Blocker>,
    /// What a destroy would leave behind on purpose.
    pub retained: Vec<String>,
    /// What would happen to connections that somebody elsewhere is bound to.
    pub impact: BTreeMap<Address, Impact>,
    /// What feeds the slots.
    pub wiring: Vec<Wire>,
    /// What else is worth saying, a line each.
    pub notes: Vec<String>,
}

/// A slot with the connection that feeds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire {
    /// The connection, of this deployable or from elsewhere.
    pub source: Address,
    /// The type it is taken as.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The applied plugin that takes it.
    pub alias: Alias,
    /// In this slot.
    pub slot: SlotName,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The place.
    pub place: Place,
    /// The run as it was recorded.
    pub run: RunRecord,
    /// What failed.
    pub problems: Problems,
    /// What happened to resources, by applied plugin, as far as it came to a plan.
    pub changes: BTreeMap<Alias, Vec<PlannedResource>>,
    /// What kept things from being taken away.
    pub blockers: Vec<Blocker>,
    /// The connections of the deployable, as they stand.
    pub connections: BTreeMap<Address, ConnectionRecord>,
    /// Consumers that are bound to an older generation: connection to consumers.
    pub stale: BTreeMap<Address, Vec<String>>,
    /// What a destroy left behind on purpose.
    pub retained: Vec<String>,
    /// What feeds the slots.
    pub wiring: Vec<Wire>,
    /// What else is worth saying, a line each.
    pub notes: Vec<String>,
    /// How to go back to what was deployed before it; none where nothing was.
    pub back: Option<WayBack>,
    /// What there is to know of the preview that it was a deploy of.
    pub preview: Option<Outlook>,
}

/// How to go back to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WayBack {
    /// The name of the release.
    pub version_tag: VersionTag,
    /// The run that made it.
    pub run: RunId,
    /// When.
    pub made: DateTime<Utc>,
    /// The command that goes back to it.
    pub command: String,
    /// The command that starts a workflow which does; only in workflows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<String>,
}

impl PlanReport {
    /// What each task would do to resources.
    pub fn resources(&self) -> impl Iterator<Item = (&PlannedTask, &[PlannedResource])> {
        self.tasks.iter().filter_map(|task| match &task.verdict {
            Verdict::Changes(resources) => Some((task, resources.as_slice())),
            _ => None,
        })
    }

    /// All changes, counted.
    pub fn counts(&self) -> ChangeCounts {
        self.tasks.iter().map(|task| task.counts).sum()
    }

    /// The same with every text that came from outside put through `change`, as a redactor does.
    #[must_use]
    pub fn with_texts(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.problems = self.problems.with_texts(change);
        self.refusals = self.refusals.with_texts(change);
        self.retained = self.retained.iter().map(|text| change(text)).collect();
        self.impact.values_mut().for_each(|impact| impact.change_texts(change));
        self.notes = self.notes.iter().map(|text| change(text)).collect();
        for task in &mut self.tasks {
            if let Verdict::Changes(resources) = &mut task.verdict {
                for resource in resources {
                    resource.change_texts(change);
                }
            }
        }
        self
    }
}

impl RunReport {
    /// All changes, counted.
    pub fn counts(&self) -> ChangeCounts {
        self.run.main_tasks().map(|task| task.changes).sum()
    }

    /// The same with every text that came from outside put through `change`, as a redactor does.
    #[must_use]
    pub fn with_texts(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.problems = self.problems.with_texts(change);
        self.changes.values_mut().flatten().for_each(|resource| resource.change_texts(change));
        self.retained = self.retained.iter().map(|text| change(text)).collect();
        self.notes = self.notes.iter().map(|text| change(text)).collect();
        for record in self.connections.values_mut() {
            for face in std::iter::once(&mut record.face).chain(&mut record.also) {
                face.attributes.values_mut().for_each(|value| change_strings(value, change));
            }
        }
        self
    }
}

fn change_strings(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| change_strings(item, change)),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(key, mut item)| {
                    change_strings(&mut item, change);
                    (change(&key), item)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{DeployableName, EnvironmentName, WorkspaceName};

    #[test]
    fn r26_a_changed_plan_is_told_by_its_tasks() {
        let place = Place {
            workspace: WorkspaceName::new("w").unwrap(),
            environment: EnvironmentName::new("e").unwrap(),
            deployable: DeployableName::new("d").unwrap(),
        };
        let tasks = |b: &str| {
            BTreeMap::from([("deploy:a".to_owned(), Digest::of(b"a")), ("deploy:b".to_owned(), Digest::of(b.as_bytes()))])
        };
        let approved = PlanFingerprint::of(&place, &tasks("before"));
        let now = PlanFingerprint::of(&place, &tasks("after"));
        assert_ne!(approved, now);
        assert_eq!(approved.changed_tasks(&now, &["a", "b"]), Some(vec!["b"]));
        assert_eq!(approved.changed_tasks(&now, &["a"]), None);
    }
}
