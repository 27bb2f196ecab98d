//! The context in a repository on a GitHub server: what is its own beside the behaviour of every store.

use std::sync::Arc;

use tieline::context::create::start_branches;
use tieline::context::github::GitHubStore;
use tieline::context::{Branch, ContextStore, RefNames, StoreError};
use tieline::domain::failure::FailureReason;
use tieline::github::{Client, Identity, Repository, Server};
use tieline::secrets::Secret;
use tieline::world::{World, os};

use super::{place, strings, write};
use crate::github::{Fault, GitHub, Hosted};

const NAME: &str = "acme/context";

/// A server with a repository on it.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) github: GitHub,
    pub(super) repository: Hosted,
}

impl Bench {
    /// With an empty context: both branches are there.
    pub(super) async fn new() -> Self {
        let bench = Self::empty();
        start_branches(&bench.store()).await.unwrap();
        bench
    }

    /// With a repository in which nothing is.
    pub(super) fn empty() -> Self {
        let github = GitHub::start();
        let repository = github.repository(NAME);
        Self { world: os::world().unwrap(), github, repository }
    }

    /// A store of its own, as another run has it.
    pub(super) fn store(&self) -> GitHubStore {
        self.with(&["contents=write"])
    }

    /// A store with a token that has these permissions.
    fn with(&self, permissions: &[&str]) -> GitHubStore {
        self.open(Identity::Token(Secret::new(self.github.token(&[(NAME, permissions)]))))
    }

    fn open(&self, identity: Identity) -> GitHubStore {
        let (owner, name) = NAME.split_once('/').unwrap();
        let repository = Repository { owner: owner.to_owned(), name: name.to_owned() };
        let client = Client::new(&self.world, &Server::at(Some(&self.github.url()), None), identity);
        GitHubStore::open(&self.world, client, &repository, RefNames::default()).unwrap()
    }

    /// The requests since the last time, without their host and repository.
    fn requests(&self, since: usize) -> Vec<String> {
        let start = format!("/repos/{NAME}/");
        self.github.requests()[since..]
            .iter()
            .map(|seen| format!("{} {}", seen.method, seen.target.replace(&start, "")))
            .collect()
    }
}
