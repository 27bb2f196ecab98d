//! A GitHub of our own on loopback, for tests of everything that talks to GitHub.
//!
//! It is stateful: repositories are real bare git repositories on disk, so that what the Git data API says of blobs, trees, commits
//! and refs is git's own answer; comments, deployments, check runs, issues and pulls are kept. It knows who may do what, answers as GitHub
//! does (statuses, messages, headers), fails on demand and records every request. Its answers are held to GitHub's published
//! description of the API by the proxy of [`GitHub::validated`].
//!
//! ```ignore
//! let github = GitHub::start();
//! let shop = github.repository("acme/shop");
//! let head = shop.commit("main", &[("README.md", "a shop")]);
//! let token = github.token(&[("acme/shop", &["contents=write", "issues=write"])]);
//! github.fail(1, "POST /repos/acme/shop/git/refs", Fault::Status(502));
//! ```

mod about;
mod access;
mod apps;
mod call;
mod checks;
mod comments;
mod commits;
mod contents;
mod deployments;
mod fault;
mod git;
mod history;
mod host;
mod identity;
mod issues;
mod judge;
mod jwt;
mod objects;
mod people;
mod pulls;
mod references;
mod repository;
mod routes;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod trees;
mod workflow_runs;

use std::sync::{Arc, Mutex, MutexGuard};

use access::Token;
use apps::{App, Installation};
use chrono::TimeDelta;
pub(crate) use fault::Fault;
use host::{Host, Port};
use identity::{Identity, Job};
use judge::Judge;
pub(crate) use repository::Hosted;
use serde_json::Value;
pub(crate) use state::Seen;
use state::State;

/// A running GitHub. It stops when it is dropped.
pub(crate) struct GitHub {
    api: String,
    state: Arc<Mutex<State>>,
    judge: Option<Judge>,
    _host: Host,
}

impl GitHub {
    /// One with nothing in it. With the variable `TIELINE_TEST_OPENAPI` it is a [`Self::validated`] one.
    pub(crate) fn start() -> Self {
        if std::env::var_os("TIELINE_TEST_OPENAPI").is_some() { Self::validated().unwrap() } else { Self::unjudged() }
    }

    /// One that never is validated: for callers who are wrong on purpose, and connections that are cut.
    pub(crate) fn unjudged() -> Self {
        let (api, archives) = (Port::open(), Port::open());
        let state = Arc::new(Mutex::new(State::new(&archives.url())));
        let [answers, packs] = server::routers(&state);
        let url = api.url();
        let host = Host::start(vec![(api, answers), (archives, packs)]);
        Self { api: url, state, judge: None, _host: host }
    }

    /// One whose callers and answers are held to GitHub's own description of its API. What breaks it fails the test in the end.
    /// It takes seconds to start, and cannot cut connections.
    ///
    /// # Errors
    /// When the machine lacks what that takes.
    pub(crate) fn validated() -> Result<Self, String> {
        let github = Self::unjudged();
        let judge = Judge::start(&github.api)?;
        Ok(Self { judge: Some(judge), ..github })
    }

    /// Where the API is, as `GITHUB_API_URL` says it: `https://api.github.com`.
    pub(crate) fn url(&self) -> String {
        self.judge.as_ref().map_or(&self.api, |judge| &judge.url).clone()
    }

    /// Where the API of a GitHub Enterprise Server is: the same, below `/api/v3`.
    pub(crate) fn enterprise_url(&self) -> String {
        format!("{}/api/v3", self.url())
    }

    /// The repository `owner/name`; made, empty and private, if it is not there.
    pub(crate) fn repository(&self, name: &str) -> Hosted {
        self.state().add_repository(name);
        Hosted::new(&self.state, name)
    }

    /// A token that lives until [`Self::expire`], with permissions such as `contents=write` for each of some repositories.
    pub(crate) fn token(&self, grants: &[(&str, &[&str])]) -> String {
        self.state().add_token(Token::new(grants))
    }

    /// Makes a token one that GitHub does not know any more.
    pub(crate) fn expire(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// Makes every token one that GitHub does not know any more.
    pub(crate) fn expire_all(&self) {
        self.state().tokens.clear();
    }

    /// Installs the app in repositories of one owner, with permissions such as `contents=write`.
    pub(crate) fn install_app(&self, repositories: &[&str], permissions: &[&str]) -> App {
        self.state().installations.push(Installation::new(repositories, permissions));
        App::new()
    }

    /// How long a token of the app lives that is made from now on; an hour, if nobody says otherwise.
    pub(crate) fn tokens_live_for(&self, time: TimeDelta) {
        self.state().token_life = time;
    }

    /// Where a job gets tokens with this subject, such as `repo:acme/shop:environment:staging`.
    pub(crate) fn identity(&self, subject: &str) -> Identity {
        self.identity_living(subject, TimeDelta::minutes(5))
    }

    /// The same, with tokens that live so long.
    pub(crate) fn identity_living(&self, subject: &str, life: TimeDelta) -> Identity {
        let (base, mut state) = (self.url(), self.state());
        let token = format!("runtime-token-{}", state.jobs.len() + 1);
        state.jobs.push(Job { token: token.clone(), subject: subject.to_owned(), life });
        Identity { url: format!("{base}/_oidc/token?api-version=2.0"), token, issuer: format!("{base}/_oidc") }
    }

    /// The claims of an identity token, if it is one of this GitHub.
    pub(crate) fn claims(token: &str) -> Option<Value> {
        identity::claims(token)
    }

    /// The key that signs identity tokens, as the issuer publishes it.
    pub(crate) fn key() -> Value {
        identity::public_key()
    }

    /// An identity token that this GitHub would not give: with these claims.
    pub(crate) fn forged(claims: &Value) -> String {
        identity::forged(claims)
    }

    /// The next `times` requests that start with `what`, such as `POST /repos/acme/shop/git/`, meet a fault; all start with nothing.
    pub(crate) fn fail(&self, times: usize, what: &str, fault: Fault) {
        self.state().faults.push(fault::Planned { times, what: what.to_owned(), fault });
    }

    /// Does something just before the next request that starts with `what` is carried out: what somebody else does meanwhile.
    pub(crate) fn meanwhile(&self, what: &str, deed: impl FnOnce() + Send + 'static) {
        self.fail(1, what, Fault::Meanwhile(Box::new(deed)));
    }

    /// Above how many entries a recursive listing of a tree is cut.
    pub(crate) fn truncate_trees_at(&self, entries: usize) {
        self.state().tree_limit = entries;
    }

    /// Every request so far, in the order they were answered.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// How many requests so far were to change something in a repository, whether they did or not.
    pub(crate) fn writes(&self) -> usize {
        self.state().seen.iter().filter(|seen| seen.is_write()).count()
    }

    /// What broke GitHub's description of its API so far; nothing where that is not looked at.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.judge.as_ref().map(Judge::violations).unwrap_or_default()
    }

    /// The same, and the test does not fail for it.
    pub(crate) fn forgive_violations(&self) -> Vec<String> {
        self.judge.as_ref().map(Judge::forgive).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        state::lock(&self.state)
    }
}
