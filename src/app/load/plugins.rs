//! The plugins of a manifest: fetched, read whichever system they were written for, and made ready for what comes after.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{LARGEST_DOCUMENT, Written, shown};
use crate::app::session::Session;
use crate::documents;
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Foreign;
use crate::domain::manifest::Manifest;
use crate::domain::module::Module;
use crate::domain::plugin::Plugin;
use crate::domain::sequence::{self, Sequences, step_of};
use crate::engine::Content;
use crate::github::Client;
use crate::policy;
use crate::render;
use crate::resolve::{self, LoadedPlugin, Types};
use crate::sources::{self, Lock, LockMode, Tree};

/// A plugin's module and those of its tree that it calls, each with its folder.
type Modules = Vec<(String, Module)>;

/// The plugins of a manifest.
pub(in crate::app) struct LoadedPlugins {
    /// The manifest, in which each step of a plugin of several is applied for itself.
    pub(in crate::app) manifest: Manifest,
    /// What the plugins of several steps became.
    pub(in crate::app) sequences: Sequences,
    /// By the text after `use:`.
    pub(in crate::app) plugins: BTreeMap<String, LoadedPlugin>,
    pub(in crate::app) contents: BTreeMap<String, Content>,
    /// Types that plugins propose.
    pub(in crate::app) proposed: Vec<ConnectionType>,
    pub(in crate::app) lock: Lock,
    pub(in crate::app) warnings: Problems,
}

/// A plugin's folder, read.
pub(in crate::app) struct ReadFolder {
    /// Its plugins, one unless it is a bundle of several steps, each with its content.
    pub(in crate::app) plugins: Vec<(Plugin, Content)>,
    /// Its document, as people know it.
    pub(in crate::app) document: String,
    /// Types that it proposes.
    pub(in crate::app) proposed: Vec<ConnectionType>,
    pub(in crate::app) warnings: Problems,
}

/// Has plugins of other systems, which do not say which sensitive attributes they use, take those that these types have.
pub(in crate::app) fn settle<'a>(plugins: impl IntoIterator<Item = &'a mut LoadedPlugin>, types: &Types) {
    for loaded in plugins.into_iter().filter(|loaded| loaded.plugin.foreign.is_some()) {
        loaded.plugin = Arc::new(resolve::settled(&loaded.plugin, types));
    }
}

