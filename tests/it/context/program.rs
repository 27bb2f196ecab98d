//! The program with its context on a GitHub server.

use std::fmt::Write as _;

use crate::github::{GitHub, Hosted};
use crate::harness::{Project, needs_terraform};

const NAME: &str = "acme/context";

/// A project whose context is on a server.
struct Bench {
    project: Project,
    github: GitHub,
    repository: Hosted,
}

/// How many requests something took.
#[derive(Debug)]
struct Requests {
    all: usize,
    writes: usize,
}

impl Bench {
    /// The lab, with its documents on the server, and an application of so many plugins that do not need each other.
    fn new(plugins: usize) -> Self {
        let github = GitHub::start();
        let repository = github.repository(NAME);
        let mut project = Project::lab();
        let states = project.path("states").display().to_string();
        project.edit("context/workspaces/lab/environments/staging.yaml", "path: states", &format!("path: {states}"));
        project.set("GITHUB_API_URL", &github.url());
        project.set("TIELINE_CONTEXT", &format!("github:{NAME}"));
        project.set("TIELINE_CONTEXT_TOKEN", &github.token(&[(NAME, &["contents=write"])]));
        project.init_context();
        let mut manifest = String::new();
        for number in 0..plugins {
            let _ = writeln!(manifest, "  a{number}: {{use: ../plugins/thing, inputs: {{name: thing}}}}");
        }
        project.app("app", &manifest);
        Self { project, github, repository }
    }

    /// Deploys the application, and counts.
    fn deploy(&self) -> Requests {
        let (all, writes) = (self.github.requests().len(), self.github.writes());
        self.project.run(&["deploy", "-C", "app", "-e", "staging"]).succeeds();
        let asked = &self.github.requests()[all..];
        Requests { all: asked.len(), writes: self.github.writes() - writes }
    }
}

#[test]
fn tf_a_deploy_takes_few_requests() {
    needs_terraform!();
    // Most of the writes are the journal's: three for each apply at most, fewer where applies start together.
    for (plugins, most, most_writes) in [(1, 44, 10), (10, 104, 40)] {
        let bench = Bench::new(plugins);
        let first = bench.deploy();
        let again = bench.deploy();
        bench.project.edit("app/tieline.yaml", "name: thing}", "name: other}");
        let changed = bench.deploy();
        eprintln!("{plugins} plugins: first {first:?}, again {again:?}, changed {changed:?}");
        for requests in [first, changed] {
            assert!(requests.all <= most && requests.writes <= most_writes, "{plugins} plugins: {requests:?}");
        }
        assert!(again.writes <= 7, "claim, publication and release: {again:?}");
        assert_eq!(bench.repository.references(), ["refs/heads/ledger", "refs/heads/main"], "no claim is left");
        bench.project.verify();
    }
}

#[test]
fn a_missing_permission_is_named_before_anything_is_touched() {
    let mut bench = Bench::new(1);
    bench.project.set("TIELINE_CONTEXT_TOKEN", &bench.github.token(&[(NAME, &["contents=read"])]));
    let ledger = bench.repository.head("refs/heads/ledger");
    let refused = bench.project.run(&["deploy", "-C", "app", "-e", "staging"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    for said in ["[permission-denied]", "it lacks `contents: write`", "the context repository is `github:acme/context`"] {
        assert!(refused.stderr.contains(said), "no `{said}` in {}", refused.stderr);
    }
    assert_eq!(bench.repository.head("refs/heads/ledger"), ledger);
    assert!(!bench.project.path("states").exists());
}

#[test]
fn an_app_writes_the_context_and_its_token_is_not_shown() {
    let mut bench = Bench::new(1);
    let app = bench.github.install_app(&[NAME], &["contents=write"]);
    bench.project.set("TIELINE_CONTEXT_TOKEN", "");
    bench.project.set("TIELINE_APP_ID", &app.id);
    bench.project.set("TIELINE_APP_PRIVATE_KEY", app.key);
    bench.project.edit("context/context.yaml", "kind: Context\n", "kind: Context # edited\n");
    let ran = bench.project.run(&["context", "init", "--from", "context", "--log-level", "debug"]).succeeds();
    assert!(ran.stdout.contains("changed context.yaml"), "{}", ran.stdout);
    let token = bench.github.requests().last().unwrap().token.clone();
    assert!(token.len() > 20 && !ran.stderr.contains(&token), "{}", ran.stderr);
}

#[test]
fn r69_a_url_on_the_workflows_server_is_reached_without_git_which_others_could_read() {
    let mut bench = Bench::new(1);
    bench.project.set("GITHUB_SERVER_URL", "https://github.example");
    bench.project.set("TIELINE_CONTEXT", &format!("https://github.example/{NAME}.git"));
    bench.project.edit("context/context.yaml", "kind: Context\n", "kind: Context # edited\n");
    let ran = bench.project.run(&["context", "init", "--from", "context"]).succeeds();
    assert!(ran.stdout.contains("changed context.yaml"), "{}", ran.stdout);
}
