//! The planning pass: every task that can be planned, planned; nothing changed. `plan` reports it, and a deploy to a protected
//! environment or with an approved plan makes the same pass before its first apply (R26).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::attributes::Part;
use super::journal::Journal;
use super::prepare::{self, Preparation, Prepared};
use super::steps::PlannedSteps;
use super::{Engine, Node, attributes, bind, changes, fingerprint, locked, removal, schedule, tasks};
use crate::domain::address::Address;
use crate::domain::change::PlannedResource;
use crate::domain::deployment::{Choice, ResolvedSlot};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::impact::{Effect, Impact};
use crate::domain::names::{Alias, Digest, StepName};
use crate::domain::outcome::{PlanFingerprint, PlanReport, PlannedTask, Verdict};
use crate::domain::record::{ChangeCounts, RunType, TaskType};
use crate::terraform;

/// The result of the pass.
pub(super) struct Pass {
    /// What was planned, ready to be applied.
    pub(super) prepared: BTreeMap<Node, Prepared>,
    /// What the organization's rules forbid of it, approved or not.
    pub(super) denied: Problems,
    /// What a person reads.
    pub(super) report: PlanReport,
}

/// One task's part of the pass.
#[derive(Default)]
struct Planned {
    verdicts: BTreeMap<Node, (Verdict, ChangeCounts)>,
    essences: BTreeMap<Node, Value>,
    prepared: BTreeMap<Node, Prepared>,
    retained: Vec<String>,
    impact: BTreeMap<Address, Impact>,
    problems: Problems,
    losses: Problems,
    denied: Problems,
    /// The scripts that would run.
    steps: BTreeMap<Node, Vec<StepName>>,
}

/// Plans every task; with a journal, as [`Engine::prepare`] says.
pub(super) async fn pass(engine: &Arc<Engine>, journal: Option<&Arc<Journal>>) -> Pass {
    let planned = Arc::new(Mutex::new(Planned::default()));
    let graph = engine.graph();
    schedule::run(&graph, BTreeMap::new(), engine.settings.parallelism, &engine.cancel, |node| {
        let (engine, journal, planned) = (engine.clone(), journal.cloned(), planned.clone());
        async move {
            let result = engine.plan_node(&node, &planned, journal.as_deref()).await;
            let mut planned = locked(&planned);
            match result {
                Ok((verdict, counts, essence)) => {
                    planned.verdicts.insert(node.clone(), (verdict, counts));
                    planned.essences.insert(node, essence);
                    true
                }
                Err(problems) => {
                    planned.problems.extend(problems);
                    false
                }
            }
        }
    })
    .await;
    let planned = std::mem::take(&mut *locked(&planned));
    engine.report(planned)
}

