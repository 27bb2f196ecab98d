//! Where plugins come from: folders, git repositories and GitHub servers, named directly or by the catalog; what of them is locked; and how
//! their files are taken in safely.

mod cache;
mod catalog;
mod fetch;
mod git;
mod github;
mod lock;
mod reference;
mod refs;
mod remote;
mod tree;
mod unpack;
mod visit;

#[cfg(test)]
mod tests;

pub use catalog::{Choice, choose, is_allowed};
pub use fetch::{Fetched, LockMode, Terms, fetch_all};
pub use lock::{LOCK_FILE, Lock, LockEntry};
pub use reference::{FORMS, InvalidReference, Reference};
pub use tree::{LARGEST_FILE, LARGEST_TREE, MOST_FILES, Tree, TreeFile, TreeProblem, read_folder};
pub use unpack::{pack, unpack};
