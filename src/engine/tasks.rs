//! The tasks of a run: started when what they need is done, ended with a status and a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::apply::Applied;
use super::attributes::Part;
use super::event::Event;
use super::journal::Journal;
use super::prepare::{Preparation, Prepared};
use super::schedule::{self, End};
use super::{Engine, Node, changes, locked};
use crate::domain::blocker::Blocker;
use crate::domain::change::PlannedResource;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::{AppliedRecord, ChangeCounts, Claim, TaskRecord, TaskStatus, TaskType};

/// What the tasks of a run left behind.
#[derive(Default)]
pub(super) struct Results {
    /// The records to publish, each with whether its apply succeeded.
    pub(super) applied: BTreeMap<Alias, (AppliedRecord, bool)>,
    /// What is gone.
    pub(super) destroyed: BTreeSet<Alias>,
    /// What a destroy left on purpose.
    pub(super) retained: Vec<String>,
    /// What happened to resources, as far as it came to a plan.
    pub(super) changes: BTreeMap<Alias, Vec<PlannedResource>>,
    /// What kept things from being taken away.
    pub(super) blockers: Vec<Blocker>,
    /// What went wrong.
    pub(super) problems: Problems,
    /// How the tasks ended, which others in a fleet wait for.
    pub(super) ends: BTreeMap<Alias, End>,
}

/// The nodes in the order in which one worker would run them.
pub(super) fn order(graph: &BTreeMap<Node, BTreeSet<Node>>) -> Vec<Node> {
    let mut order: Vec<Node> = Vec::new();
    while let Some(node) = graph.keys().find(|node| !order.contains(node) && graph[*node].iter().all(|need| order.contains(need)))
    {
        order.push(node.clone());
    }
    order
}

/// The tasks of a run before it starts, in the order of the graph.
pub(super) fn pending(engine: &Engine) -> Vec<TaskRecord> {
    let pending = |node: &Node, task_type: TaskType| TaskRecord {
        id: format!("{task_type}:{}", node.alias()),
        alias: node.alias().clone(),
        task_type,
        status: TaskStatus::Pending,
        because: None,
        started: None,
        ended: None,
        changes: ChangeCounts::default(),
    };
    let ours = order(&engine.graph()).into_iter().filter(|node| engine.is_ours(node.alias()));
    let tasks = ours.flat_map(|node| match node {
        Node::Destroy(_) => vec![pending(&node, TaskType::Destroy)],
        Node::Deploy(_) => vec![pending(&node, TaskType::Iac), pending(&node, TaskType::Deploy)],
    });
    tasks.collect()
}

fn task_type(node: &Node) -> TaskType {
    match node {
        Node::Destroy(_) => TaskType::Destroy,
        Node::Deploy(_) => TaskType::Deploy,
    }
}

impl Engine {
    /// Runs the graph, but for tasks whose end is known from elsewhere.
    pub(super) async fn run_tasks(
        self: &Arc<Self>,
        journal: &Arc<Journal>,
        results: &Arc<Mutex<Results>>,
        (known, prepared): (BTreeMap<Node, End>, BTreeMap<Node, Prepared>),
    ) {
        let mut graph = self.graph();
        graph.retain(|node, _| self.is_ours(node.alias()));
        let prepared = Arc::new(Mutex::new(prepared));
        let mut ends = schedule::run(&graph, known, self.settings.parallelism, &self.cancel, |node| {
            let (engine, journal, results, prepared) = (self.clone(), journal.clone(), results.clone(), prepared.clone());
            async move { engine.run_task(&node, &journal, &results, &prepared).await }
        })
        .await;
        ends.retain(|node, _| graph.contains_key(node));
        locked(results).ends = ends.iter().map(|(node, end)| (node.alias().clone(), end.clone())).collect();
        for (node, end) in ends {
            let (status, because) = match end {
                End::Skipped { because } => (TaskStatus::Skipped, behind(&because)),
                End::Cancelled => (TaskStatus::Aborted, "the run was cancelled before it started".to_owned()),
                End::Failed if !locked(results).problems.any_error() => {
                    // Whoever fails says why; a task that did not has panicked.
                    let bug = Diagnostic::error(FailureReason::Internal, format!("the task of `{node}` ended without a word"));
                    locked(results).problems.push(bug.help("report this with the command and what it printed"));
                    (TaskStatus::InternalError, "it ended without a word".to_owned())
                }
                End::Done | End::Failed => continue,
            };
            self.end_task(journal, &node, status, Some(because), ChangeCounts::default());
        }
    }

