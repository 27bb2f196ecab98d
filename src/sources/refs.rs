//! What the names of a remote mean.

use std::collections::BTreeMap;

use super::catalog::nearest;

/// Whether a text is a full commit id.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The tags and branches of a remote, annotated tags as the commits they mean.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refs {
    head: Option<String>,
    tags: BTreeMap<String, String>,
    branches: BTreeMap<String, String>,
}

/// What a ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefKind {
    /// Not meant to move.
    Tag,
    /// Meant to move.
    Branch,
}

impl Refs {
    /// Reads what `git ls-remote` writes.
    pub(super) fn parse(listing: &str) -> Self {
        let mut refs = Self::default();
        for (commit, name) in listing.lines().filter_map(|line| line.split_once('\t')) {
            // `tag^{}` follows `tag` and is the commit that an annotated tag means.
            refs.add(name.strip_suffix("^{}").unwrap_or(name), commit);
        }
        refs
    }

    /// Adds what a full name such as `refs/tags/v1` or `HEAD` means, over what was known of it.
    pub(super) fn add(&mut self, name: &str, commit: &str) {
        if name == "HEAD" {
            self.head = Some(commit.to_owned());
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            self.tags.insert(tag.to_owned(), commit.to_owned());
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            self.branches.insert(branch.to_owned(), commit.to_owned());
        }
    }

    /// What a ref means: a tag before a branch of the same name, as git has it. None is the default branch.
    pub(super) fn resolve(&self, name: Option<&str>) -> Option<(RefKind, &str)> {
        let Some(name) = name else {
            return self.head.as_deref().map(|commit| (RefKind::Branch, commit));
        };
        let tag = || self.tags.get(name.strip_prefix("refs/tags/").unwrap_or(name));
        let branch = || self.branches.get(name.strip_prefix("refs/heads/").unwrap_or(name));
        tag().map(|commit| (RefKind::Tag, commit.as_str())).or_else(|| branch().map(|commit| (RefKind::Branch, commit.as_str())))
    }

    /// The tags and branches named most like `name`.
    pub(super) fn nearest(&self, name: &str) -> Vec<&str> {
        nearest(name, self.tags.keys().chain(self.branches.keys()).map(String::as_str), 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_comes_before_a_branch_and_means_its_commit() {
        let refs =
            Refs::parse("h\tHEAD\nb\trefs/heads/x\nt\trefs/tags/x\nc\trefs/tags/x^{}\nm\trefs/heads/main\np\trefs/pull/1/head\n");
        assert_eq!(refs.resolve(Some("x")), Some((RefKind::Tag, "c")));
        assert_eq!(refs.resolve(Some("refs/heads/x")), Some((RefKind::Branch, "b")));
        assert_eq!(refs.resolve(Some("main")), Some((RefKind::Branch, "m")));
        assert_eq!(refs.resolve(None), Some((RefKind::Branch, "h")));
        assert_eq!(refs.resolve(Some("pull/1/head")), None);
    }
}
