//! A task up to its plan: bound, compared with what is applied, rendered, initialized, gated, planned.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bind::{self, Bound};
use super::event::{Event, Phase};
use super::fingerprint::ApplyIdentity;
use super::identity::state_role;
use super::journal::Journal;
use super::root::{Given, Rendering, Supplied};
use super::steps::Made;
use super::{Content, Engine, changes, module};
use crate::documents;
use crate::domain::change::PlannedResource;
use crate::domain::connection::{Binding, ConnectionStatus, Handle};
use crate::domain::deployment::{InputValue, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest, InputName, SlotName, StepName};
use crate::domain::record::{AppliedRecord, StateLocation};
use crate::domain::step_record::StepRecord;
use crate::policy;
use crate::render::templates::Scope;
use crate::render::{self, BoundSlot};
use crate::terraform::{self, PlanMode, Root};

/// What an apply starts from, as it is recorded.
pub(super) struct Basis {
    pub(super) bindings: BTreeMap<SlotName, Binding>,
    pub(super) state: StateLocation,
    pub(super) provider_lock: Option<String>,
    pub(super) fingerprint: Digest,
    /// What create steps left.
    pub(super) steps: BTreeMap<StepName, StepRecord>,
}

/// A task whose root module is ready to be planned.
pub(super) struct Initialized {
    pub(super) root: Root,
    pub(super) basis: Basis,
}

/// A task that has a plan.
pub(super) struct Prepared {
    pub(super) initialized: Initialized,
    pub(super) plan: terraform::Plan,
    /// The plan's changes, as reports show them.
    pub(super) resources: Vec<PlannedResource>,
}

impl Prepared {
    pub(super) fn new(initialized: Initialized, plan: terraform::Plan) -> Self {
        Self { resources: changes::planned_resources(&plan), initialized, plan }
    }
}

/// What came of preparing a task.
pub(super) enum Preparation {
    /// Nothing it depends on changed since its last apply: no Terraform was started (R24).
    Unchanged,
    /// It has a plan, perhaps an empty one.
    Planned(Box<Prepared>),
}

impl Engine {
    /// Prepares the task of an applied plugin whose producers are done. With a journal, an apply may follow: the plan takes
    /// Terraform's state lock, and the attempt is noted now, so that it is written by the time it starts.
    pub(super) async fn prepare(&self, alias: &Alias, journal: Option<&Journal>) -> Result<Preparation, Problems> {
        let Some(basis) = self.changed_basis(alias)? else { return Ok(Preparation::Unchanged) };
        let before = self.own.applied.get(alias);
        let initialized = self.rooted(alias, basis.state, alias.as_str(), self.made_before(alias)).await?;
        let note = |journal: &Journal| {
            let record = self.attempted_record(alias, &initialized.basis, &journal.run());
            journal.note(|claim| _ = claim.applied.insert(alias.clone(), record));
        };
        if before.is_some() {
            journal.iter().copied().for_each(note);
        }
        let plan = self.plan_root(alias, &initialized.root, PlanMode::Apply, journal.is_some(), before).await?;
        if before.is_none() {
            if self.adoption_of(alias).is_none() {
                self.refuse_unrecorded(alias, &initialized.basis.state, &plan)?;
            }
            journal.iter().copied().for_each(note);
        }
        Ok(Preparation::Planned(Box::new(Prepared::new(initialized, plan))))
    }

    /// Where the state of an applied plugin is.
    pub(super) fn state_of(&self, alias: &Alias) -> StateLocation {
        render::backend::state_location(&self.deployment.environment.backend, &self.deployment.place, alias)
    }

    /// What an apply would start from; none where that is what the last one started from (R24).
    pub(super) fn changed_basis(&self, alias: &Alias) -> Result<Option<Basis>, Problems> {
        let plugin = &self.deployment.plugins[alias];
        let bound = self.bound(alias, plugin)?;
        let bindings = bound.into_iter().map(|(slot, bound)| (slot, bound.binding)).collect();
        let before = self.own.applied.get(alias);
        let state = self.state_of(alias);
        let inputs = public_inputs(plugin);
        let lock = self.lock_to_start_from(alias, before);
        let identity = self.identity(alias, plugin, &inputs, &bindings, &state, lock.as_deref());
        if self.is_unchanged(alias, plugin, before, &identity) {
            return Ok(None);
        }
        let fingerprint = identity.fingerprint();
        let provider_lock = lock.map(Cow::into_owned);
        Ok(Some(Basis { bindings, state, provider_lock, fingerprint, steps: self.left_before(alias) }))
    }

