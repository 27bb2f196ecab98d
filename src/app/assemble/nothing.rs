//! A deployment of nothing: all that is applied goes. The manifest, its branch and the plugins' sources are not read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Resolved, empty_context, open, values};
use crate::app::load::{self, Organization};
use crate::app::session::{Opened, Session};
use crate::context::ledger::{PlaceRecords, Snapshot};
use crate::context::{CommitId, ContextStore, layout};
use crate::documents;
use crate::domain::address::Place;
use crate::domain::catalog::Catalog;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::{DeployableKind, Manifest};
use crate::domain::names::{Digest, EnvironmentName, WorkspaceName};
use crate::domain::organization::{Backend, BackendKind, Environment, EnvironmentKind, Limits, Workspace, WorkspaceKind};
use crate::engine::Content;
use crate::request::cli;
use crate::secrets::Opener;
use crate::sources::{LockMode, Tree};

/// What a destroy works with; nothing is claimed, nothing started.
///
/// # Errors
/// When nothing is applied there and nothing ever was, or the context cannot be read.
pub(in crate::app) async fn for_destroy(
    session: &Session,
    target: &cli::Target,
    secrets: &cli::Sensitive,
) -> Result<Resolved, Problems> {
    let place = session.named_place(target)?;
    let grounds = Grounds::open(session, target, secrets, (&place.workspace, &place.environment)).await?;
    let store = &*grounds.opened.store;
    let snapshot = Snapshot::newest(store).await?;
    let records = snapshot.place(&place).await?;
    // A run that was killed may have left all that is known in its claim, which the next one folds into the ledger.
    let is_claimed = store.read_claim(&place).await?.is_some();
    if !is_claimed && records.applied.is_empty() && snapshot.runs(&place, 1).await?.is_empty() {
        return Err(Diagnostic::error(FailureReason::InvalidInput, format!("nothing was ever deployed at `{place}`"))
            .help("check the names of workspace, environment and deployable; `tieline status` shows what there is")
            .into());
    }
    // Nothing of a pull request's files is read to remove its preview (R52); its plugins were put into the ledger before they were applied.
    let looks_at_hand = is_claimed && !place.environment.is_preview();
    let catalog = grounds.organization.catalog.as_ref();
    let at_hand = if looks_at_hand { trees_at_hand(session, target, catalog).await } else { BTreeMap::new() };
    Ok(Resolved { at_hand, ..grounds.nothing_at(session, &snapshot, &place, &records).await? })
}

/// What is the same for all that is recorded in an environment, whatever deployable it is of.
pub(in crate::app) struct Grounds {
    pub(in crate::app) opened: Opened,
    pub(in crate::app) organization: Organization,
    /// The documents' head.
    pub(in crate::app) head: CommitId,
    secrets: values::Secrets,
    attributes: values::Attributes,
    opener: Option<Opener>,
    folder: PathBuf,
}

impl Grounds {
    /// Opens the context and reads what holds for the organization.
    ///
    /// # Errors
    /// When the context cannot be read, or has no documents.
    pub(in crate::app) async fn open(
        session: &Session,
        target: &cli::Target,
        secrets: &cli::Sensitive,
        (workspace, environment): (&WorkspaceName, &EnvironmentName),
    ) -> Result<Self, Problems> {
        let opener = values::opener(session, &secrets.opening)?;
        let (secrets, attributes) = values::secrets_to_destroy(session, secrets)?;
        let (opened, folder) = open(session, target, None).await?;
        let store = &*opened.store;
        let own = [layout::workspace(workspace), layout::environment(workspace, environment)];
        let organization = session.organization(store, &own).await?;
        let head = organization.head.clone().ok_or_else(|| empty_context(store))?;
        has_documents(store, &head).await?;
        Ok(Self { opened, organization, head, secrets, attributes, opener, folder })
    }

    /// A deployment of nothing at a place: what is recorded there, at the snapshot, is what it takes away.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub(in crate::app) async fn nothing_at(
        &self,
        session: &Session,
        snapshot: &Snapshot<'_>,
        place: &Place,
        records: &PlaceRecords,
    ) -> Result<Resolved, Problems> {
        let preview = snapshot.preview(&place.workspace, &place.environment).await?;
        let Surroundings { workspace, environment, gone } =
            surroundings(session, &*self.opened.store, &self.head, place, records, preview.map(|preview| preview.environment))
                .await?;
        session.warn(&gone);
        let notes = gone.0.iter().map(|gone| gone.message.clone()).collect();
        let published = records.connections.values().next();
        let deployment = Deployment {
            kind: published.map_or(DeployableKind::Application, |record| record.producer.kind),
            manifest: nothing(place),
            file: format!("ledger:{place}"),
            place: place.clone(),
            environment,
            plugins: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
        };
        let keys = values::keys(&deployment.environment, self.organization.context.as_ref(), self.opener.clone());
        Ok(Resolved {
            keys,
            opened: self.opened.clone(),
            organization: self.organization.clone(),
            workspace,
            deployment,
            contents: BTreeMap::new(),
            folders: BTreeMap::new(),
            at_hand: BTreeMap::new(),
            secrets: self.secrets.clone(),
            attributes: self.attributes.clone(),
            locks: BTreeMap::new(),
            known: records.applied.values().map(|record| record.terraform.clone()).collect(),
            folder: self.folder.clone(),
            source: None,
            adoption: None,
            life: None,
            notes,
        })
    }
}

