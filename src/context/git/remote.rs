//! What a remote adds: a private cache of what was read of it, and pushes that land only where nothing moved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::ExponentialBuilder;

use super::command::{Git, Reach, readable};
use super::objects::parse_tree;
use super::references::{lost_race, parse_references};
use crate::context::location::hide_credentials;
use crate::context::{CommitId, ListedFile, StoreError};
use crate::domain::names::Digest;
use crate::world::World;

/// Blobs are left out of every fetch and asked for by name, in one batch, when they are read.
const FILTER: &str = "--filter=blob:none";

/// A remote, through a bare repository of our own on this machine.
pub(super) struct Remote {
    /// The cache, as a repository that is missing some blobs and knows where to get them.
    network: Git,
    /// The cache, as a repository that is missing some blobs and says so instead of fetching them one by one.
    cache: Git,
    /// The commits known to be in the cache.
    present: Mutex<BTreeSet<CommitId>>,
    /// Under which name of the cache a head is kept, so that the next fetch brings only what is new.
    kept_as: Mutex<BTreeMap<CommitId, String>>,
}

impl Remote {
    /// Opens the cache of `url` below `folder`, and makes it where there is none.
    pub(super) async fn open(world: &World, url: &str, folder: &Path, what: &str) -> Result<Self, StoreError> {
        let clean = hide_credentials(url);
        let directory = folder.join(format!("{}.git", Digest::of(clean.as_bytes()).short()));
        let settings = [
            ("remote.origin.url", url),
            // Said here, or the fetch would write them, and the address, into the cache.
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialCloneFilter", "blob:none"),
        ];
        super::make_bare(world, &directory, "main").await?;
        Ok(Self {
            network: Git::new(world, &directory, &settings, what.to_owned()),
            cache: Git::new(world, &directory, &[], what.to_owned()),
            present: Mutex::default(),
            kept_as: Mutex::default(),
        })
    }

    /// The cache, for what needs no network.
    pub(super) fn cache(&self) -> &Git {
        &self.cache
    }

    /// The refs of the remote that match `pattern`.
    pub(super) async fn references(&self, pattern: &str) -> Result<BTreeMap<String, CommitId>, StoreError> {
        Ok(parse_references(&self.fetching(&["ls-remote", "--refs", "--quiet", "--", "origin", pattern], None).await?))
    }

    /// Remembers that `commit` is the head of the ref `name`.
    pub(super) fn keep_as(&self, commit: &CommitId, name: &str) {
        locked(&self.kept_as).insert(commit.clone(), name.replacen("refs/", "refs/fetched/", 1));
    }

    /// Remembers that `commit` was made here.
    pub(super) fn made(&self, commit: &CommitId) {
        locked(&self.present).insert(commit.clone());
    }

    /// Brings a commit with its trees into the cache.
    pub(super) async fn bring(&self, commit: &CommitId) -> Result<(), StoreError> {
        if locked(&self.present).contains(commit) {
            return Ok(());
        }
        if !self.cache.run(Reach::Local, &["cat-file", "-e", commit.as_str()], None).await?.exit.success() {
            let kept_as = locked(&self.kept_as).get(commit).cloned();
            let wanted = kept_as.map_or_else(|| commit.to_string(), |name| format!("+{commit}:{name}"));
            let fetch = ["fetch", "--quiet", "--depth=1", FILTER, "--no-tags", "--no-write-fetch-head", "--", "origin", &wanted];
            self.fetching(&fetch, None).await?;
        }
        self.made(commit);
        Ok(())
    }

    /// The files at these paths of a commit in the cache; nothing is fetched.
    pub(super) async fn entries(&self, at: &CommitId, paths: &[String]) -> Result<Vec<ListedFile>, StoreError> {
        // So many names fit on a command line, however long they are.
        const AT_ONCE: usize = 500;
        let mut entries = Vec::new();
        for paths in paths.chunks(AT_ONCE) {
            let mut arguments = vec!["ls-tree", "-r", "-z", at.as_str(), "--"];
            arguments.extend(paths.iter().map(String::as_str));
            entries.extend(parse_tree(&self.cache.output(Reach::Local, &arguments, None).await?));
        }
        Ok(entries)
    }

