//! What the double knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use tempfile::TempDir;

use super::access::Token;
use super::apps::{self, Installation};
use super::call::{Answer, Call};
use super::fault::Planned;
use super::identity::Job;
use super::repository::Repository;

/// As GitHub's own.
const TREE_LIMIT: usize = 100_000;

pub(super) struct State {
    /// Holds the repositories.
    folder: TempDir,
    /// By `owner/name` in lower case.
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) tokens: BTreeMap<String, Token>,
    last_token: u64,
    pub(super) faults: Vec<Planned>,
    pub(super) seen: Vec<Seen>,
    pub(super) tree_limit: usize,
    pub(super) installations: Vec<Installation>,
    /// How long a token of an installation lives.
    pub(super) token_life: TimeDelta,
    pub(super) jobs: Vec<Job>,
    /// Where archives are.
    pub(super) codeload: String,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, without the prefix of an Enterprise Server. Archives are on a host of their own, and start with `codeload/`.
    pub(crate) target: String,
    /// The token, as it was sent; empty without one.
    pub(crate) token: String,
    pub(crate) body: Vec<u8>,
    /// None where the connection was cut.
    pub(crate) status: Option<u16>,
}

impl Seen {
    /// Whether it was to change something in a repository.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && self.target.starts_with("/repos/")
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
        write!(f, "{} {} {status}", self.method, self.target)
    }
}

impl State {
    pub(super) fn new(codeload: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            repositories: BTreeMap::new(),
            tokens: BTreeMap::new(),
            last_token: 0,
            faults: Vec::new(),
            seen: Vec::new(),
            tree_limit: TREE_LIMIT,
            installations: Vec::new(),
            token_life: apps::TOKEN_LIFE,
            jobs: Vec::new(),
            codeload: codeload.to_owned(),
        }
    }

    pub(super) fn add_repository(&mut self, name: &str) {
        let id = 1_000_000 * (self.repositories.len() as u64 + 1);
        let folder = self.folder.path().join(format!("{id}.git"));
        self.repositories.entry(name.to_lowercase()).or_insert_with(|| Repository::create(name, id, folder));
    }

    pub(super) fn add_token(&mut self, token: Token) -> String {
        self.last_token += 1;
        let text = format!("ghs_{:032}", self.last_token);
        self.tokens.insert(text.clone(), token);
        text
    }

    pub(super) fn record(&mut self, call: &Call, answer: Option<&Answer>) {
        self.seen.push(Seen {
            method: call.method.to_string(),
            target: call.target.clone(),
            token: call.token().unwrap_or_default().to_owned(),
            body: call.body.clone(),
            status: answer.map(|answer| answer.status.as_u16()),
        });
    }
}

/// A test that failed with the state in its hands does not fail the others of its process.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