impl Engine {
    async fn plan_node(
        &self,
        node: &Node,
        planned: &Mutex<Planned>,
        journal: Option<&Journal>,
    ) -> Result<(Verdict, ChangeCounts, Value), Problems> {
        let alias = match node {
            Node::Destroy(alias) if self.abandoned(alias).is_some() => {
                locked(planned).impact.extend(self.impact_of_all(alias, Effect::Goes));
                return Ok((Verdict::Abandoned, ChangeCounts::default(), serde_json::json!("abandoned")));
            }
            Node::Destroy(alias) if self.removed[alias].plugin.terraform.is_none() => {
                let essence = self.note_delete(node, planned);
                locked(planned).impact.extend(self.impact_of_all(alias, Effect::Goes));
                return Ok((Verdict::Steps { module_waits: false }, ChangeCounts::default(), essence));
            }
            Node::Destroy(alias) => {
                let deleted = self.note_delete(node, planned);
                let mut prepared = self.prepare_removal(alias, journal.is_some()).await?;
                self.note_losses(alias, &prepared.plan, planned);
                let shown = self.shown(alias, &prepared).await?;
                locked(planned).denied.extend(self.denied(node, &shown));
                let essence = with_steps(&deleted, self.essence(&mut prepared, &shown));
                let kept = self.removed[alias].kept(&prepared.plan);
                let (mut resources, mut counts) = (prepared.resources.clone(), changes::counts(&prepared.plan));
                resources.retain(|resource| !kept.iter().any(|address| changes::inside(address) == resource.address));
                counts.remove -= kept.len() as u64;
                let mut planned = locked(planned);
                planned.retained.extend(kept.iter().map(|address| removal::retained(alias, address)));
                planned.impact.extend(self.impact_of_all(alias, Effect::Goes));
                planned.prepared.insert(node.clone(), prepared);
                return Ok((Verdict::Changes(resources), counts, essence));
            }
            Node::Deploy(alias) => alias,
        };
        if let Some(verdict) = self.deferred(alias, planned) {
            locked(planned).impact.extend(self.impact_of_all(alias, Effect::Unknown));
            let essence = serde_json::json!({"deferred": self.deferred_inputs(alias).as_str()});
            return Ok((verdict, ChangeCounts::default(), essence));
        }
        let mut run_first = Value::Null;
        if let Some(part) = self.create_part(alias) {
            let Some(PlannedSteps { steps, essence, module_waits }) = self.planned_steps(alias, &part)? else {
                return Ok((Verdict::Unchanged, ChangeCounts::default(), Value::Null));
            };
            let mut planned = locked(planned);
            planned.steps.insert(node.clone(), steps);
            planned.impact.extend(self.impact_of_all(alias, Effect::Unknown));
            if module_waits || self.deployment.plugins[alias].plugin.terraform.is_none() {
                return Ok((Verdict::Steps { module_waits }, ChangeCounts::default(), essence));
            }
            run_first = essence;
        }
        match self.prepare(alias, journal).await? {
            Preparation::Unchanged => Ok((Verdict::Unchanged, ChangeCounts::default(), Value::Null)),
            Preparation::Planned(mut prepared) => {
                let counts = changes::counts(&prepared.plan);
                self.note_losses(alias, &prepared.plan, planned);
                // What was not published yet can change for others without any change in Terraform.
                let is_new = || self.is_consumed(alias) && !self.has_published(alias, &self.deployment.plugins[alias]);
                let mut essence = Value::Null;
                if prepared.plan.changed || is_new() {
                    let shown = self.shown(alias, &prepared).await?;
                    if run_first.is_null() {
                        locked(planned).impact.extend(self.impact_of_plan(alias, &prepared.plan, &shown));
                    }
                    if prepared.plan.changed {
                        locked(planned).denied.extend(self.denied(node, &shown));
                        essence = self.essence(&mut prepared, &shown);
                    }
                }
                let is_changed = prepared.plan.changed;
                let verdict = if is_changed { Verdict::Changes(prepared.resources.clone()) } else { Verdict::NoChanges };
                locked(planned).prepared.insert(node.clone(), *prepared);
                Ok((verdict, counts, with_steps(&run_first, essence)))
            }
        }
    }

    /// Takes note of the delete steps of something removed, and gives what a person approves of them; null where there are none.
    fn note_delete(&self, node: &Node, planned: &Mutex<Planned>) -> Value {
        let removed = &self.removed[node.alias()];
        let (steps, Some(part)) = (self.planned_delete(node.alias()), &removed.plugin.steps) else { return Value::Null };
        let mut planned = locked(planned);
        if let Err(problems) = self.gate_delete(node.alias(), part) {
            planned.losses.extend(problems);
        }
        let essence = serde_json::json!({"plugin": removed.record.source.digest, "steps": steps});
        planned.steps.insert(node.clone(), steps);
        essence
    }

    /// What a deploy would refuse for what it loses.
    fn note_losses(&self, alias: &Alias, plan: &terraform::Plan, planned: &Mutex<Planned>) {
        if let Err(problems) = self.gate_losses(alias, plan) {
            locked(planned).losses.extend(problems);
        }
    }

    /// A plan in Terraform's JSON, which holds secrets in clear.
    pub(super) async fn shown(&self, alias: &Alias, prepared: &Prepared) -> Result<Value, Problems> {
        let shown = self.terraform.show_plan(&prepared.initialized.root, &self.cancel).await;
        shown.map_err(|failure| self.explain(alias, failure))
    }

