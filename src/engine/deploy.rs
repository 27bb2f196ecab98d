//! The run of a deploy: claim, task graph, one publication, release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::apply::Applied;
use super::event::Event;
use super::journal::Journal;
use super::plan::{self, Pass};
use super::prepare::{Preparation, Prepared};
use super::publication::{Publication, is_of};
use super::{Engine, Node, schedule};
use crate::context::{Branch, ContextStore, layout, ledger, publish};
use crate::domain::address::Address;
use crate::domain::connection::ConnectionStatus;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::{FailureKind, FailureReason};
use crate::domain::names::Alias;
use crate::domain::outcome::RunReport;
use crate::domain::record::{
    AppliedRecord, ChangeCounts, Claim, Release, ReleasedPlugin, RunRecord, RunStatus, SCHEMA_VERSION, TaskRecord, TaskStatus, TaskType,
};

/// What a task left behind.
#[derive(Default)]
struct Results {
    applied: BTreeMap<Alias, (AppliedRecord, bool)>,
    destroyed: BTreeSet<Alias>,
    retained: Vec<String>,
    problems: Problems,
}

/// Runs the deploy whose claim the journal holds, and publishes what it did on every way out.
pub async fn deploy(engine: Arc<Engine>, journal: Arc<Journal>) -> RunReport {
    engine.emit(Event::RunStarted { run: journal.claim().run.id, place: engine.deployment.place.clone() });
    let results = Arc::new(Mutex::new(Results::default()));
    let done = tokio_util::sync::CancellationToken::new();
    let renewal = tokio::spawn({
        let (journal, done) = (journal.clone(), done.clone());
        async move { journal.keep_alive(&done).await }
    });
    match engine.approve(&journal).await {
        Ok(prepared) => engine.run_tasks(&journal, &results, prepared).await,
        Err(problems) => {
            for node in engine.graph().keys() {
                engine.end_task(&journal, node, TaskStatus::Skipped, Some("the plan was refused".to_owned()), ChangeCounts::default());
            }
            locked(&results).problems.extend(problems);
        }
    }
    done.cancel();
    let _ = renewal.await;
    let results = std::mem::take(&mut *locked(&results));
    engine.finish(&journal, results).await
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The nodes in the order in which one worker would run them.
pub(super) fn order(graph: &BTreeMap<Node, BTreeSet<Node>>) -> Vec<Node> {
    let mut order: Vec<Node> = Vec::new();
    while let Some(node) = graph.keys().find(|node| !order.contains(node) && graph[*node].iter().all(|need| order.contains(need))) {
        order.push(node.clone());
    }
    order
}

/// The tasks of a run before it starts, in the order of the graph.
pub(super) fn pending_tasks(engine: &Engine) -> Vec<TaskRecord> {
    order(&engine.graph())
        .into_iter()
        .map(|node| TaskRecord {
            id: format!("{}:{}", task_word(&node), node.alias()),
            alias: node.alias().clone(),
            task_type: task_type(&node),
            status: TaskStatus::Pending,
            because: None,
            started: None,
            ended: None,
            changes: ChangeCounts::default(),
        })
        .collect()
}

fn task_type(node: &Node) -> TaskType {
    match node {
        Node::Destroy(_) => TaskType::Destroy,
        Node::Deploy(_) => TaskType::Deploy,
    }
}

fn task_word(node: &Node) -> &'static str {
    match node {
        Node::Destroy(_) => "destroy",
        Node::Deploy(_) => "deploy",
    }
}

impl Engine {
    /// Everything that is decided before the first apply: on a protected environment and with an approved plan all that can be
    /// planned is planned and gated (R26); what is to be destroyed is marked and must not be held by anybody (R29, R30).
    async fn approve(&self, journal: &Journal) -> Result<BTreeMap<Alias, Prepared>, Problems>
    where
        Self: Sized,
    {
        let blockers = self.blockers();
        if blockers.any_error() {
            return Err(blockers);
        }
        let planned = if self.is_planned_first() { Some(self.approved_pass(journal).await?) } else { None };
        if !self.removed.is_empty() {
            self.retire(journal).await?;
        }
        Ok(planned.map(|pass| pass.prepared).unwrap_or_default())
    }

    fn is_planned_first(&self) -> bool {
        self.deployment.environment.protected || self.settings.approved_plan.is_some()
    }

