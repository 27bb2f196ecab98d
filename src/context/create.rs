//! Making a context repository, filling it from a folder, and finding the one that belongs to a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::git::{GitStore, make_bare};
use super::{Branch, Change, Changes, CommitId, ContextStore, Location, RefNames, StoreError, layout};
use crate::world::{EntryKind, World};

/// Where a context repository is, from the folder it belongs to.
pub const DEFAULT_PATH: &str = ".tieline/context.git";

/// The first `context.yaml`: everything at its default.
const FIRST_DOCUMENT: &str = "apiVersion: tieline/v1\nkind: Context\n";

/// The largest document that is taken, in bytes.
const LARGEST_DOCUMENT: u64 = 1 << 20;

/// Makes a context at `path`: a bare repository with both branches. What is there already is kept, so doing it twice is fine.
///
/// # Errors
/// When the repository cannot be made or written.
pub async fn init(world: &World, path: &Path) -> Result<GitStore, StoreError> {
    let names = RefNames::default();
    make_bare(world, path, &names.documents).await?;
    let location = Location::Local(path.to_owned());
    let store = GitStore::open(world, &location, names, Path::new("")).await?;
    start_branches(&store).await?;
    Ok(store)
}

/// Gives a context the branches it lacks: the documents branch starts with a `context.yaml` that leaves everything at its default,
/// the ledger with nothing.
///
/// # Errors
/// When it cannot be read or written. That somebody else was faster is fine.
pub async fn start_branches(store: &dyn ContextStore) -> Result<(), StoreError> {
    let document = Changes::from([(layout::CONTEXT_DOCUMENT.to_owned(), Change::write(FIRST_DOCUMENT))]);
    for (branch, changes) in [(Branch::Documents, document), (Branch::Ledger, Changes::new())] {
        if store.head(branch).await?.is_none() {
            match store.commit(branch, &changes, None, &format!("Start the {branch}")).await {
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(problem) => return Err(problem),
            }
        }
    }
    Ok(())
}

/// What became of the documents branch; paths are sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// The new commit; none when nothing had changed.
    pub commit: Option<CommitId>,
    /// Files that were not there.
    pub added: Vec<String>,
    /// Files that had another content.
    pub changed: Vec<String>,
    /// Files that are no longer in the folder.
    pub removed: Vec<String>,
}

/// Makes the documents branch the mirror of `folder`, in one commit, or in none when it is that already. **Documents that are not
/// in the folder are removed.** Names that start with a dot, and what is below them, are left alone on both sides.
///
/// # Errors
/// When the folder cannot be read or holds something else than files and folders; when the context cannot be read or written;
/// [`StoreError::Conflict`] when somebody else wrote it meanwhile.
pub async fn init_from(store: &dyn ContextStore, world: &World, folder: &Path, message: &str) -> Result<Mirrored, StoreError> {
    let mut wanted = documents_in(world, folder)?;
    let head = store.head(Branch::Documents).await?;
    let present = match &head {
        Some(head) => read_all(store, head).await?,
        None => BTreeMap::new(),
    };

    let (added, kept): (Vec<_>, Vec<_>) = wanted.keys().cloned().partition(|path| !present.contains_key(path));
    let changed: Vec<_> = kept.into_iter().filter(|path| wanted.get(path) != present.get(path)).collect();
    let removed: Vec<_> = present.into_keys().filter(|path| !wanted.contains_key(path)).collect();

    let written = added.iter().chain(&changed).filter_map(|path| Some((path.clone(), Change::write(wanted.remove(path)?))));
    let mut edits: Changes = written.collect();
    edits.extend(removed.iter().map(|path| (path.clone(), Change::Remove)));
    let commit =
        if edits.is_empty() { None } else { Some(store.commit(Branch::Documents, &edits, head.as_ref(), message).await?) };
    Ok(Mirrored { commit, added, changed, removed })
}

/// Every file of a branch that has no dot in front of any part of its path.
async fn read_all(store: &dyn ContextStore, at: &CommitId) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let listed = store.list(at, &[String::new()]).await?.into_values().flatten().map(|file| file.path);
    let paths: Vec<_> = listed.filter(|path| !path.split('/').any(|part| part.starts_with('.'))).collect();
    store.read(at, &paths).await
}

/// The documents below a folder, by path; names that start with a dot are left out.
///
/// # Errors
/// When the folder cannot be read or holds something else than files and folders.
pub fn documents_in(world: &World, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let mut found = BTreeMap::new();
    gather(world, folder, "", &mut found)?;
    Ok(found)
}

/// Reads the files below `folder`; `below` is the way to it.
fn gather(world: &World, folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) -> Result<(), StoreError> {
    let failed = |path: &Path, why: &dyn ToString| {
        Err(StoreError::Unavailable { what: format!("documents in `{}`", path.display()), why: why.to_string() })
    };
    let entries = match world.files.list(folder) {
        Ok(entries) => entries,
        Err(problem) => return failed(folder, &problem),
    };
    for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
        let path = folder.join(&entry.name);
        let name = format!("{below}{}", entry.name);
        match entry.kind {
            EntryKind::Folder => gather(world, &path, &format!("{name}/"), found)?,
            EntryKind::File { .. } => match world.files.read(&path, LARGEST_DOCUMENT) {
                Ok(bytes) => drop(found.insert(name, bytes)),
                Err(problem) => return failed(&path, &problem),
            },
            EntryKind::Link | EntryKind::Other => return failed(&path, &"it is neither a file nor a folder"),
        }
    }
    Ok(())
}

/// The context repository that a folder belongs to: the nearest one upwards, not beyond the root of its git work tree.
pub fn find(world: &World, start: &Path) -> Option<PathBuf> {
    for folder in start.ancestors() {
        let context = folder.join(DEFAULT_PATH);
        if world.files.metadata(&context.join("HEAD")).is_some() {
            return Some(context);
        }
        // A file in a linked work tree or a submodule.
        if world.files.metadata(&folder.join(".git")).is_some() {
            return None;
        }
    }
    None
}
