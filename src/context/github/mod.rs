//! The context in a repository on a GitHub server, by its Git data API: nothing is cloned, and a read costs what is read.
//!
//! Commits, trees and files never change, so each is asked for once in the life of a store. A commit is made of objects that nobody
//! sees before a ref names them; only moving the ref has to be careful, see `references`.

mod api;
mod messages;
mod objects;
mod references;
mod trees;

use std::collections::BTreeMap;

use async_trait::async_trait;

use self::api::{Api, Look, in_parallel};
use self::trees::{Entry, Kind, Trees};
use super::store::check_path;
use super::{Branch, Change, Changes, CommitId, ContextStore, ListedFile, Location, RefNames, StoreError, layout};
use crate::domain::address::Place;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, RunId};
use crate::github::{Client, Repository};
use crate::world::World;

/// A context in a repository on a GitHub server.
pub struct GitHubStore {
    api: Api,
    names: RefNames,
    trees: Trees,
}

impl GitHubStore {
    /// The context in `repository`, with the access that `client` has. It is not asked yet.
    ///
    /// # Errors
    /// When a ref's name is not one.
    pub fn open(world: &World, client: Client, repository: &Repository, names: RefNames) -> Result<Self, StoreError> {
        let what = Location::GitHub(repository.clone()).to_string();
        let names = names.checked(&what)?;
        let api = Api::new(world, client, repository, what);
        Ok(Self { trees: Trees::new(api.clone()), api, names })
    }

    /// Makes a branch with one commit on `base`, for people to look at. If there is a branch of that name with these changes, it is kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the branch is there with something else.
    pub async fn propose(&self, branch: &str, changes: &Changes, base: &CommitId, message: &str) -> Result<(), StoreError> {
        let name = format!("refs/heads/{branch}");
        if let Some(found) = self.api.look(&name).await?.into_commit() {
            let kept = self.has(&found, changes).await?;
            let conflict = || StoreError::Conflict { what: branch.to_owned(), why: "it has other changes by now".to_owned() };
            return kept.then_some(()).ok_or_else(conflict);
        }
        let commit = self.make_commit(changes, Some(base), message).await?;
        references::swap(&self.api, &name, Some(&commit), None).await
    }

    /// Whether all changes are in a commit.
    async fn has(&self, at: &CommitId, changes: &Changes) -> Result<bool, StoreError> {
        let mut found = self.read(at, &changes.keys().cloned().collect::<Vec<_>>()).await?;
        Ok(changes.iter().all(|(path, change)| match (change, found.remove(path)) {
            (Change::Write { bytes, .. }, Some(content)) => *bytes == content,
            (Change::Remove, None) => true,
            _ => false,
        }))
    }

    fn claim(&self, place: &Place) -> String {
        layout::claim(&self.names.claims_prefix, place)
    }

    /// Moves a ref from `expected` to a new commit on it with these changes.
    async fn advance(
        &self,
        name: &str,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        changes.keys().try_for_each(|path| check_path(path))?;
        // Most races are lost here already, before anything was made: what is made counts against the server's limits.
        match self.api.look(name).await? {
            Look::EmptyRepository if expected.is_none() => return self.first_commit(name, changes, message).await,
            look => references::expect(name, look.commit(), expected)?,
        }
        let commit = self.make_commit(changes, expected, message).await?;
        references::swap(&self.api, name, Some(&commit), expected).await?;
        Ok(commit)
    }

    /// Makes the first commit of a repository that has none. The Git data API does not work on it; making a file does.
    async fn first_commit(&self, name: &str, changes: &Changes, message: &str) -> Result<CommitId, StoreError> {
        let branch = name.strip_prefix("refs/heads/");
        let first = changes.iter().find_map(|(path, change)| match change {
            Change::Write { bytes, executable: false } => Some((path, bytes)),
            _ => None,
        });
        let (Some(branch), Some((path, bytes))) = (branch, first) else {
            return Err(self.api.unavailable("it is empty; `tieline context init` starts it"));
        };
        let commit = self.api.make_first_file(branch, path, bytes, message).await?;
        if changes.len() == 1 {
            return Ok(commit);
        }
        let whole = self.make_commit(changes, Some(&commit), message).await?;
        references::swap(&self.api, name, Some(&whole), Some(&commit)).await?;
        Ok(whole)
    }
}

