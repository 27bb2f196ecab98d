//! Applied plugins that the manifest no longer has: planned for destroy, and destroyed where that is allowed (R27), out of what was
//! recorded when they were applied.

use std::collections::BTreeSet;

use super::apply::Applied;
use super::event::{Event, Phase};
use super::journal::Journal;
use super::prepare::{Initialized, Prepared};
use super::publication::is_of;
use super::{Engine, Removed, changes};
use crate::domain::address::{Address, Place};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::need::{self, Need};
use crate::domain::organization::Override;
use crate::domain::record::{Attempt, RunType};
use crate::terraform::{self, PlanMode, Root};

impl Engine {
    /// Renders what was applied and plans its destroy.
    pub(super) async fn prepare_removal(&self, alias: &Alias, lock: bool) -> Result<Prepared, Problems> {
        let removed = &self.removed[alias];
        let record = &removed.record;
        let account = record.account.clone().map(|then| then.with_roles_of(self.deployment.environment.account.as_ref()));
        let recorded = self.recorded(alias, removed, account).await?;
        let (root, provider_lock) = self.initialize(&self.rendering(&recorded, &record.state)).await?;
        let plan = self.plan_root(alias, &root, PlanMode::Destroy, lock, Some(record)).await?;
        let initialized = Initialized {
            root,
            bindings: record.bindings.clone(),
            state: record.state.clone(),
            provider_lock,
            fingerprint: record.attempted.fingerprint.clone(),
        };
        Ok(Prepared::new(initialized, plan))
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
            prepared
        };
        let Prepared { initialized: Initialized { root, fingerprint, .. }, mut plan, .. } = prepared;
        let attempted = Attempt { run: journal.run(), fingerprint };
        let record = crate::domain::record::AppliedRecord { attempted, ..removed.record.clone() };
        journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
        journal.secure_attempt(alias).await?;
        let retained = self.retain(alias, removed, &root, &mut plan).await?;
        self.emit(Event::PhaseStarted { alias: alias.clone(), phase: Phase::Apply });
        let sink = self.terraform_sink(alias);
        let (changes, resources) = (changes::counts(&plan), changes::planned_resources(&plan));
        let applied = match self.terraform.apply(&root, &*sink, &self.cancel).await {
            Ok(_) => {
                let resources = changes::progressed(resources, None);
                Applied { record, changes, resources, problems: Problems::default() }
            }
            Err(failure) => {
                let resources = changes::progressed(resources, Some(&failure.applied));
                Applied { record, changes: failure.applied.counts, resources, problems: self.explain(alias, failure) }
            }
        };
        if !applied.problems.any_error() {
            self.records().retain(|address, _| !is_of(address, alias));
        }
        Ok((applied, retained))
    }

    /// Takes what the plugin keeps out of the state, and plans again without it.
    async fn retain(
        &self,
        alias: &Alias,
        removed: &Removed,
        root: &Root,
        plan: &mut terraform::Plan,
    ) -> Result<Vec<String>, Problems> {
        let kept = &removed.plugin.terraform.keep_on_destroy;
        let addresses: Vec<String> = changes::changes(plan)
            .map(|resource| resource.address.clone())
            .filter(|address| {
                let inside = address.strip_prefix("module.plugin.").unwrap_or(address);
                kept.iter().any(|keep| {
                    inside == keep || inside.strip_prefix(keep.as_str()).is_some_and(|rest| rest.starts_with(['[', '.']))
                })
            })
            .collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        self.terraform.state_remove(root, &addresses, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        *plan = self.plan_root(alias, root, PlanMode::Destroy, true, None).await?;
        Ok(addresses.into_iter().map(|address| format!("{alias}: {address}")).collect())
    }

    /// Everything that still needs a connection which would go (R29).
    pub(super) fn blockers(&self) -> Problems {
        let mut problems = self.not_to_abandon();
        if self.settings.run_type == RunType::Destroy && self.deployment.environment.protected {
            problems.push(protected(&self.deployment.place));
        }
        for alias in self.removed.keys() {
            for address in self.own.connections.keys().filter(|address| is_of(address, alias)) {
                let mut needs = self.needs(address);
                needs.retain(|need| !self.is_overridden(Override::BreakConsumers, &need.subject));
                if !needs.is_empty() {
                    problems.push(blocked(&self.deployment.file, address, &needs));
                }
            }
        }
        problems
    }

    /// Consumers outside this deployable, and environment defaults. Consumers inside go or are bound anew in this very run.
    fn needs(&self, address: &Address) -> BTreeSet<Need> {
        let bound = self.own.consumers.get(address).map_or(&[][..], Vec::as_slice);
        let declared = self.own.declared.get(address).map_or(&[][..], Vec::as_slice);
        let mut needs = need::of_consumers(Some(&self.deployment.place), bound, declared);
        let former = self.own.former.iter().filter(|(_, now)| *now == address).map(|(old, _)| old);
        for name in std::iter::once(address).chain(former) {
            needs.extend(need::of_defaults(name, &self.own.environments));
        }
        needs
    }
}

fn protected(place: &Place) -> Diagnostic {
    let (workspace, environment) = (&place.workspace, &place.environment);
    Diagnostic::error(FailureReason::Protected, format!("the environment `{workspace}/{environment}` is protected: nothing in it is destroyed"))
        .help(format!("set `protected: false` in the context's `workspaces/{workspace}/environments/{environment}.yaml` first, by a reviewed change"))
}

fn blocked(file: &str, address: &Address, needs: &BTreeSet<Need>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(FailureReason::ConsumersExist, format!("the connection `{address}` would go, but is still needed"))
            .at(file, crate::domain::diagnostic::Pointer::keys(["plugins"]).at_key())
            .help("move or destroy what needs it first, or put the applied plugin back into the manifest");
    diagnostic.notes.extend(needs.iter().map(Need::to_string));
    diagnostic
}
