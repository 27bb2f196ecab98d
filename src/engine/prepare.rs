//! A task up to its plan: bound, compared with what is applied, rendered, initialized, gated, planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::bind::{self, Bound};
use super::event::{Event, Phase};
use super::fingerprint::ApplyIdentity;
use super::journal::Journal;
use super::{Content, Engine};
use crate::documents;
use crate::domain::address::AliasMember;
use crate::domain::connection::{Binding, ConnectionStatus};
use crate::domain::deployment::{InputValue, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest, InputName, SlotName};
use crate::domain::outcome::PlannedResource;
use crate::domain::record::{AppliedRecord, ChangeCounts, StateLocation};
use crate::policy;
use crate::render::{self, BoundSlot};
use crate::terraform::{self, Action, PlanMode, Root};

/// The file of a generated root module.
const ROOT_FILE: &str = "main.tf.json";

/// A task whose root module is ready to be planned.
pub(super) struct Initialized {
    pub(super) root: Root,
    pub(super) bindings: BTreeMap<SlotName, Binding>,
    pub(super) state: StateLocation,
    pub(super) provider_lock: Option<String>,
    pub(super) fingerprint: Digest,
}

/// A task that has a plan.
pub(super) struct Prepared {
    pub(super) initialized: Initialized,
    pub(super) plan: terraform::Plan,
}

/// What came of preparing a task.
pub(super) enum Preparation {
    /// Nothing it depends on changed since its last apply: no Terraform was started (R24).
    Unchanged,
    /// It has a plan, perhaps an empty one.
    Planned(Box<Prepared>),
}

/// What a root module is rendered from, whether to apply or to destroy.
pub(super) struct Rendering<'a> {
    pub(super) alias: &'a Alias,
    pub(super) content: &'a Content,
    pub(super) request: render::Request<'a>,
    pub(super) provider_lock: Option<&'a str>,
}

impl Engine {
    /// Prepares the task of an applied plugin whose producers are done. With a journal, an apply may follow: the plan takes
    /// Terraform's state lock, and the attempt is noted now, so that it is written by the time it starts.
    pub(super) async fn prepare(&self, alias: &Alias, journal: Option<&Journal>) -> Result<Preparation, Problems> {
        let plugin = &self.deployment.plugins[alias];
        let content = &self.contents[alias];
        let bound = self.bound(alias, plugin)?;
        let bindings: BTreeMap<_, _> = bound.iter().map(|(slot, bound)| (slot.clone(), bound.binding.clone())).collect();
        let before = self.own.applied.get(alias);
        let state = render::backend::state_location(&self.deployment.environment.backend, &self.deployment.place, alias);
        let inputs = public_inputs(plugin);
        let recorded_lock = before.and_then(|record| record.provider_lock.as_deref());
        if self.is_unchanged(alias, plugin, before, &self.identity(alias, plugin, &inputs, &bindings, &state, recorded_lock)) {
            return Ok(Preparation::Unchanged);
        }
        let slots: BTreeMap<SlotName, BoundSlot> = bound.into_iter().map(|(slot, bound)| (slot, bound.slot)).collect();
        let sensitive_inputs = sensitive_inputs(plugin);
        let nested = content.nested();
        let rendering = Rendering {
            alias,
            content,
            request: render::Request {
                place: &self.deployment.place,
                alias,
                plugin: &plugin.plugin,
                outputs: &plugin.outputs,
                module: content.module(),
                nested: &nested,
                inputs: &inputs,
                sensitive_inputs: &sensitive_inputs,
                slots: &slots,
                state: &state,
                local_base: self.local_base.as_deref(),
                account: self.deployment.environment.account.as_ref(),
                preview: false,
            },
            provider_lock: recorded_lock,
        };
        let (root, provider_lock) = self.initialize(&rendering).await?;
        let fingerprint = self.identity(alias, plugin, &inputs, &bindings, &state, provider_lock.as_deref()).fingerprint();
        let initialized = Initialized { root, bindings, state, provider_lock, fingerprint };
        if let Some(journal) = journal {
            let record = self.attempted_record(alias, &initialized, &journal.run());
            journal.note(|claim| _ = claim.applied.insert(alias.clone(), record));
        }
        let plan = self.plan_root(alias, &initialized.root, PlanMode::Apply, journal.is_some(), before).await?;
        Ok(Preparation::Planned(Box::new(Prepared { initialized, plan })))
    }

