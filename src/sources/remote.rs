//! What a repository that plugins come from can be asked, whatever it is reached by.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::refs::Refs;
use super::tree::{Tree, TreeProblem};
use crate::github::ApiError;
use crate::world::SpawnError;

/// A repository elsewhere.
#[async_trait]
pub(super) trait Remote: Send + Sync {
    /// What these names of tags and branches mean; none is the default branch. What is not `needed` is asked for once, and not for
    /// long. There may be more in the answer.
    async fn refs(&self, names: &BTreeSet<Option<String>>, needed: bool) -> Result<Refs, RemoteProblem>;

    /// Fetches commits.
    async fn fetch(&mut self, commits: &BTreeSet<String>) -> Result<(), RemoteProblem>;

    /// The files of a fetched commit below `path`.
    async fn tree(&self, commit: &str, path: &str) -> Result<Tree, RemoteProblem>;
}

/// Why a repository did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteProblem {
    /// There is no git.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// No private folder could be made.
    #[error("no folder for git can be made: {0}")]
    Folder(std::io::Error),
    /// Git failed; what it said, credentials hidden.
    #[error("git says: {0}")]
    Git(String),
    /// It took too long.
    #[error("no answer in time")]
    Late,
    /// The GitHub server did not do it.
    #[error(transparent)]
    GitHub(#[from] ApiError),
    /// The commit has no such folder; where plugins seem to be instead.
    #[error("there is no folder `{path}` in it")]
    NoFolder {
        /// The folder.
        path: String,
        /// Folders with a plugin's document.
        others: Vec<String>,
    },
    /// Its files are not fit for a plugin.
    #[error(transparent)]
    Tree(#[from] TreeProblem),
}

impl RemoteProblem {
    /// There is no folder `path`; `others` have a plugin's document, of which a few are named.
    pub(super) fn no_folder(path: &str, others: BTreeSet<String>) -> Self {
        Self::NoFolder { path: path.to_owned(), others: others.into_iter().take(10).collect() }
    }
}