/// Makes sure that this is a branch of documents: on another one, every document would pass for gone, and with it who owns what and what
/// is protected.
async fn has_documents(store: &dyn ContextStore, head: &CommitId) -> Result<(), Problems> {
    let has_context = !store.read(head, &[layout::CONTEXT_DOCUMENT.to_owned()]).await?.is_empty();
    if has_context || store.list(head, &[layout::WORKSPACES.to_owned()]).await?.values().any(|files| !files.is_empty()) {
        return Ok(());
    }
    let none = empty_context(store).note("its documents branch has neither `context.yaml` nor anything in `workspaces/`");
    Err(none.help("or name the branch that they are on with `--documents-branch`").into())
}

/// The plugins' trees that the manifest leads to, if it is there: a run that was killed named its trees and could not record them.
async fn trees_at_hand(session: &Session, target: &cli::Target, catalog: Option<&Catalog>) -> BTreeMap<Digest, Arc<Tree>> {
    let Ok(written) = load::manifest(session, target) else { return BTreeMap::new() };
    let client = session.plugin_client(&target.context);
    let Ok(loaded) = session.plugins(&written, &client, catalog, LockMode::Frozen).await else { return BTreeMap::new() };
    let tree =
        |(used, content): (&String, &Content)| Some((loaded.plugins.get(used)?.source.digest.clone(), content.tree.clone()));
    loaded.contents.iter().filter_map(tree).collect()
}

/// The documents around a place, as far as they are there.
struct Surroundings {
    workspace: Workspace,
    environment: Environment,
    /// What is not there any more, and what follows from that.
    gone: Problems,
}

/// Reads the documents of workspace and environment. One that is gone keeps nothing from being destroyed: what a destroy needs of it
/// stands in the records. What only it could tell is not made up, but said. A preview's is the copy that it was made with.
async fn surroundings(
    session: &Session,
    store: &dyn ContextStore,
    head: &CommitId,
    place: &Place,
    records: &PlaceRecords,
    copied: Option<Environment>,
) -> Result<Surroundings, Problems> {
    let mut gone = Problems::default();
    let path = layout::workspace(&place.workspace);
    let workspace = session.context_document(store, head, &path, documents::workspace).await?.unwrap_or_else(|| {
        let message =
            format!("the document of the workspace `{}` is gone: who owns its deployables cannot be told", place.workspace);
        gone.push(document_gone(message, &path));
        recorded_workspace(&place.workspace)
    });
    let path = layout::environment(&place.workspace, &place.environment);
    let environment = match copied {
        None => session.context_document(store, head, &path, documents::environment).await?,
        copied => copied,
    };
    let environment = environment.unwrap_or_else(|| {
        let environment = format!("{}/{}", place.workspace, place.environment);
        let message = format!("the document of the environment `{environment}` is gone: whether it was protected cannot be told");
        gone.push(document_gone(message, &path).note("backend and account are those that were recorded when it was applied"));
        recorded_environment(&place.environment, records)
    });
    Ok(Surroundings { workspace, environment, gone })
}

fn document_gone(message: String, path: &str) -> Diagnostic {
    Diagnostic::warning(FailureReason::InvalidInput, message).note(format!("looked for `{path}` on the documents branch"))
}

fn recorded_workspace(name: &WorkspaceName) -> Workspace {
    Workspace {
        api_version: "tieline/v1".to_owned(),
        kind: WorkspaceKind::Workspace,
        name: name.clone(),
        values: BTreeMap::new(),
        limits: Limits::default(),
        owners: BTreeMap::new(),
        grants: Vec::new(),
    }
}

/// Each applied plugin is destroyed in its own recorded backend and account; these only stand where one of all is asked for.
fn recorded_environment(name: &EnvironmentName, records: &PlaceRecords) -> Environment {
    let backend = records.applied.values().map(|record| record.state.backend.clone()).next();
    Environment {
        api_version: "tieline/v1".to_owned(),
        kind: EnvironmentKind::Environment,
        name: name.clone(),
        account: records.applied.values().find_map(|record| record.account.clone()),
        backend: backend.unwrap_or(Backend { kind: BackendKind::Local, config: serde_json::Map::new() }),
        values: BTreeMap::new(),
        defaults: BTreeMap::new(),
        protected: false,
        allow_destroy: false,
        overrides: BTreeMap::new(),
        sealing: None,
    }
}

/// A manifest without plugins.
fn nothing(place: &Place) -> Manifest {
    Manifest {
        api_version: "tieline/v1".to_owned(),
        kind: DeployableKind::Application,
        name: place.deployable.clone(),
        workspace: Some(place.workspace.clone()),
        environment: None,
        plugins: BTreeMap::new(),
        environments: BTreeMap::new(),
        preview: None,
    }
}
