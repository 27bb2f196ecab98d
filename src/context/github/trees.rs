//! Finding files in the trees of a commit. A tree never changes, so each is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::api::{Api, in_parallel};
use super::messages::Listing;
use crate::context::{CommitId, ListedFile, StoreError};

/// When at least so many folders of a tree are wanted, all below it is read at once.
const MANY: usize = 8;

/// The trees that were read.
pub(super) struct Trees {
    api: Api,
    /// By their ids: what is in each, by name.
    known: Mutex<BTreeMap<String, Arc<Tree>>>,
}

type Tree = BTreeMap<String, Entry>;

/// What a tree has under a name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Its object.
    pub(super) id: String,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        executable: bool,
    },
    Folder,
    /// A link, or another repository.
    Other,
}

/// How far the way to a path is known.
enum Way {
    /// To its end.
    Found(Entry),
    /// To where it is clear that there is no such path.
    Nowhere,
    /// To a tree that was not read yet; the next folder in it.
    Unread(String, Option<String>),
}

impl Trees {
    pub(super) fn new(api: Api) -> Self {
        Self { api, known: Mutex::default() }
    }

    /// What is at these paths of a commit; those that are not there are left out. A path that ends in `/` is a folder.
    pub(super) async fn entries(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Entry>, StoreError> {
        let root = self.api.commit(at).await?.tree;
        loop {
            let mut found = BTreeMap::new();
            let mut unread: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for path in paths {
                match self.way(&root, path) {
                    Way::Found(entry) => _ = found.insert(path.clone(), entry),
                    Way::Nowhere => {}
                    Way::Unread(tree, folder) => unread.entry(tree).or_default().extend(folder),
                }
            }
            if unread.is_empty() {
                return Ok(found);
            }
            self.learn(unread.into_iter().map(|(tree, folders)| (tree, folders.len() >= MANY))).await?;
        }
    }

    /// The files below these folders of a commit, at any depth, sorted.
    pub(super) async fn below(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError> {
        let as_path = |folder: &String| format!("{}/", folder.trim_end_matches('/'));
        let found = self.entries(at, &folders.iter().map(as_path).collect::<Vec<_>>()).await?;
        loop {
            let unread: BTreeSet<_> = found.values().flat_map(|folder| self.unread_below(&folder.id)).collect();
            if unread.is_empty() {
                break;
            }
            self.learn(unread.into_iter().map(|tree| (tree, true))).await?;
        }
        let files = |folder: &String| {
            let path = as_path(folder);
            let mut files = Vec::new();
            if let Some(entry) = found.get(&path) {
                self.gather(&entry.id, path.trim_start_matches('/'), &mut files);
            }
            files.sort();
            files
        };
        Ok(folders.iter().map(|folder| (folder.clone(), files(folder))).collect())
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Tree>>> {
        // What it holds is whole after every statement, so a panic elsewhere does not spoil it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes from the tree `root` towards `path`.
    fn way(&self, root: &str, path: &str) -> Way {
        let known = self.known();
        let mut at = Entry { kind: Kind::Folder, id: root.to_owned() };
        let mut rest = Some(path.trim_start_matches('/'));
        while let Some(path) = rest {
            let (name, further) = path.split_once('/').map_or((path, None), |(name, further)| (name, Some(further)));
            if at.kind != Kind::Folder {
                return Way::Nowhere;
            }
            if name.is_empty() {
                break;
            }
            let Some(tree) = known.get(&at.id) else { return Way::Unread(at.id, further.map(|_| name.to_owned())) };
            let Some(entry) = tree.get(name) else { return Way::Nowhere };
            (at, rest) = (entry.clone(), further);
        }
        Way::Found(at)
    }

    /// Reads trees; those that are said to be wanted to the bottom with all that is below them, where the server has an answer
    /// that long.
    async fn learn(&self, trees: impl Iterator<Item = (String, bool)>) -> Result<(), StoreError> {
        let reads = trees.map(|(tree, to_the_bottom)| {
            let api = self.api.clone();
            async move {
                let listing = api.tree(&tree, to_the_bottom).await?;
                let listing = if listing.truncated && to_the_bottom { api.tree(&tree, false).await? } else { listing };
                if listing.truncated {
                    return Err(api.unavailable(&format!("its folder `{tree}` has too many files to be listed")));
                }
                Ok(split(tree, listing))
            }
        });
        let read = in_parallel(reads.collect()).await?;
        self.known().extend(read.into_iter().flatten());
        Ok(())
    }

    /// The trees below `tree`, itself included, that were not read; what is below those is not known.
    fn unread_below(&self, tree: &str) -> Vec<String> {
        let known = self.known();
        let (mut unread, mut ahead) = (Vec::new(), vec![tree.to_owned()]);
        while let Some(next) = ahead.pop() {
            match known.get(&next) {
                Some(tree) => {
                    let folders = tree.values().filter(|entry| entry.kind == Kind::Folder);
                    ahead.extend(folders.map(|entry| entry.id.clone()));
                }
                None => unread.push(next),
            }
        }
        unread
    }

    fn gather(&self, tree: &str, prefix: &str, files: &mut Vec<ListedFile>) {
        let tree = self.known().get(tree).cloned().unwrap_or_default();
        for (name, entry) in &*tree {
            let path = format!("{prefix}{name}");
            match entry.kind {
                Kind::File { executable } => files.push(ListedFile { path, executable, object: entry.id.clone() }),
                Kind::Folder => self.gather(&entry.id, &format!("{path}/"), files),
                Kind::Other => {}
            }
        }
    }
}

/// The trees that a listing tells whole: the one that was listed, and those below it where it went to the bottom.
fn split(root: String, listing: Listing) -> Vec<(String, Arc<Tree>)> {
    let mut ids = BTreeMap::from([(String::new(), root)]);
    let mut trees: BTreeMap<String, Tree> = BTreeMap::from([(String::new(), Tree::new())]);
    for entry in listing.entries {
        let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        let kind = kind(&entry.mode);
        if kind == Kind::Folder {
            ids.insert(entry.path.clone(), entry.id.clone());
        }
        trees.entry(folder.to_owned()).or_default().insert(name.to_owned(), Entry { kind, id: entry.id });
    }
    trees.into_iter().filter_map(|(path, tree)| Some((ids.remove(&path)?, Arc::new(tree)))).collect()
}

fn kind(mode: &str) -> Kind {
    match mode {
        "100644" => Kind::File { executable: false },
        "100755" => Kind::File { executable: true },
        "040000" => Kind::Folder,
        _ => Kind::Other,
    }
}