    /// The root module of an applied plugin with its state there, rendered and initialized in a folder of the run's own, with what its
    /// create steps left.
    pub(super) async fn rooted(
        &self,
        alias: &Alias,
        state: StateLocation,
        folder: &str,
        made: Made,
    ) -> Result<Initialized, Problems> {
        let plugin = &self.deployment.plugins[alias];
        let content = &self.contents[alias];
        let before = self.own.applied.get(alias);
        let origin = before.and_then(AppliedRecord::origin);
        let lock = self.lock_to_start_from(alias, before);
        let (inputs, sensitive_inputs) = (public_inputs(plugin), sensitive_inputs(plugin));
        let bound = self.bound(alias, plugin)?;
        let bindings: BTreeMap<_, _> = bound.iter().map(|(slot, bound)| (slot.clone(), bound.binding.clone())).collect();
        let supplied = self.supplied(alias, &bound, made.given)?;
        let slots: BTreeMap<SlotName, BoundSlot> = bound.into_iter().map(|(slot, bound)| (slot, bound.slot)).collect();
        let (place, name) = match origin {
            Some(origin) => (&origin.place, &origin.alias),
            None => (&self.deployment.place, alias),
        };
        let scope = Scope { inputs: &inputs, sensitive_inputs: &sensitive_inputs, slots: &slots, place, alias: name };
        let (document, content) = self.with_module(alias, plugin, content, &scope)?;
        let nested = content.nested();
        let account = self.deployment.environment.account.as_ref();
        let roles = self.roles(alias, account).await?;
        let rendering = Rendering {
            alias,
            folder,
            content: &content,
            request: render::Request {
                place,
                alias: name,
                plugin: &document,
                outputs: &plugin.outputs,
                module: content.module(),
                nested: &nested,
                inputs: &inputs,
                sensitive_inputs: &sensitive_inputs,
                slots: &slots,
                state: &state,
                local_base: self.local_base.as_deref(),
                account,
                state_role: state_role(roles.as_ref()),
                made: &made.values,
                preview: self.deployment.place.environment.is_preview(),
                adopted: self.adopted(alias),
            },
            roles: roles.as_ref(),
            provider_lock: lock.as_deref(),
            supplied: &supplied,
        };
        let (root, provider_lock) = self.initialize(&rendering).await?;
        let fingerprint = self.identity(alias, plugin, &inputs, &bindings, &state, provider_lock.as_deref()).fingerprint();
        Ok(Initialized { root, basis: Basis { bindings, state, provider_lock, fingerprint, steps: self.left_before(alias) } })
    }

    /// What the run supplies beside sensitive inputs: what connections have sealed, and what create steps left.
    fn supplied(
        &self,
        alias: &Alias,
        bound: &BTreeMap<SlotName, Bound>,
        mut given: BTreeMap<String, Given>,
    ) -> Result<Supplied, Problems> {
        for (slot, bound) in bound {
            for attribute in bound.binding.own_sensitive() {
                if let Some(Handle::Sealed { sealed, kind, .. }) = bound.handles.get(attribute) {
                    let secret =
                        self.open(sealed).map_err(|why| self.unopened(alias, &format!("{alias}.{slot}.{attribute}"), &why))?;
                    given.insert(render::names::attribute_variable(slot, attribute), Given::new(secret, *kind));
                }
            }
        }
        Ok(Supplied { given, placeholders: BTreeMap::new() })
    }

