//! Applied plugins that the manifest no longer has: planned for destroy, and destroyed where that is allowed (R27), out of what was
//! recorded when they were applied.

use std::collections::BTreeSet;

use super::apply::Applied;
use super::event::{Event, Phase};
use super::journal::Journal;
use super::out_of_reach::{self, Handed};
use super::prepare::{Initialized, Prepared};
use super::publication::is_of;
use super::{Engine, Node, Removed, changes};
use crate::domain::diagnostic::Problems;
use crate::domain::names::Alias;
use crate::domain::record::{AppliedRecord, Attempt, ChangeCounts};
use crate::terraform::{self, PlanMode, Root};

impl Engine {
    /// Renders what was applied and plans its destroy.
    pub(super) async fn prepare_removal(&self, alias: &Alias, lock: bool) -> Result<Prepared, Problems> {
        let removed = &self.removed[alias];
        let mut gone = BTreeSet::new();
        let mut rendered = None;
        // The real values are tried first; whatever state is missed is not asked for again.
        loop {
            let handed = self.handed(alias, removed, &gone)?;
            let (root, provider_lock) = self.render_removal(alias, removed, handed, rendered.take()).await?;
            let plan = match self.plan_once(alias, &root, PlanMode::Destroy, lock).await {
                Ok(plan) => self.planned(alias, plan, Some(&removed.record))?,
                Err(failure) => {
                    let missed = out_of_reach::states_gone(&failure);
                    if missed.is_subset(&gone) {
                        return Err(self.unplanned(alias, removed, failure));
                    }
                    gone.extend(missed);
                    rendered = Some((root, provider_lock));
                    continue;
                }
            };
            let initialized = Initialized {
                root,
                bindings: removed.record.bindings.clone(),
                state: removed.record.state.clone(),
                provider_lock,
                fingerprint: removed.record.attempted.fingerprint.clone(),
            };
            return Ok(Prepared::new(initialized, plan));
        }
    }

    /// Renders the root module of what was applied and initializes it, unless that was done with other values before.
    async fn render_removal(
        &self,
        alias: &Alias,
        removed: &Removed,
        handed: Handed,
        before: Option<(Root, Option<String>)>,
    ) -> Result<(Root, Option<String>), Problems> {
        let record = &removed.record;
        let account = record.account.clone().map(|then| then.with_roles_of(self.deployment.environment.account.as_ref()));
        let recorded = self.recorded(alias, removed, handed, account).await?;
        let rendering = self.rendering(&recorded, &record.state);
        let (root, lock) = match before {
            None => self.initialize(&rendering).await?,
            Some((root, lock)) => (self.render_again(root, &rendering)?, lock),
        };
        self.check_placeholders(alias, removed, &recorded.handed, &root)?;
        Ok((root, lock))
    }

    /// Why a destroy could not be planned; and the way out, should it be for a state that somebody else holds.
    fn unplanned(&self, alias: &Alias, removed: &Removed, failure: Box<terraform::Failure>) -> Problems {
        let is_inside = |address: &String| address.starts_with(changes::INSIDE);
        let is_its_own = failure.diagnostics.iter().any(|said| said.address.as_ref().is_some_and(is_inside));
        let mut problems = self.explain(alias, failure);
        let bindings = removed.record.bindings.iter();
        let secrets: Vec<String> = bindings
            .flat_map(|(slot, binding)| binding.sensitive.iter().map(move |attribute| format!("{alias}.{slot}.{attribute}")))
            .collect();
        if let (Some(first), false, false) = (problems.0.first_mut(), is_its_own, secrets.is_empty()) {
            let supply = out_of_reach::supply(&secrets);
            first
                .help
                .push(format!("if the state of a producer is out of reach for good, give what it held as `secrets`: {supply}"));
        }
        problems
    }

    /// Destroys what the plan says, but for what the plugin keeps on destroy (R35). A plan that was made before was approved.
    pub(super) async fn remove(
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
        let Prepared { initialized: Initialized { root, fingerprint, .. }, mut plan, .. } = prepared;
        let attempted = Attempt { run: journal.run(), fingerprint };
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
        if !applied.problems.any_error() {
            self.records().retain(|address, _| !is_of(address, alias));
        }
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

impl Removed {
    /// The resources that a plan would delete and the plugin keeps (R35).
    pub(super) fn kept(&self, plan: &terraform::Plan) -> Vec<String> {
        let keep = &self.plugin.terraform.keep_on_destroy;
        let is_kept = |address: &String| {
            let inside = changes::inside(address);
            keep.iter().any(|keep| {
                inside.strip_prefix(keep.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
            })
        };
        changes::changes(plan).map(|resource| resource.address.clone()).filter(is_kept).collect()
    }
}

/// What was left behind, as reports name it.
pub(super) fn retained(alias: &Alias, address: &str) -> String {
    format!("{alias}: {}", changes::inside(address))
}
