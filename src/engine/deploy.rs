//! The run of a deploy: claim, task graph, one publication, release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::event::Event;
use super::journal::Journal;
use super::plan::{self, Pass};
use super::prepare::Prepared;
use super::publication::Publication;
use super::schedule::End;
use super::tasks::{self, Results};
use super::{Engine, Node, locked};
use crate::domain::address::{Address, Target};
use crate::domain::blocker::Blocker;
use crate::domain::connection::ConnectionRecord;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::{FailureKind, FailureReason};
use crate::domain::names::{Alias, OutputName};
use crate::domain::outcome::RunReport;
use crate::domain::record::{
    AppliedRecord, ChangeCounts, Release, ReleasedPlugin, ReleasedVersion, RunRecord, RunStatus, RunType, SCHEMA_VERSION,
    TaskStatus,
};

/// Runs the deploy whose claim the journal holds, and publishes what it did on every way out.
pub async fn deploy(engine: Arc<Engine>, journal: Arc<Journal>) -> RunReport {
    let results = engine.run(&journal, BTreeMap::new()).await;
    engine.finish(&journal, results).await
}

impl Engine {
    /// Runs the tasks, but for those whose end is known from elsewhere. The journal's lease is renewed meanwhile.
    pub(super) async fn run(self: &Arc<Self>, journal: &Arc<Journal>, known: BTreeMap<Node, End>) -> Results {
        journal.note(|claim| claim.run.tasks = tasks::pending(self));
        let run = journal.claim().run;
        self.emit(Event::RunStarted { run: run.id, run_type: run.run_type, place: self.deployment.place.clone() });
        let results = Arc::new(Mutex::new(Results::default()));
        let done = tokio_util::sync::CancellationToken::new();
        let renewal = tokio::spawn({
            let (journal, done) = (journal.clone(), done.clone());
            async move { journal.keep_alive(&done).await }
        });
        let work = self.identified(self.within_time(self.approve_and_run(journal, &results, known)));
        if let Err(problems) = Box::pin(work).await {
            for node in self.graph().keys().filter(|node| self.is_ours(node.alias())) {
                let refused = Some("the plan was refused".to_owned());
                self.end_task(journal, node, TaskStatus::Skipped, refused, ChangeCounts::default());
            }
            locked(&results).problems.extend(problems);
        }
        done.cancel();
        let _ = renewal.await;
        std::mem::take(&mut *locked(&results))
    }

    async fn approve_and_run(
        self: &Arc<Self>,
        journal: &Arc<Journal>,
        results: &Arc<Mutex<Results>>,
        known: BTreeMap<Node, End>,
    ) -> Result<(), Problems> {
        self.keep_trees().await?;
        self.take_over().await?;
        let approved = self.approve(journal, results).await;
        let ended = match approved {
            Ok(prepared) => {
                self.run_tasks(journal, results, (known, prepared)).await;
                Ok(())
            }
            Err(problems) => Err(problems),
        };
        self.give_back(results).await;
        ended
    }

    /// Everything that is decided before the first apply: on a protected environment and with an approved plan all that can be
    /// planned is planned and gated (R26); what is to be destroyed is marked and must not be held by anybody (R29, R30).
    async fn approve(
        self: &Arc<Self>,
        journal: &Arc<Journal>,
        results: &Mutex<Results>,
    ) -> Result<BTreeMap<Node, Prepared>, Problems> {
        let mut unfit = self.not_to_abandon();
        unfit.extend(self.not_to_delete());
        if unfit.any_error() {
            return Err(unfit);
        }
        self.tell_of_needless_overrides();
        let blockers = self.blockers(&self.own.consumers);
        if !blockers.is_empty() {
            return Err(self.blocked(blockers, results).await);
        }
        let planned = if self.is_planned_first() { Some(self.approved_pass(journal, results).await?) } else { None };
        self.retire(journal, results).await?;
        Ok(planned.map(|pass| pass.prepared).unwrap_or_default())
    }

    /// Whether all that can be planned is planned before the first apply.
    pub(super) fn is_planned_first(&self) -> bool {
        self.deployment.environment.protected || self.settings.approved_plan.is_some()
    }

