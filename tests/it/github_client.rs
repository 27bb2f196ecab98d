//! What a run asks of a GitHub server and writes there, against the double.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use octocrab::params::checks::{CheckRunConclusion, CheckRunOutputAnnotation, CheckRunOutputAnnotationLevel};
use serde_json::{Value, json};
use tempfile::TempDir;

use tieline::domain::diagnostic::{Pointer, Problems};
use tieline::domain::failure::FailureReason;
use tieline::github::deployment::{State, Status, Subject};
use tieline::github::{ApiError, Client, Identity, IdentityTokens, Repository, Server, check, comment, deployment};
use tieline::secrets::Secret;
use tieline::sources::{Fetched, Lock, LockMode, Terms, fetch_all};
use tieline::world::os::world;
use tieline::world::{Clock, World};

use crate::github::{Fault, GitHub};

/// The time of this machine, on which waits are over at once.
#[derive(Default)]
struct Hurried(Mutex<Vec<u64>>);

#[async_trait]
impl Clock for Hurried {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration.as_secs());
    }
}

/// A double with `acme/shop` on it, and what a test asks it with.
struct Bench {
    github: GitHub,
    world: World,
    clock: Arc<Hurried>,
}

impl Bench {
    fn start() -> Self {
        let github = GitHub::start();
        github.repository("acme/shop").commit("main", &[("tieline.yaml", "")]);
        let clock = Arc::new(Hurried::default());
        let world = World { clock: clock.clone(), ..world().unwrap() };
        Self { github, world, clock }
    }

    fn client_of(&self, identity: Identity) -> Client {
        Client::new(&self.world, &Server::at(Some(&self.github.url()), None), identity)
    }

    /// A client whose token has these permissions in `acme/shop`.
    fn client(&self, permissions: &[&str]) -> Client {
        self.client_of(Identity::Token(Secret::new(self.github.token(&[("acme/shop", permissions)]))))
    }

    /// What was asked so far: method, target and status.
    fn asked(&self) -> Vec<String> {
        self.github.requests().iter().map(ToString::to_string).collect()
    }
}

fn shop() -> Repository {
    Repository { owner: "acme".into(), name: "shop".into() }
}

const HEAD: &str = "/repos/acme/shop/git/ref/heads/main";

