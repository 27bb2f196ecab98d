//! The context in a repository on a GitHub server: what is its own beside the behaviour of every store.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tieline::context::create::start_branches;
use tieline::context::github::GitHubStore;
use tieline::context::{Branch, Change, Changes, CommitId, ContextStore, RefNames, StoreError};
use tieline::domain::failure::FailureReason;
use tieline::github::{Client, Identity, Repository, Server};
use tieline::secrets::Secret;
use tieline::world::{Clock, World, os};

use super::publication::{assert_all_landed, publish_at_once};
use super::{place, strings, write};
use crate::github::{Fault, GitHub, Hosted};

const NAME: &str = "acme/context";

/// A server with a repository on it.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) github: GitHub,
    pub(super) repository: Hosted,
}

/// A clock on which waiting takes no time.
struct Hasty;

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

impl Bench {
    /// With an empty context: both branches are there.
    pub(super) async fn new() -> Self {
        let bench = Self::empty();
        start_branches(&bench.store()).await.unwrap();
        bench
    }

    /// With a repository in which nothing is.
    fn empty() -> Self {
        let github = GitHub::start();
        let repository = github.repository(NAME);
        Self { world: hasty(), github, repository }
    }

    /// A store of its own, as another run has it.
    pub(super) fn store(&self) -> GitHubStore {
        self.with(&[(NAME, &["contents=write"])])
    }

    /// A store with a token that has these permissions.
    fn with(&self, grants: &[(&str, &[&str])]) -> GitHubStore {
        open(&self.world, &self.github, NAME, grants)
    }

    /// The next request of the repository that starts with this meets a fault.
    pub(super) fn fail(&self, what: &str, fault: Fault) {
        self.github.fail(1, &on_repository(what), fault);
    }

    /// What is asked while this goes on, each request as its method and the route in the repository.
    async fn requests_of<T>(&self, deed: impl Future<Output = T>) -> (T, Vec<String>) {
        let before = self.github.requests().len();
        let done = deed.await;
        let requests = self.github.requests();
        let short = |target: &str| target.replacen(&format!("/repos/{NAME}/git/"), "", 1);
        (done, requests[before..].iter().map(|seen| format!("{} {}", seen.method, short(&seen.target))).collect())
    }