    async fn approved_pass(self: &Arc<Self>, journal: &Arc<Journal>, results: &Mutex<Results>) -> Result<Pass, Problems> {
        let pass = plan::pass(self, Some(journal)).await;
        locked(results).changes =
            pass.report.resources().map(|(task, resources)| (task.alias.clone(), resources.to_vec())).collect();
        if pass.report.problems.any_error() {
            return Err(pass.report.problems);
        }
        if pass.denied.any_error() {
            return Err(pass.denied);
        }
        journal.note(|claim| claim.run.plan_fingerprint = Some(pass.report.fingerprint.clone()));
        match &self.settings.approved_plan {
            Some(approved) if *approved != pass.report.fingerprint => {
                // The order of the fingerprint: deploys before destroys, each by alias.
                let mut tasks: Vec<_> = pass.report.tasks.iter().collect();
                tasks.sort_by_key(|task| (task.task, &task.alias));
                let names: Vec<&str> = tasks.into_iter().map(|task| task.alias.as_str()).collect();
                let differs = match approved.changed_tasks(&pass.report.fingerprint, &names) {
                    Some(changed) if !changed.is_empty() => format!("the plan of {} is another one now", changed.join(", ")),
                    Some(_) => "the fingerprint is not one of this deployable's plans".to_owned(),
                    None => "the approved plan has other tasks".to_owned(),
                };
                Err(Diagnostic::error(FailureReason::PlanChanged, format!("the plan is not the approved one: {differs}"))
                    .in_file(&self.deployment.file)
                    .note(format!("approved: {approved}"))
                    .note(format!("now:      {}", pass.report.fingerprint))
                    .help(format!("review the new plan with `{}` and approve it", self.settings.run_type.planned_by()))
                    .into())
            }
            None if pass.report.refusals.any_error() => Err(pass.report.refusals),
            _ => Ok(pass),
        }
    }

    /// Marks what will go as `retiring`, then looks at the claims and at the consumers: of a binding run and this one at least one
    /// sees the other (R30). A run that has ended meanwhile left its entries before it gave up its claim. In a fleet each job marks what it
    /// takes away itself.
    async fn retire(&self, journal: &Journal, results: &Mutex<Results>) -> Result<(), Problems> {
        let going: Vec<_> = {
            let records = self.records();
            self.going().filter(|address| self.makes(address)).filter_map(|address| records.get(address)).cloned().collect()
        };
        if going.is_empty() {
            return Ok(());
        }
        journal.note(|claim| claim.retiring = going.iter().map(|record| (record.address.clone(), record.status)).collect());
        journal.sync().await?;
        self.mark_retiring(&going, &journal.run()).await?;
        let ours = BTreeSet::from([self.deployment.place.clone()]);
        let mut blockers = self.binding_runs(self.going(), &ours).await?;
        blockers.extend(self.blockers(&self.consumers_now().await?));
        if blockers.is_empty() { Ok(()) } else { Err(self.blocked(blockers, results).await) }
    }

    /// Whether a connection is of an applied plugin that this process works on.
    pub(super) fn makes(&self, address: &Address) -> bool {
        matches!(&address.target, Target::Output { alias, .. } if self.is_ours(alias))
    }

    async fn blocked(&self, blockers: Vec<Blocker>, results: &Mutex<Results>) -> Problems {
        let problems = self.refused(&blockers).await;
        locked(results).blockers = blockers;
        problems
    }

    /// Connections whose applied plugin no longer generates them, as soon as nothing here is bound to them any more. Consumers
    /// elsewhere have kept the plugin from being applied at all (R15).
    fn dropped(&self, applied: &BTreeMap<Alias, (AppliedRecord, bool)>, destroyed: &BTreeSet<Alias>) -> BTreeSet<Address> {
        let succeeded = |alias: &Alias| applied.get(alias).is_some_and(|(_, succeeded)| *succeeded);
        let is_bound = |address: &Address| {
            let kept = self.own.applied.iter().filter(|(alias, _)| !succeeded(alias) && !destroyed.contains(*alias));
            kept.flat_map(|(_, record)| record.uses()).any(|(_, used)| used == address)
        };
        let is_dropped = |address: &&Address| {
            let Target::Output { alias, output, .. } = &address.target else { return false };
            let Some(plugin) = self.deployment.plugins.get(alias) else { return false };
            let is_current = || self.own.applied.get(alias).is_some_and(|record| record.source.digest == plugin.source.digest);
            let is_applied = applied.get(alias).map_or_else(is_current, |(_, succeeded)| *succeeded);
            is_applied && !plugin.outputs.contains_key(output) && !is_bound(address)
        };
        self.own.connections.keys().filter(is_dropped).cloned().collect()
    }