    async fn run_task(
        &self,
        node: &Node,
        journal: &Arc<Journal>,
        results: &Mutex<Results>,
        prepared: &Mutex<BTreeMap<Node, Prepared>>,
    ) -> bool {
        if journal.is_lost() {
            return false;
        }
        self.start_task(journal, node);
        let planned = locked(prepared).remove(node);
        let ended = match node {
            Node::Destroy(alias) if self.abandoned(alias).is_some() => Ok(self.abandon(alias, results)),
            Node::Destroy(alias) => self.destroy_task(alias, planned, journal, results).await,
            Node::Deploy(alias) => self.deploy_task(alias, planned, journal, results).await,
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

    async fn deploy_task(
        &self,
        alias: &Alias,
        planned: Option<Prepared>,
        journal: &Arc<Journal>,
        results: &Mutex<Results>,
    ) -> Ended {
        if let Some(part) = self.create_part(alias) {
            return self.deploy_with_steps((alias, &part), planned, journal, results).await;
        }
        let was_planned = planned.is_some();
        let mut prepared = match planned {
            Some(prepared) => prepared,
            None => match self.prepare(alias, Some(journal)).await.map_err(nothing_changed)? {
                Preparation::Unchanged => {
                    return Ok((TaskStatus::Skipped, Some("unchanged".to_owned()), ChangeCounts::default()));
                }
                Preparation::Planned(prepared) => *prepared,
            },
        };
        if !was_planned {
            let asked = self.look_inside(alias, &mut prepared).await;
            locked(results).changes.insert(alias.clone(), prepared.resources.clone());
            asked.map_err(nothing_changed)?;
            self.gate_late(alias, &prepared.plan).map_err(nothing_changed)?;
        }
        self.gate_adoption(alias, &prepared).map_err(nothing_changed)?;
        if self.cancel.is_cancelled() {
            return Err(nothing_changed(cancelled(alias)));
        }
        self.tell_of_rebindings(alias);
        let applied = self.apply(alias, &prepared, journal).await.map_err(nothing_changed)?;
        let Applied { record, changes, resources, problems } = applied;
        let succeeded = !problems.any_error();
        {
            let mut results = locked(results);
            results.applied.insert(alias.clone(), (record, succeeded));
            results.changes.insert(alias.clone(), resources);
        }
        if succeeded {
            let because = changes.is_empty().then(|| "no changes".to_owned());
            Ok((TaskStatus::Succeeded, because, changes))
        } else {
            Err((problems, changes))
        }
    }

    /// Says which slots are about to take something else than at the last apply.
    pub(super) fn tell_of_rebindings(&self, alias: &Alias) {
        for rebinding in self.rebindings(alias) {
            self.emit(Event::Rebound { alias: alias.clone(), rebinding: rebinding.into() });
        }
    }

    /// Looks at what changes inside resources: for the report, where that is asked for, and for the organization's rules, if there are
    /// any. That it cannot be read makes the report poorer; rules must have it.
    pub(super) async fn look_inside(&self, alias: &Alias, prepared: &mut Prepared) -> Result<(), Problems> {
        let has_rules = self.has_plan_rules();
        if !prepared.plan.changed || !(self.settings.attribute_changes || has_rules) {
            return Ok(());
        }
        match self.shown(alias, prepared).await {
            Err(problems) if has_rules => Err(problems),
            Err(_) => Ok(()),
            Ok(shown) => {
                if self.settings.attribute_changes {
                    self.fill_attributes(&mut prepared.resources, &shown, Part::Changes);
                }
                self.allowed(&Node::Deploy(alias.clone()), &shown)
            }
        }
    }

    /// The gate of a plan that was not part of what a person saw.
    pub(super) fn gate_late(&self, alias: &Alias, plan: &crate::terraform::Plan) -> Result<(), Problems> {
        if self.is_planned_first() && !changes::losses(plan, None).is_empty() {
            let message = format!("the plan of `{alias}`, which could only be made now, deletes or replaces resources");
            return Err(Diagnostic::error(FailureReason::NeedsApproval, message)
                .at(&self.deployment.file, self.pointer(alias))
                .help("what it waited for is applied: make a plan now, approve that one, and deploy again")
                .into());
        }
        self.gate_losses(alias, plan)
    }

    async fn destroy_task(
        &self,
        alias: &Alias,
        planned: Option<Prepared>,
        journal: &Arc<Journal>,
        results: &Mutex<Results>,
    ) -> Ended {
        let (Applied { record, changes, resources, problems }, retained) =
            self.remove(alias, planned, journal).await.map_err(nothing_changed)?;
        let mut results = locked(results);
        results.changes.insert(alias.clone(), resources);
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
            for task in tasks_of(claim, node) {
                task.status = TaskStatus::Running;
                task.started = Some(now);
            }
        });
        self.emit(Event::TaskStarted { alias: node.alias().clone(), task: task_type(node) });
    }

