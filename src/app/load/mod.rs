//! From a request to a resolved deployment: documents, plugins, contracts, context. Every problem on the way is gathered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod plugins;

use super::session::Session;
use crate::context::{Branch, CommitId, ContextStore, layout};
use crate::documents;
use crate::domain::address::{AliasMember, Place};
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::Manifest;
use crate::domain::names::{EnvironmentName, InputName, WorkspaceName};
use crate::domain::organization::{ContextDocument, Environment, Workspace};
use crate::policy::rules::Rules;
use crate::request::cli::Target;
use crate::resolve::Types;

pub(super) use plugins::{LoadedPlugins, ReadFolder, in_plugin, settle};

/// The largest document.
const LARGEST_DOCUMENT: u64 = 1 << 20;

/// The manifest that is found when none is named.
const MANIFEST: &str = "tieline.yaml";

/// The one that is found where there is none of ours.
const STACKSPOT_MANIFEST: &str = ".stk/stk.yaml";

/// A manifest and where it is.
pub(super) struct Written {
    pub(super) manifest: Manifest,
    /// As people know it.
    pub(super) file: String,
    /// The folder that its paths start from.
    pub(super) folder: PathBuf,
}

/// The documents branch, as far as a deployable needs it.
#[derive(Clone)]
pub(super) struct Organization {
    pub(super) context: Option<ContextDocument>,
    pub(super) catalog: Option<Catalog>,
    pub(super) head: Option<CommitId>,
    /// Its policies, or what is wrong with them: that is raised where they are asked, and stops nothing else.
    pub(super) rules: Result<Rules, Problems>,
}

/// Reads the manifest that the request names.
pub(super) fn manifest(session: &Session, target: &Target) -> Result<Written, Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let is_there = |name: &str| session.world.files.metadata(&folder.join(name)).is_some();
    let found = if !is_there(MANIFEST) && is_there(STACKSPOT_MANIFEST) { STACKSPOT_MANIFEST } else { MANIFEST };
    let path = folder.join(target.manifest.clone().unwrap_or_else(|| PathBuf::from(found)));
    let file = shown(session, &path);
    let bytes = session.world.files.read(&path, LARGEST_DOCUMENT).map_err(|problem| {
        Diagnostic::error(FailureReason::InvalidInput, format!("cannot read the manifest `{file}`: {problem}"))
            .help("run in the folder of `tieline.yaml`, or name it with `--manifest`")
    })?;
    session.remember(&file, &bytes);
    let (manifest, warnings) = documents::manifest_with_warnings(&file, &bytes)?;
    session.warn(&warnings);
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(Written { manifest, file, folder })
}

/// A path as people know it: from the working directory where it is below it.
pub(super) fn shown(session: &Session, path: &Path) -> String {
    path.strip_prefix(&session.world.directory).unwrap_or(path).display().to_string()
}

impl Organization {
    /// Makes sure that its policies can be asked.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn has_readable_rules(&self) -> Result<(), Problems> {
        self.rules.as_ref().map(drop).map_err(Clone::clone)
    }
}

impl Session {
    /// Reads and parses documents of the context; those that are missing are left out.
    pub(super) async fn context_document<T>(
        &self,
        store: &dyn ContextStore,
        head: &CommitId,
        path: &str,
        parse: impl Fn(&str, &[u8]) -> Result<T, Problems>,
    ) -> Result<Option<T>, Problems> {
        Ok(self.context_documents(store, head, &[path.to_owned()], parse).await?.into_values().next())
    }

    /// The same for several at once, by path.
    pub(super) async fn context_documents<T>(
        &self,
        store: &dyn ContextStore,
        head: &CommitId,
        paths: &[String],
        parse: impl Fn(&str, &[u8]) -> Result<T, Problems>,
    ) -> Result<BTreeMap<String, T>, Problems> {
        let mut problems = Problems::default();
        let mut parsed = BTreeMap::new();
        for (path, bytes) in store.read(head, paths).await? {
            let name = super::context_file(&path);
            self.remember(&name, &bytes);
            match parse(&name, &bytes) {
                Ok(document) => _ = parsed.insert(path, document),
                Err(found) => problems.extend(found),
            }
        }
        if problems.any_error() { Err(problems) } else { Ok(parsed) }
    }