impl Session {
    /// Fetches and reads the plugins of every environment of the manifest.
    pub(in crate::app) async fn plugins(
        &self,
        written: &Written,
        github: &Client,
        catalog: Option<&Catalog>,
        mode: LockMode,
    ) -> Result<LoadedPlugins, Problems> {
        let manifest = match catalog {
            Some(catalog) => written.manifest.with_connections(&catalog.stackspot.connections),
            None => written.manifest.clone(),
        };
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
        let used = uses(&manifest);
        let folders: BTreeMap<String, Pointer> =
            used.iter().map(|(used, place)| (step_of(used).0.to_owned(), place.clone())).collect();
        let (fetched, mut new_lock, warnings) = sources::fetch_all(&self.world, &terms, &folders).await?;
        let mut loaded = LoadedPlugins {
            manifest,
            sequences: Sequences::default(),
            plugins: BTreeMap::new(),
            contents: BTreeMap::new(),
            proposed: Vec::new(),
            lock: Lock::default(),
            warnings,
        };
        let mut problems = Problems::default();
        let mut several = BTreeMap::new();
        for (used, fetched) in fetched {
            let known_as = self.plugin_folder(&written.folder, &used);
            match self.read_plugin(&known_as, fetched.tree, folders.get(&used), &written.file) {
                Ok(read) => {
                    if let (Some(entry), Some((plugin, _))) = (new_lock.plugins.get_mut(&used), read.plugins.first()) {
                        entry.version = Some(plugin.version.clone());
                    }
                    loaded.proposed.extend(read.proposed);
                    loaded.warnings.extend(read.warnings);
                    if read.plugins.len() > 1 {
                        several.insert(used.clone(), read.plugins.iter().map(|(plugin, _)| plugin.clone()).collect::<Vec<_>>());
                    }
                    for (plugin, content) in read.plugins {
                        let used = sequence::used(&used, &plugin);
                        let mut source = fetched.source.clone();
                        source.written.clone_from(&used);
                        loaded.contents.insert(used.clone(), content);
                        let file = read.document.clone();
                        loaded.plugins.insert(used, LoadedPlugin { plugin: Arc::new(plugin), source, file });
                    }
                }
                Err(found) => problems.extend(found),
            }
        }
        loaded.sequences = Sequences::of(&loaded.manifest, &several).unwrap_or_else(|wrong| {
            problems.extend(Problems(wrong.0.into_iter().map(|problem| problem.in_file(&written.file)).collect()));
            Sequences::default()
        });
        loaded.manifest = loaded.sequences.applied(&loaded.manifest);
        for (used, place) in used.iter().filter(|(used, _)| !loaded.plugins.contains_key(*used) && !several.contains_key(*used)) {
            if loaded.contents.keys().any(|known| step_of(known).0 == step_of(used).0) {
                let message = format!("the plugin of `{used}` has no such step");
                let problem = Diagnostic::error(FailureReason::InvalidDocument, message);
                problems
                    .push(problem.at(&written.file, place.clone()).help("what follows `#` is the folder of one of its steps"));
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
    pub(in crate::app) fn plugin_folder(&self, manifest_folder: &Path, used: &str) -> String {
        let (used, _) = step_of(used);
        if used.starts_with('.') { shown(self, &without_steps_back(&manifest_folder.join(used))) } else { used.to_owned() }
    }

    /// Reads a plugin's document, the static reading of its module, and the types it proposes.
    pub(in crate::app) fn read_plugin(
        &self,
        used: &str,
        tree: Tree,
        place: Option<&Pointer>,
        manifest_file: &str,
    ) -> Result<ReadFolder, Problems> {
        let files = texts(&tree);
        let Some(document) = documents::document_of(&files) else {
            return Err(Diagnostic::error(FailureReason::PluginUnavailable, format!("`{used}` has no `plugin.yaml`"))
                .at(manifest_file, place.cloned().unwrap_or_default())
                .help("check the path inside the source; a plugin is a folder with a `plugin.yaml`")
                .into());
        };
        self.remember(&plugin_file(used, &document), files[document.as_str()]);
        let folder = documents::plugin_folder(&files).map_err(|problems| in_plugin(used, problems))?;
        let mut proposed = folder.types;
        let mut problems = Problems::default();
        for (path, file) in tree.files.iter().filter(|(path, _)| path.starts_with("types/") && path.ends_with(".yaml")) {
            let name = plugin_file(used, path);
            self.remember(&name, &file.bytes);
            match documents::connection_type(&name, &file.bytes) {
                Ok(found) => proposed.push(found),
                Err(found) => problems.extend(found),
            }
        }
        let tree = Arc::new(tree);
        let mut plugins = Vec::new();
        let mut warnings = in_plugin(used, folder.warnings);
        for plugin in folder.plugins {
            match self.content(used, &tree, &plugin) {
                Ok((content, lost)) => {
                    warnings.extend(in_plugin(used, lost));
                    plugins.push((plugin, content));
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.any_error() {
            return Err(problems);
        }
        Ok(ReadFolder { plugins, document: plugin_file(used, &document), proposed, warnings })
    }

    /// What the plugin's module is made of, as far as that does not depend on what it is applied with; and what is lost of it here.
    fn content(&self, used: &str, tree: &Arc<Tree>, plugin: &Plugin) -> Result<(Content, Problems), Problems> {
        let tree = tree.clone();
        let mut lost = Problems::default();
        let content = match (&plugin.foreign, plugin.module()) {
            (Some(Foreign::StackSpot(templates)), _) => {
                let problems = render::templates::check(templates, &texts(&tree));
                if problems.any_error() {
                    return Err(in_plugin(used, problems));
                }
                Content::to_be_rendered(tree)
            }
            (Some(Foreign::Massdriver(bundle)), Some(folder)) => {
                let adapted = render::bundle::adapt(bundle, &texts(&tree)).map_err(|problems| in_plugin(used, problems))?;
                lost = adapted.warnings;
                let files = Arc::new(tree.with(adapted.files));
                let modules = Arc::new(self.read_module(used, &files, folder)?);
                Content { tree, files, modules }
            }
            (_, Some(folder)) => {
                let modules = Arc::new(self.read_module(used, &tree, folder)?);
                Content { files: tree.clone(), tree, modules }
            }
            (_, None) => Content { files: tree.clone(), tree, modules: Arc::new(vec![(String::new(), Module::default())]) },
        };
        Ok((content, lost))
    }

    /// Reads a plugin's module and those of its tree that it calls.
    pub(in crate::app) fn read_module(&self, used: &str, tree: &Tree, folder: &str) -> Result<Modules, Problems> {
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
}

/// The files of a tree, as readers of documents take them.
fn texts(tree: &Tree) -> documents::Files<'_> {
    tree.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect()
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
pub(in crate::app) fn in_plugin(used: &str, mut problems: Problems) -> Problems {
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
