//! From a request to a resolved deployment: documents, plugins, contracts, context. Every problem on the way is gathered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::session::Session;
use crate::context::{Branch, CommitId, ContextStore, layout};
use crate::documents;
use crate::domain::address::{AliasMember, Place};
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::Manifest;
use crate::domain::module::Module;
use crate::domain::names::{EnvironmentName, InputName, WorkspaceName};
use crate::domain::organization::{ContextDocument, Environment, Workspace};
use crate::engine::Content;
use crate::github::Client;
use crate::policy;
use crate::policy::rules::Rules;
use crate::request::cli::Target;
use crate::resolve::{LoadedPlugin, Types};
use crate::sources::{self, Lock, LockMode, Tree};

/// The largest document.
const LARGEST_DOCUMENT: u64 = 1 << 20;

/// The manifest that is found when none is named.
const MANIFEST: &str = "tieline.yaml";

/// A plugin's module and those of its tree that it calls, each with its folder.
type Modules = Vec<(String, Module)>;

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

/// The plugins of a manifest.
pub(super) struct LoadedPlugins {
    /// By the text after `use:`.
    pub(super) plugins: BTreeMap<String, LoadedPlugin>,
    pub(super) contents: BTreeMap<String, Content>,
    /// Types that plugins propose.
    pub(super) proposed: Vec<ConnectionType>,
    pub(super) lock: Lock,
    pub(super) warnings: Problems,
}