    /// Publishes everything that completed in one commit, then gives up the claim (R16).
    pub(super) async fn finish(&self, journal: &Journal, results: Results) -> RunReport {
        let mut run = journal.claim().run;
        self.note_left(&mut run, &results);
        let Results { applied, destroyed, retained, changes, blockers, mut problems, .. } = results;
        self.name_stop(&mut problems);
        if journal.is_lost() && !problems.0.iter().any(|problem| problem.reason == FailureReason::Claimed) {
            problems.extend(journal.taken_over());
        }
        run.ended = Some(self.world.clock.now());
        (run.status, run.failure_reason) = verdict(&problems);
        let mut publication = Publication::new(&self.deployment.place);
        for (alias, (record, succeeded)) in &applied {
            publication.applied(alias, record, self.own.applied.get(alias), *succeeded);
            if let Some(content) = self.contents.get(alias) {
                publication.tree(&record.source.digest, &content.tree);
            }
        }
        for alias in &destroyed {
            publication.destroyed(alias, &self.removed[alias].record, &self.own.connections);
        }
        let dropped = self.dropped(&applied, &destroyed);
        publication.dropped(&dropped);
        self.records().retain(|address, _| !dropped.contains(address));
        let connections = self.records().clone();
        for record in connections
            .values()
            .filter(|record| self.own.connections.get(&record.address) != Some(record) || self.is_going(&record.address))
        {
            publication.connection(record);
        }
        // What is taken over is a part of what the manifest says: the next deploy makes a release of all of it.
        if run.status == RunStatus::Succeeded && run.run_type != RunType::Adopt {
            let release = (run.run_type != RunType::Destroy).then(|| self.release(&run, &applied));
            publication.declared(self.own.release.as_ref(), release.as_ref(), &self.own.applied);
            if let Some(release) = &release {
                publication.release(release);
            }
        }
        publication.run(&run);
        let prolonging = self.prolonging(&run);
        publication.prolong(prolonging.as_ref());
        let message = format!("{} of {}, run {}", capitalized(run.run_type), self.deployment.place, run.id);
        let published = publication.commit(&self.world, &*self.store, &message).await;
        let is_published = published.is_ok();
        match published {
            Ok(()) => {
                // A claim whose run is recorded as ended is void: that it could not be deleted is only worth a line.
                if journal.release().await.is_err() {
                    self.emit(Event::Note(
                        "the claim could not be deleted; it is void, since the run is recorded as ended".to_owned(),
                    ));
                }
            }
            Err(unpublished) => {
                problems.extend(unpublished);
                (run.status, run.failure_reason) = verdict(&problems);
                journal.note(|claim| claim.run = run.clone());
                // The journal has what the ledger lacks: the next run folds it in.
                let _ = journal.sync().await;
            }
        }
        let stale = self.stale(&connections);
        let (place, wiring) = (self.deployment.place.clone(), self.deployment.wiring());
        let notes = self.notes();
        let preview = prolonging.filter(|_| is_published).and_then(|prolonging| prolonging.outlook());
        let report = RunReport {
            place,
            run,
            problems,
            changes,
            blockers,
            connections,
            stale,
            retained,
            wiring,
            notes,
            back: None,
            preview,
        };
        report.with_texts(&|text| self.redactor.redact(text))
    }

    fn release(&self, run: &RunRecord, applied: &BTreeMap<Alias, (AppliedRecord, bool)>) -> Release {
        let current = |alias: &Alias| applied.get(alias).map(|(record, _)| record).or_else(|| self.own.applied.get(alias));
        let plugins = self.deployment.plugins.keys().filter_map(|alias| {
            let record = current(alias)?;
            let released = ReleasedPlugin {
                plugin: Some(ReleasedVersion { name: record.plugin.clone(), version: record.version.clone() }),
                source: record.source.clone(),
                inputs: record.inputs.clone(),
                sensitive_inputs: record.sensitive_inputs.clone(),
                bindings: record.bindings.clone(),
                outputs: self.published_types(alias),
                terraform: record.terraform.version.clone(),
                provider_lock: record.provider_lock.clone(),
            };
            Some((alias.clone(), released))
        });
        Release {
            schema_version: SCHEMA_VERSION,
            version_tag: run.version_tag.clone(),
            run: run.id.clone(),
            made: self.world.clock.now(),
            source: run.source.clone(),
            commit: run.commit.clone(),
            manifest: serde_json::to_value(&self.deployment.manifest).unwrap_or_default(),
            plugins: plugins.collect(),
        }
    }

    fn published_types(&self, alias: &Alias) -> BTreeMap<OutputName, Vec<String>> {
        let outputs = self.deployment.plugins.get(alias).into_iter().flat_map(|plugin| &plugin.outputs);
        let as_written = |face: &PublishedFace| format!("{}@{}", face.connection_type.name, face.connection_type.version);
        outputs.map(|(output, faces)| (output.clone(), faces.iter().map(as_written).collect())).collect()
    }

    /// Consumers that are bound to an older generation than there is now (R20).
    fn stale(&self, connections: &BTreeMap<Address, ConnectionRecord>) -> BTreeMap<Address, Vec<String>> {
        let own = format!("{}/", self.deployment.place);
        let stale = connections.values().map(|record| {
            let consumers = self.own.consumers.get(&record.address).into_iter().flatten();
            let behind = consumers.filter(|entry| entry.generation < record.generation && !entry.consumer.starts_with(&own));
            (record.address.clone(), behind.map(|entry| entry.consumer.clone()).collect::<Vec<_>>())
        });
        stale.filter(|(_, consumers)| !consumers.is_empty()).collect()
    }
}

fn capitalized(run_type: RunType) -> String {
    let word = run_type.to_string();
    word[..1].to_uppercase() + &word[1..]
}

/// How a run with these problems ended.
pub(super) fn verdict(problems: &Problems) -> (RunStatus, Option<FailureReason>) {
    let Some(cause) = problems.cause() else { return (RunStatus::Succeeded, None) };
    let status = match cause.reason.kind() {
        FailureKind::User => RunStatus::UserError,
        FailureKind::Runtime | FailureKind::Internal => RunStatus::RuntimeError,
        FailureKind::Aborted => RunStatus::Aborted,
    };
    (status, Some(cause.reason))
}
