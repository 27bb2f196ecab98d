//! Trees fetched before, kept by digest. What is read back is believed only when its digest is right.

use std::path::{Path, PathBuf};

use super::tree::{LARGEST_TREE, MOST_FILES, Tree};
use super::unpack::{pack, unpack};
use crate::domain::names::Digest;
use crate::world::Files;

/// An archive adds headers and padding to each file.
const LARGEST_ARCHIVE: u64 = LARGEST_TREE + (MOST_FILES as u64) * 4096;

/// A folder of trees.
#[derive(Clone)]
pub(super) struct Cache {
    files: Files,
    folder: PathBuf,
}

impl Cache {
    /// The trees kept below `folder`.
    pub(super) fn new(files: Files, folder: &Path) -> Self {
        Self { files, folder: folder.join("plugins") }
    }

    /// Where private folders of a fetch can be made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The tree of this digest; none when it is not there or not what it should be.
    pub(super) fn read(&self, digest: &Digest) -> Option<Tree> {
        let archive = self.files.read(&self.path(digest), LARGEST_ARCHIVE).ok()?;
        unpack(&archive).ok().filter(|tree| tree.digest() == *digest)
    }

    /// Keeps a tree. That it cannot be kept costs time later, nothing else.
    pub(super) fn keep(&self, digest: &Digest, tree: &Tree) {
        let kept = pack(tree).and_then(|archive| self.files.write_private(&self.path(digest), &archive));
        if let Err(problem) = kept {
            tracing::warn!("the plugin cache `{}` cannot be written: {problem}", self.folder.display());
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.tar"))
    }
}
