//! All plugins of a manifest at once: what each source means, what the lock file says of it, and its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cache::Cache;
use super::catalog::{choose, is_allowed, stackspot, warning};
use super::lock::{Lock, LockEntry};
use super::reference::{FORMS, Reference};
use super::tree::{Tree, read_folder};
use super::visit::{Outcome, Place, Wanted, visit};
use crate::domain::catalog::Catalog;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::{PluginChanged, PluginUnavailable};
use crate::domain::record::ResolvedSource;
use crate::github::{Client, Repository};
use crate::world::World;

/// How many remotes are talked to at a time.
const AT_A_TIME: usize = 4;

/// A plugin's files, and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The source, resolved.
    pub source: ResolvedSource,
    /// The files.
    pub tree: Tree,
}

/// What may happen to the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockMode {
    /// A missing entry is added: the command line.
    Add,
    /// A missing entry is refused: a workflow.
    Frozen,
    /// Entries are made anew, and the rest as with `Add`.
    Update {
        /// The texts after `use:` whose entries are; none means all, and entries that nothing uses are dropped.
        only: Option<BTreeSet<String>>,
    },
}

/// Where a manifest's plugins are looked up, and on what terms.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// The manifest as people know it, for messages.
    pub manifest_file: &'a str,
    /// The folder it is in, which path sources start from.
    pub manifest_folder: &'a Path,
    /// A folder of ours, in which fetched plugins are kept from run to run.
    pub cache: &'a Path,
    /// The catalog, where the context has one.
    pub catalog: Option<&'a Catalog>,
    /// The lock file; empty where there is none.
    pub lock: &'a Lock,
    /// What may happen to it.
    pub mode: LockMode,
    /// The GitHub server that `github:` means.
    pub github: &'a Client,
}

/// Fetches the plugins that `uses` names: the text after each `use:`, with its place in the manifest.
///
/// An entry of the lock file is taken at its commit, and its content must have the digest of the entry. A tag that means another
/// commit by now is refused; a branch may go on. What was fetched before is taken from the cache, and then it does not matter
/// whether the remote can be reached.
///
/// Returns the plugins by text, the lock file as it should be now, and warnings.
///
/// # Errors
/// Every problem: sources that cannot be read (`plugin-unavailable`) and what is not as locked (`plugin-changed`).
pub async fn fetch_all(
    world: &World,
    terms: &Terms<'_>,
    uses: &BTreeMap<String, Pointer>,
) -> Result<(BTreeMap<String, Fetched>, Lock, Problems), Problems> {
    let place = |diagnostic: Diagnostic, written: &str| match uses.get(written) {
        Some(pointer) => diagnostic.at(terms.manifest_file, pointer.clone()),
        None => diagnostic,
    };
    let mut plugins = BTreeMap::new();
    let mut warnings = Problems::default();
    let mut problems = Vec::new();
    let mut remotes: BTreeMap<Place, Vec<Wanted>> = BTreeMap::new();
    for written in uses.keys() {
        match terms.find(world, written) {
            Ok(Found::Here(fetched)) => {
                plugins.insert(written.clone(), fetched);
            }
            Ok(Found::There { place: remote, wanted, warning }) => {
                warnings.0.extend(warning.map(|warning| place(warning, written)));
                remotes.entry(remote).or_default().push(*wanted);
            }
            Err(problem) => problems.push((written.clone(), *problem)),
        }
    }
    let mut lock = terms.kept_lock();
    for outcome in visit_all(world, terms.github, &Cache::new(world.files, terms.cache), remotes).await {
        warnings.0.extend(outcome.warning.map(|warning| place(warning, &outcome.written)));
        match outcome.result {
            Ok((fetched, mut entry)) => {
                if let Some(old) = terms.lock.plugins.get(&outcome.written).filter(|old| old.digest == entry.digest) {
                    // Made anew, but the same content: what was found out of it holds.
                    entry.version = entry.version.or_else(|| old.version.clone());
                    entry.providers.clone_from(&old.providers);
                }
                lock.plugins.insert(outcome.written.clone(), entry);
                plugins.insert(outcome.written, fetched);
            }
            Err(problem) => problems.push((outcome.written, *problem)),
        }
    }
    if problems.is_empty() {
        return Ok((plugins, lock, warnings));
    }
    problems.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut all = Problems(problems.into_iter().map(|(written, problem)| place(problem, &written)).collect());
    all.extend(warnings);
    Err(all)
}

