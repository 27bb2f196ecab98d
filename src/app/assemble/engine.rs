//! From what was resolved to an engine: its terraform, and the ledger as it is once the claim is held.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Resolved;
use super::made;
use super::stored::{self, Stored};
use crate::app::session::Session;
use crate::app::view::{declared, entries};
use crate::cloud::WebIdentity;
use crate::context::ledger::Snapshot;
use crate::context::{CommitId, ContextStore, layout};
use crate::documents;
use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::{ConnectionRecord, Handle};
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::{ResolvedPlugin, Secrets};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, AttributeName, Digest, SlotName};
use crate::domain::organization::{Environment, SecretReference};
use crate::domain::record::{AppliedRecord, StateLocation, TerraformBuild};
use crate::engine::{Engine, Own, Removed, Settings, Sink};
use crate::request::cli;
use crate::sources::Tree;
use crate::terraform::{self, Terraform};

impl Resolved {
    /// The plugins' trees, by digest.
    pub(in crate::app) fn trees(&self) -> BTreeMap<Digest, Arc<Tree>> {
        let plugins = self.deployment.plugins.iter();
        let used = plugins.map(|(alias, plugin)| (plugin.source.digest.clone(), self.contents[alias].tree.clone()));
        used.chain(self.at_hand.clone()).collect()
    }

    /// The terraform that the run drives, with `folder` for what its roots share.
    pub(in crate::app) async fn terraform(
        &self,
        session: &Session,
        arguments: &cli::Terraform,
        folder: &Path,
    ) -> Result<Terraform, Problems> {
        let terraform = match terraform(session, arguments, folder, &self.known).await {
            Err(missing) if arguments.terraform.is_none() && !self.needs_terraform() => {
                let Some(why) = missing.cause().filter(|why| why.reason == FailureReason::TerraformMissing) else {
                    return Err(missing);
                };
                Terraform::absent(&session.world, terraform_settings(arguments, folder), Box::new(why.clone()))
            }
            found => found?,
        };
        if self.source.is_some() {
            refuse_lower(terraform.build(), &self.known)?;
        }
        Ok(terraform)
    }

    /// Whether anything here is made by a module, was, or is read out of a state.
    fn needs_terraform(&self) -> bool {
        let mut plugins = self.deployment.plugins.values();
        let is_needed = |plugin: &ResolvedPlugin| {
            plugin.plugin.terraform.is_some() || plugin.slots.values().any(|slot| !slot.slot.sensitive.is_empty())
        };
        self.known.iter().any(|build| !build.is_none()) || plugins.any(is_needed)
    }

