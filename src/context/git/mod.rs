//! The context in a git repository, by the git binary: a bare repository on this machine, or any remote.
//!
//! On this machine a read is one process and a write two: one makes the commit's objects, one moves the ref if it still is where
//! it was. There is no work tree and no index. A remote is the same on a cache of our own, with a fetch before and a push after.

mod command;
mod objects;
mod references;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use backon::ExponentialBuilder;

use self::command::{Git, Reach};
use self::objects::{Object, as_prefix, by_folder, commit_stream, parse_objects, parse_tree};
use self::remote::Remote;
use super::store::check_path;
use super::{Branch, Change, Changes, CommitId, ContextStore, ListedFile, Location, RefNames, StoreError, layout};
use crate::domain::address::Place;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, RunId};
use crate::world::World;

/// A context in a git repository.
pub struct GitStore {
    /// Where it is, for messages.
    what: String,
    names: RefNames,
    repository: Repository,
}

/// Where the objects and refs are.
enum Repository {
    Local(Git),
    Remote(Box<Remote>),
}

impl GitStore {
    /// Opens the context at `location`; what is read of a remote is kept below the folder `cache`.
    ///
    /// # Errors
    /// When there is no bare repository at a path, a ref's name is not one, or the cache cannot be made. A remote is not asked
    /// yet.
    pub async fn open(world: &World, location: &Location, names: RefNames, cache: &Path) -> Result<Self, StoreError> {
        let what = location.to_string();
        let names = names.checked(&what)?;
        let repository = match location {
            Location::Local(path) => {
                if !is_repository(world, path) {
                    let why =
                        "there is no bare git repository; `tieline context init` makes one, and a repository on GitHub is named \
                               as `github:<owner>/<repository>`"
                            .to_owned();
                    return Err(StoreError::Unavailable { what, why });
                }
                Repository::Local(Git::new(world, path, &[], what.clone()))
            }
            Location::Remote(url) => Repository::Remote(Box::new(Remote::open(world, url, cache, &what).await?)),
            Location::GitHub(_) => {
                return Err(StoreError::Unavailable { what, why: "it is spoken to by the API of its server".to_owned() });
            }
        };
        Ok(Self { what, names, repository })
    }

    fn git(&self) -> &Git {
        match &self.repository {
            Repository::Local(git) => git,
            Repository::Remote(remote) => remote.cache(),
        }
    }

    /// Makes sure that a commit and its trees are on this machine.
    async fn bring(&self, commit: &CommitId) -> Result<(), StoreError> {
        match &self.repository {
            Repository::Local(_) => Ok(()),
            Repository::Remote(remote) => remote.bring(commit).await,
        }
    }

    /// Writes the objects of a commit on `parent`; no ref is touched.
    async fn write_objects(&self, changes: &Changes, parent: Option<&CommitId>, message: &str) -> Result<CommitId, StoreError> {
        if let Some(parent) = parent {
            self.bring(parent).await?;
        }
        let stream = commit_stream(changes, parent, message, self.git().world.clock.now())?;
        let answer = self.git().output(Reach::Local, &["fast-import", "--quiet", "--done"], Some(stream)).await?;
        let commit = CommitId::new(String::from_utf8_lossy(&answer).trim()).ok_or_else(|| {
            self.git().unavailable("`git fast-import` did not tell the new commit; git 2.31 or later is needed")
        })?;
        if let Repository::Remote(remote) = &self.repository {
            remote.made(&commit);
        }
        Ok(commit)
    }

    /// Moves a ref from `expected` to a new commit on it with these changes.
    async fn advance(
        &self,
        name: &str,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        let commit = self.write_objects(changes, expected, message).await?;
        self.swap(name, Some(&commit), expected).await?;
        Ok(commit)
    }

    async fn swap(&self, name: &str, new: Option<&CommitId>, expected: Option<&CommitId>) -> Result<(), StoreError> {
        match &self.repository {
            Repository::Local(git) => references::swap(git, name, new, expected).await,
            Repository::Remote(remote) => remote.swap(name, new, expected).await,
        }
    }

