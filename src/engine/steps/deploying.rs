//! The task of an applied plugin that has scripts: its create steps, then its module if it has one, then what it publishes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::handed::Sources;
use super::made::Made;
use super::running::{Ran, Work};
use crate::domain::diagnostic::Problems;
use crate::domain::names::{Alias, StepName};
use crate::domain::record::{AppliedRecord, ChangeCounts, TaskStatus};
use crate::domain::step::StepsPart;
use crate::domain::step_record::StepRecord;
use crate::engine::apply::{Applied, succeed};
use crate::engine::journal::Journal;
use crate::engine::prepare::{Basis, Prepared, public_inputs, sensitive_inputs};
use crate::engine::tasks::{Ended, Results, cancelled, nothing_changed};
use crate::engine::{Engine, changes, locked};
use crate::steps::{Direction, Left};
use crate::terraform::{self, PlanMode};

/// What Terraform is handed after the steps.
struct After {
    /// What they left, as it is recorded.
    steps: BTreeMap<StepName, StepRecord>,
    /// The same for the module.
    made: Made,
    /// The plan that was made before, with what was known then.
    planned: Option<Prepared>,
}

impl Engine {
    /// Runs the create steps of an applied plugin, applies its module with what they left, and publishes both.
    pub(in crate::engine) async fn deploy_with_steps(
        &self,
        (alias, part): (&Alias, &StepsPart),
        planned: Option<Prepared>,
        journal: &Arc<Journal>,
        results: &Mutex<Results>,
    ) -> Ended {
        let Some(basis) = self.changed_basis(alias).map_err(nothing_changed)? else {
            return Ok((TaskStatus::Skipped, Some("unchanged".to_owned()), ChangeCounts::default()));
        };
        if self.cancel.is_cancelled() {
            return Err(nothing_changed(cancelled(alias)));
        }
        self.tell_of_rebindings(alias);
        let work = Work { alias, part, direction: Direction::Create };
        let Ran { record, left, done, problems } = self.create(&work, &basis, journal).await.map_err(nothing_changed)?;
        let applied = if problems.any_error() {
            self.degrade(alias, &record.attempted.run);
            Applied::by_steps(record, problems)
        } else {
            self.after_steps(alias, (record, left), planned, (journal, results)).await
        };
        let Applied { record, changes, resources, problems } = applied;
        let succeeded = !problems.any_error();
        {
            let mut results = locked(results);
            results.applied.insert(alias.clone(), (record, succeeded));
            if self.deployment.plugins[alias].plugin.terraform.is_some() {
                results.changes.insert(alias.clone(), resources);
            }
        }
        if succeeded { Ok((TaskStatus::Succeeded, Some(ran(&done)), changes)) } else { Err((problems, changes)) }
    }

    /// Runs the create steps: with what they are handed at hand, nothing of it changed meanwhile (R11), and the attempt noted.
    async fn create(&self, work: &Work<'_>, basis: &Basis, journal: &Arc<Journal>) -> Result<Ran, Problems> {
        let alias = work.alias;
        self.is_still_wanted().await?;
        let sources = self.sources_to_create(alias)?;
        let handed = self.handed_to_steps(work.steps(), &sources).await?;
        self.recheck(alias, &basis.bindings).await?;
        let record = self.attempted_record(alias, basis, &journal.run());
        journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
        journal.secure_attempt(alias).await?;
        let mut ran = self.run_steps(work, (&handed, &Left::new()), record, journal).await?;
        if !ran.problems.any_error() {
            // What steps left that the plugin no longer has is nobody's any more.
            ran.record.steps.retain(|name, _| work.steps().iter().any(|step| step.name == *name));
        }
        Ok(ran)
    }