#[async_trait]
impl ContextStore for GitHubStore {
    async fn head(&self, branch: Branch) -> Result<Option<CommitId>, StoreError> {
        Ok(self.api.look(&self.names.branch(branch)).await?.into_commit())
    }

    async fn read(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        paths.iter().try_for_each(|path| check_path(path))?;
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        let entries = self.trees.entries(at, paths).await?.into_iter();
        let files = entries.filter(|(_, entry)| matches!(entry.kind, Kind::File { .. }));
        let reads = files.map(|(path, Entry { id, .. })| {
            let api = self.api.clone();
            async move { Ok((path, api.file(&id).await?)) }
        });
        Ok(in_parallel(reads.collect()).await?.into_iter().map(|(path, bytes)| (path, Vec::clone(&bytes))).collect())
    }

    async fn list(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError> {
        self.trees.below(at, folders).await
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
        let found = self.api.references(prefix).await?;
        Ok(found.into_iter().filter_map(|(name, commit)| Some((layout::parse_claim(prefix, &name)?, commit))).collect())
    }

    async fn read_claim(&self, place: &Place) -> Result<Option<(CommitId, Vec<u8>)>, StoreError> {
        let name = self.claim(place);
        let Some(commit) = self.api.look(&name).await?.into_commit() else { return Ok(None) };
        let content = self.read(&commit, &[layout::CLAIM.to_owned()]).await?.remove(layout::CLAIM);
        let missing = || StoreError::Corrupt { path: name, why: format!("it has no `{}`", layout::CLAIM) };
        Ok(Some((commit, content.ok_or_else(missing)?)))
    }

    async fn write_claim(&self, place: &Place, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        let changes = Changes::from([(layout::CLAIM.to_owned(), Change::write(content))]);
        let message = if expected.is_none() { format!("Claim {place}") } else { format!("Journal of {place}") };
        self.advance(&self.claim(place), &changes, expected, &message).await
    }

    async fn delete_claim(&self, place: &Place, expected: &CommitId) -> Result<(), StoreError> {
        let name = self.claim(place);
        references::expect(&name, self.api.look(&name).await?.commit(), Some(expected))?;
        references::swap(&self.api, &name, None, Some(expected)).await
    }

    async fn parts(&self, fleet: &RunId) -> Result<BTreeMap<Alias, CommitId>, StoreError> {
        let prefix = &self.names.claims_prefix;
        let found = self.api.references(&layout::parts(prefix, fleet)).await?;
        Ok(found.into_iter().filter_map(|(name, commit)| Some((layout::parse_part(prefix, fleet, &name)?, commit))).collect())
    }

    async fn write_part(&self, part: &PartName, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        let changes = Changes::from([(layout::CLAIM.to_owned(), Change::write(content))]);
        let message = format!("Journal of {} in fleet {}", part.alias, part.fleet);
        self.advance(&layout::part(&self.names.claims_prefix, part), &changes, expected, &message).await
    }

    async fn delete_parts(&self, fleet: &RunId, parts: &BTreeMap<Alias, CommitId>) -> Result<(), StoreError> {
        let prefix = layout::parts(&self.names.claims_prefix, fleet);
        let deleted = parts.iter().map(|(alias, commit)| {
            let (api, name) = (self.api.clone(), format!("{prefix}{alias}"));
            async move {
                match references::swap(&api, &name, None, Some(commit)).await {
                    Err(StoreError::Conflict { .. }) => Ok(()),
                    deleted => deleted,
                }
            }
        });
        in_parallel(deleted.collect()).await.map(|_: Vec<()>| ())
    }

    fn describe(&self) -> String {
        self.api.what().to_owned()
    }
}