    /// The messages of a ref's commits, the newest first.
    pub(super) fn history(&self, reference: &str) -> Vec<String> {
        let log = Command::new("git")
            .args(["log", "--format=%s", reference])
            .env("GIT_DIR", self.repository.folder())
            .output()
            .unwrap();
        assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
        String::from_utf8(log.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

/// This machine, with a clock on which waiting takes no time.
fn hasty() -> World {
    World { clock: Arc::new(Hasty), ..os::world().unwrap() }
}

fn open(world: &World, github: &GitHub, name: &str, grants: &[(&str, &[&str])]) -> GitHubStore {
    let identity = Identity::Token(Secret::new(github.token(grants)));
    let (owner, name) = name.split_once('/').unwrap();
    let repository = Repository { owner: owner.to_owned(), name: name.to_owned() };
    let client = Client::new(world, &Server::at(Some(&github.url()), None), identity);
    GitHubStore::open(world, client, &repository, RefNames::default()).unwrap()
}

/// A new repository with an empty context, as two see it.
pub(super) async fn two_stores(github: &GitHub, name: &str) -> [GitHubStore; 2] {
    github.repository(name);
    let stores = [(), ()].map(|()| open(&hasty(), github, name, &[(name, &["contents=write"])]));
    start_branches(&stores[0]).await.unwrap();
    stores
}

/// `PATCH git/refs` as the start of a request.
fn on_repository(what: &str) -> String {
    what.replacen(' ', &format!(" /repos/{NAME}/"), 1)
}

/// Commits onto whatever the head is.
pub(super) async fn put(store: &dyn ContextStore, changes: &Changes, message: &str) -> Result<CommitId, StoreError> {
    let head = store.head(Branch::Ledger).await?;
    store.commit(Branch::Ledger, changes, head.as_ref(), message).await
}

#[tokio::test]
async fn an_empty_repository_gets_its_branches() {
    let bench = Bench::empty();
    let store = bench.store();
    assert_eq!(store.head(Branch::Documents).await.unwrap(), None);
    assert!(store.claims().await.unwrap().is_empty());
    let refused = store.write_claim(&place("retail/staging/shop"), b"1", None).await.unwrap_err().to_string();
    assert!(refused.ends_with("it is empty; `tieline context init` starts it"), "{refused}");

    start_branches(&store).await.unwrap();
    assert_eq!(bench.repository.files("main"), ["context.yaml"]);
    assert_eq!(bench.repository.files("ledger"), Vec::<String>::new());
    let heads = bench.repository.references().iter().map(|name| bench.repository.head(name)).collect::<Vec<_>>();
    start_branches(&bench.store()).await.unwrap();
    assert_eq!(bench.repository.references().iter().map(|name| bench.repository.head(name)).collect::<Vec<_>>(), heads);
}

#[tokio::test]
async fn an_empty_repository_takes_several_documents_at_once() {
    let bench = Bench::empty();
    let changes = write(&[("context.yaml", "a"), ("types/vpc/1.0.0.yaml", "b")]);
    let commit = bench.store().commit(Branch::Documents, &changes, None, "first").await.unwrap();
    assert_eq!(bench.repository.head("refs/heads/main").as_deref(), Some(commit.as_str()));
    assert_eq!(bench.repository.files("main"), ["context.yaml", "types/vpc/1.0.0.yaml"]);
}

#[tokio::test]
async fn contents_of_any_kind_and_size_survive() {
    let bench = Bench::new().await;
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(3_000_000).collect();
    let text = "line\r\n".repeat(1 << 20);
    let changes = Changes::from([
        ("large.bin".to_owned(), Change::write(large.clone())),
        ("large.txt".to_owned(), Change::write(text.clone())),
        ("latin".to_owned(), Change::write(b"caf\xe9".to_vec())),
    ]);
    let at = put(&bench.store(), &changes, "m").await.unwrap();
    let found = bench.store().read(&at, &strings(["large.bin", "large.txt", "latin"])).await.unwrap();
    assert!(found["large.bin"] == large && found["large.txt"] == text.as_bytes());
    assert_eq!(found["latin"], b"caf\xe9");
}

#[tokio::test]
async fn a_tree_too_large_for_one_answer_is_listed_whole() {
    let bench = Bench::new().await;
    let changes: Changes = (0..40).map(|n| (format!("d{}/e{}/{n}", n % 10, n % 2), Change::write(""))).collect();
    let at = put(&bench.store(), &changes, "m").await.unwrap();
    bench.github.truncate_trees_at(15);
    let listed = bench.store().list(&at, &strings([""])).await.unwrap().remove("").unwrap();
    assert_eq!(listed.into_iter().map(|file| file.path).collect::<Vec<_>>(), changes.into_keys().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_sixteen_publishers_all_land() {
    let bench = Bench::new().await;
    // Waiting is what lets the others go first.
    let world = os::world().unwrap();
    let stores = (0..16).map(|_| -> Arc<dyn ContextStore> { Arc::new(bench.store()) }).collect();
    publish_at_once(&world, stores).await;
    assert_all_landed(&bench.store(), 16).await;
    assert_eq!(bench.history("ledger").len(), 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_of_many_one_takes_a_claim_and_of_many_one_takes_it_over() {
    let bench = Bench::new().await;
    let shop = place("retail/staging/shop");
    let race = async |expected: Option<CommitId>| {
        let runs = (0..12).map(|number| {
            let (store, shop, expected) = (bench.store(), shop.clone(), expected.clone());
            tokio::spawn(async move { store.write_claim(&shop, format!("{number}").as_bytes(), expected.as_ref()).await })
        });
        let mut taken = Vec::new();
        for run in runs.collect::<Vec<_>>() {
            match run.await.unwrap() {
                Ok(commit) => taken.push(commit),
                Err(problem) => assert!(matches!(problem, StoreError::Conflict { .. }), "{problem}"),
            }
        }
        assert_eq!(taken.len(), 1);
        taken.remove(0)
    };
    let taken = race(None).await;
    let taken_over = race(Some(taken)).await;
    assert_eq!(bench.store().read_claim(&shop).await.unwrap().unwrap().0, taken_over);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let bench = Bench::new().await;
    let reader = bench.with(&[(NAME, &["contents=read"])]);
    let refused = put(&reader, &write(&[("a", "")]), "m").await.unwrap_err();
    let diagnostic = refused.diagnostic();
    assert_eq!(diagnostic.reason, FailureReason::PermissionDenied);
    assert_eq!(diagnostic.message, "the token may not do this in `acme/context`: it lacks `contents: write`");
    assert!(diagnostic.help[0].contains("`contents: write`"), "{diagnostic:?}");
    assert_eq!(refused.to_string(), diagnostic.message);
}

#[tokio::test]
async fn a_repository_that_cannot_be_seen_is_not_an_empty_one() {
    let bench = Bench::new().await;
    let stranger = bench.with(&[("acme/other", &["contents=write"])]);
    let refused = stranger.head(Branch::Ledger).await.unwrap_err().diagnostic();
    assert_eq!(refused.reason, FailureReason::ContextUnavailable);
    assert_eq!(refused.message, "`acme/context` does not have it, or the token cannot see it");
    assert!(stranger.claims().await.is_err());
}

#[tokio::test]
async fn requests_are_as_few_as_what_is_read() {
    let bench = Bench::new().await;
    let path = |n: usize| format!("w/e/d/applied/a{n}.json");
    let changes: Changes = (0..5).map(|n| (path(n), Change::write(format!("{n}")))).collect();
    put(&bench.store(), &changes, "m").await.unwrap();
    let short = |requests: Vec<String>| {
        let kinds = requests.iter().map(|request| request.rsplit_once('/').map_or(request.as_str(), |(kind, _)| kind).to_owned());
        kinds.collect::<Vec<_>>()
    };

    let store = bench.store();
    let (head, asked) = bench.requests_of(store.head(Branch::Ledger)).await;
    let head = head.unwrap().unwrap();
    assert_eq!(asked, ["GET ref/heads%2Fledger"]);
    let paths: Vec<_> = changes.keys().cloned().collect();
    let (read, asked) = bench.requests_of(store.read(&head, &paths)).await;
    assert_eq!(read.unwrap().len(), 5);
    // The commit, the trees on the way, and each file.
    assert_eq!(short(asked), [vec!["GET commits"], vec!["GET trees"; 5], vec!["GET blobs"; 5]].concat());
    let (_, asked) = bench.requests_of(store.list(&head, &strings(["w/e/d"]))).await;
    assert_eq!(asked, Vec::<String>::new(), "all on the way is known");

    let (next, asked) = bench.requests_of(store.commit(Branch::Ledger, &write(&[(&path(0), "new")]), Some(&head), "m")).await;
    assert_eq!(asked, ["GET ref/heads%2Fledger", "POST trees", "POST commits", "PATCH refs/heads%2Fledger"]);
    let (_, asked) = bench.requests_of(store.read(&next.unwrap(), &paths)).await;
    assert_eq!(short(asked), [vec!["GET trees"; 5], vec!["GET blobs"]].concat(), "only what changed is read again");
}

#[tokio::test]
async fn many_folders_of_one_are_listed_in_one_request() {
    let bench = Bench::new().await;
    let folder = |n: usize| format!("w/e/d/consumers/a{n}.x");
    let changes: Changes = (0..30).map(|n| (format!("{}/c.json", folder(n)), Change::write(""))).collect();
    let at = put(&bench.store(), &changes, "m").await.unwrap();
    let folders: Vec<_> = (0..30).map(folder).collect();
    let store = bench.store();
    let (listed, asked) = bench.requests_of(store.list(&at, &folders)).await;
    assert!(listed.unwrap().values().all(|files| files.len() == 1));
    assert_eq!(asked.len(), 6, "a commit and the trees on the way: {asked:#?}");
    assert!(asked[5].ends_with("?recursive=1"), "{asked:#?}");
}
