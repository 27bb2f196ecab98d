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
    for (plugins, most, most_writes) in [(1, 40, 10), (10, 100, 40)] {
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
