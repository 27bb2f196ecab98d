//! From documents to an engine: what `plan` and `deploy` share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::load::{self, LoadedPlugins, Organization, Written};
use super::session::{Opened, Session};
use super::view::entries;
use crate::cloud::WebIdentity;
use crate::context::ledger::Snapshot;
use crate::context::{ContextStore, layout};
use crate::documents;
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::deployment::{Choice, Deployment, Secrets};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest, InputName};
use crate::domain::organization::{Ceilings, Environment, SecretReference, Workspace};
use crate::domain::record::{AppliedRecord, TerraformBuild};
use crate::engine::{Content, Engine, Own, Removed, Settings, Sink};
use crate::policy::{self, Gates};
use crate::request::cli;
use crate::resolve;
use crate::secrets::Secret;
use crate::sources::{LockMode, Tree, TreeFile};
use crate::terraform::{self, Terraform};

/// A deployment that is resolved, with all that made it.
pub(super) struct Resolved {
    pub(super) written: Written,
    pub(super) opened: Opened,
    pub(super) organization: Organization,
    pub(super) workspace: Workspace,
    pub(super) loaded: LoadedPlugins,
    pub(super) deployment: Deployment,
    pub(super) secrets: BTreeMap<AliasMember<InputName>, Secret>,
    /// The terraform builds of the last applies, whose versions are known.
    known: Vec<TerraformBuild>,
}

/// Reads and resolves everything; nothing is claimed, nothing started.
pub(super) async fn resolve(
    session: &Session,
    target: &cli::Target,
    values: &cli::Values,
    allow_degraded: bool,
) -> Result<Resolved, Problems> {
    // Secrets first: from here on no text can show them.
    let secrets = secrets(session, values)?;
    let written = load::manifest(session, target)?;
    let place = Session::place(target, &written)?;
    let opened =
        session.open_context(&target.context, &session.folder(target.working_directory.as_deref()), &written.folder).await?;
    let store = &*opened.store;
    let own = [layout::workspace(&place.workspace), layout::environment(&place.workspace, &place.environment)];
    let organization = session.organization(store, &own).await?;
    let catalog = organization.catalog.as_ref();
    let (workspace, environment) = session.environment(store, organization.head.as_ref(), &place).await?;
    let head = organization.head.clone().ok_or_else(|| empty_context(store))?;
    let loaded = session.plugins(&written, &session.plugin_client(&target.context), catalog, lock_mode(session)).await?;
    let types = session.types(Some((store, &head)), &loaded, catalog).await?;
    let wanted = resolve::wanted(&written.manifest, &environment, &place);
    let context = session.context_view(&opened, &head, &wanted, &place).await?;
    let names: BTreeSet<_> = secrets.keys().cloned().collect();
    let limits = organization.context.as_ref().map(|context| context.limits.clone()).unwrap_or_default();
    let resolved = resolve::resolve(&resolve::Inputs {
        place,
        file: &written.file,
        manifest: &written.manifest,
        workspace: &workspace,
        environment: &environment,
        plugins: &loaded.plugins,
        types: &types,
        context: &context,
        run_inputs: &run_inputs(session, target, values)?,
        secrets: &names,
        limits: &limits,
        allow_degraded,
    })?;
    learn_imported(session, &resolved.deployment);
    session.warn(&resolved.warnings);
    session.warn(&loaded.warnings);
    let known = context.applied.values().map(|record| record.terraform.clone()).collect();
    Ok(Resolved { written, opened, organization, workspace, loaded, deployment: resolved.deployment, secrets, known })
}

/// Imported connections name variables of the run that hold secrets.
fn learn_imported(session: &Session, deployment: &Deployment) {
    let slots = deployment.plugins.values().flat_map(|plugin| plugin.slots.values());
    for slot in slots {
        let Choice::Connection(chosen) = &slot.choice else { continue };
        let Secrets::Imported(references) = &chosen.secrets else { continue };
        for reference in references.values() {
            if let SecretReference::Env(name) = reference
                && let Some(value) = session.world.variables.get(name)
            {
                session.learn(&Secret::new(value));
            }
        }
    }
}

fn empty_context(store: &dyn ContextStore) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("the context repository {} has no documents", store.describe()))
        .help("commit them with `tieline context init --from <folder>`")
}