    /// Brings blobs into the cache, all at once.
    pub(super) async fn bring_blobs(&self, objects: &BTreeSet<&str>) -> Result<(), StoreError> {
        let wanted = objects.iter().copied().collect::<Vec<_>>().join("\n").into_bytes();
        let negotiate_nothing = ["-c", "fetch.negotiationAlgorithm=noop"];
        let fetch = ["fetch", "--quiet", FILTER, "--no-tags", "--no-write-fetch-head", "--stdin", "--", "origin"];
        self.fetching(&[&negotiate_nothing[..], &fetch[..]].concat(), Some(wanted)).await.map(drop)
    }

    /// Moves a ref of the remote from `expected` to `new`; none stands for a ref that does not exist.
    pub(super) async fn swap(&self, name: &str, new: Option<&CommitId>, expected: Option<&CommitId>) -> Result<(), StoreError> {
        let text = |commit: Option<&CommitId>| commit.map_or_else(String::new, ToString::to_string);
        let lease = format!("--force-with-lease={name}:{}", text(expected));
        let moved = format!("{}:{name}", text(new));
        let push = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", &lease, "--", "origin", &moved];
        let pushed = self.network.run(Reach::Network, &push, None).await?;
        let report = String::from_utf8_lossy(&pushed.stdout);
        // A push that finds its commit there already was made twice: the other one has the place.
        let is_told = |flag: char| report.lines().any(|line| line.starts_with(flag) && line.contains('\t'));
        if pushed.exit.success() && !is_told('=') {
            return Ok(());
        }
        if pushed.exit.cancelled {
            return Err(self.network.failure(&pushed));
        }
        let refusal = report.lines().find(|line| line.starts_with(['!', '='])).unwrap_or_default();
        let words = format!("{refusal}\n{}", String::from_utf8_lossy(&pushed.stderr));
        if is_told('=') || lost_race(&words) {
            return Err(StoreError::Conflict { what: name.to_owned(), why: readable(&words) });
        }
        Err(self.network.unavailable(&words))
    }

    /// Takes refs of the remote away, all at once, but for those that are no longer where they were seen.
    pub(super) async fn delete(&self, refs: &BTreeMap<String, CommitId>) -> Result<(), StoreError> {
        let leases = refs.iter().map(|(name, commit)| format!("--force-with-lease={name}:{commit}"));
        let gone = refs.keys().map(|name| format!(":{name}"));
        let push = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed"].map(str::to_owned);
        let command: Vec<String> =
            push.into_iter().chain(leases).chain(["--".to_owned(), "origin".to_owned()]).chain(gone).collect();
        let pushed = self.network.run(Reach::Network, &command.iter().map(String::as_str).collect::<Vec<_>>(), None).await?;
        let report = String::from_utf8_lossy(&pushed.stdout);
        let mut refused = report.lines().filter(|line| line.starts_with('!')).peekable();
        if pushed.exit.success() || refused.peek().is_some() && refused.all(lost_race) {
            return Ok(());
        }
        Err(self.network.failure(&pushed))
    }

    /// Runs a command that only fetches, a few times where the network may be to blame.
    async fn fetching(&self, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
        let delays = ExponentialBuilder::new().with_jitter().with_min_delay(Duration::from_millis(500)).with_max_times(3);
        self.network.output_in_the_end(Reach::Network, arguments, stdin, delays, may_pass).await
    }
}

/// Whether trying again can help: not where the remote said no.
fn may_pass(problem: &StoreError) -> bool {
    const FINAL: [&str; 11] = [
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "Permission denied",
        "error: 401",
        "error: 403",
        "error: 404",
        "not found",
        "does not exist",
        "does not appear to be a git repository",
        "not our ref",
    ];
    matches!(problem, StoreError::Unavailable { why, .. } if !FINAL.iter().any(|text| why.contains(text)))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What they hold is whole after every statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