    /// Binds the slots. What a slot asks of a link's values can only be checked now, since they exist only now (R9).
    fn bound(&self, alias: &Alias, plugin: &ResolvedPlugin) -> Result<BTreeMap<SlotName, Bound>, Problems> {
        let bound = bind::bind(&self.deployment.place, &self.deployment.environment.backend, &plugin.slots, &self.records());
        let mut problems = Problems::default();
        for (name, bound) in &bound {
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
        ApplyIdentity {
            place: &self.deployment.place,
            alias,
            plugin: &plugin.source.digest,
            inputs,
            bindings,
            contracts: contracts.collect(),
            state,
            account: self.deployment.environment.account.as_ref(),
            provider_lock,
            terraform: self.terraform.build(),
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
            record.is_some_and(|record| record.status != ConnectionStatus::Degraded)
        });
        !self.settings.refresh
            && published
            && sensitive_inputs(plugin).is_empty()
            && before.applied.as_ref() == Some(&before.attempted)
            && before.attempted.fingerprint == identity.fingerprint()
    }

    /// Renders the root module into the run's private folder, runs init, and gates what init fetched.
    pub(super) async fn initialize(&self, rendering: &Rendering<'_>) -> Result<(Root, Option<String>), Problems> {
        let rendered = render::root(&rendering.request)?;
        let directory = self.folder.join(rendering.alias.as_str());
        self.write_root(&directory, rendering, &rendered).map_err(|problem| unwritable(&directory, &problem))?;
        let variable_file = self.write_variables(rendering, &directory, &rendered.variables)?;
        let root = Root { directory, environment: BTreeMap::new(), variable_file, providers: rendering.content.providers() };
        self.emit(Event::PhaseStarted { alias: rendering.alias.clone(), phase: Phase::Init });
        let sink = self.terraform_sink(rendering.alias);
        let lock =
            self.terraform.init(&root, &*sink, &self.cancel).await.map_err(|failure| self.explain(rendering.alias, failure))?;
        self.gate_fetched(rendering.alias, &root)?;
        Ok((root, lock))
    }

    /// Whether the root module of this alias was rendered in this run.
    pub(super) fn is_rendered(&self, alias: &Alias) -> bool {
        self.world.files.metadata(&self.folder.join(alias.as_str()).join(ROOT_FILE)).is_some()
    }

    fn write_root(&self, directory: &Path, rendering: &Rendering<'_>, rendered: &render::Root) -> std::io::Result<()> {
        let files = self.world.files;
        for (path, file) in &rendering.content.tree.files {
            files.create(&directory.join("plugin").join(path), &file.bytes, file.executable)?;
        }
        files.write_private(&directory.join(ROOT_FILE), &rendered.main)?;
        if let Some(lock) = rendering.provider_lock {
            files.write(&directory.join(".terraform.lock.hcl"), lock.as_bytes(), false)?;
        }
        Ok(())
    }