    /// What comes after create steps that went well.
    async fn after_steps(
        &self,
        alias: &Alias,
        (mut record, left): (AppliedRecord, Left),
        planned: Option<Prepared>,
        (journal, results): (&Arc<Journal>, &Mutex<Results>),
    ) -> Applied {
        let plugin = &self.deployment.plugins[alias];
        if plugin.plugin.terraform.is_none() {
            let problems = self.publish_outputs(alias, plugin, &record, &BTreeMap::new());
            succeed(&mut record);
            return Applied::by_steps(record, problems);
        }
        let made = Made::just_now(&plugin.plugin, &left);
        let after = After { steps: record.steps.clone(), made, planned };
        match self.apply_after_steps(alias, after, (journal, results)).await {
            Ok(applied) => applied,
            Err(problems) => {
                self.degrade(alias, &record.attempted.run);
                Applied::by_steps(record, problems)
            }
        }
    }

    async fn apply_after_steps(
        &self,
        alias: &Alias,
        After { steps, made, planned }: After,
        (journal, results): (&Arc<Journal>, &Mutex<Results>),
    ) -> Result<Applied, Problems> {
        let before = self.own.applied.get(alias);
        let (state, folder) = match &planned {
            None => (self.state_of(alias), alias.to_string()),
            // The folder of what was planned before the steps ran is full; no alias has a dot.
            Some(planned) => (planned.initialized.basis.state.clone(), format!("{alias}.after-steps")),
        };
        let mut initialized = self.rooted(alias, state, &folder, made).await?;
        initialized.basis.steps = steps;
        let plan = self.plan_root(alias, &initialized.root, PlanMode::Apply, true, before).await?;
        if before.is_none() {
            self.refuse_unrecorded(alias, &initialized.basis.state, &plan)?;
        }
        let mut prepared = Prepared::new(initialized, plan);
        let asked = self.look_inside(alias, &mut prepared).await;
        locked(results).changes.insert(alias.clone(), prepared.resources.clone());
        asked?;
        self.gate_after_steps(alias, &prepared.plan, planned.as_ref().map(|planned| &planned.plan))?;
        self.apply(alias, &prepared, journal).await
    }

    /// The gate of a plan that was made anew since steps ran: what it loses is what the one before did, which a person saw, or needs
    /// leave like any other.
    fn gate_after_steps(
        &self,
        alias: &Alias,
        plan: &terraform::Plan,
        approved: Option<&terraform::Plan>,
    ) -> Result<(), Problems> {
        let lost = |plan| -> BTreeSet<String> {
            changes::losses(plan, None).into_iter().map(|resource| resource.address.clone()).collect()
        };
        match approved {
            Some(approved) if lost(plan).is_subset(&lost(approved)) => Ok(()),
            _ => self.gate_late(alias, plan),
        }
    }

    /// What create steps are handed, as it is resolved.
    pub(super) fn sources_to_create<'a>(&'a self, alias: &'a Alias) -> Result<Sources<'a>, Problems> {
        let plugin = &self.deployment.plugins[alias];
        let (mut slots, mut handles) = (BTreeMap::new(), BTreeMap::new());
        for (slot, bound) in self.bound(alias, plugin)? {
            slots.insert(slot.clone(), bound.slot);
            handles.insert(slot, bound.handles);
        }
        Ok(Sources {
            alias,
            inputs: public_inputs(plugin),
            sensitive_inputs: sensitive_inputs(plugin),
            slots,
            handles,
            account: self.deployment.environment.account.as_ref(),
        })
    }
}

impl Applied {
    /// What steps alone came to.
    fn by_steps(record: AppliedRecord, problems: Problems) -> Self {
        Self { record, changes: ChangeCounts::default(), resources: Vec::new(), problems }
    }
}

/// What a task did by its steps, in words.
fn ran(done: &[StepName]) -> String {
    match done {
        [] => "no step was needed".to_owned(),
        [one] => format!("ran the step {one}"),
        several => format!("ran the steps {}", several.iter().map(StepName::as_str).collect::<Vec<_>>().join(", ")),
    }
}