    /// What a person approves of a plan; on the way, what changes inside its resources is filled in.
    pub(super) fn essence(&self, prepared: &mut Prepared, shown: &Value) -> Value {
        self.fill_attributes(&mut prepared.resources, shown, Part::Changes);
        fingerprint::plan_essence(shown, &prepared.initialized.root.directory.to_string_lossy())
    }

    /// Fills in what changes inside resources; all tasks of a run share the room that there is.
    pub(super) fn fill_attributes(&self, resources: &mut [PlannedResource], shown: &Value, part: Part) {
        const ROOM: usize = 4 << 20;
        let tasks = self.deployment.plugins.len() + self.removed.len();
        attributes::fill(resources, shown, part, &self.redactor, ROOM / tasks.max(1));
    }

    /// Why an applied plugin cannot be planned yet, if it cannot: secrets that it may not read (R43); values that are not known, of
    /// producers in this deployment before their apply (R25) and of connections that are still to be published (R6).
    fn deferred(&self, alias: &Alias, planned: &Mutex<Planned>) -> Option<Verdict> {
        let of: BTreeSet<Address> = self.deployment.plugins[alias].withheld().map(|(address, _)| address.clone()).collect();
        if !of.is_empty() {
            return Some(Verdict::Withheld { of });
        }
        let slots = &self.deployment.plugins[alias].slots;
        let planned = locked(planned);
        let unapplied = bind::linked(slots).filter(|producer| {
            let node = Node::Deploy((*producer).clone());
            let waits =
                |verdict: &Verdict| matches!(verdict, Verdict::Changes(_) | Verdict::Deferred { .. } | Verdict::Withheld { .. });
            planned.steps.contains_key(&node) || planned.verdicts.get(&node).is_some_and(|(verdict, _)| waits(verdict))
        });
        let pending = slots.values().filter_map(|slot| match &slot.choice {
            Choice::Pending { address, .. } => Some(format!("`{address}`")),
            _ => None,
        });
        let waits_for: BTreeSet<String> = unapplied.map(Alias::to_string).chain(pending).collect();
        let because = waits_for.into_iter().collect::<Vec<_>>().join(", ");
        (!because.is_empty()).then_some(Verdict::Deferred { because })
    }

    fn deferred_inputs(&self, alias: &Alias) -> Digest {
        let plugin = &self.deployment.plugins[alias];
        let slots: BTreeMap<String, String> =
            plugin.slots.iter().map(|(slot, resolved)| (slot.to_string(), taken(resolved))).collect();
        Digest::of_json(&(&plugin.source.digest, prepare::public_inputs(plugin), prepare::sensitive_inputs(plugin), slots))
    }

    fn report(&self, mut planned: Planned) -> Pass {
        let tasks: Vec<PlannedTask> = std::mem::take(&mut planned.verdicts)
            .into_iter()
            .map(|(node, (verdict, counts))| PlannedTask {
                alias: node.alias().clone(),
                task: if matches!(node, Node::Destroy(_)) { TaskType::Destroy } else { TaskType::Deploy },
                rebindings: self.rebindings(node.alias()),
                steps: planned.steps.remove(&node).unwrap_or_default(),
                verdict,
                counts,
            })
            .collect();
        let report = PlanReport {
            place: self.deployment.place.clone(),
            run_type: self.settings.run_type,
            impact: planned.impact,
            tasks: self.in_order(tasks),
            fingerprint: self.plan_fingerprint(&planned.essences),
            problems: planned.problems,
            refusals: Problems(
                [self.not_to_abandon(), self.not_to_delete(), self.deployment.withheld(), planned.losses, planned.denied.clone()]
                    .into_iter()
                    .flat_map(|found| found.0)
                    .collect(),
            ),
            blockers: Vec::new(),
            retained: planned.retained,
            wiring: self.deployment.wiring(),
            notes: self.notes(),
        };
        Pass { prepared: planned.prepared, denied: planned.denied, report }
    }

    /// What goes first, then the order of the graph.
    fn in_order(&self, tasks: Vec<PlannedTask>) -> Vec<PlannedTask> {
        let order = tasks::order(&self.graph());
        let position = |task: &PlannedTask| order.iter().position(|node| node.alias() == &task.alias);
        let mut tasks = tasks;
        tasks.sort_by_key(|task| (task.task != TaskType::Destroy, position(task)));
        tasks
    }