#[tokio::test(flavor = "multi_thread")]
async fn an_app_gets_its_token_late_and_another_when_it_is_not_accepted_any_more() {
    let bench = Bench::start();
    let app = bench.github.install_app(&["acme/shop", "acme/other"], &["contents=write", "administration=write"]);
    let identity = Identity::App { id: app.id, key: Secret::new(app.key), repository: shop() };
    let learnt = Arc::new(Mutex::new(Vec::new()));
    let client = bench.client_of(identity).learning({
        let learnt = learnt.clone();
        move |secret| learnt.lock().unwrap().push(secret.expose().to_owned())
    });
    assert!(bench.asked().is_empty());
    client.get::<Value>(HEAD).await.unwrap();
    client.get::<Value>(HEAD).await.unwrap();
    bench.github.expire_all();
    client.get::<Value>(HEAD).await.unwrap();
    let (found, minted) = ("GET /repos/acme/shop/installation 200", "POST /app/installations/1/access_tokens 201");
    let (read, refused) = (format!("GET {HEAD} 200"), format!("GET {HEAD} 401"));
    assert_eq!(bench.asked(), [found, minted, &read, &read, &refused, found, minted, &read]);
    // Whatever the server was shown is known to be secret.
    let learnt = learnt.lock().unwrap();
    assert!(bench.github.requests().iter().all(|seen| learnt.contains(&seen.token)));
    let asked: Value = serde_json::from_slice(&bench.github.requests()[1].body).unwrap();
    assert_eq!(asked, json!({"repositories": ["shop"], "permissions": {"contents": "write"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_comment_for_a_place_and_it_is_kept_up_to_date() {
    let bench = Bench::start();
    let shop = bench.github.repository("acme/shop");
    shop.commit("change", &[("tieline.yaml", "x")]);
    let pull = shop.open_pull("change", "A change");
    (0..150).for_each(|_| shop.comment(pull, "ana", "> <!-- tieline: payments/staging/shop -->"));
    let client = bench.client(&["pull_requests=write"]);
    let upsert = async |place, text| comment::upsert(&client, &self::shop(), pull, place, text).await.unwrap();
    let first = upsert("payments/staging/shop", "one").await;
    assert_eq!(upsert("payments/staging/shop", "two").await, first);
    assert_ne!(upsert("payments/production/shop", "three").await, first);
    assert_eq!(client.writes(), 3);
    upsert("payments/staging/shop", "two").await;
    assert_eq!(client.writes(), 3, "what is there already is not written again");
    assert_eq!(
        shop.comments(pull)[150..],
        ["<!-- tieline: payments/staging/shop -->\ntwo", "<!-- tieline: payments/production/shop -->\nthree"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_created_and_follows_the_run() {
    let bench = Bench::start();
    let client = bench.client(&["deployments=write"]);
    let subject = Subject {
        reference: "main".into(),
        environment: "staging".into(),
        description: "shop by Tieline".into(),
        transient: false,
        production: false,
    };
    let made = deployment::create(&client, &shop(), &subject).await.unwrap();
    for state in [State::InProgress, State::Success] {
        let log_url = Some("https://github.com/acme/shop/actions/runs/1".to_owned());
        let status = Status { state, description: "d".repeat(150), log_url, environment_url: None };
        made.set(&client, &status).await.unwrap();
    }
    let shown = bench.github.repository("acme/shop").deployments();
    assert_eq!(shown[0].0["environment"], "staging");
    let states: Vec<&Value> = shown[0].1.iter().map(|status| &status["state"]).collect();
    assert_eq!(states, ["in_progress", "success"]);
    assert_eq!(client.writes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_has_a_summary_and_all_its_annotations() {
    let bench = Bench::start();
    let head = bench.github.repository("acme/shop").head("refs/heads/main").unwrap();
    let client = bench.client(&["checks=write"]);
    let annotation = |line| CheckRunOutputAnnotation {
        path: "tieline.yaml".into(),
        start_line: line,
        end_line: line,
        start_column: None,
        end_column: None,
        annotation_level: CheckRunOutputAnnotationLevel::Failure,
        message: "wrong".into(),
        title: None,
        raw_details: None,
    };
    let made = check::create(&client, &shop(), "Tieline: shop", &head, None).await.unwrap();
    made.complete(&client, CheckRunConclusion::Failure, "1 failed", "all of it", (1..=70).map(annotation).collect())
        .await
        .unwrap();
    let (shown, annotations) = bench.github.repository("acme/shop").checks().remove(0);
    assert_eq!((&shown["status"], &shown["conclusion"]), (&json!("completed"), &json!("failure")));
    assert_eq!(annotations.len(), 70);
    assert_eq!(client.writes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named() {
    let bench = Bench::start();
    let client = bench.client(&["contents=read"]);
    let problem = deployment::create(&client, &shop(), &Subject::default()).await.unwrap_err();
    let diagnostic = problem.diagnostic(FailureReason::ContextUnavailable);
    assert_eq!(diagnostic.reason, FailureReason::PermissionDenied);
    assert_eq!(diagnostic.message, "the token may not do this in `acme/shop`: it lacks `deployments: write`");
    assert_eq!(diagnostic.help[0], "add `deployments: write` to `permissions:` of the workflow's job");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_waited_for_and_a_write_is_not_repeated_blindly() {
    let bench = Bench::start();
    let client = bench.client(&["contents=write"]);
    bench.github.fail(1, "GET", Fault::PrimaryLimit { reset_in: 300 });
    bench.github.fail(1, "GET", Fault::SecondaryLimit { status: 403, retry_after: None });
    bench.github.fail(1, "GET", Fault::Cut);
    client.get::<Value>(HEAD).await.unwrap();
    let waited = std::mem::take(&mut *bench.clock.0.lock().unwrap());
    assert!((299..=301).contains(&waited[0]) && waited[1] == 60 && waited[2] < 10, "{waited:?}");
    bench.github.fail(1, "POST", Fault::SecondaryLimit { status: 429, retry_after: Some(7) });
    bench.github.fail(1, "POST", Fault::CutAfterwards);
    let blob = json!({"content": "x"});
    let problem = client.send::<Value>(http::Method::POST, "/repos/acme/shop/git/blobs", &blob).await.unwrap_err();
    assert!(matches!(problem, ApiError::Unavailable { .. }), "{problem:?}");
    assert_eq!(*bench.clock.0.lock().unwrap(), [7]);
    let posts = bench.asked().iter().filter(|asked| asked.starts_with("POST")).count();
    assert_eq!(posts, 2, "once refused, once cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_server_is_asked_below_its_prefix() {
    let bench = Bench::start();
    let server = Server::at(Some(&bench.github.enterprise_url()), None);
    let token = Secret::new(bench.github.token(&[("acme/shop", &["contents=read"])]));
    let found: Value = Client::new(&bench.world, &server, Identity::Token(token)).get(HEAD).await.unwrap();
    assert!(found["url"].as_str().unwrap().starts_with(&bench.github.enterprise_url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_gets_identity_tokens_for_an_audience() {
    let bench = Bench::start();
    let job = bench.github.identity("repo:acme/shop:environment:staging");
    let tokens = IdentityTokens::new(&bench.world, Some(&job.url), Some(&job.token)).unwrap();
    let claims = GitHub::claims(tokens.token("sts.amazonaws.com").await.unwrap().expose()).unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("sts.amazonaws.com"), &json!("repo:acme/shop:environment:staging")));
    let wrong = IdentityTokens::new(&bench.world, Some(&job.url), Some("wrong")).unwrap();
    assert_eq!(wrong.token("x").await.unwrap_err().reason, FailureReason::PermissionDenied);
}

/// A manifest's folder with a cache, whose plugins come from the double.
struct Place {
    bench: Bench,
    folder: TempDir,
}

type Answer = Result<(BTreeMap<String, Fetched>, Lock, Problems), Problems>;

impl Place {
    /// With `acme/plugins` on the server: two plugins, tagged `v1`.
    fn start() -> Self {
        let bench = Bench::start();
        let plugins = bench.github.repository("acme/plugins");
        plugins.commit("main", &[("db/plugin.yaml", "version: 1.0.0\n"), ("db/main.tf", "# one\n"), ("web/plugin.yaml", "x\n")]);
        let place = Self { bench, folder: tempfile::tempdir().unwrap() };
        place.tag("v1");
        place
    }

    /// Puts a tag on `main`, wherever it was.
    fn tag(&self, name: &str) {
        let folder = self.bench.github.repository("acme/plugins").folder();
        let arguments = ["-c", "user.name=t", "-c", "user.email=t@example.test", "tag", "-f", "-a", "-m", "t", name, "main"];
        let done = std::process::Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    async fn ask(&self, mode: LockMode, lock: &Lock, uses: &[&str]) -> Answer {
        let client =
            self.bench.client_of(Identity::Token(Secret::new(self.bench.github.token(&[("acme/plugins", &["contents=read"])]))));
        let terms = Terms {
            manifest_file: "tieline.yaml",
            manifest_folder: self.folder.path(),
            cache: &self.folder.path().join("cache"),
            catalog: None,
            lock,
            mode,
            github: &client,
        };
        let uses = uses.iter().map(|written| ((*written).to_owned(), Pointer::keys(["plugins", "a", "use"]))).collect();
        fetch_all(&self.bench.world, &terms, &uses).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_of_a_tag_come_in_one_archive_and_a_tag_that_moved_is_refused() {
    let place = Place::start();
    let uses = ["github:acme/plugins//db@v1", "github:acme/plugins//web@v1"];
    let (plugins, lock, _) = place.ask(LockMode::Add, &Lock::default(), &uses).await.unwrap();
    assert_eq!(plugins[uses[0]].tree.files.keys().collect::<Vec<_>>(), ["main.tf", "plugin.yaml"]);
    let head = place.bench.github.repository("acme/plugins").head("refs/heads/main").unwrap();
    assert_eq!(lock.plugins[uses[0]].commit, head, "the commit that the annotated tag means");
    let asked = place.bench.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[1], format!("GET /repos/acme/plugins/tarball/{head} 302"));
    let archive = &place.bench.github.requests()[2];
    assert!(archive.target.starts_with("codeload/") && archive.token.is_empty(), "no token goes to the archive's host");
    let (again, ..) = place.ask(LockMode::Frozen, &lock, &uses).await.unwrap();
    assert_eq!((again, place.bench.asked().len()), (plugins, 4));
    place.bench.github.repository("acme/plugins").commit("main", &[("db/main.tf", "# two\n")]);
    place.tag("v1");
    let problems = place.ask(LockMode::Frozen, &lock, &uses).await.unwrap_err();
    assert_eq!(problems.0[0].reason, FailureReason::PluginChanged);
    assert_eq!(problems.0[0].message, "the tag `v1` of `github:acme/plugins` was moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn r70_an_archive_of_the_servers_that_is_hostile_is_refused() {
    let place = Place::start();
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "acme-plugins-1/db/key", "/etc/passwd").unwrap();
    place.bench.github.repository("acme/plugins").serve_archive(archive.into_inner().unwrap().finish().unwrap());
    let problems = place.ask(LockMode::Add, &Lock::default(), &["github:acme/plugins//db@v1"]).await.unwrap_err();
    assert_eq!(problems.0[0].reason, FailureReason::PluginUnavailable);
    assert!(problems.0[0].message.ends_with("cannot be used as a plugin: `key` is a link"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_there_is_said_with_one_that_is() {
    let place = Place::start();
    let problems = place.ask(LockMode::Add, &Lock::default(), &["github:acme/plugins//db@v11"]).await.unwrap_err();
    assert_eq!(problems.0[0].message, "`github:acme/plugins` has no tag or branch `v11`");
    assert_eq!(problems.0[0].help, ["did you mean `v1`?"]);
    let problems = place.ask(LockMode::Add, &Lock::default(), &["github:acme/hidden//db@v1"]).await.unwrap_err();
    assert_eq!(problems.0[0].message, "the repository `github:acme/hidden` cannot be read");
}
