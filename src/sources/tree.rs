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

/// The most entries of an archive, those of other plugins included.
pub(super) const MOST_ENTRIES: usize = 500_000;

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

    /// The same with other contents; a file that is not in it yet is not executable.
    #[must_use]
    pub fn with(&self, contents: BTreeMap<String, Vec<u8>>) -> Self {
        let executable = |path: &String| self.files.get(path).is_some_and(|file| file.executable);
        let files = contents.into_iter().map(|(path, bytes)| (path.clone(), TreeFile { executable: executable(&path), bytes }));
        Self { files: files.collect() }
    }

    /// The files below `path`; none where there are none. An empty path means all.
    pub fn subfolder(&self, path: &str) -> Option<Self> {
        if path.is_empty() {
            return Some(self.clone());
        }
        let files: BTreeMap<_, _> =
            self.files.iter().filter_map(|(name, file)| Some((inside(name, path)?.to_owned(), file.clone()))).collect();
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
    /// An archive has too many entries.
    #[error("the archive has more than {MOST_ENTRIES} entries")]
    TooManyEntries,
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

/// `path` as it is called from `folder`; none where it is not below it. An empty folder is the root.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
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
            let start = format!("{folded}/");
            let (path, written) = self.taken.range(start.clone()..).next()?;
            path.starts_with(&start).then_some(written)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(files: &[(&str, bool, &str)]) -> Tree {
        let file = |(path, executable, text): &(&str, bool, &str)| {
            ((*path).to_owned(), TreeFile { executable: *executable, bytes: text.as_bytes().to_vec() })
        };
        Tree { files: files.iter().map(file).collect() }
    }

    /// A digest of a known tree: it stands in lock files and records, so it must never change.
    #[test]
    fn the_digest_is_the_documented_one() {
        let digest = tree(&[("main.tf", false, "a\n"), ("run/it.sh", true, "b\n")]).digest();
        let content = |text: &str| Digest::of(text.as_bytes());
        let lines = format!("7 main.tf - {}\n9 run/it.sh x {}\n", content("a\n"), content("b\n"));
        assert_eq!(digest, Digest::of(lines.as_bytes()));
        assert_eq!(digest.as_str(), "a2a83153b5748b5a2e5eaccaa727d2c74ad75ea3e7882a845c1a6bfbcb2b898d");
    }

    #[test]
    fn git_and_terraform_folders_do_not_count() {
        let plain = tree(&[("main.tf", false, "a")]);
        let with_more = tree(&[("main.tf", false, "a"), (".git/config", false, "b"), ("modules/x/.terraform/y", false, "c")]);
        assert_eq!(plain.digest(), with_more.digest());
        assert_ne!(plain.digest(), tree(&[("main.tf", false, "a"), (".gitignore", false, "b")]).digest());
    }

    #[test]
    fn a_subfolder_is_named_from_itself() {
        let whole = tree(&[("a/b/c", false, "1"), ("ab", false, "2"), ("a/d", false, "3")]);
        assert_eq!(whole.subfolder("a"), Some(tree(&[("b/c", false, "1"), ("d", false, "3")])));
        assert_eq!(whole.subfolder(""), Some(whole.clone()));
        assert_eq!(whole.subfolder("ab"), None);
    }

    fn admitted(paths: &[&str]) -> Result<bool, String> {
        let mut intake = Intake::default();
        let mut last = Ok(true);
        for path in paths {
            last = intake.admit(path, 1).map_err(|problem| problem.to_string());
        }
        last
    }

    #[test]
    fn r70_paths_that_lead_out_or_collide_are_refused() {
        for path in ["/etc/passwd", "../x", "a/../x", "a//b", "./a", "", "a\nb", "a\\b", "a/\u{fffd}"] {
            assert!(admitted(&[path]).unwrap_err().contains("is not a plain path"), "{path:?}");
        }
        for paths in [["a/b", "a/b"], ["a/b", "A/B"], ["a", "a/b"], ["a/b", "A"], ["é", "É"]] {
            assert!(admitted(&paths).unwrap_err().contains("would be one file"), "{paths:?}");
        }
        assert_eq!(admitted(&["a/b", "a/c", "a-b", "a.b"]), Ok(true));
        assert_eq!(admitted(&[".git/a"]), Ok(false));
    }

    #[test]
    fn r70_limits_hold_before_anything_is_read() {
        let mut intake = Intake::default();
        assert!(matches!(intake.admit("large", LARGEST_FILE + 1), Err(TreeProblem::FileTooLarge { .. })));
        let mut intake = Intake::default();
        for name in ["a", "b", "c", "d"] {
            intake.admit(name, LARGEST_FILE).unwrap();
        }
        assert!(matches!(intake.admit("e", 1), Err(TreeProblem::TreeTooLarge)));
        let mut intake = Intake::default();
        for number in 0..MOST_FILES {
            intake.admit(&number.to_string(), 0).unwrap();
        }
        assert!(matches!(intake.admit("more", 0), Err(TreeProblem::TooManyFiles)));
    }

    fn any_tree() -> impl Strategy<Value = Tree> {
        // Letters that the digest's own lines are made of, so that an ambiguity would show.
        let file = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..4))
            .prop_map(|(executable, bytes)| TreeFile { executable, bytes });
        prop::collection::btree_map("[a1 x-]{1,4}(/[a1 x-]{1,3})?", file, 0..4).prop_map(|files| Tree { files })
    }

    proptest! {
        #[test]
        fn the_digest_tells_trees_apart(a in any_tree(), b in any_tree()) {
            prop_assert_eq!(a == b, a.digest() == b.digest());
        }

        #[test]
        fn any_one_change_changes_the_digest(tree in any_tree(), which in any::<prop::sample::Index>(), byte in any::<u8>()) {
            prop_assume!(!tree.files.is_empty());
            let path = which.get(&tree.files.keys().cloned().collect::<Vec<_>>()).clone();
            let changed = |change: &dyn Fn(&mut Tree)| {
                let mut changed = tree.clone();
                change(&mut changed);
                changed.digest()
            };
            let digests = [
                changed(&|tree| tree.files.get_mut(&path).unwrap().bytes.push(byte)),
                changed(&|tree| tree.files.get_mut(&path).unwrap().executable ^= true),
                changed(&|tree| {
                    let file = tree.files.remove(&path).unwrap();
                    tree.files.insert(format!("{path}2"), file);
                }),
                changed(&|tree| drop(tree.files.remove(&path))),
            ];
            for digest in digests {
                prop_assert_ne!(digest, tree.digest());
            }
            prop_assert_eq!(changed(&|_| ()), tree.digest());
        }
    }
}