    /// The engine, reading the ledger now: a deploy does so only once it holds its claim.
    pub(in crate::app) async fn engine(
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
        let (own, removed) = self.removed(session, own).await?;
        let records = Mutex::new(own.connections.clone());
        Ok(Arc::new(Engine {
            world: session.world.clone(),
            store,
            terraform,
            deployment: self.deployment,
            rules: self.organization.rules,
            contents: self.contents,
            removed,
            own,
            locks: self.locks,
            adoption: self.adoption,
            notes: Mutex::new(self.notes),
            redactor: session.redactor.clone(),
            learn: Arc::new(session.learner()),
            keys: self.keys,
            identity,
            secrets: self.secrets,
            attributes: self.attributes,
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
        let nothing_goes = gone.is_empty() || self.adoption.is_some();
        let (Some(head), Some(documents_head), false) = (own.head.clone(), self.organization.head.clone(), nothing_goes) else {
            return Ok((own, removed));
        };
        let store = &*self.opened.store;
        own.environments = environments(session, store, &documents_head).await?;
        for alias in gone {
            let record = own.applied[&alias].clone();
            removed.insert(alias.clone(), self.one_removed(session, store, (&alias, record), &head, &own).await?);
        }
        Ok((own, removed))
    }

    async fn one_removed(
        &self,
        session: &Session,
        store: &dyn ContextStore,
        (alias, record): (&Alias, AppliedRecord),
        head: &CommitId,
        own: &Own,
    ) -> Result<Removed, Problems> {
        let stored = stored::plugin(session, store, head, &record.source).await?;
        let Stored { plugin, content, proposed } = made::as_applied(&self.deployment.place, alias, &record, stored)?;
        let elsewhere: BTreeSet<Address> = record.bindings.values().map(|binding| binding.address.clone()).collect();
        let schemas = self.schemas(session, store, &record, &proposed).await?;
        let mut secrets = BTreeMap::new();
        let (mut faces, mut handles) = (BTreeMap::new(), BTreeMap::new());
        let producers = Snapshot::new(store, own.head.clone()).connections(&elsewhere).await?;
        for binding in record.bindings.values() {
            let producer = producers.get(&binding.address);
            let face = producer.and_then(|producer| {
                producer.faces().position(|face| face.type_name == binding.type_name && face.type_version == binding.type_version)
            });
            let face = face.unwrap_or_default();
            faces.insert(binding.address.clone(), face);
            let published = producer.and_then(|producer| producer.faces().nth(face)).map(|face| face.sensitive.clone());
            let reached = match own_state(&self.deployment.place, own, &binding.address) {
                Some(state) => Secrets::Produced(state.clone()),
                None => self.reached(session, store, &binding.address, &own.environments).await?,
            };
            handles.insert(binding.address.clone(), published.unwrap_or_else(|| sealed(&reached)));
            secrets.insert(binding.address.clone(), reached);
        }
        Ok(Removed { record, plugin, content, secrets, faces, handles, schemas })
    }

    /// The schemas of what slots with secrets are bound to, as far as context or plugin still have the types.
    async fn schemas(
        &self,
        session: &Session,
        store: &dyn ContextStore,
        record: &AppliedRecord,
        proposed: &[ConnectionType],
    ) -> Result<BTreeMap<SlotName, Value>, Problems> {
        let Some(head) = &self.organization.head else { return Ok(BTreeMap::new()) };
        let mut schemas = BTreeMap::new();
        for (slot, binding) in record.bindings.iter().filter(|(_, binding)| !binding.sensitive.is_empty()) {
            let (name, version) = binding.handed_as();
            let path = layout::connection_type(name, version);
            let found = session.context_document(store, head, &path, documents::connection_type).await?;
            let is_it = |one: &&ConnectionType| one.name == *name && one.version == *version;
            let found = found.or_else(|| proposed.iter().find(is_it).cloned());
            schemas.extend(found.map(|found| (slot.clone(), found.attributes)));
        }
        Ok(schemas)
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

/// The terraform that is asked for or found, with `folder` for what its roots share. One of the builds that are `known` is not asked for
/// its version.
///
/// # Errors
/// `terraform-missing` when there is none, or none that can be used.
pub(in crate::app) async fn terraform(
    session: &Session,
    arguments: &cli::Terraform,
    folder: &Path,
    known: &[TerraformBuild],
) -> Result<Terraform, Problems> {
    let binary = terraform::locate(&session.world, arguments.terraform.as_deref())?;
    let settings = terraform_settings(arguments, folder);
    let terraform = Terraform::open(&session.world, binary, known, settings, &session.cancel).await?;
    if let Some(workflow) = &session.workflow {
        let build = terraform.build();
        let chosen = format!("Terraform {}, {}", build.version, build.path);
        session.say(&format!("using {chosen}"));
        // There is one in a run.
        let _ = workflow.terraform.set(chosen);
    }
    Ok(terraform)
}

/// The handles of an imported connection's sealed secrets.
fn sealed(secrets: &Secrets) -> BTreeMap<AttributeName, Handle> {
    let Secrets::Imported(references) = secrets else { return BTreeMap::new() };
    let sealed = references.iter().filter_map(|(name, reference)| match reference {
        SecretReference::Sealed(text) => {
            Some((name.clone(), Handle::Sealed { sealed: text.clone(), recipients: Vec::new(), kind: None }))
        }
        SecretReference::State(_) | SecretReference::Env(_) => None,
    });
    sealed.collect()
}

fn terraform_settings(arguments: &cli::Terraform, folder: &Path) -> terraform::Settings {
    terraform::Settings {
        // No alias begins with a dot.
        plugin_cache: folder.join(".providers"),
        terraform_parallelism: arguments.terraform_parallelism,
        lock_timeout: arguments.lock_timeout,
    }
}

/// Where the state of a producer at the same place is recorded to be: a destroy believes that of its own states.
fn own_state<'a>(place: &Place, own: &'a Own, address: &Address) -> Option<&'a StateLocation> {
    match &address.target {
        Target::Output { alias, .. } if address.producer().as_ref() == Some(place) => Some(&own.applied.get(alias)?.state),
        _ => None,
    }
}

/// A rollback goes back in everything but this: a state is not written by a lower Terraform than the one that wrote it (R38).
fn refuse_lower(build: &TerraformBuild, known: &[TerraformBuild]) -> Result<(), Problems> {
    let parsed = |build: &TerraformBuild| build.version.parse::<semver::Version>().ok();
    let Some(ours) = parsed(build) else { return Ok(()) };
    // Versions of Terraform and of OpenTofu, which the metadata tells apart, say nothing about each other.
    let comparable = known.iter().filter_map(parsed).filter(|version| version.build == ours.build);
    let Some(highest) = comparable.max().filter(|highest| ours < *highest) else { return Ok(()) };
    let message = format!("the terraform here is version {ours}, lower than {highest}, which wrote a state of this deployable");
    Err(Diagnostic::error(FailureReason::TerraformMissing, message)
        .note(format!("it is `{}`", build.path))
        .help(format!("use version {highest} or a later one: `--terraform <binary>`, or `terraform` in a workflow"))
        .into())
}

/// What the ledger says of a place.
async fn own(store: &dyn ContextStore, place: &Place) -> Result<Own, Problems> {
    let snapshot = Snapshot::newest(store).await?;
    let found = snapshot.place(place).await?;
    let connections: BTreeMap<Address, _> =
        found.connections.into_values().map(|record| (record.address.clone(), record)).collect();
    let former = former(&snapshot, &found.applied, &connections).await?;
    let mut consumers = snapshot.consumers(connections.keys().chain(former.keys())).await?;
    for (old, now) in &former {
        // Documents that still name the old address are known there.
        let declared = consumers.remove(old).unwrap_or_default().declared;
        consumers.entry(now.clone()).or_default().declared.extend(declared);
    }
    Ok(Own {
        head: snapshot.at().cloned(),
        applied: found.applied,
        connections,
        declared: declared(&consumers),
        consumers: entries(&consumers),
        former,
        release: snapshot.releases(place, 1).await?.pop(),
        environments: Vec::new(),
    })
}

/// What connections were called before they were moved, as far as nothing else is called that now: documents may still name them so.
async fn former(
    snapshot: &Snapshot<'_>,
    applied: &BTreeMap<Alias, AppliedRecord>,
    connections: &BTreeMap<Address, ConnectionRecord>,
) -> Result<BTreeMap<Address, Address>, Problems> {
    let mut former = BTreeMap::new();
    for address in connections.keys() {
        let Target::Output { alias, output, .. } = &address.target else { continue };
        let names = applied.get(alias).into_iter().flat_map(|record| &record.formerly);
        former.extend(names.map(|name| (name.place.output(&name.alias, output), address.clone())));
    }
    if !former.is_empty() {
        let taken = snapshot.connections(former.keys()).await?;
        former.retain(|address, _| !taken.contains_key(address));
    }
    Ok(former)
}

/// Every environment's document, with its workspace.
pub(in crate::app) async fn environments(
    session: &Session,
    store: &dyn ContextStore,
    head: &CommitId,
) -> Result<Vec<(String, Environment)>, Problems> {
    let listed = store.list(head, &[layout::WORKSPACES.to_owned()]).await?;
    let paths: Vec<String> =
        listed.into_values().flatten().map(|file| file.path).filter(|path| path.contains("/environments/")).collect();
    let found = session.context_documents(store, head, &paths, documents::environment).await?;
    Ok(found.into_iter().filter_map(|(path, environment)| Some((path.split('/').nth(1)?.to_owned(), environment))).collect())
}
