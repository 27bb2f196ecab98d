//! What a store of the context can do, wherever it is.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::layout;
use super::trust::Trust;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, RunId};

/// The two branches of a context repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Branch {
    /// People's documents, changed by pull request.
    Documents,
    /// What runs write.
    Ledger,
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documents => "documents branch",
            Self::Ledger => "ledger branch",
        })
    }
}

/// Identifies a commit of the context repository: an object id in full, lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// Takes `text` as a commit id; none if it is not a full object id.
    pub fn new(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (matches!(text.len(), 40 | 64) && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// The id as text, 40 or 64 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It has this content.
    Write {
        /// The whole content.
        bytes: Vec<u8>,
        /// Whether it is marked executable.
        executable: bool,
    },
    /// It is gone. That it never was is fine.
    Remove,
}

impl Change {
    /// A file that is not executable.
    pub fn write(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Write { bytes: bytes.into(), executable: false }
    }
}

/// Refuses what would break out of the repository when somebody checks it out, or out of the lines that git is spoken to in.
///
/// # Errors
/// [`StoreError::Corrupt`] for a path that no file may have.
pub(super) fn check_path(path: &str) -> Result<(), StoreError> {
    let is_bad = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    if path.contains(char::is_control) || path.split('/').any(is_bad) {
        return Err(StoreError::Corrupt { path: path.to_owned(), why: "no file may have this path".to_owned() });
    }
    Ok(())
}

/// The changes of one commit, by path.
pub type Changes = BTreeMap<String, Change>;

/// A file in a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedFile {
    /// Its path from the root.
    pub path: String,
    /// Whether it is marked executable.
    pub executable: bool,
    /// The id that git gives its content.
    pub object: String,
}

impl ListedFile {
    /// Whether its content is this, as far as git can tell.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let algorithm = if self.object.len() == 64 { &SHA256 } else { &SHA1_FOR_LEGACY_USE_ONLY };
        let mut digest = Context::new(algorithm);
        digest.update(format!("blob {}\0", bytes.len()).as_bytes());
        digest.update(bytes);
        let id = digest.finish();
        let digits =
            id.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(|half| char::from_digit(half.into(), 16));
        digits.eq(self.object.chars())
    }
}

/// Why the context could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster: the head moved, the claim exists or was taken over. Nothing was written.
    #[error("`{what}` of the context repository was changed by somebody else meanwhile: {why}")]
    Conflict {
        /// The ref.
        what: String,
        /// How that was noticed.
        why: String,
    },
    /// It cannot be reached, or does not do what it is asked.
    #[error("cannot use the context repository {what}: {why}")]
    Unavailable {
        /// Where it is, credentials hidden.
        what: String,
        /// What git or the server said, credentials hidden.
        why: String,
    },
    /// The access that was given is not enough. The diagnostic names what is missing, and where to set it.
    #[error("{}", .0.message)]
    Refused(Box<Diagnostic>),
    /// It holds something that should not be there.
    #[error("`{path}` in the context repository is not what it should be: {why}")]
    Corrupt {
        /// The path of the file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl StoreError {
    /// The problem as a person needs it.
    pub fn diagnostic(&self) -> Diagnostic {
        let (reason, help) = match self {
            Self::Refused(diagnostic) => return (**diagnostic).clone(),
            Self::Conflict { .. } => (FailureReason::PublishConflict, "run again: nothing is applied twice"),
            Self::Unavailable { .. } => {
                (FailureReason::ContextUnavailable, "check the context's address, the access to it and the network")
            }
            Self::Corrupt { .. } => (FailureReason::ContextUnavailable, "run `tieline context verify` to see all that is wrong"),
        };
        Diagnostic::error(reason, self.to_string()).help(help)
    }
}

impl From<StoreError> for Problems {
    fn from(problem: StoreError) -> Self {
        problem.diagnostic().into()
    }
}

/// A context repository, wherever it is.
///
/// Every method fails with [`StoreError::Unavailable`] or [`StoreError::Refused`] where the repository cannot be reached or refuses.
#[async_trait]
pub trait ContextStore: Send + Sync {
    /// The newest commit of a branch; none where there is no such branch.
    ///
    /// # Errors
    /// When it cannot be asked.
    async fn head(&self, branch: Branch) -> Result<Option<CommitId>, StoreError>;

    /// The contents of these files at a commit, in one batch; files that are not there are left out.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn read(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError>;

    /// The files below each of these folders at a commit, at any depth, sorted, in one batch. The folder `""` is the root; a
    /// folder that is not there is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn list(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError>;

    /// Makes a commit with these changes the head of a branch, if its head still is `expected`; none stands for a branch that
    /// does not exist.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the head is another one; [`StoreError::Corrupt`] for a path that no file may have.
    async fn commit(
        &self,
        branch: Branch,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError>;

    /// The claims there are. Refs that are not named as claims are, are left out.
    ///
    /// # Errors
    /// When they cannot be listed.
    async fn claims(&self) -> Result<BTreeMap<Place, CommitId>, StoreError>;

    /// A claim's newest commit and content.
    ///
    /// # Errors
    /// When it cannot be read; [`StoreError::Corrupt`] when the ref is there without a claim in it.
    async fn read_claim(&self, place: &Place) -> Result<Option<(CommitId, Vec<u8>)>, StoreError>;

    /// Takes a claim (`expected` none: it must not exist) or moves it by a commit on `expected`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it exists, or is no longer at `expected`.
    async fn write_claim(&self, place: &Place, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError>;

    /// Gives a claim up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is no longer at `expected`.
    async fn delete_claim(&self, place: &Place, expected: &CommitId) -> Result<(), StoreError>;

    /// The journals of a fleet's jobs, by the aliases that they are named after.
    ///
    /// # Errors
    /// When they cannot be listed.
    async fn parts(&self, fleet: &RunId) -> Result<BTreeMap<Alias, CommitId>, StoreError>;

    /// The content of a journal of a fleet's job, at a commit that [`Self::parts`] told.
    ///
    /// # Errors
    /// When it cannot be read; [`StoreError::Corrupt`] when there is none in it.
    async fn read_part(&self, at: &CommitId) -> Result<Vec<u8>, StoreError> {
        let content = self.read(at, &[layout::CLAIM.to_owned()]).await?.remove(layout::CLAIM);
        content.ok_or_else(|| StoreError::Corrupt { path: at.to_string(), why: format!("it has no `{}`", layout::CLAIM) })
    }

    /// Makes the journal of a fleet's job (`expected` none: it must not exist) or moves it by a commit on `expected`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it exists, or is no longer at `expected`.
    async fn write_part(&self, part: &PartName, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError>;

    /// Takes journals of a fleet's jobs away. Those that are no longer where they were seen stay.
    ///
    /// # Errors
    /// When that cannot be done.
    async fn delete_parts(&self, fleet: &RunId, parts: &BTreeMap<Alias, CommitId>) -> Result<(), StoreError>;

    /// What it takes for a file of the ledger to be believed; none where all of them are.
    fn trust(&self) -> Option<&Trust> {
        None
    }

    /// Where the repository is, for people; credentials are hidden.
    fn describe(&self) -> String;
}