    /// The documents that hold for the whole organization. Those at `also`, which are needed next, are read in the same go.
    pub(super) async fn organization(&self, store: &dyn ContextStore, also: &[String]) -> Result<Organization, Problems> {
        let Some(head) = store.head(Branch::Documents).await? else {
            return Ok(Organization { context: None, catalog: None, head: None, rules: Ok(Rules::default()) });
        };
        let first = [layout::CONTEXT_DOCUMENT, layout::CATALOG].map(str::to_owned);
        store.read(&head, &[&first, also].concat()).await?;
        let context = self.context_document(store, &head, layout::CONTEXT_DOCUMENT, documents::context).await?;
        let catalog = self.context_document(store, &head, layout::CATALOG, documents::catalog).await?;
        let rules = Rules::parse(&self.policies(store, &head).await?);
        Ok(Organization { context, catalog, head: Some(head), rules })
    }

    /// The organization's policies, each with the name that people know it by.
    async fn policies(&self, store: &dyn ContextStore, head: &CommitId) -> Result<BTreeMap<String, Vec<u8>>, Problems> {
        let listed = store.list(head, &[layout::POLICIES.to_owned()]).await?.into_values().flatten();
        let paths: Vec<String> = listed.map(|file| file.path).filter(|path| layout::is_policy(path)).collect();
        let files: BTreeMap<String, Vec<u8>> =
            store.read(head, &paths).await?.into_iter().map(|(path, bytes)| (super::context_file(&path), bytes)).collect();
        for (name, bytes) in &files {
            self.remember(name, bytes);
        }
        Ok(files)
    }

    /// The workspace that the request and the manifest name together.
    pub(super) fn workspace_of(target: &Target, written: &Written) -> Result<WorkspaceName, Problems> {
        let mut problems = Problems::default();
        let (asked, written) = (target.workspace.as_deref(), written.manifest.workspace.as_ref());
        pick(asked, written, "workspace", |text| WorkspaceName::new(text), &mut problems).ok_or(problems)
    }

    /// The place that the request and the manifest name together.
    pub(super) fn place(target: &Target, written: &Written) -> Result<Place, Problems> {
        let mut problems = Problems::default();
        let workspace = Self::workspace_of(target, written).map_err(|problem| problems.extend(problem)).ok();
        let environment = pick(
            target.environment.as_deref(),
            written.manifest.environment.as_ref(),
            "environment",
            |text| EnvironmentName::new(text),
            &mut problems,
        );
        match (workspace, environment) {
            (Some(workspace), Some(environment)) => {
                Ok(Place { workspace, environment, deployable: written.manifest.name.clone() })
            }
            _ => Err(problems),
        }
    }

    /// The place that is meant, with or without a manifest at hand: none is read where the request names all of it.
    pub(super) fn named_place(&self, target: &Target) -> Result<Place, Problems> {
        if let (Some(workspace), Some(environment), Some(deployable)) =
            (&target.workspace, &target.environment, &target.deployable)
        {
            let place = || {
                Ok(Place { workspace: workspace.parse()?, environment: environment.parse()?, deployable: deployable.parse()? })
            };
            let place: Result<Place, crate::domain::names::InvalidName> = place();
            return place.map_err(|problem| Diagnostic::error(FailureReason::InvalidInput, problem.to_string()).into());
        }
        let no_manifest = |mut problems: Problems| {
            let help = "or name all of `--workspace`, `--environment` and `--deployable`: then no manifest is read";
            problems.0.iter_mut().take(1).for_each(|problem| problem.help.push(help.to_owned()));
            problems
        };
        let written = manifest(self, target).map_err(no_manifest)?;
        let place = Self::place(target, &written)?;
        match &target.deployable {
            Some(other) if other != place.deployable.as_str() => {
                let message =
                    format!("`{other}` was asked for, and `{}` is the manifest of `{}`", written.file, place.deployable);
                Err(Diagnostic::error(FailureReason::InvalidInput, message)
                    .help("name the workspace and the environment as well, and no manifest is read")
                    .into())
            }
            _ => Ok(place),
        }
    }