    pub(super) fn end_task(
        &self,
        journal: &Journal,
        node: &Node,
        status: TaskStatus,
        because: Option<String>,
        changes: ChangeCounts,
    ) {
        let because = because.map(|because| self.redactor.redact(&because));
        let now = self.world.clock.now();
        let mut took = std::time::Duration::ZERO;
        let is_rendered = self.is_rendered(node.alias());
        journal.note(|claim| {
            for task in tasks_of(claim, node) {
                took = task.started.and_then(|started| (now - started).to_std().ok()).unwrap_or_default();
                task.ended = Some(now);
                if task.task_type == TaskType::Iac && is_rendered {
                    // Rendering went well, whatever became of the rest.
                    task.status = TaskStatus::Succeeded;
                    continue;
                }
                task.status = status;
                task.because.clone_from(&because);
                if task.task_type != TaskType::Iac {
                    task.changes = changes;
                }
            }
        });
        self.emit(Event::TaskEnded { alias: node.alias().clone(), task: task_type(node), status, because, changes, took });
    }
}

/// Why a task was skipped that needs this one.
pub(super) fn behind(failed: &str) -> String {
    format!("`{failed}` did not succeed")
}

/// How a task ended well; or what went wrong after what it changed.
pub(super) type Ended = Result<Well, (Problems, ChangeCounts)>;

/// How a task ended well: its status, why if that is not plain, and what it changed.
pub(super) type Well = (TaskStatus, Option<String>, ChangeCounts);

/// What went wrong before anything changed.
pub(super) fn nothing_changed(problems: Problems) -> (Problems, ChangeCounts) {
    (problems, ChangeCounts::default())
}

/// That a task was cancelled before it changed anything.
pub(super) fn cancelled(alias: &Alias) -> Problems {
    Diagnostic::error(FailureReason::Cancelled, format!("`{alias}` was cancelled before its apply")).into()
}

/// The tasks of a node, among all of a run.
pub(super) fn tasks_of<'a>(claim: &'a mut Claim, node: &'a Node) -> impl Iterator<Item = &'a mut TaskRecord> {
    let is_destroy = matches!(node, Node::Destroy(_));
    claim
        .run
        .tasks
        .iter_mut()
        .filter(move |task| &task.alias == node.alias() && (task.task_type == TaskType::Destroy) == is_destroy)
}
