//! What was read once at a commit is not read again: a commit never changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Branch, Changes, CommitId, ContextStore, ListedFile, StoreError};
use crate::domain::address::Place;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, RunId};

/// A store that remembers files and listings by commit for as long as it lives, which is one invocation.
pub struct Remembered {
    store: Arc<dyn ContextStore>,
    /// Files; none for one that is not there.
    files: Mutex<BTreeMap<AtCommit, Option<Vec<u8>>>>,
    /// Listings of folders.
    folders: Mutex<BTreeMap<AtCommit, Vec<ListedFile>>>,
}

/// A path at a commit.
type AtCommit = (CommitId, String);

impl Remembered {
    /// Reads through to `store`.
    pub fn new(store: Arc<dyn ContextStore>) -> Self {
        Self { store, files: Mutex::default(), folders: Mutex::default() }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl ContextStore for Remembered {
    async fn head(&self, branch: Branch) -> Result<Option<CommitId>, StoreError> {
        self.store.head(branch).await
    }

    async fn read(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let key = |path: &String| (at.clone(), path.clone());
        let unread: Vec<String> = {
            let known = locked(&self.files);
            paths.iter().filter(|path| !known.contains_key(&key(path))).cloned().collect()
        };
        if !unread.is_empty() {
            let mut read = self.store.read(at, &unread).await?;
            locked(&self.files).extend(unread.into_iter().map(|path| (key(&path), read.remove(&path))));
        }
        let known = locked(&self.files);
        Ok(paths.iter().filter_map(|path| Some((path.clone(), known.get(&key(path))?.clone()?))).collect())
    }

    async fn list(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError> {
        let key = |folder: &String| (at.clone(), folder.clone());
        let unlisted: Vec<String> = {
            let known = locked(&self.folders);
            folders.iter().filter(|folder| !known.contains_key(&key(folder))).cloned().collect()
        };
        if !unlisted.is_empty() {
            let mut listed = self.store.list(at, &unlisted).await?;
            let listed = unlisted.into_iter().map(|folder| (key(&folder), listed.remove(&folder).unwrap_or_default()));
            locked(&self.folders).extend(listed);
        }
        let known = locked(&self.folders);
        Ok(folders.iter().filter_map(|folder| Some((folder.clone(), known.get(&key(folder))?.clone()))).collect())
    }

    async fn commit(
        &self,
        branch: Branch,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        self.store.commit(branch, changes, expected, message).await
    }

    async fn claims(&self) -> Result<BTreeMap<Place, CommitId>, StoreError> {
        self.store.claims().await
    }

    async fn read_claim(&self, place: &Place) -> Result<Option<(CommitId, Vec<u8>)>, StoreError> {
        self.store.read_claim(place).await
    }

    async fn write_claim(&self, place: &Place, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        self.store.write_claim(place, content, expected).await
    }

    async fn delete_claim(&self, place: &Place, expected: &CommitId) -> Result<(), StoreError> {
        self.store.delete_claim(place, expected).await
    }

    async fn parts(&self, fleet: &RunId) -> Result<BTreeMap<Alias, CommitId>, StoreError> {
        self.store.parts(fleet).await
    }

    async fn write_part(&self, part: &PartName, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        self.store.write_part(part, content, expected).await
    }

    async fn delete_parts(&self, fleet: &RunId, parts: &BTreeMap<Alias, CommitId>) -> Result<(), StoreError> {
        self.store.delete_parts(fleet, parts).await
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}
