//! An applied plugin out of its record: rendered as it was applied, whatever the manifest says by now, and planned.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::state_role;
use super::out_of_reach::{self, Handed};
use super::root::Rendering;
use super::{Engine, Removed, changes};
use crate::cloud::Child;
use crate::domain::account::Account;
use crate::domain::diagnostic::Problems;
use crate::domain::module::Module;
use crate::domain::names::Alias;
use crate::domain::record::StateLocation;
use crate::render;
use crate::terraform::{self, PlanMode, Root};

/// What its root module is rendered from.
pub(super) struct Recorded<'a> {
    alias: &'a Alias,
    removed: &'a Removed,
    pub(super) handed: Handed,
    nested: Vec<Module>,
    account: Option<Account>,
    roles: Option<Child>,
}

/// What was applied, planned.
pub(super) struct PlannedRecord {
    pub(super) root: Root,
    /// The text of its provider lock.
    pub(super) provider_lock: Option<String>,
    pub(super) plan: terraform::Plan,
    /// Whether nothing stands in for a secret.
    pub(super) is_real: bool,
}

impl Engine {
    /// Plans what was applied: the destroy of it, or what changed of it.
    pub(super) async fn plan_recorded(&self, alias: &Alias, mode: PlanMode, lock: bool) -> Result<PlannedRecord, Problems> {
        let removed = &self.removed[alias];
        let mut gone = BTreeSet::new();
        let mut rendered = None;
        // The real values are tried first; whatever state is missed is not asked for again.
        loop {
            let handed = self.handed(alias, removed, &gone)?;
            let is_real = handed.is_real();
            let (root, provider_lock) = self.render_recorded(alias, (handed, mode), rendered.take()).await?;
            match self.plan_once(alias, &root, mode, lock).await {
                Ok(plan) => return Ok(PlannedRecord { root, provider_lock, plan, is_real }),
                Err(failure) => {
                    let missed = out_of_reach::states_gone(&failure);
                    if missed.is_subset(&gone) {
                        return Err(self.unplanned(alias, removed, failure));
                    }
                    gone.extend(missed);
                    rendered = Some((root, provider_lock));
                }
            }
        }
    }

    /// Renders the root module of what was applied and initializes it, unless that was done with other values before.
    async fn render_recorded(
        &self,
        alias: &Alias,
        (handed, mode): (Handed, PlanMode),
        before: Option<(Root, Option<String>)>,
    ) -> Result<(Root, Option<String>), Problems> {
        let removed = &self.removed[alias];
        let record = &removed.record;
        let account = self.account_then(removed);
        let recorded = self.recorded(alias, removed, handed, account).await?;
        let rendering = self.rendering(&recorded, &record.state);
        let (root, lock) = match before {
            None => self.initialize(&rendering).await?,
            Some((root, lock)) => (self.render_again(root, &rendering)?, lock),
        };
        self.check_placeholders(alias, (&recorded.handed, mode), &root)?;
        Ok((root, lock))
    }

    /// The account that it was applied in, with today's roles.
    pub(super) fn account_then(&self, removed: &Removed) -> Option<Account> {
        let today = self.deployment.environment.account.as_ref();
        removed.record.account.clone().map(|then| then.with_roles_of(today))
    }

    /// Why it could not be planned; and the way out, should it be for a state that somebody else holds.
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

    /// Reads a record for rendering with what it is handed, for Terraform in this account.
    pub(super) async fn recorded<'a>(
        &self,
        alias: &'a Alias,
        removed: &'a Removed,
        handed: Handed,
        account: Option<Account>,
    ) -> Result<Recorded<'a>, Problems> {
        let roles = self.roles(alias, account.as_ref()).await?;
        Ok(Recorded { alias, removed, handed, nested: removed.content.nested(), account, roles })
    }

    /// Its root module, with its state there. It publishes nothing: the record has what was published.
    pub(super) fn rendering<'r>(&'r self, recorded: &'r Recorded<'_>, state: &'r StateLocation) -> Rendering<'r> {
        let Recorded { alias, removed, handed, nested, account, roles } = recorded;
        let record = &removed.record;
        let origin = record.origin();
        Rendering {
            alias,
            folder: alias.as_str(),
            content: &removed.content,
            request: render::Request {
                place: origin.map_or(&self.deployment.place, |origin| &origin.place),
                alias: origin.map_or(alias, |origin| &origin.alias),
                plugin: &removed.plugin,
                outputs: &NOTHING,
                module: removed.content.module(),
                nested,
                inputs: &record.inputs,
                sensitive_inputs: &record.sensitive_inputs,
                slots: &handed.slots,
                state,
                local_base: self.local_base.as_deref(),
                account: account.as_ref(),
                state_role: state_role(roles.as_ref()),
                made: &handed.made,
                preview: self.deployment.place.environment.is_preview(),
                adopted: &[],
            },
            roles: roles.as_ref(),
            provider_lock: record.provider_lock.as_deref(),
            supplied: &handed.supplied,
        }
    }
}

/// The outputs of a root module that publishes none.
static NOTHING: BTreeMap<crate::domain::names::OutputName, Vec<crate::domain::deployment::PublishedFace>> = BTreeMap::new();
