//! Moving refs so that nobody's move is lost and none is made twice.
//!
//! The API has no compare-and-swap, but it refuses a move that is no fast-forward. What a ref is moved to is always a commit on what
//! it is expected to be at, so once somebody else moved it, ours is none. Creating a ref is refused where it exists.
//!
//! Deleting has no condition at all: a ref that is moved between our look and the deletion is deleted all the same. Only claims are
//! deleted, by their holders, and others move a claim only when its run has ended, after a moment in which its holder can delete it.
//! Should they meet all the same, the one who took the claim over loses it, notices at its next write, and starts nothing more.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::api::{Api, Move};
use crate::context::{CommitId, StoreError};
use crate::github::ApiError;

/// So many commits are looked through for one of ours: more than runs publish while one of them waits for an answer.
const MOST_COMMITS: usize = 200;

/// That a ref is where it is expected to be; none stands for a ref that does not exist.
pub(super) fn expect(name: &str, found: Option<&CommitId>, expected: Option<&CommitId>) -> Result<(), StoreError> {
    if found == expected {
        return Ok(());
    }
    let text = |commit: Option<&CommitId>| commit.map_or_else(|| "nothing".to_owned(), |commit| format!("`{commit}`"));
    let why = format!("it is at {}, not at {}", text(found), text(expected));
    Err(StoreError::Conflict { what: name.to_owned(), why })
}

/// Moves a ref from `expected` to `new`, which is a commit on it; none stands for a ref that does not exist.
///
/// After every failure it is looked where the ref is, since the move may have been made although its answer was lost.
pub(super) async fn swap(api: &Api, name: &str, new: Option<&CommitId>, expected: Option<&CommitId>) -> Result<(), StoreError> {
    let mut delays = ExponentialBuilder::new().with_jitter().with_min_delay(Duration::from_millis(200)).with_max_times(4).build();
    let mut answer_was_lost = false;
    loop {
        let change = match (new, expected) {
            (None, _) => Move::Delete,
            (Some(new), None) => Move::Create(new),
            (Some(new), Some(_)) => Move::Forward(new),
        };
        let Err(problem) = api.set_reference(name, change).await else { return Ok(()) };
        match problem {
            ApiError::Denied { .. } | ApiError::NotFound { .. } => return Err(api.failed(&problem)),
            ApiError::Unavailable { .. } => answer_was_lost = true,
            ApiError::Refused { .. } => {}
        }
        let found = api.look(name).await?.into_commit();
        // Without a lost answer it is somebody else's move that led to the very same.
        if found.as_ref() == new && answer_was_lost {
            return Ok(());
        }
        if found.as_ref() == expected {
            let Some(delay) = delays.next() else { return Err(api.failed(&problem)) };
            tracing::warn!("{problem}; trying again in {} ms", delay.as_millis());
            api.sleep(delay).await;
            continue;
        }
        return match (&found, new) {
            (Some(head), Some(new)) if answer_was_lost && is_below(api, head, new, expected).await? => Ok(()),
            _ => expect(name, found.as_ref(), expected),
        };
    }
}

/// Whether `commit`, whose parent is `base`, is among those that `head` stands on.
async fn is_below(api: &Api, head: &CommitId, commit: &CommitId, base: Option<&CommitId>) -> Result<bool, StoreError> {
    let mut at = head.clone();
    for _ in 0..MOST_COMMITS {
        match api.commit(&at).await?.parents.first().cloned() {
            Some(parent) if parent == *commit => return Ok(true),
            Some(parent) if Some(&parent) != base => at = parent,
            _ => return Ok(false),
        }
    }
    Err(api.unavailable("an answer was lost, and too much was committed since to tell whether our commit was"))
}