    /// The types of the context that these plugins name, with what plugins propose where the context has none of that name.
    pub(super) async fn types(
        &self,
        store: Option<(&dyn ContextStore, &CommitId)>,
        proposed: &[ConnectionType],
        catalog: Option<&Catalog>,
    ) -> Result<Types, Problems> {
        let mut types = Vec::new();
        if let Some((store, head)) = store {
            // The workspaces are asked for next.
            let mut listed = store.list(head, &[layout::TYPES, layout::WORKSPACES].map(str::to_owned)).await?;
            let paths: Vec<String> = listed
                .remove(layout::TYPES)
                .into_iter()
                .flatten()
                .map(|file| file.path)
                .filter(|path| path.ends_with(".yaml"))
                .collect();
            types.extend(self.context_documents(store, head, &paths, documents::connection_type).await?.into_values());
        }
        let known: BTreeSet<_> = types.iter().map(|found| found.name.clone()).collect();
        types.extend(proposed.iter().filter(|proposed| !known.contains(&proposed.name)).cloned());
        let (aliases, mappings) =
            catalog.map(|catalog| (catalog.type_aliases.clone(), catalog.type_mappings.clone())).unwrap_or_default();
        Ok(Types::new(types, aliases).with_mappings(mappings))
    }

    /// The workspace's document.
    pub(super) async fn workspace(
        &self,
        store: &dyn ContextStore,
        head: Option<&CommitId>,
        name: &WorkspaceName,
    ) -> Result<Workspace, Problems> {
        let path = layout::workspace(name);
        let found = match head {
            Some(head) => self.context_document(store, head, &path, documents::workspace).await?,
            None => None,
        };
        found.ok_or_else(|| missing(store, &format!("the workspace `{name}`"), &path).into())
    }

    /// The workspace's and the environment's documents.
    pub(super) async fn environment(
        &self,
        store: &dyn ContextStore,
        head: Option<&CommitId>,
        place: &Place,
    ) -> Result<(Workspace, Environment), Problems> {
        let workspace = self.workspace(store, head, &place.workspace).await?;
        let environment = self.environment_document(store, head, &place.workspace, &place.environment).await?;
        let path = layout::environment(&place.workspace, &place.environment);
        let missing = || missing(store, &format!("the environment `{}/{}`", place.workspace, place.environment), &path);
        Ok((workspace, environment.ok_or_else(missing)?))
    }

    /// The environment's document, if there is one.
    pub(super) async fn environment_document(
        &self,
        store: &dyn ContextStore,
        head: Option<&CommitId>,
        workspace: &WorkspaceName,
        name: &EnvironmentName,
    ) -> Result<Option<Environment>, Problems> {
        let Some(head) = head else { return Ok(None) };
        self.context_document(store, head, &layout::environment(workspace, name), documents::environment).await
    }
}

fn missing(store: &dyn ContextStore, what: &str, path: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("{what} is not in the context repository"))
        .note(format!("looked for `{path}` on the documents branch of {}", store.describe()))
        .help("check the name, or have the document added to the context repository")
}

fn pick<N: Clone>(
    asked: Option<&str>,
    written: Option<&N>,
    what: &str,
    parse: impl Fn(&str) -> Result<N, crate::domain::names::InvalidName>,
    problems: &mut Problems,
) -> Option<N> {
    match (asked.map(parse), written) {
        (Some(Ok(name)), _) => Some(name),
        (None, Some(name)) => Some(name.clone()),
        (Some(Err(problem)), _) => {
            problems.push(Diagnostic::error(FailureReason::InvalidInput, problem.to_string()));
            None
        }
        (None, None) => {
            let message = format!("which {what} is meant is said neither by the command nor by the manifest");
            problems.push(Diagnostic::error(FailureReason::InvalidInput, message).help(format!("add `--{what} <name>`")));
            None
        }
    }
}

/// Reads a YAML mapping of `alias.input` to values.
pub(super) fn member_values(what: &str, text: &str) -> Result<BTreeMap<AliasMember<InputName>, serde_json::Value>, Problems> {
    let mut parsed = BTreeMap::new();
    for (key, value) in values_by_key(what, text)? {
        let member = key.parse().map_err(|_| no_mapping(what, &format!("has the key `{key}`, which is not `alias.input`")))?;
        parsed.insert(member, value);
    }
    Ok(parsed)
}

/// Reads a YAML mapping of texts to values.
pub(super) fn values_by_key(what: &str, text: &str) -> Result<BTreeMap<String, serde_json::Value>, Problems> {
    serde_yaml::from_str(text).map_err(|_| no_mapping(what, "is not a YAML mapping"))
}

fn no_mapping(what: &str, why: &str) -> Problems {
    Diagnostic::error(FailureReason::InvalidInput, format!("`{what}` {why}"))
        .help(format!("write `{what}` as a YAML mapping of `alias.input: value`"))
        .into()
}