    /// The plugin with its module, which is held against its contract and the gates where it is rendered only now (R10).
    fn with_module<'a>(
        &self,
        alias: &Alias,
        plugin: &'a ResolvedPlugin,
        content: &'a Content,
        scope: &Scope<'_>,
    ) -> Result<module::Made<'a>, Problems> {
        let made = module::made(&plugin.plugin, content, scope).map_err(|problems| self.at_alias(alias, problems))?;
        if let (Cow::Owned(document), Cow::Owned(content)) = &made {
            let mut problems = policy::check_contract(document, &plugin.outputs, content.module());
            problems.extend(policy::gate(&content.modules, &self.settings.gates));
            if problems.any_error() {
                return Err(self.at_alias(alias, problems));
            }
        }
        Ok(made)
    }

    /// The provider lock of the last apply; with that of a release, for each provider the one with the higher version (R38).
    fn lock_to_start_from<'a>(&'a self, alias: &Alias, before: Option<&'a AppliedRecord>) -> Option<Cow<'a, str>> {
        let now = before.and_then(|before| before.provider_lock.as_deref());
        match (now, self.locks.get(alias)) {
            (Some(now), Some(then)) => Some(terraform::higher_locks(now, then)),
            (now, then) => now.or(then.map(String::as_str)).map(Cow::Borrowed),
        }
    }

    /// Binds the slots. What a slot asks of a link's values can only be checked now, since they exist only now (R9).
    pub(super) fn bound(&self, alias: &Alias, plugin: &ResolvedPlugin) -> Result<BTreeMap<SlotName, Bound>, Problems> {
        let bound = bind::bind(&self.deployment.place, &self.deployment.environment.backend, &plugin.slots, &self.records());
        let mut problems = Problems::default();
        for (name, bound) in &bound {
            for why in &bound.lacking {
                let message = format!("slot `{alias}.{name}` cannot take `{}`: {why}", bound.binding.address);
                let diagnostic = Diagnostic::error(FailureReason::ContractMismatch, message)
                    .at(&self.deployment.file, self.pointer(alias))
                    .help("correct the mapping under `type-mappings` in the context's `catalog.yaml`, or wire the slot to another connection");
                problems.push(diagnostic);
            }
            let Some(constraint) = &plugin.slots[name].slot.constraint else { continue };
            let attributes = serde_json::to_value(&bound.binding.attributes).unwrap_or_default();
            for finding in documents::validate_value(constraint, &attributes, false) {
                let message = format!("slot `{alias}.{name}` does not take `{}`: {}", bound.binding.address, finding.message);
                let diagnostic = Diagnostic::error(FailureReason::ContractMismatch, message)
                    .at(&self.deployment.file, self.pointer(alias))
                    .note("its `where` in the plugin's document says what the connection must be like")
                    .help("wire the slot to another connection");
                problems.push(diagnostic);
            }
        }
        if problems.any_error() { Err(problems) } else { Ok(bound) }
    }

    fn identity<'a>(
        &'a self,
        alias: &'a Alias,
        plugin: &'a ResolvedPlugin,
        inputs: &'a BTreeMap<InputName, Value>,
        bindings: &'a BTreeMap<SlotName, Binding>,
        state: &'a StateLocation,
        provider_lock: Option<&'a str>,
    ) -> ApplyIdentity<'a> {
        let contracts = plugin.outputs.iter().flat_map(|(output, faces)| {
            faces.iter().map(move |face| format!("{output}:{}@{}", face.connection_type.name, face.connection_type.version))
        });
        let origin = self.own.applied.get(alias).and_then(AppliedRecord::origin);
        ApplyIdentity {
            place: origin.map_or(&self.deployment.place, |origin| &origin.place),
            alias: origin.map_or(alias, |origin| &origin.alias),
            plugin: &plugin.source.digest,
            inputs,
            bindings,
            contracts: contracts.collect(),
            state,
            account: self.deployment.environment.account.as_ref(),
            provider_lock,
            terraform: plugin.plugin.terraform.is_some().then(|| self.terraform.build()),
        }
    }

    fn is_unchanged(
        &self,
        alias: &Alias,
        plugin: &ResolvedPlugin,
        before: Option<&AppliedRecord>,
        identity: &ApplyIdentity<'_>,
    ) -> bool {
        let Some(before) = before else { return false };
        let records = self.records();
        let published = plugin.outputs.keys().all(|output| {
            let record = records.get(&self.deployment.place.output(alias, output));
            // A run that was killed may have left one `retiring`, though nobody retires it any more.
            record.is_some_and(|record| !matches!(record.status, ConnectionStatus::Degraded | ConnectionStatus::Retiring))
        });
        !self.settings.refresh
            && published
            && sensitive_inputs(plugin).is_empty()
            && before.applied.as_ref() == Some(&before.attempted)
            && before.attempted.fingerprint == identity.fingerprint()
    }

    /// Plans a root module, and refuses where the recorded resources are not in the state (R33).
    pub(super) async fn plan_root(
        &self,
        alias: &Alias,
        root: &Root,
        mode: PlanMode,
        lock: bool,
        before: Option<&AppliedRecord>,
    ) -> Result<terraform::Plan, Problems> {
        let planned = self.plan_once(alias, root, mode, lock).await;
        self.planned(alias, planned.map_err(|failure| self.explain(alias, failure))?, before)
    }

    /// Plans a root module.
    pub(super) async fn plan_once(
        &self,
        alias: &Alias,
        root: &Root,
        mode: PlanMode,
        lock: bool,
    ) -> Result<terraform::Plan, Box<terraform::Failure>> {
        self.emit(Event::PhaseStarted { alias: alias.clone(), phase: Phase::Plan });
        let sink = self.terraform_sink(alias);
        self.terraform.plan(root, mode, lock, &*sink, &self.cancel).await
    }

    /// Takes a plan, unless the recorded resources are not in the state.
    pub(super) fn planned(
        &self,
        alias: &Alias,
        plan: terraform::Plan,
        before: Option<&AppliedRecord>,
    ) -> Result<terraform::Plan, Problems> {
        if let Some(before) = before.filter(|before| before.resources > 0 && changes::held(&plan) == 0) {
            return Err(self.state_missing(alias, before));
        }
        self.emit(Event::Planned { alias: alias.clone(), counts: changes::counts(&plan) });
        Ok(plan)
    }

    /// What nobody recorded is not this plugin's: it may be what was abandoned, a copy, or what a move left, and must not be changed or
    /// destroyed as its own.
    pub(super) fn refuse_unrecorded(&self, alias: &Alias, state: &StateLocation, plan: &terraform::Plan) -> Result<(), Problems> {
        let held = changes::held(plan);
        if held == 0 {
            return Ok(());
        }
        let message = format!("the Terraform state of `{alias}` holds {held} resources that nobody recorded");
        Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&self.deployment.file, self.pointer(alias))
            .note(format!("they are in the state `{}` in the `{}` backend", state.key, state.backend.kind.as_str()))
            .note("an applied plugin was abandoned here, a move was broken off, or something else has its state there")
            .help(
                "if they are this plugin's, take them over with `tieline adopt`; after a move run the same `tieline move` again",
            )
            .help("else apply the plugin under another alias")
            .into())
    }

    fn state_missing(&self, alias: &Alias, before: &AppliedRecord) -> Problems {
        let diagnostic = Diagnostic::error(
            FailureReason::StateMissing,
            format!("the Terraform state of `{alias}` is empty, but run `{}` recorded {} resources in it", before.attempted.run, before.resources),
        )
        .at(&self.deployment.file, self.pointer(alias))
        .note(format!("looked for the state `{}` in the `{}` backend", before.state.key, before.state.backend.kind.as_str()))
        .help("restore the state from the backend's versions or a backup, or correct the environment's backend; going on would create everything a second time");
        diagnostic.into()
    }

    /// Passes on what Terraform says, under the alias.
    pub(super) fn terraform_sink(&self, alias: &Alias) -> Box<dyn Fn(terraform::Event) + Send + Sync> {
        let (sink, alias) = (self.sink.clone(), alias.clone());
        Box::new(move |event| sink(Event::Terraform { alias: alias.clone(), event }))
    }
}

/// The inputs that may be recorded.
pub(super) fn public_inputs(plugin: &ResolvedPlugin) -> BTreeMap<InputName, Value> {
    let public = plugin.inputs.iter().filter_map(|(name, input)| match &input.value {
        InputValue::Plain(value) => Some((name.clone(), value.clone())),
        InputValue::Sensitive => None,
    });
    public.collect()
}

/// The names of the inputs that may not.
pub(super) fn sensitive_inputs(plugin: &ResolvedPlugin) -> BTreeSet<InputName> {
    plugin.inputs.iter().filter(|(_, input)| input.value == InputValue::Sensitive).map(|(name, _)| name.clone()).collect()
}