/// Reads the manifest that the request names.
pub(super) fn manifest(session: &Session, target: &Target) -> Result<Written, Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let name = target.manifest.clone().unwrap_or_else(|| PathBuf::from(MANIFEST));
    let path = folder.join(&name);
    let file = shown(session, &path);
    let bytes = session.world.files.read(&path, LARGEST_DOCUMENT).map_err(|problem| {
        Diagnostic::error(FailureReason::InvalidInput, format!("cannot read the manifest `{file}`: {problem}"))
            .help("run in the folder of `tieline.yaml`, or name it with `--manifest`")
    })?;
    session.remember(&file, &bytes);
    let manifest = documents::manifest(&file, &bytes)?;
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

    /// Fetches and reads the plugins of every environment of the manifest.
    pub(super) async fn plugins(
        &self,
        written: &Written,
        github: &Client,
        catalog: Option<&Catalog>,
        mode: LockMode,
    ) -> Result<LoadedPlugins, Problems> {
        let lock_path = written.folder.join(sources::LOCK_FILE);
        let lock = self.read_lock(&lock_path)?;
        let terms = sources::Terms {
            manifest_file: &written.file,
            manifest_folder: &written.folder,
            cache: &self.cache(),
            catalog,
            lock: &lock,
            mode,
            github,
        };
        let uses = uses(&written.manifest);
        let (fetched, mut new_lock, warnings) = sources::fetch_all(&self.world, &terms, &uses).await?;
        let mut loaded = LoadedPlugins {
            plugins: BTreeMap::new(),
            contents: BTreeMap::new(),
            proposed: Vec::new(),
            lock: Lock::default(),
            warnings,
        };
        let mut problems = Problems::default();
        for (used, fetched) in fetched {
            let known_as = self.plugin_folder(&written.folder, &used);
            let name = plugin_file(&known_as, "plugin.yaml");
            match self.read_plugin(&known_as, &fetched.tree, uses.get(&used), &written.file) {
                Ok((plugin, modules, proposed)) => {
                    if let Some(entry) = new_lock.plugins.get_mut(&used) {
                        entry.version = Some(plugin.version.clone());
                    }
                    loaded.proposed.extend(proposed);
                    loaded.contents.insert(used.clone(), Content { tree: Arc::new(fetched.tree), modules: Arc::new(modules) });
                    loaded.plugins.insert(used, LoadedPlugin { plugin: Arc::new(plugin), source: fetched.source, file: name });
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.any_error() {
            return Err(problems);
        }
        if new_lock != lock && !new_lock.plugins.is_empty() {
            self.world.files.write(&lock_path, new_lock.to_text().as_bytes(), false).map_err(|problem| {
                Diagnostic::error(FailureReason::InvalidInput, format!("cannot write `{}`: {problem}", shown(self, &lock_path)))
            })?;
        }
        loaded.lock = new_lock;
        Ok(loaded)
    }

    fn read_lock(&self, path: &Path) -> Result<Lock, Problems> {
        match self.world.files.read(path, LARGEST_DOCUMENT) {
            Ok(bytes) => {
                let name = shown(self, path);
                self.remember(&name, &bytes);
                Lock::parse(&String::from_utf8_lossy(&bytes), &name)
            }
            Err(_) => Ok(Lock::default()),
        }
    }

    /// The folder of a plugin, as people know it: from the working directory where it is a path, as it is written otherwise.
    pub(super) fn plugin_folder(&self, manifest_folder: &Path, used: &str) -> String {
        if used.starts_with('.') { shown(self, &without_steps_back(&manifest_folder.join(used))) } else { used.to_owned() }
    }

    /// Reads a plugin's document, the static reading of its module, and the types it proposes.
    pub(super) fn read_plugin(
        &self,
        used: &str,
        tree: &Tree,
        place: Option<&Pointer>,
        manifest_file: &str,
    ) -> Result<(crate::domain::plugin::Plugin, Modules, Vec<ConnectionType>), Problems> {
        let files: documents::Files<'_> = tree.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
        let Some(document) = documents::document_of(&files) else {
            return Err(Diagnostic::error(FailureReason::PluginUnavailable, format!("`{used}` has no `plugin.yaml`"))
                .at(manifest_file, place.cloned().unwrap_or_default())
                .help("check the path inside the source; a plugin is a folder with a `plugin.yaml`")
                .into());
        };
        self.remember(&plugin_file(used, &document), files[document.as_str()]);
        let folder = documents::plugin_folder(&files).map_err(|problems| in_plugin(used, problems))?;
        let Some(plugin) = folder.plugins.into_iter().next() else {
            return Err(Diagnostic::error(FailureReason::PluginUnavailable, format!("`{used}` has no plugin")).into());
        };
        let reading = match plugin.module() {
            Some(folder) => self.read_module(used, tree, folder)?,
            None => vec![(String::new(), Module::default())],
        };
        let mut problems = Problems::default();
        let mut proposed = Vec::new();
        for (path, file) in tree.files.iter().filter(|(path, _)| path.starts_with("types/") && path.ends_with(".yaml")) {
            let name = plugin_file(used, path);
            self.remember(&name, &file.bytes);
            match documents::connection_type(&name, &file.bytes) {
                Ok(found) => proposed.push(found),
                Err(found) => problems.extend(found),
            }
        }
        if problems.any_error() { Err(problems) } else { Ok((plugin, reading, proposed)) }
    }

    /// Reads a plugin's module and those of its tree that it calls.
    pub(super) fn read_module(&self, used: &str, tree: &Tree, folder: &str) -> Result<Modules, Problems> {
        let files: BTreeMap<String, Vec<u8>> = tree
            .files
            .iter()
            .filter(|(path, _)| policy::is_terraform(path.rsplit('/').next().unwrap_or(path)))
            .map(|(path, file)| (path.clone(), file.bytes.clone()))
            .collect();
        for (path, bytes) in &files {
            self.remember(&plugin_file(used, path), bytes);
        }
        policy::read_tree(&files, folder).map_err(|problems| in_plugin(used, problems))
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

/// The same path with no `.` and `..` in it. Links are not looked at: it is for people.
fn without_steps_back(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            part => plain.push(part),
        }
    }
    plain
}

/// Problems whose places are paths inside a plugin, with places that people know.
pub(super) fn in_plugin(used: &str, mut problems: Problems) -> Problems {
    for origin in problems.0.iter_mut().filter_map(|problem| problem.origin.as_mut()) {
        origin.file = plugin_file(used, &origin.file);
    }
    problems
}

/// A file of a plugin, as people know it.
fn plugin_file(folder: &str, path: &str) -> String {
    match (folder, path) {
        (_, "") => folder.to_owned(),
        ("", _) => path.to_owned(),
        _ => format!("{folder}/{path}"),
    }
}

/// Every source that the manifest uses, with its first place.
fn uses(manifest: &Manifest) -> BTreeMap<String, Pointer> {
    let mut uses = BTreeMap::new();
    for (alias, applied) in &manifest.plugins {
        uses.entry(applied.source.clone()).or_insert_with(|| Pointer::keys(["plugins", alias.as_str(), "use"]));
    }
    let environments = manifest.environments.iter();
    let overlays = environments.map(|(name, overlay)| (Pointer::keys(["environments", name.as_str()]), &overlay.plugins));
    let preview = manifest.preview.iter().map(|preview| (Pointer::keys(["preview"]), &preview.plugins));
    for (at, plugins) in overlays.chain(preview) {
        for (alias, changed) in plugins {
            if let Some(source) = changed.as_ref().and_then(|changed| changed.source.clone()) {
                uses.entry(source).or_insert(at.clone().key("plugins").key(alias.as_str()).key("use"));
            }
        }
    }
    uses
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
