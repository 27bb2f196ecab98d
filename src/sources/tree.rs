//! A plugin's files in memory, and what is let into them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::domain::names::Digest;
use crate::world::{EntryKind, World};

/// The most files of a plugin.
pub const MOST_FILES: usize = 10_000;
/// The largest file of a plugin, in bytes.
pub const LARGEST_FILE: u64 = 16 << 20;
/// The most that a plugin's files hold together, in bytes.
pub const LARGEST_TREE: u64 = 64 << 20;

/// Folders that are no part of a plugin, at any depth: git's own and Terraform's own.
const LEFT_OUT: [&str; 2] = [".git", ".terraform"];

/// A plugin's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The files, by path from the plugin's folder, with `/` between its parts.
    pub files: BTreeMap<String, TreeFile>,
}

/// A file of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Whether it may be executed.
    pub executable: bool,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Tree {
    /// The digest of the tree: a SHA-256 over one line per file, sorted by path, without `.git` and `.terraform`:
    ///
    /// ```text
    /// <length of the path in bytes> <path> <x or -> <SHA-256 of the content in hexadecimal>
    /// ```
    ///
    /// The length makes the line unambiguous whatever the path holds.
    pub fn digest(&self) -> Digest {
        let mut lines = String::new();
        for (path, file) in self.files.iter().filter(|(path, _)| !is_left_out(path)) {
            let executable = if file.executable { 'x' } else { '-' };
            let _ = writeln!(lines, "{} {path} {executable} {}", path.len(), Digest::of(&file.bytes));
        }
        Digest::of(lines.as_bytes())
    }

    /// The files below `path`; none where there are none. An empty path means all.
    pub fn subfolder(&self, path: &str) -> Option<Self> {
        if path.is_empty() {
            return Some(self.clone());
        }
        let files: BTreeMap<_, _> = self
            .files
            .iter()
            .filter_map(|(name, file)| Some((name.strip_prefix(path)?.strip_prefix('/')?.to_owned(), file.clone())))
            .collect();
        (!files.is_empty()).then_some(Self { files })
    }
}

/// Why files were not taken as a plugin's.
#[derive(Debug, thiserror::Error)]
pub enum TreeProblem {
    /// A symbolic or hard link.
    #[error("`{0}` is a link")]
    Link(String),
    /// A git submodule.
    #[error("`{0}` is a git submodule, whose files are elsewhere")]
    Submodule(String),
    /// A device, pipe or socket.
    #[error("`{0}` is neither a file nor a folder")]
    Special(String),
    /// A path that leads out, or that not every system can have.
    #[error("`{}` is not a plain path inside the plugin's folder", .0.escape_debug())]
    Path(String),
    /// Two paths that are one where upper and lower case are the same, or a file and a folder of one name.
    #[error("`{0}` and `{1}` would be one file on some systems")]
    Collision(String, String),
    /// One file is too large.
    #[error("`{path}` is larger than {} MiB", LARGEST_FILE >> 20)]
    FileTooLarge {
        /// Which one.
        path: String,
    },
    /// All files together are too large.
    #[error("its files are larger than {} MiB together", LARGEST_TREE >> 20)]
    TreeTooLarge,
    /// There are too many files.
    #[error("it has more than {MOST_FILES} files")]
    TooManyFiles,
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// An archive is malformed.
    #[error("the archive is malformed: {0}")]
    Archive(std::io::Error),
}

/// Whether `path` stays inside the folder it starts from and is the same everywhere.
pub(super) fn is_plain_path(path: &str) -> bool {
    !path.contains(|c: char| c.is_control() || c == '\\' || c == char::REPLACEMENT_CHARACTER)
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn is_left_out(path: &str) -> bool {
    path.split('/').any(|part| LEFT_OUT.contains(&part))
}

/// Decides which files become part of a tree, before they are read.
#[derive(Default)]
pub(super) struct Intake {
    /// Paths taken so far, by their lower-case form.
    taken: BTreeMap<String, String>,
    total: u64,
}

impl Intake {
    /// Whether the file is part of the tree; `false` means it is left out.
    pub(super) fn admit(&mut self, path: &str, size: u64) -> Result<bool, TreeProblem> {
        if !is_plain_path(path) {
            return Err(TreeProblem::Path(path.to_owned()));
        }
        if is_left_out(path) {
            return Ok(false);
        }
        let folded = path.to_lowercase();
        if let Some(other) = self.in_the_way_of(&folded) {
            return Err(TreeProblem::Collision(other.to_owned(), path.to_owned()));
        }
        self.total = self.total.saturating_add(size);
        if size > LARGEST_FILE {
            return Err(TreeProblem::FileTooLarge { path: path.to_owned() });
        }
        if self.total > LARGEST_TREE {
            return Err(TreeProblem::TreeTooLarge);
        }
        if self.taken.len() == MOST_FILES {
            return Err(TreeProblem::TooManyFiles);
        }
        self.taken.insert(folded, path.to_owned());
        Ok(true)
    }

    /// A path that is this one, a folder above it taken as a file, or a file below it.
    fn in_the_way_of(&self, folded: &str) -> Option<&str> {
        let same_or_above = std::iter::successors(Some(folded), |path| path.rsplit_once('/').map(|(folder, _)| folder))
            .find_map(|path| self.taken.get(path));
        let below = || {
            let folder = format!("{folded}/");
            let (path, written) = self.taken.range(folder.clone()..).next()?;
            path.starts_with(&folder).then_some(written)
        };
        same_or_above.or_else(below).map(String::as_str)
    }
}

/// Reads a folder as a plugin's files.
///
/// # Errors
/// When it holds a link or anything else that is no file, when it is too large, or when it cannot be read.
pub fn read_folder(world: &World, folder: &Path) -> Result<Tree, TreeProblem> {
    let mut tree = Tree::default();
    let mut intake = Intake::default();
    let mut waiting = vec![String::new()];
    while let Some(inside) = waiting.pop() {
        let failed = |path: &str| {
            let path = if path.is_empty() { folder.display().to_string() } else { path.to_owned() };
            move |source| TreeProblem::Read { path, source }
        };
        for entry in world.files.list(&folder.join(&inside)).map_err(failed(&inside))? {
            let path = if inside.is_empty() { entry.name } else { format!("{inside}/{}", entry.name) };
            match entry.kind {
                _ if is_left_out(&path) => {}
                EntryKind::Folder => waiting.push(path),
                EntryKind::Link => return Err(TreeProblem::Link(path)),
                EntryKind::Other => return Err(TreeProblem::Special(path)),
                EntryKind::File { executable } => {
                    let place = folder.join(&path);
                    if intake.admit(&path, world.files.metadata(&place).map_or(0, |file| file.size))? {
                        let bytes = world.files.read(&place, LARGEST_FILE).map_err(failed(&path))?;
                        tree.files.insert(path, TreeFile { executable, bytes });
                    }
                }
            }
        }
    }
    Ok(tree)
}