    async fn approved_pass(&self, journal: &Journal) -> Result<Pass, Problems> {
        let pass = plan::pass_of(self, true).await;
        if pass.report.problems.any_error() {
            return Err(pass.report.problems);
        }
        journal.note(|claim| claim.run.plan_fingerprint = Some(pass.report.fingerprint.clone()));
        match &self.settings.approved_plan {
            Some(approved) if *approved != pass.report.fingerprint => {
                let mut names: Vec<&str> = pass.report.tasks.iter().map(|task| task.alias.as_str()).collect();
                names.sort_unstable();
                let differs = match approved.changed_tasks(&pass.report.fingerprint, &names) {
                    Some(changed) if !changed.is_empty() => format!("the plan of {} is another one now", changed.join(", ")),
                    Some(_) => "the fingerprint is not one of this deployable's plans".to_owned(),
                    None => "the approved plan has other tasks".to_owned(),
                };
                Err(Diagnostic::error(FailureReason::PlanChanged, format!("the plan is not the approved one: {differs}"))
                    .in_file(&self.deployment.file)
                    .note(format!("approved: {approved}"))
                    .note(format!("now:      {}", pass.report.fingerprint))
                    .help("review the new plan with `tieline plan` and approve it")
                    .into())
            }
            None if pass.report.refusals.any_error() => Err(pass.report.refusals),
            _ => Ok(pass),
        }
    }

    /// Marks what will go as `retiring`, then looks at the claims: of a binding run and this one at least one sees the other.
    async fn retire(&self, journal: &Journal) -> Result<(), Problems> {
        let going: Vec<_> = {
            let records = self.records();
            records.values().filter(|record| self.removed.keys().any(|alias| is_of(&record.address, alias))).cloned().collect()
        };
        if going.is_empty() {
            return Ok(());
        }
        let mut publication = Publication::new(&self.deployment.place);
        for record in &going {
            publication.connection(&crate::domain::connection::ConnectionRecord { status: ConnectionStatus::Retiring, ..record.clone() });
        }
        let changes = publication.into_changes();
        let message = format!("Retire connections of {}, run {}", self.deployment.place, journal.claim().run.id);
        publish(&*self.store, &self.world, Branch::Ledger, &message, |_| changes.clone()).await?;
        let own = crate::context::ClaimName::of(&self.deployment.place);
        for name in self.store.claims().await?.into_keys().filter(|name| *name != own) {
            let Some((_, bytes)) = self.store.read_claim(&name).await? else { continue };
            let Ok(claim) = serde_json::from_slice::<Claim>(&bytes) else { continue };
            if let Some(record) = going.iter().find(|record| claim.binds.contains(&record.address.to_string())) {
                let message = format!("run `{}` of `{}` is binding to `{}` right now", claim.run.id, claim.place, record.address);
                return Err(Diagnostic::error(FailureReason::ConsumersExist, message)
                    .in_file(&self.deployment.file)
                    .help("wait until it has ended, then look at the consumers again")
                    .into());
            }
        }
        Ok(())
    }

    async fn run_tasks(self: &Arc<Self>, journal: &Arc<Journal>, results: &Arc<Mutex<Results>>, prepared: BTreeMap<Alias, Prepared>) {
        let graph = self.graph();
        let prepared = Arc::new(Mutex::new(prepared));
        let ends = schedule::run(&graph, self.settings.parallelism, &self.cancel, |node| {
            let (engine, journal, results, prepared) = (self.clone(), journal.clone(), results.clone(), prepared.clone());
            async move { engine.run_task(&node, &journal, &results, &prepared).await }
        })
        .await;
        for (node, end) in ends {
            let (status, because) = match end {
                schedule::End::Skipped { because } => (TaskStatus::Skipped, format!("`{because}` did not succeed")),
                schedule::End::Cancelled => (TaskStatus::Aborted, "the run was cancelled before it started".to_owned()),
                schedule::End::Done | schedule::End::Failed => continue,
            };
            self.end_task(journal, &node, status, Some(because), ChangeCounts::default());
        }
    }

    async fn run_task(&self, node: &Node, journal: &Journal, results: &Mutex<Results>, prepared: &Mutex<BTreeMap<Alias, Prepared>>) -> bool {
        if journal.is_lost() {
            return false;
        }
        self.start_task(journal, node);
        let ended = match node {
            Node::Destroy(alias) => self.destroy_task(alias, journal, results).await,
            Node::Deploy(alias) => {
                let planned = locked(prepared).remove(alias);
                self.deploy_task(alias, planned, journal, results).await
            }
        };
        match ended {
            Ok((status, because, changes)) => {
                self.end_task(journal, node, status, because, changes);
                true
            }
            Err((problems, changes)) => {
                let status = if self.cancel.is_cancelled() { TaskStatus::Aborted } else { TaskStatus::Failed };
                let because = problems.0.first().map(|problem| problem.message.clone());
                locked(results).problems.extend(problems);
                self.end_task(journal, node, status, because, changes);
                false
            }
        }
    }

