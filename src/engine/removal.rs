//! Applied plugins that the manifest no longer has: planned for destroy, and destroyed where that is allowed (R27), out of what was
//! recorded when they were applied.

use std::sync::Arc;

use super::apply::Applied;
use super::event::{Event, Phase};
use super::journal::Journal;
use super::prepare::{Basis, Initialized, Prepared};
use super::publication::is_of;
use super::recorded::PlannedRecord;
use super::{Engine, Node, Removed, changes};
use crate::domain::diagnostic::Problems;
use crate::domain::names::Alias;
use crate::domain::record::{AppliedRecord, Attempt, ChangeCounts};
use crate::terraform::{self, PlanMode, Root};

impl Engine {
    /// Renders what was applied and plans its destroy.
    pub(super) async fn prepare_removal(&self, alias: &Alias, lock: bool) -> Result<Prepared, Problems> {
        let removed = &self.removed[alias];
        let PlannedRecord { root, provider_lock, plan, .. } = self.plan_recorded(alias, PlanMode::Destroy, lock).await?;
        let plan = self.planned(alias, plan, Some(&removed.record))?;
        let basis = Basis {
            bindings: removed.record.bindings.clone(),
            state: removed.record.state.clone(),
            provider_lock,
            fingerprint: removed.record.attempted.fingerprint.clone(),
            steps: removed.record.steps.clone(),
        };
        Ok(Prepared::new(Initialized { root, basis }, plan))
    }

    /// Takes something away, with what was published of it.
    pub(super) async fn remove(
        &self,
        alias: &Alias,
        planned: Option<Prepared>,
        journal: &Arc<Journal>,
    ) -> Result<(Applied, Vec<String>), Problems> {
        let (applied, retained) = match &self.removed[alias].plugin.steps {
            Some(part) => self.remove_with_steps((alias, part), planned, journal).await?,
            None => self.destroy_module(alias, planned, journal).await?,
        };
        if !applied.problems.any_error() {
            self.records().retain(|address, _| !is_of(address, alias));
        }
        Ok((applied, retained))
    }

    /// Destroys what the plan says, but for what the plugin keeps on destroy (R35). A plan that was made before was approved.
    pub(super) async fn destroy_module(
        &self,
        alias: &Alias,
        planned: Option<Prepared>,
        journal: &Journal,
    ) -> Result<(Applied, Vec<String>), Problems> {
        let removed = &self.removed[alias];
        let prepared = if let Some(planned) = planned {
            planned
        } else {
            let prepared = self.prepare_removal(alias, true).await?;
            self.gate_losses(alias, &prepared.plan)?;
            if self.has_plan_rules() {
                self.allowed(&Node::Destroy(alias.clone()), &self.shown(alias, &prepared).await?)?;
            }
            prepared
        };
        let Prepared { initialized: Initialized { root, basis }, mut plan, .. } = prepared;
        let attempted = Attempt { run: journal.run(), fingerprint: basis.fingerprint };
        // From here on an empty state is what a destroy left that was broken off, and not one that is missing (R33).
        let mut record = AppliedRecord { attempted, resources: 0, ..removed.record.clone() };
        journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
        journal.secure_attempt(alias).await?;
        let (retained, planned_again) = self.retain(alias, removed, &root, &mut plan).await?;
        if let Err(problems) = planned_again {
            self.degrade(alias, &journal.run());
            let (changes, resources) = (ChangeCounts::default(), Vec::new());
            return Ok((Applied { record, changes, resources, problems }, retained));
        }
        self.emit(Event::PhaseStarted { alias: alias.clone(), phase: Phase::Apply });
        let sink = self.terraform_sink(alias);
        let (changes, resources) = (changes::counts(&plan), changes::planned_resources(&plan));
        let applied = match self.terraform.apply(&root, &*sink, &self.cancel).await {
            Ok(_) => {
                let resources = changes::progressed(resources, None);
                Applied { record, changes, resources, problems: Problems::default() }
            }
            Err(failure) => {
                record.resources = changes::held(&plan).saturating_sub(failure.applied.counts.remove);
                self.degrade(alias, &journal.run());
                let resources = changes::progressed(resources, Some(&failure.applied));
                Applied { record, changes: failure.applied.counts, resources, problems: self.explain(alias, failure) }
            }
        };
        Ok((applied, retained))
    }

    /// Takes what the plugin keeps out of the state, and plans again without it. What was taken out is out even if that plan fails.
    async fn retain(
        &self,
        alias: &Alias,
        removed: &Removed,
        root: &Root,
        plan: &mut terraform::Plan,
    ) -> Result<(Vec<String>, Result<(), Problems>), Problems> {
        let addresses = removed.kept(plan);
        if addresses.is_empty() {
            return Ok((Vec::new(), Ok(())));
        }
        self.terraform.state_remove(root, &addresses, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        let planned_again = self.plan_root(alias, root, PlanMode::Destroy, true, None).await.map(|again| *plan = again);
        Ok((addresses.iter().map(|address| retained(alias, address)).collect(), planned_again))
    }
}

/// What `keep-on-destroy` says where nothing is to be destroyed.
const EVERYTHING: &str = "*";

impl Removed {
    /// The resources that a plan would delete and the plugin keeps (R35).
    pub(super) fn kept(&self, plan: &terraform::Plan) -> Vec<String> {
        let keep = self.plugin.terraform.as_ref().map_or(&[][..], |terraform| &terraform.keep_on_destroy);
        let is_kept = |address: &String| {
            let inside = changes::inside(address);
            keep.iter().any(|keep| {
                keep == EVERYTHING
                    || inside.strip_prefix(keep.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
            })
        };
        changes::changes(plan).map(|resource| resource.address.clone()).filter(is_kept).collect()
    }
}

/// What was left behind, as reports name it.
pub(super) fn retained(alias: &Alias, address: &str) -> String {
    format!("{alias}: {}", changes::inside(address))
}