/// Where a plugin is.
enum Found {
    /// A folder beside the manifest, read already.
    Here(Fetched),
    /// A folder of a repository.
    There { place: Place, wanted: Box<Wanted>, warning: Option<Diagnostic> },
}

impl Terms<'_> {
    fn kept_lock(&self) -> Lock {
        match self.mode {
            LockMode::Update { only: None } => Lock::default(),
            _ => self.lock.clone(),
        }
    }

    fn find(&self, world: &World, written: &str) -> Result<Found, Box<Diagnostic>> {
        let reference = parse(written)?;
        if let Reference::Path(path) = &reference {
            let tree = self.read_path(world, path)?;
            let source = ResolvedSource { written: written.to_owned(), commit: None, digest: tree.digest() };
            return Ok(Found::Here(Fetched { source, tree }));
        }
        let locked = self.entry(written, &reference);
        if locked.is_none() && self.mode == LockMode::Frozen {
            let message = if self.lock.plugins.contains_key(written) {
                format!("the entry of `{written}` in `tieline.lock` is out of date")
            } else {
                format!("`tieline.lock` has no entry for `{written}`")
            };
            return Err(Diagnostic::error(PluginChanged, message)
                .help("run `tieline plugins update` and commit `tieline.lock`")
                .into());
        }
        let (source, version, warning) = self.look_up(&reference, locked)?;
        if self.catalog.is_some_and(|catalog| !is_allowed(catalog, &source.to_string())) {
            let message = format!("`{source}` is not from a source that the catalog allows");
            return Err(Diagnostic::error(PluginUnavailable, message)
                .help("use an allowed source, or ask for this one in `allowed-sources` of `catalog.yaml`")
                .into());
        }
        let text = source.to_string();
        let (place, path, reference) = match source {
            Reference::Git { url, path, reference } => (Place::Git(url), path, reference),
            Reference::GitHub { owner, repository, path, reference } => {
                (Place::GitHub(Repository { owner, name: repository }), path, reference)
            }
            Reference::Path(_) | Reference::Catalog { .. } | Reference::StackSpot { .. } => {
                return Err(no_repository(&text).into());
            }
        };
        let (written, locked) = (written.to_owned(), locked.cloned());
        let wanted = Box::new(Wanted { written, source: text, path, reference, version, locked });
        Ok(Found::There { place, wanted, warning })
    }

    /// The lock file's entry, where it is to be used and still is of this source.
    fn entry(&self, written: &str, reference: &Reference) -> Option<&LockEntry> {
        let anew = match &self.mode {
            LockMode::Update { only } => only.as_ref().is_none_or(|only| only.contains(written)),
            LockMode::Add | LockMode::Frozen => false,
        };
        let entry = self.lock.plugins.get(written).filter(|_| !anew)?;
        let current = match reference {
            Reference::Catalog { range, .. } => entry.version.as_ref().is_some_and(|version| range.matches(version)),
            // What the table of the catalog says by now holds from the next update on.
            Reference::StackSpot { .. } => true,
            _ => entry.source == reference.to_string(),
        };
        current.then_some(entry)
    }

    /// The repository that a source means: for a name, the locked one, else the catalog's.
    fn look_up(
        &self,
        reference: &Reference,
        locked: Option<&LockEntry>,
    ) -> Result<(Reference, Option<Version>, Option<Diagnostic>), Box<Diagnostic>> {
        if let Reference::StackSpot { studio, stack, plugin, version } = reference {
            return self.look_up_stackspot((studio, stack.as_deref(), plugin), version, locked);
        }
        let Reference::Catalog { name, range } = reference else {
            return Ok((reference.clone(), locked.and_then(|entry| entry.version.clone()), None));
        };
        let (source, version) = match (locked, self.catalog) {
            (Some(LockEntry { source, version: Some(version), .. }), _) => (source.clone(), version.clone()),
            (_, Some(catalog)) => choose(catalog, name, range).map(|choice| (choice.source, choice.version))?,
            (_, None) => {
                let message = format!("`{name}` is a name of the catalog, and the context has no `catalog.yaml`");
                return Err(Diagnostic::error(PluginUnavailable, message)
                    .help("add the catalog, or name the source directly")
                    .into());
            }
        };
        let warning = self.catalog.and_then(|catalog| warning(catalog, name, &version));
        let from_catalog =
            |problem: Box<Diagnostic>| problem.note(format!("it is the source of `{name}` {version} in the catalog"));
        Ok((parse(&source).map_err(from_catalog)?, Some(version), warning))
    }

    /// The repository that the catalog's table has for a StackSpot plugin, or the locked one.
    fn look_up_stackspot(
        &self,
        names: (&str, Option<&str>, &str),
        version: &str,
        locked: Option<&LockEntry>,
    ) -> Result<(Reference, Option<Version>, Option<Diagnostic>), Box<Diagnostic>> {
        let source = match locked {
            Some(entry) => entry.source.clone(),
            None => stackspot(self.catalog, names, version)?,
        };
        let from_table = |problem: Box<Diagnostic>| {
            problem.note(format!("it is the source of `{}` under `stackspot.plugins` in the catalog", names.2))
        };
        Ok((parse(&source).map_err(from_table)?, Version::parse(version).ok(), None))
    }

    fn read_path(&self, world: &World, path: &str) -> Result<Tree, Box<Diagnostic>> {
        let unreadable = |why: &dyn std::fmt::Display| {
            Diagnostic::error(PluginUnavailable, format!("the plugin `{path}` cannot be read: {why}"))
        };
        let manifest_folder = world.files.canonical(self.manifest_folder).map_err(|problem| unreadable(&problem))?;
        let folder = joined(&manifest_folder, path);
        let real = world.files.canonical(&folder).map_err(|problem| unreadable(&problem))?;
        if real != folder {
            return Err(unreadable(&"a part of its path is a link").help("name the folder itself").into());
        }
        read_folder(world, &folder).map_err(|problem| unreadable(&problem).into())
    }
}