    async fn deploy_task(&self, alias: &Alias, planned: Option<Prepared>, journal: &Journal, results: &Mutex<Results>) -> Ended {
        let was_planned = planned.is_some();
        let prepared = match planned {
            Some(prepared) => prepared,
            None => match self.prepare(alias, true).await.map_err(nothing_changed)? {
                Preparation::Unchanged => return Ok((TaskStatus::Skipped, Some("unchanged".to_owned()), ChangeCounts::default())),
                Preparation::Planned(prepared) => *prepared,
            },
        };
        if !was_planned {
            self.gate_late(alias, &prepared.plan).map_err(nothing_changed)?;
        }
        if self.cancel.is_cancelled() {
            return Err(nothing_changed(cancelled(alias)));
        }
        let run = journal.claim().run.id;
        let Applied { record, changes, problems } = self.apply(alias, &prepared, &run, journal).await.map_err(nothing_changed)?;
        let succeeded = !problems.any_error();
        locked(results).applied.insert(alias.clone(), (record, succeeded));
        if succeeded {
            let because = changes.is_empty().then(|| "no changes".to_owned());
            Ok((TaskStatus::Succeeded, because, changes))
        } else {
            Err((problems, changes))
        }
    }

    /// The gate of a plan that was not part of what a person saw.
    fn gate_late(&self, alias: &Alias, plan: &crate::terraform::Plan) -> Result<(), Problems> {
        if self.is_planned_first() && !super::prepare::losses(plan).is_empty() {
            let message = format!("the plan of `{alias}`, which could only be made now, deletes or replaces resources");
            return Err(Diagnostic::error(FailureReason::NeedsApproval, message)
                .at(&self.deployment.file, self.pointer(alias))
                .help("what it waited for is applied: make a plan now, approve that one, and deploy again")
                .into());
        }
        self.gate_losses(alias, plan)
    }

    async fn destroy_task(&self, alias: &Alias, journal: &Journal, results: &Mutex<Results>) -> Ended {
        let run = journal.claim().run.id;
        let (Applied { record, changes, problems }, retained) = self.remove(alias, &run, journal).await.map_err(nothing_changed)?;
        let mut results = locked(results);
        results.retained.extend(retained);
        if problems.any_error() {
            results.applied.insert(alias.clone(), (record, false));
            return Err((problems, changes));
        }
        results.destroyed.insert(alias.clone());
        Ok((TaskStatus::Succeeded, None, changes))
    }

    fn start_task(&self, journal: &Journal, node: &Node) {
        let now = self.world.clock.now();
        journal.note(|claim| {
            if let Some(task) = task_of(claim, node) {
                task.status = TaskStatus::Running;
                task.started = Some(now);
            }
        });
        self.emit(Event::TaskStarted { alias: node.alias().clone(), task: task_type(node) });
    }

    fn end_task(&self, journal: &Journal, node: &Node, status: TaskStatus, because: Option<String>, changes: ChangeCounts) {
        let now = self.world.clock.now();
        let mut took = std::time::Duration::ZERO;
        journal.note(|claim| {
            if let Some(task) = task_of(claim, node) {
                took = task.started.and_then(|started| (now - started).to_std().ok()).unwrap_or_default();
                task.status = status;
                task.because.clone_from(&because);
                task.ended = Some(now);
                task.changes = changes;
            }
        });
        self.emit(Event::TaskEnded { alias: node.alias().clone(), task: task_type(node), status, because, changes, took });
    }

    /// Publishes everything that completed in one commit, then gives up the claim (R16).
    async fn finish(&self, journal: &Journal, results: Results) -> RunReport {
        let Results { applied, destroyed, retained, mut problems } = results;
        if self.cancel.is_cancelled() && !problems.0.iter().any(|problem| problem.reason.kind() == FailureKind::Aborted) {
            problems.push(Diagnostic::error(FailureReason::Cancelled, "the run was cancelled"));
        }
        let mut run = journal.claim().run;
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
        let connections = self.records().clone();
        for record in connections.values().filter(|record| self.own.connections.get(&record.address) != Some(record) || !self.removed.is_empty()) {
            publication.connection(record);
        }
        if run.status == RunStatus::Succeeded {
            publication.release(&self.release(&run, &applied));
        }
        publication.run(&run);
        let changes = publication.into_changes();
        let message = format!("{} of {}, run {}", run_word(&run), self.deployment.place, run.id);
        let published = publish(&*self.store, &self.world, Branch::Ledger, &message, |_| changes.clone()).await;
        match published {
            Ok(_) => {
                // A claim whose run is recorded as ended is void: that it could not be deleted is only worth a line.
                if journal.release().await.is_err() {
                    self.emit(Event::Note("the claim could not be deleted; it is void, since the run is recorded as ended".to_owned()));
                }
            }
            Err(unpublished) => {
                problems.extend(unpublished.into());
                (run.status, run.failure_reason) = verdict(&problems);
                journal.note(|claim| claim.run = run.clone());
                // The journal has what the ledger lacks: the next run folds it in.
                let _ = journal.sync().await;
            }
        }
        let stale = self.stale(&connections);
        RunReport { place: self.deployment.place.clone(), run, problems, connections, stale, retained }
    }