/// In automation the lock file must be complete; a person's run completes it.
pub(super) fn lock_mode(session: &Session) -> LockMode {
    let in_automation = session.world.variables.get(crate::request::variables::CI).is_some();
    if in_automation { LockMode::Frozen } else { LockMode::Add }
}

fn secrets(session: &Session, values: &cli::Values) -> Result<BTreeMap<AliasMember<InputName>, Secret>, Problems> {
    let Some(text) = &values.secrets else { return Ok(BTreeMap::new()) };
    let parsed = load::member_values("secrets", text)?;
    let secrets = parsed.into_iter().map(|(member, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let secret = Secret::new(text);
        session.learn(&secret);
        learn_leaves(session, &value);
        (member, secret)
    });
    Ok(secrets.collect())
}

/// What is secret in a secret with parts is each of them (R65).
fn learn_leaves(session: &Session, value: &serde_json::Value) {
    match value {
        serde_json::Value::Array(parts) => parts.iter().for_each(|part| learn_leaves(session, part)),
        serde_json::Value::Object(parts) => parts.values().for_each(|part| learn_leaves(session, part)),
        serde_json::Value::String(text) => session.learn(&Secret::new(text.clone())),
        serde_json::Value::Number(number) => session.learn(&Secret::new(number.to_string())),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

fn run_inputs(
    session: &Session,
    target: &cli::Target,
    values: &cli::Values,
) -> Result<BTreeMap<AliasMember<InputName>, serde_json::Value>, Problems> {
    let mut inputs = BTreeMap::new();
    if let Some(file) = &values.inputs_file {
        let bytes = session.world.files.read(&session.folder(target.working_directory.as_deref()).join(file), 1 << 20).map_err(
            |problem| {
                Diagnostic::error(
                    FailureReason::InvalidInput,
                    format!("cannot read the inputs file `{}`: {problem}", file.display()),
                )
            },
        )?;
        inputs.extend(load::member_values("inputs-file", &String::from_utf8_lossy(&bytes))?);
    }
    if let Some(text) = &values.inputs {
        inputs.extend(load::member_values("inputs", text)?);
    }
    Ok(inputs)
}

/// What the modules may contain: the request narrows the context's ceilings (R71).
pub(super) fn gates(organization: &Organization, arguments: &cli::Terraform) -> Result<Gates, Problems> {
    let ceilings = organization.context.as_ref().map_or_else(Ceilings::default, |context| context.ceilings.clone());
    if arguments.allow_local_exec && !ceilings.local_exec {
        return Err(Diagnostic::error(
            FailureReason::Ceiling,
            "`allow-local-exec` is asked for, but the context's ceiling forbids it",
        )
        .note("`ceilings.local-exec` in `context.yaml` is `false`, or not written, which means the same")
        .help("do without, or ask the platform team to raise the ceiling")
        .into());
    }
    let modules = match (&arguments.allowed_modules, ceilings.modules) {
        (Some(asked), Some(ceiling)) => {
            let outside: Vec<&String> =
                asked.iter().filter(|prefix| !ceiling.iter().any(|allowed| prefix.starts_with(allowed.as_str()))).collect();
            if let Some(prefix) = outside.first() {
                return Err(Diagnostic::error(
                    FailureReason::Ceiling,
                    format!("`allowed-modules` names `{prefix}`, which the context's ceiling does not allow"),
                )
                .note(format!("the ceiling allows {}", ceiling.join(", ")))
                .help("name only prefixes inside the ceiling")
                .into());
            }
            Some(asked.clone())
        }
        (asked, ceiling) => asked.clone().or(ceiling),
    };
    Ok(Gates { local_exec: arguments.allow_local_exec, modules, providers: ceilings.providers })
}

/// Gates and contracts of all plugins, before any Terraform starts (R10, R13).
pub(super) fn check_modules(session: &Session, resolved: &Resolved, gates: &Gates) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (alias, plugin) in &resolved.deployment.plugins {
        let content = resolved.content(alias);
        let mut found = policy::check_contract(&plugin.plugin, &plugin.outputs, content.module());
        found.extend(policy::gate(&content.modules, gates));
        problems.extend(load::in_plugin(&session.plugin_folder(&resolved.written.folder, &plugin.source.written), found));
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

impl Resolved {
    /// The plugins' trees, by digest.
    pub(super) fn trees(&self) -> BTreeMap<Digest, Arc<Tree>> {
        let plugins = self.deployment.plugins.iter();
        plugins.map(|(alias, plugin)| (plugin.source.digest.clone(), self.content(alias).tree.clone())).collect()
    }

    /// The content of an applied plugin.
    pub(super) fn content(&self, alias: &Alias) -> &Content {
        &self.loaded.contents[&self.deployment.plugins[alias].source.written]
    }

    /// The terraform that the run drives, with `folder` for what its roots share.
    pub(super) async fn terraform(
        &self,
        session: &Session,
        arguments: &cli::Terraform,
        folder: &Path,
    ) -> Result<Terraform, Problems> {
        let binary = terraform::locate(&session.world, arguments.terraform.as_deref())?;
        let settings = terraform::Settings {
            // No alias begins with a dot.
            plugin_cache: folder.join(".providers"),
            terraform_parallelism: arguments.terraform_parallelism,
            lock_timeout: arguments.lock_timeout,
        };
        let terraform = Terraform::open(&session.world, binary, &self.known, settings, &session.cancel).await?;
        let build = terraform.build();
        if let Some(workflow) = &session.workflow {
            let chosen = format!("Terraform {}, {}", build.version, build.path);
            session.say(&format!("using {chosen}"));
            // There is one in a run.
            let _ = workflow.terraform.set(chosen);
        }
        Ok(terraform)
    }

    /// The engine, reading the ledger now: a deploy does so only once it holds its claim.
    pub(super) async fn engine(
        self,
        session: &Session,
        (terraform, identity): (Terraform, Option<WebIdentity>),
        arguments: &cli::Terraform,
        settings: Settings,
        folder: PathBuf,
        sink: Sink,
    ) -> Result<Arc<Engine>, Problems> {
        let store = self.opened.store.clone();
        let own = own(&*store, &self.deployment.place).await?;
        let contents = self.deployment.plugins.keys().map(|alias| (alias.clone(), self.content(alias).clone())).collect();
        let (own, removed) = self.removed(session, own).await?;
        let records = Mutex::new(own.connections.clone());
        Ok(Arc::new(Engine {
            world: session.world.clone(),
            store,
            terraform,
            deployment: self.deployment,
            contents,
            removed,
            own,
            redactor: session.redactor.clone(),
            identity,
            secrets: self.secrets,
            local_base: self.opened.local_base,
            folder,
            settings,
            sink,
            cancel: session.cancel.clone(),
            time_limit: arguments.timeout,
            out_of_time: std::sync::atomic::AtomicBool::default(),
            alone: tokio::sync::Mutex::default(),
            records,
        }))
    }

    /// What was applied and is no longer in the manifest (R27), with all that its destroy needs.
    async fn removed(&self, session: &Session, mut own: Own) -> Result<(Own, BTreeMap<Alias, Removed>), Problems> {
        let gone: Vec<Alias> =
            own.applied.keys().filter(|alias| !self.deployment.plugins.contains_key(*alias)).cloned().collect();
        let mut removed = BTreeMap::new();
        let (Some(head), Some(documents_head), false) = (own.head.clone(), self.organization.head.clone(), gone.is_empty())
        else {
            return Ok((own, removed));
        };
        let store = &*self.opened.store;
        own.environments = environments(session, store, &documents_head).await?;
        for alias in gone {
            let record = own.applied[&alias].clone();
            let tree = stored_tree(store, &head, &record.source.digest).await?;
            removed.insert(alias.clone(), self.one_removed(session, store, record, tree, &own).await?);
        }
        Ok((own, removed))
    }

    async fn one_removed(
        &self,
        session: &Session,
        store: &dyn ContextStore,
        record: AppliedRecord,
        tree: Tree,
        own: &Own,
    ) -> Result<Removed, Problems> {
        let name = format!("{} {} of the ledger", record.plugin, record.version);
        let Some(document) = tree.files.get("plugin.yaml") else {
            return Err(Diagnostic::error(
                FailureReason::ContextUnavailable,
                format!("the ledger has no tree of the plugin `{name}`"),
            )
            .note(format!("looked for `{}`", layout::plugin_tree(&record.source.digest)))
            .help("run `tieline context verify`")
            .into());
        };
        let file = format!("ledger:{}/plugin.yaml", layout::plugin_tree(&record.source.digest));
        session.remember(&file, &document.bytes);
        let plugin = documents::plugin(&file, &document.bytes)?;
        let modules = session.read_module(&layout::plugin_tree(&record.source.digest), &tree, &plugin.terraform.module)?;
        let elsewhere: BTreeSet<Address> = record.bindings.values().map(|binding| binding.address.clone()).collect();
        let mut secrets = BTreeMap::new();
        let mut faces = BTreeMap::new();
        let producers = Snapshot::new(store, own.head.clone()).connections(&elsewhere).await?;
        for binding in record.bindings.values() {
            let producer = producers.get(&binding.address);
            let face = producer.and_then(|producer| {
                producer.faces().position(|face| face.type_name == binding.type_name && face.type_version == binding.type_version)
            });
            faces.insert(binding.address.clone(), face.unwrap_or_default());
            let reached = self.reached(session, store, &binding.address, &own.environments).await?;
            secrets.insert(binding.address.clone(), reached);
        }
        Ok(Removed {
            record,
            plugin: Arc::new(plugin),
            content: Content { tree: Arc::new(tree), modules: Arc::new(modules) },
            secrets,
            faces,
        })
    }

    /// How the secrets of a connection are reached that something removed is bound to.
    async fn reached(
        &self,
        session: &Session,
        store: &dyn ContextStore,
        address: &Address,
        environments: &[(String, Environment)],
    ) -> Result<Secrets, Problems> {
        let (place, alias) = match (&address.target, address.producer()) {
            (Target::Output { alias, .. }, Some(place)) => (place, alias),
            (Target::Imported(name), _) => {
                let path = layout::imported(&address.workspace, &address.environment, name);
                let Some(head) = &self.organization.head else { return Ok(Secrets::Unknown) };
                let document = session.context_document(store, head, &path, documents::imported).await?;
                return Ok(document.map_or(Secrets::Unknown, |document| Secrets::Imported(document.sensitive)));
            }
            _ => return Ok(Secrets::Unknown),
        };
        let home = environments
            .iter()
            .find(|(workspace, environment)| workspace == place.workspace.as_str() && environment.name == place.environment);
        Ok(home.map_or(Secrets::Unknown, |(_, environment)| {
            Secrets::Produced(crate::render::backend::state_location(&environment.backend, &place, alias))
        }))
    }
}

/// What the ledger says of a place.
async fn own(store: &dyn ContextStore, place: &Place) -> Result<Own, Problems> {
    let snapshot = Snapshot::newest(store).await?;
    let found = snapshot.place(place).await?;
    let connections: BTreeMap<Address, _> =
        found.connections.into_values().map(|record| (record.address.clone(), record)).collect();
    let consumers = entries(snapshot.consumers(connections.keys()).await?);
    Ok(Own { head: snapshot.at().cloned(), applied: found.applied, connections, consumers, environments: Vec::new() })
}

/// Every environment's document, with its workspace.
async fn environments(
    session: &Session,
    store: &dyn ContextStore,
    head: &crate::context::CommitId,
) -> Result<Vec<(String, Environment)>, Problems> {
    let listed = store.list(head, &[layout::WORKSPACES.to_owned()]).await?;
    let paths: Vec<String> =
        listed.into_values().flatten().map(|file| file.path).filter(|path| path.contains("/environments/")).collect();
    let found = session.context_documents(store, head, &paths, documents::environment).await?;
    Ok(found.into_iter().filter_map(|(path, environment)| Some((path.split('/').nth(1)?.to_owned(), environment))).collect())
}

/// The tree of a plugin that was applied, out of the context's own copy.
async fn stored_tree(store: &dyn ContextStore, head: &crate::context::CommitId, digest: &Digest) -> Result<Tree, Problems> {
    let files = Snapshot::new(store, Some(head.clone())).plugin_tree(digest).await?;
    let files = files.into_iter().map(|(path, file)| (path, TreeFile { executable: file.executable, bytes: file.bytes }));
    Ok(Tree { files: files.collect() })
}