    /// The refs below a prefix that ends with a slash.
    async fn references(&self, prefix: &str) -> Result<BTreeMap<String, CommitId>, StoreError> {
        match &self.repository {
            Repository::Local(git) => references::references(git, prefix).await,
            Repository::Remote(remote) => remote.references(&format!("{prefix}*")).await,
        }
    }

    async fn reference(&self, name: &str) -> Result<Option<CommitId>, StoreError> {
        let mut found = match &self.repository {
            Repository::Local(git) => references::references(git, name).await?,
            Repository::Remote(remote) => remote.references(name).await?,
        };
        Ok(found.remove(name))
    }

    /// What is on this machine under these names, in one process.
    async fn objects(&self, names: &[String]) -> Result<Vec<Object>, StoreError> {
        let wanted = Some(names.join("\n").into_bytes());
        let answer = self.git().output(Reach::Local, &["cat-file", "--batch", "--buffer"], wanted).await?;
        parse_objects(names, &answer).ok_or_else(|| self.git().unavailable("the answer of `git cat-file` is cut off"))
    }

    /// Reads files of a commit on this machine.
    async fn read_local(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        // The commit itself is asked for as well: without it every file would look absent.
        let names: Vec<_> = std::iter::once(at.to_string()).chain(paths.iter().map(|path| format!("{at}:{path}"))).collect();
        let mut objects = self.objects(&names).await?.into_iter();
        if objects.next() != Some(Object::Other) {
            return Err(self.git().unavailable(&format!("there is no commit `{at}`")));
        }
        let files = paths.iter().cloned().zip(objects);
        Ok(files.filter_map(|(path, object)| if let Object::Blob(bytes) = object { Some((path, bytes)) } else { None }).collect())
    }

    /// Reads files of a commit of the remote; all blobs that are not in the cache come in one fetch.
    async fn read_remote(
        &self,
        remote: &Remote,
        at: &CommitId,
        paths: &[String],
    ) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let wanted: BTreeSet<_> = paths.iter().collect();
        let mut entries = remote.entries(at, paths).await?;
        // A path that is a folder answers with what is below it.
        entries.retain(|entry| wanted.contains(&entry.path));
        let names: Vec<_> = entries.iter().map(|entry| entry.object.clone()).collect();
        let mut objects = self.objects(&names).await?;
        let missing: BTreeSet<_> =
            names.iter().zip(&objects).filter(|(_, object)| **object == Object::Missing).map(|(name, _)| name.as_str()).collect();
        if !missing.is_empty() {
            remote.bring_blobs(&missing).await?;
            objects = self.objects(&names).await?;
        }
        let files = entries.into_iter().map(|entry| entry.path).zip(objects);
        files
            .map(|(path, object)| match object {
                Object::Blob(bytes) => Ok((path, bytes)),
                _ => Err(StoreError::Corrupt { path, why: "the remote did not send its content".to_owned() }),
            })
            .collect()
    }
}

/// Makes an empty bare repository, if there is no repository at `path` yet; `branch` is the one its HEAD names.
///
/// # Errors
/// When it cannot be made.
pub(super) async fn make_bare(world: &World, path: &Path, branch: &str) -> Result<(), StoreError> {
    if is_repository(world, path) {
        return Ok(());
    }
    let git = Git::new(world, path, &[], format!("`{}`", path.display()));
    world.files.make_folder(path).map_err(|problem| git.unavailable(&format!("cannot make the folder: {problem}")))?;
    // Without a HEAD that names the branch people push to, a clone has no common base with it.
    let branch = format!("--initial-branch={branch}");
    // Two may do so at once, and git is not made for that; the second one finds nothing left to do.
    let delays = ExponentialBuilder::new().with_jitter().with_min_delay(Duration::from_millis(20)).with_max_times(6);
    let is_busy = |problem: &StoreError| problem.to_string().contains("File exists");
    let init = ["init", "--quiet", "--bare", "--template=", &branch];
    git.output_in_the_end(Reach::Local, &init, None, delays, is_busy).await.map(drop)
}

fn is_repository(world: &World, path: &Path) -> bool {
    ["HEAD", "objects", "config"].iter().all(|part| world.files.metadata(&path.join(part)).is_some())
}

