//! Making the objects of a commit: what differs from its parent, in as few requests as it takes.

use super::GitHubStore;
use super::messages::NewEntry;
use super::trees::Kind;
use crate::context::{Change, Changes, CommitId, StoreError};

/// The tree without files, which every repository has.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The largest content, in bytes, that is sent together with others.
const LARGEST_TOGETHER: usize = 1 << 18;

/// So much is sent in one request: files, and bytes of their contents.
const MOST_FILES: usize = 1000;
const MOST_BYTES: usize = 4 << 20;

impl GitHubStore {
    /// Makes a commit on `parent`; no ref is touched.
    pub(super) async fn make_commit(
        &self,
        changes: &Changes,
        parent: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        let mut tree = match parent {
            Some(parent) => Some(self.api.commit(parent).await?.tree),
            None => None,
        };
        // Removals first: a file may go where a folder comes.
        let requests = [batches(self.removals(changes, parent).await?), batches(self.writes(changes).await?)];
        for entries in requests.into_iter().flatten() {
            tree = Some(self.api.make_tree(tree.as_deref(), &entries).await?);
        }
        self.api.make_commit(tree.as_deref().unwrap_or(EMPTY_TREE), parent, message).await
    }

    /// Takes away the files that are there: the API refuses the others.
    async fn removals(&self, changes: &Changes, parent: Option<&CommitId>) -> Result<Vec<NewEntry>, StoreError> {
        let removed = changes.iter().filter(|(_, change)| **change == Change::Remove).map(|(path, _)| path.clone());
        let removed: Vec<_> = removed.collect();
        let (Some(parent), false) = (parent, removed.is_empty()) else { return Ok(Vec::new()) };
        let there = self.trees.entries(parent, &removed).await?.into_iter();
        let files = there.filter(|(_, entry)| matches!(entry.kind, Kind::File { .. }));
        Ok(files.map(|(path, _)| NewEntry::removed(&path)).collect())
    }

    /// The files that are written. Texts travel with the tree; what is no text, or large, is sent on its own before.
    async fn writes(&self, changes: &Changes) -> Result<Vec<NewEntry>, StoreError> {
        let mut entries = Vec::new();
        for (path, change) in changes {
            let Change::Write { bytes, executable } = change else { continue };
            let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST_TOGETHER && !text.contains('\0'));
            entries.push(match text {
                Some(text) => NewEntry::text(path, *executable, text),
                None => NewEntry::blob(path, *executable, self.api.make_blob(bytes).await?),
            });
        }
        Ok(entries)
    }
}

/// Entries in requests of a size that the server takes.
fn batches(entries: Vec<NewEntry>) -> Vec<Vec<NewEntry>> {
    let mut batches: Vec<Vec<NewEntry>> = Vec::new();
    let mut bytes = MOST_BYTES;
    for entry in entries {
        bytes += entry.size();
        match batches.last_mut() {
            Some(batch) if bytes <= MOST_BYTES && batch.len() < MOST_FILES => batch.push(entry),
            _ => {
                bytes = entry.size();
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_holds_no_more_than_the_server_takes() {
        let sizes = |entries| batches(entries).iter().map(Vec::len).collect::<Vec<_>>();
        let small = |count: usize| (0..count).map(|n| NewEntry::text(&format!("{n}"), false, "x")).collect();
        let large =
            |count: usize| (0..count).map(|n| NewEntry::text(&format!("{n}"), false, &"x".repeat(MOST_BYTES / 3))).collect();
        assert_eq!(sizes(small(0)), Vec::<usize>::new());
        assert_eq!(sizes(small(2 * MOST_FILES + 1)), [MOST_FILES, MOST_FILES, 1]);
        assert_eq!(sizes(large(5)), [2, 2, 1], "three and their paths are too much");
    }
}
