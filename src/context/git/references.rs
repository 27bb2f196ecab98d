//! Refs: listing and moving them on this machine, and telling a lost race from a failure.

use std::collections::BTreeMap;

use super::command::{Git, Reach};
use crate::context::{CommitId, StoreError};

/// The refs named `name`, or below it.
pub(super) async fn references(git: &Git, name: &str) -> Result<BTreeMap<String, CommitId>, StoreError> {
    let name = name.trim_end_matches('/');
    let answer = git.output(Reach::Local, &["for-each-ref", "--format=%(objectname) %(refname)", "--", name], None).await?;
    Ok(parse_references(&answer))
}

/// Moves a ref on this machine from `expected` to `new`; none stands for a ref that does not exist.
pub(super) async fn swap(git: &Git, name: &str, new: Option<&CommitId>, expected: Option<&CommitId>) -> Result<(), StoreError> {
    let expected = expected.map_or("", CommitId::as_str);
    let moved = match new {
        Some(new) => git.run(Reach::Local, &["update-ref", "--no-deref", "--", name, new.as_str(), expected], None).await?,
        None => git.run(Reach::Local, &["update-ref", "--no-deref", "-d", "--", name, expected], None).await?,
    };
    if moved.exit.success() {
        return Ok(());
    }
    match git.failure(&moved) {
        StoreError::Unavailable { why, .. } if lost_race(&why) => Err(StoreError::Conflict { what: name.to_owned(), why }),
        problem => Err(problem),
    }
}

/// Lines of an object id and a ref's name.
pub(super) fn parse_references(answer: &[u8]) -> BTreeMap<String, CommitId> {
    let answer = String::from_utf8_lossy(answer);
    answer
        .lines()
        .filter_map(|line| line.split_once([' ', '\t']))
        .filter_map(|(id, name)| Some((name.to_owned(), CommitId::new(id)?)))
        .collect()
}

/// Whether git's words mean that somebody else moved or holds the ref.
pub(super) fn lost_race(words: &str) -> bool {
    const RACES: [&str; 11] = [
        "but expected",
        "reference already exists",
        "unable to resolve reference",
        "File exists",
        "stale info",
        "fetch first",
        "non-fast-forward",
        "cannot lock ref",
        "failed to update ref",
        "incorrect old value",
        "remote ref does not exist",
    ];
    // These stop a ref from being locked too, and waiting does not help.
    const FAILURES: [&str; 4] = ["Permission denied", "Read-only file system", "No space left", "exists; cannot create"];
    RACES.iter().any(|text| words.contains(text)) && !FAILURES.iter().any(|text| words.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_race_is_told_from_a_failure() {
        for race in [
            "cannot lock ref 'refs/heads/ledger': is at 1 but expected 2",
            "cannot lock ref 'x': Unable to create '/r/x.lock': File exists.",
            "! 1:refs/heads/ledger [rejected] (stale info)",
            "! 1:refs/heads/ledger [remote rejected] (cannot lock ref 'refs/heads/ledger': reference already exists)",
        ] {
            assert!(lost_race(race), "{race}");
        }
        for failure in [
            "cannot lock ref 'x': Unable to create '/r/x.lock': Permission denied",
            "! 1:refs/heads/ledger [remote rejected] (protected branch hook declined)",
            "unable to access 'https://h/x': Could not resolve host: h",
            "cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'",
        ] {
            assert!(!lost_race(failure), "{failure}");
        }
    }
}
