//! One job of a fleet: it runs its own tasks, with what others left for them, and leaves what it did.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::Parts;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::{End, Left};
use crate::domain::outcome::RunReport;
use crate::engine::claim::Held;
use crate::engine::deploy::verdict;
use crate::engine::journal::Journal;
use crate::engine::publication::is_of;
use crate::engine::tasks::{Results, behind};
use crate::engine::{Engine, Node};

/// Runs the tasks of a job whose journal this is, and leaves what it did in it: nothing is published.
pub async fn deploy_part(engine: Arc<Engine>, journal: Arc<Journal>) -> RunReport {
    let results = match Box::pin(engine.learn_of_others(&journal)).await {
        Ok(known) => engine.run(&journal, known).await,
        Err(problems) => engine.not_begun(&journal, problems),
    };
    engine.leave(&journal, results).await
}

/// Ends what was claimed before anything began: a claim is given back, a job of a fleet leaves why.
///
/// # Errors
/// When the context cannot be written.
pub async fn give_up(held: &Held, problems: &Problems) -> Result<(), Problems> {
    if held.claim().part.is_none() {
        return held.release().await;
    }
    held.note(|claim| {
        let Some(part) = &mut claim.part else { return };
        let ends = part.aliases.iter().map(|alias| (alias.clone(), End::Failed)).collect();
        part.left = Some(Left { ends, problems: problems.clone(), ..Left::default() });
    });
    held.sync().await
}

impl Engine {
    /// How what our tasks wait for ended in other jobs; the connections that these left are taken in. A job that is not at its end, or was
    /// never there, did not succeed.
    async fn learn_of_others(&self, journal: &Journal) -> Result<BTreeMap<Node, End>, Problems> {
        let (place, fleet) = (&self.deployment.place, journal.run());
        let mut parts = Parts::list(&*self.store, place, &fleet).await?;
        let mut known = BTreeMap::new();
        let graph = self.graph();
        let ours = graph.iter().filter(|(node, _)| self.is_ours(node.alias()));
        for node in ours.flat_map(|(_, needs)| needs).filter(|need| !self.is_ours(need.alias())) {
            let left = parts.working_on(node.alias()).await?.and_then(|journal| journal.part.as_ref()?.left.as_ref());
            let end = left.and_then(|left| left.ends.get(node.alias())).cloned();
            known.insert(node.clone(), end.unwrap_or(End::Failed));
            self.take_in_connections(left);
        }
        Ok(known)
    }

    /// Takes in what a job did to connections.
    pub(super) fn take_in_connections(&self, left: Option<&Left>) {
        let Some(left) = left else { return };
        let mut records = self.records();
        records.extend(left.connections.iter().map(|record| (record.address.clone(), record.clone())));
        records.retain(|address, _| !left.destroyed.iter().any(|alias| is_of(address, alias)));
    }

    fn not_begun(&self, journal: &Journal, problems: Problems) -> Results {
        let ours = self.graph().into_keys().filter(|node| self.is_ours(node.alias()));
        let ends = ours.map(|node| (node.alias().clone(), End::Failed)).collect();
        journal.note(|claim| claim.run.tasks = crate::engine::tasks::pending(self));
        Results { ends, problems, ..Results::default() }
    }

    /// Leaves what came of the job's tasks in its journal.
    async fn leave(&self, journal: &Journal, results: Results) -> RunReport {
        let Results { applied, destroyed, retained, changes, blockers, mut problems, ends } = results;
        self.name_stop(&mut problems);
        if journal.is_lost() && !problems.0.iter().any(|problem| problem.reason == FailureReason::Claimed) {
            problems.extend(journal.taken_over());
        }
        let connections = self.records().clone();
        let report = RunReport {
            place: self.deployment.place.clone(),
            run: journal.claim().run,
            problems,
            changes,
            blockers,
            connections: connections.into_iter().filter(|(address, _)| self.makes(address)).collect(),
            stale: BTreeMap::new(),
            retained,
            wiring: Vec::new(),
            notes: self.notes(),
            back: None,
            preview: None,
        };
        let mut report = report.with_texts(&|text| self.redactor.redact(text));
        let left = Left {
            succeeded: applied.iter().filter(|(_, (_, succeeded))| *succeeded).map(|(alias, _)| alias.clone()).collect(),
            destroyed,
            retained: report.retained.clone(),
            changes: without_attributes(&report),
            blockers: report.blockers.clone(),
            problems: report.problems.clone(),
            connections: self.changed_connections(),
            notes: report.notes.clone(),
            ends,
        };
        report.problems.extend(skipped(&left));
        report.notes.push(format!("a part of fleet {}: nothing is published before `tieline fleet finish`", report.run.id));
        journal.note(|claim| {
            claim.applied = applied.into_iter().map(|(alias, (record, _))| (alias, record)).collect();
            if let Some(part) = &mut claim.part {
                part.left = Some(left);
            }
        });
        report.problems.extend(journal.sync().await.err().unwrap_or_default());
        report.run.ended = Some(journal.now());
        (report.run.status, report.run.failure_reason) = verdict(&report.problems);
        report
    }

    /// The connections of our applied plugins that are others than on the ledger, or marked on it by us.
    fn changed_connections(&self) -> Vec<crate::domain::connection::ConnectionRecord> {
        let is_changed = |record: &crate::domain::connection::ConnectionRecord| {
            self.own.connections.get(&record.address) != Some(record) || self.is_going(&record.address)
        };
        self.records().values().filter(|record| self.makes(&record.address) && is_changed(record)).cloned().collect()
    }
}

/// What happened to resources: what changed inside them is for the log alone.
fn without_attributes(report: &RunReport) -> BTreeMap<crate::domain::names::Alias, Vec<crate::domain::change::PlannedResource>> {
    let mut changes = report.changes.clone();
    for resource in changes.values_mut().flatten() {
        (resource.attributes, resource.more) = (Vec::new(), 0);
    }
    changes
}

/// That nothing was done because of another job is that one's failure; here it is only worth reading.
fn skipped(left: &Left) -> Problems {
    let skipped = left.ends.iter().filter_map(|(alias, end)| match end {
        End::Skipped { because } => {
            let message = format!("nothing was done for `{alias}`: {}", behind(because));
            Some(Diagnostic::warning(FailureReason::ApplyFailed, message))
        }
        _ => None,
    });
    Problems(skipped.collect())
}