#[async_trait]
impl ContextStore for GitStore {
    async fn head(&self, branch: Branch) -> Result<Option<CommitId>, StoreError> {
        let name = self.names.branch(branch);
        let head = self.reference(&name).await?;
        if let (Repository::Remote(remote), Some(head)) = (&self.repository, &head) {
            remote.keep_as(head, &name);
        }
        Ok(head)
    }

    async fn read(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        paths.iter().try_for_each(|path| check_path(path))?;
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        match &self.repository {
            Repository::Local(_) => self.read_local(at, paths).await,
            Repository::Remote(remote) => {
                remote.bring(at).await?;
                self.read_remote(remote, at, paths).await
            }
        }
    }

    async fn list(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError> {
        if folders.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.bring(at).await?;
        let prefixes: Vec<_> = folders.iter().map(|folder| as_prefix(folder)).collect();
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", at.as_str(), "--"];
        if prefixes.iter().all(|prefix| !prefix.is_empty()) {
            arguments.extend(prefixes.iter().map(String::as_str));
        }
        let answer = self.git().output(Reach::Local, &arguments, None).await?;
        Ok(by_folder(folders, &parse_tree(&answer)))
    }

    async fn commit(
        &self,
        branch: Branch,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        self.advance(&self.names.branch(branch), changes, expected, message).await
    }

    async fn claims(&self) -> Result<BTreeMap<Place, CommitId>, StoreError> {
        let prefix = &self.names.claims_prefix;
        let found = self.references(prefix).await?;
        Ok(found.into_iter().filter_map(|(name, commit)| Some((layout::parse_claim(prefix, &name)?, commit))).collect())
    }

    async fn read_claim(&self, place: &Place) -> Result<Option<(CommitId, Vec<u8>)>, StoreError> {
        let name = layout::claim(&self.names.claims_prefix, place);
        let Some(commit) = self.reference(&name).await? else { return Ok(None) };
        let content = self.read(&commit, &[layout::CLAIM.to_owned()]).await?.remove(layout::CLAIM);
        let missing = || StoreError::Corrupt { path: name, why: format!("it has no `{}`", layout::CLAIM) };
        Ok(Some((commit, content.ok_or_else(missing)?)))
    }

    async fn write_claim(&self, place: &Place, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        let changes = Changes::from([(layout::CLAIM.to_owned(), Change::write(content))]);
        let message = if expected.is_none() { format!("Claim {place}") } else { format!("Journal of {place}") };
        self.advance(&layout::claim(&self.names.claims_prefix, place), &changes, expected, &message).await
    }

    async fn delete_claim(&self, place: &Place, expected: &CommitId) -> Result<(), StoreError> {
        self.swap(&layout::claim(&self.names.claims_prefix, place), None, Some(expected)).await
    }

    async fn parts(&self, fleet: &RunId) -> Result<BTreeMap<Alias, CommitId>, StoreError> {
        let prefix = &self.names.claims_prefix;
        let found = self.references(&layout::parts(prefix, fleet)).await?;
        Ok(found.into_iter().filter_map(|(name, commit)| Some((layout::parse_part(prefix, fleet, &name)?, commit))).collect())
    }

    async fn write_part(&self, part: &PartName, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        let changes = Changes::from([(layout::CLAIM.to_owned(), Change::write(content))]);
        let message = format!("Journal of {} in fleet {}", part.alias, part.fleet);
        self.advance(&layout::part(&self.names.claims_prefix, part), &changes, expected, &message).await
    }

    async fn delete_parts(&self, fleet: &RunId, parts: &BTreeMap<Alias, CommitId>) -> Result<(), StoreError> {
        let prefix = layout::parts(&self.names.claims_prefix, fleet);
        let named: BTreeMap<String, CommitId> =
            parts.iter().map(|(alias, commit)| (format!("{prefix}{alias}"), commit.clone())).collect();
        match &self.repository {
            Repository::Remote(remote) if !named.is_empty() => remote.delete(&named).await,
            Repository::Remote(_) => Ok(()),
            Repository::Local(git) => {
                for (name, commit) in &named {
                    match references::swap(git, name, None, Some(commit)).await {
                        Err(StoreError::Conflict { .. }) => {}
                        deleted => deleted?,
                    }
                }
                Ok(())
            }
        }
    }

    fn describe(&self) -> String {
        self.what.clone()
    }
}