    /// Sensitive inputs reach Terraform by a file that only we can read, never by an argument.
    fn write_variables(
        &self,
        rendering: &Rendering<'_>,
        directory: &Path,
        needed: &BTreeSet<String>,
    ) -> Result<Option<PathBuf>, Problems> {
        if needed.is_empty() {
            return Ok(None);
        }
        let mut values = serde_json::Map::new();
        let mut missing = Vec::new();
        for input in rendering.request.sensitive_inputs {
            let member = AliasMember { alias: rendering.alias.clone(), member: input.clone() };
            match self.secrets.get(&member) {
                Some(secret) => _ = values.insert(render::names::input_variable(input), Value::from(secret.expose())),
                None => missing.push(member.to_string()),
            }
        }
        for name in needed.iter().filter_map(|variable| variable.strip_prefix(bind::FROM_ENVIRONMENT)) {
            match self.world.variables.get(name) {
                Some(value) => _ = values.insert(format!("{}{name}", bind::FROM_ENVIRONMENT), Value::from(value)),
                None => missing.push(format!("environment variable `{name}`, which an imported connection names")),
            }
        }
        if !missing.is_empty() {
            let message = format!("`{}` needs the sensitive {}", rendering.alias, missing.join(", "));
            return Err(Diagnostic::error(FailureReason::InvalidInput, message)
                .at(&self.deployment.file, self.pointer(rendering.alias))
                .help("nothing recorded has them: give them as `TIELINE_SECRETS='{alias.input: value}'`")
                .into());
        }
        let path = directory.join("secrets.tfvars.json");
        let bytes = serde_json::to_vec(&values).unwrap_or_default();
        self.world.files.write_private(&path, &bytes).map_err(|problem| unwritable(&path, &problem))?;
        Ok(Some(path))
    }