fn parse(written: &str) -> Result<Reference, Box<Diagnostic>> {
    written.parse().map_err(|problem| Diagnostic::error(PluginUnavailable, format!("{problem}")).help(FORMS).into())
}

fn no_repository(source: &str) -> Diagnostic {
    let message = format!("`{source}` is no source of a plugin in the catalog");
    Diagnostic::error(PluginUnavailable, message).help("correct its `source:` in `catalog.yaml`: it must name a repository")
}

/// `path` from `folder`, with `.` and `..` worked out as text.
fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut joined = folder.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                joined.pop();
            }
            Component::Normal(name) => joined.push(name),
            _ => {}
        }
    }
    joined
}

async fn visit_all(world: &World, github: &Client, cache: &Cache, remotes: BTreeMap<Place, Vec<Wanted>>) -> Vec<Outcome> {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut visits = JoinSet::new();
    for (place, wanted) in remotes {
        let (world, github, cache, places) = (world.clone(), github.clone(), cache.clone(), places.clone());
        visits.spawn(async move {
            // The semaphore is never closed; were it, nothing would be lost but the bound.
            let _place = places.acquire_owned().await;
            visit(world, github, &cache, place, wanted).await
        });
    }
    let mut outcomes: Vec<Outcome> = visits.join_all().await.into_iter().flatten().collect();
    // They come in the order in which remotes answered.
    outcomes.sort_by(|a, b| a.written.cmp(&b.written));
    outcomes
}