    pub(super) fn plan_fingerprint(&self, essences: &BTreeMap<Node, Value>) -> PlanFingerprint {
        let tasks: BTreeMap<String, Digest> = essences
            .iter()
            .map(|(node, essence)| {
                let task = if matches!(node, Node::Destroy(_)) { "destroy" } else { "deploy" };
                let plugin = self.deployment.plugins.get(node.alias());
                let bound: BTreeMap<String, (String, String)> = plugin
                    .map(|plugin| {
                        bind::bind(&self.deployment.place, &self.deployment.environment.backend, &plugin.slots, &self.records())
                    })
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(slot, bound)| {
                        (slot.to_string(), (bound.binding.address.to_string(), bound.binding.values().to_string()))
                    })
                    .collect();
                let inputs = plugin.map(prepare::public_inputs);
                // What a destroy is made from: the plugin says what it leaves behind, and an approval is for what was applied then.
                let removed =
                    self.removed.get(node.alias()).map(|removed| (&removed.record.source.digest, &removed.record.attempted));
                let approved = serde_json::json!({"plan": essence, "bindings": bound, "inputs": inputs, "removed": removed});
                (format!("{task}:{}", node.alias()), Digest::of_json(&approved))
            })
            .collect();
        PlanFingerprint::of(&self.deployment.place, &tasks)
    }

    /// Refuses a plan that deletes or replaces, unless that is allowed (R27).
    pub(super) fn gate_losses(&self, alias: &Alias, plan: &terraform::Plan) -> Result<(), Problems> {
        let before = self.own.applied.get(alias).filter(|_| !self.deployment.environment.protected);
        let losses = changes::losses(plan, before);
        if losses.is_empty() || self.may_destroy() {
            return Ok(());
        }
        let count = losses.len();
        let message =
            format!("the plan of `{alias}` deletes or replaces {count} {}", if count == 1 { "resource" } else { "resources" });
        let mut diagnostic =
            Diagnostic::error(FailureReason::NeedsApproval, message).at(&self.deployment.file, self.pointer(alias));
        for loss in losses.iter().take(10) {
            diagnostic = diagnostic.note(format!("{} {}", loss.action, loss.address));
        }
        if count > 10 {
            diagnostic = diagnostic.note(format!("and {} more", count - 10));
        }
        Err(diagnostic.help(self.leave_to_lose()).into())
    }

    /// How a run gets leave to delete and replace things.
    pub(super) fn leave_to_lose(&self) -> String {
        let run = self.settings.run_type;
        let (show, run) = (run.planned_by(), if run == RunType::Rollback { "roll back" } else { "deploy" });
        if self.deployment.environment.protected {
            format!("the environment is protected: review `{show}`, then {run} with `--approved-plan <fingerprint>`")
        } else {
            format!("review `{show}`; if this is wanted, {run} with `--allow-destroy` or `--approved-plan <fingerprint>`")
        }
    }
}

/// What a slot takes and through which mapping, to be compared only.
fn taken(slot: &ResolvedSlot) -> String {
    match &slot.conversion {
        Some(conversion) => format!("{:?} {conversion:?}", slot.choice),
        None => format!("{:?}", slot.choice),
    }
}

/// What a person approves of a task with steps and a module.
fn with_steps(steps: &Value, plan: Value) -> Value {
    if steps.is_null() { plan } else { serde_json::json!({"steps": steps, "plan": plan}) }
}

/// Plans a deployment and reports; nothing is changed and no state lock taken.
pub async fn plan(engine: Arc<Engine>) -> PlanReport {
    let mut report = engine.identified(engine.within_time(pass(&engine, None))).await.report;
    match engine.all_blockers().await {
        Ok(blockers) => {
            let mut refusals = engine.refused(&blockers).await;
            refusals.extend(std::mem::take(&mut report.refusals));
            (report.refusals, report.blockers) = (refusals, blockers);
        }
        Err(problems) => report.problems.extend(problems),
    }
    engine.name_stop(&mut report.problems);
    report.with_texts(&|text| engine.redactor.redact(text))
}