    /// The gates again, over everything that init fetched (R10).
    fn gate_fetched(&self, alias: &Alias, root: &Root) -> Result<(), Problems> {
        let manifest = root.directory.join(".terraform/modules/modules.json");
        let Ok(manifest) = self.world.files.read(&manifest, 16 << 20) else { return Ok(()) };
        let mut modules = Vec::new();
        for fetched in policy::fetched_modules(&manifest)?.into_iter().filter(|fetched| !fetched.key.is_empty()) {
            let folder = root.directory.join(&fetched.dir);
            let files = terraform_files(self.world.files, &folder).map_err(|problem| unwritable(&folder, &problem))?;
            modules.push((format!("module `{}` ({})", fetched.key, fetched.source), policy::read(&files, "")?));
        }
        let problems = policy::gate(&modules, &self.settings.gates);
        if problems.any_error() { Err(self.at_alias(alias, problems)) } else { Ok(()) }
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
        self.emit(Event::PhaseStarted { alias: alias.clone(), phase: Phase::Plan });
        let sink = self.terraform_sink(alias);
        let plan =
            self.terraform.plan(root, mode, lock, &*sink, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        if let Some(before) = before.filter(|before| before.resources > 0 && held(&plan) == 0) {
            return Err(self.state_missing(alias, before));
        }
        self.emit(Event::Planned { alias: alias.clone(), counts: counts(&plan) });
        Ok(plan)
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

    /// A Terraform failure as problems on the manifest's line of the applied plugin.
    pub(super) fn explain(&self, alias: &Alias, failure: Box<terraform::Failure>) -> Problems {
        self.at_alias(alias, problems_of(*failure))
    }

    pub(super) fn at_alias(&self, alias: &Alias, mut problems: Problems) -> Problems {
        for problem in &mut problems.0 {
            if let Some(origin) = &problem.origin {
                problem.notes.insert(0, format!("in the plugin, {}", place_text(origin)));
            }
            let origin = Diagnostic::error(problem.reason, "").at(&self.deployment.file, self.pointer(alias)).origin;
            problem.origin = origin;
        }
        problems
    }

    /// The manifest's entry of an applied plugin.
    pub(super) fn pointer(&self, alias: &Alias) -> Pointer {
        if self.deployment.plugins.contains_key(alias) {
            Pointer::keys(["plugins", alias.as_str()]).at_key()
        } else {
            Pointer::keys(["plugins"]).at_key()
        }
    }
}

/// A failure of terraform as problems: what it said, or that it said nothing; who holds the state lock; where an unsaved state is.
fn problems_of(failure: terraform::Failure) -> Problems {
    let mut problems: Vec<Diagnostic> = failure
        .diagnostics
        .iter()
        .filter(|said| said.severity == Severity::Error)
        .map(|said| said.to_problem(failure.reason))
        .collect();
    if problems.is_empty() {
        problems.push(Diagnostic::error(failure.reason, format!("terraform ended: {}", failure.reason.meaning())));
    }
    let first = &mut problems[0];
    first.notes.extend(failure.tail);
    if let Some(lock) = failure.lock.filter(|lock| !lock.id.is_empty()) {
        let since = if lock.created.is_empty() { String::new() } else { format!(" since {}", lock.created) };
        let who = if lock.who.is_empty() { "somebody whom the backend does not name" } else { &lock.who };
        first.notes.push(format!("the state lock `{}` is held by {who}{since}", lock.id));
    }
    if let Some(state) = failure.errored_state {
        first.notes.push(format!("the state could not be saved; its only copy is `{}`", state.display()));
        first
            .help
            .push("keep that file safe: it holds secrets; push it with `terraform state push` once the backend works".to_owned());
    }
    Problems(problems)
}

fn place_text(origin: &crate::domain::diagnostic::Origin) -> String {
    match &origin.at {
        crate::domain::diagnostic::Spot::File => origin.file.clone(),
        crate::domain::diagnostic::Spot::Pointer(pointer) => format!("{}: {pointer}", origin.file),
        crate::domain::diagnostic::Spot::Line { line, column } => format!("{}:{line}:{column}", origin.file),
    }
}

fn unwritable(path: &Path, problem: &std::io::Error) -> Problems {
    Diagnostic::error(FailureReason::Internal, format!("cannot write `{}`: {problem}", path.display()))
        .help("check the free space and rights of the temporary folder; `TMPDIR` names another")
        .into()
}

fn terraform_files(files: crate::world::Files, folder: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let names = files
        .list(folder)?
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.ends_with(".tf") || name.ends_with(".tf.json"));
    names.map(|name| Ok((name.clone(), files.read(&folder.join(&name), 16 << 20)?))).collect()
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

/// How many managed resources of the plugin the prior state held.
pub(super) fn held(plan: &terraform::Plan) -> u64 {
    plan.prior.iter().filter(|address| !render::names::is_own_resource(address)).count() as u64
}

/// A plan's changes without the resources of our own, which publish revisions.
pub(super) fn changes(plan: &terraform::Plan) -> impl Iterator<Item = &terraform::ResourceChange> {
    plan.resources.iter().filter(|resource| !render::names::is_own_resource(&resource.address))
}

/// The changes, counted as Terraform counts them: a replacement is one created and one destroyed.
pub(super) fn counts(plan: &terraform::Plan) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    for resource in changes(plan) {
        match resource.action {
            Action::Create => counts.add += 1,
            Action::Update => counts.change += 1,
            Action::Replace => {
                counts.add += 1;
                counts.remove += 1;
            }
            Action::Delete => counts.remove += 1,
            _ => {}
        }
    }
    counts
}

/// The resources that a plan deletes or replaces. What a cancelled or failed apply left half made (`tainted`, while no later apply
/// succeeded) is nothing to lose: replacing it is how that apply is finished.
pub(super) fn losses<'a>(plan: &'a terraform::Plan, before: Option<&AppliedRecord>) -> Vec<&'a terraform::ResourceChange> {
    let was_broken_off = before.is_some_and(|before| before.applied.as_ref() != Some(&before.attempted));
    let is_half_made = |resource: &&terraform::ResourceChange| {
        was_broken_off && resource.action == Action::Replace && resource.reason.as_deref() == Some("tainted")
    };
    let is_loss =
        |resource: &&terraform::ResourceChange| matches!(resource.action, Action::Delete | Action::Replace | Action::Other);
    changes(plan).filter(is_loss).filter(|resource| !is_half_made(resource)).collect()
}

/// The changes as a report shows them.
pub(super) fn planned_resources(plan: &terraform::Plan) -> Vec<PlannedResource> {
    let shown = changes(plan).filter(|resource| !matches!(resource.action, Action::NoOp | Action::Read));
    shown
        .map(|resource| PlannedResource {
            address: resource.address.strip_prefix("module.plugin.").unwrap_or(&resource.address).to_owned(),
            action: resource.action.to_string(),
        })
        .collect()
}