    fn release(&self, run: &RunRecord, applied: &BTreeMap<Alias, (AppliedRecord, bool)>) -> Release {
        let current = |alias: &Alias| applied.get(alias).map(|(record, _)| record).or_else(|| self.own.applied.get(alias));
        let plugins = self.deployment.plugins.keys().filter_map(|alias| {
            let record = current(alias)?;
            let released = ReleasedPlugin {
                source: record.source.clone(),
                inputs: record.inputs.clone(),
                sensitive_inputs: record.sensitive_inputs.clone(),
                bindings: record.bindings.clone(),
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
            manifest: serde_json::to_value(&self.deployment.manifest).unwrap_or_default(),
            plugins: plugins.collect(),
        }
    }

    /// Consumers that are bound to an older generation than there is now (R20).
    fn stale(&self, connections: &BTreeMap<Address, crate::domain::connection::ConnectionRecord>) -> BTreeMap<Address, Vec<String>> {
        let own = format!("{}/", self.deployment.place);
        let stale = connections.values().map(|record| {
            let consumers = self.own.consumers.get(&record.address).into_iter().flatten();
            let behind = consumers.filter(|entry| entry.generation < record.generation && !entry.consumer.starts_with(&own));
            (record.address.clone(), behind.map(|entry| entry.consumer.clone()).collect::<Vec<_>>())
        });
        stale.filter(|(_, consumers)| !consumers.is_empty()).collect()
    }
}

/// How a task ended well: its status, why if that is not plain, and what it changed; or what went wrong after what it changed.
type Ended = Result<(TaskStatus, Option<String>, ChangeCounts), (Problems, ChangeCounts)>;

fn nothing_changed(problems: Problems) -> (Problems, ChangeCounts) {
    (problems, ChangeCounts::default())
}

fn cancelled(alias: &Alias) -> Problems {
    Diagnostic::error(FailureReason::Cancelled, format!("`{alias}` was cancelled before its apply")).into()
}

fn task_of<'a>(claim: &'a mut Claim, node: &Node) -> Option<&'a mut TaskRecord> {
    claim.run.tasks.iter_mut().find(|task| &task.alias == node.alias() && task.task_type == task_type(node))
}

fn run_word(run: &RunRecord) -> &'static str {
    match run.run_type {
        crate::domain::record::RunType::Deploy => "Deploy",
        crate::domain::record::RunType::Rollback => "Rollback",
        crate::domain::record::RunType::Destroy => "Destroy",
    }
}

/// How a run with these problems ended. A cancel outweighs what it caused; else the first error counts.
pub(super) fn verdict(problems: &Problems) -> (RunStatus, Option<FailureReason>) {
    let errors = || problems.0.iter().filter(|problem| problem.severity == Severity::Error).map(|problem| problem.reason);
    let aborted = errors().find(|reason| reason.kind() == FailureKind::Aborted);
    match aborted.or_else(|| errors().next()) {
        None => (RunStatus::Succeeded, None),
        Some(reason) => {
            let status = match reason.kind() {
                FailureKind::User => RunStatus::UserError,
                FailureKind::Runtime | FailureKind::Internal => RunStatus::RuntimeError,
                FailureKind::Aborted => RunStatus::Aborted,
            };
            (status, Some(reason))
        }
    }
}

/// Folds a dead run's journal into the ledger: its run is marked `aborted`, and what it attempted is recorded as attempted (R21).
pub(super) async fn fold(engine_world: &crate::world::World, store: &dyn ContextStore, dead: &Claim) -> Result<(), Problems> {
    let head = store.head(Branch::Ledger).await?;
    let path = layout::run(&dead.place, &dead.run.id);
    if let Some(head) = &head {
        let recorded: Option<RunRecord> = ledger::read_json(store, head, &path).await?;
        if recorded.is_some_and(|run| run.status != RunStatus::Running) {
            return Ok(());
        }
    }
    let mut run = dead.run.clone();
    run.status = RunStatus::Aborted;
    run.failure_reason = Some(FailureReason::Cancelled);
    run.ended = Some(engine_world.clock.now());
    for task in run.tasks.iter_mut().filter(|task| task.ended.is_none()) {
        task.status = TaskStatus::Aborted;
        task.because = Some("its process ended without a word".to_owned());
    }
    let mut publication = Publication::new(&dead.place);
    for (alias, record) in &dead.applied {
        publication.applied(alias, record, None, false);
    }
    publication.run(&run);
    let changes = publication.into_changes();
    let message = format!("Fold the journal of dead run {} into {}", dead.run.id, dead.place);
    publish(store, engine_world, Branch::Ledger, &message, |_| changes.clone()).await?;
    Ok(())
}
