//! What a look at a large workspace costs: what is shown is read, and no more.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::harness::Project;
use crate::ledger::cost::{connection, entry, run};
use tieline::context::git::GitStore;
use tieline::context::{Branch, Change, Changes, ContextStore, Location, RefNames};
use tieline::domain::canonical;
use tieline::domain::names::RunId;
use tieline::world::{Variables, World, os};

/// So many connections there are, with three consumers each, and half as many runs.
const CONNECTIONS: usize = 10_000;
const RUNS: u64 = 5_000;

fn record(id: &RunId, number: u64) -> Value {
    let status = if number.is_multiple_of(100) { "runtime-error" } else { "succeeded" };
    json!({
        "schemaVersion": 1, "id": id, "type": "deploy", "status": status, "tasks": [], "versionTag": format!("v{number}"),
        "started": "2026-01-01T10:00:00Z", "ended": "2026-01-01T10:01:00Z",
    })
}

/// A ledger with as much in it.
async fn fill(world: &World, project: &Project, repository: &std::path::Path) {
    let location = Location::parse(&repository.display().to_string(), &project.root()).unwrap();
    let store = GitStore::open(world, &location, RefNames::default(), &project.temporary()).await.unwrap();
    let mut changes = Changes::new();
    let mut write = |path: String, value: &Value| changes.insert(path, Change::write(canonical::to_bytes(value)));
    for number in 0..CONNECTIONS {
        let folder = format!("lab/staging/many{number}");
        write(format!("{folder}/connections/d.out.json"), &connection(number));
        for slot in ["s", "t", "u"] {
            let path = format!("{folder}/consumers/d.out/lab~staging~user{number}~x.{slot}.json");
            write(path, &entry(&format!("lab/staging/user{number}/x.{slot}")));
        }
    }
    for number in 0..RUNS {
        let id = RunId::from_parts(1_700_000_000_000 + number * 60_000, 7);
        write(format!("lab/staging/many{}/runs/{id}.json", number % 50), &record(&id, number));
    }
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &changes, head.as_ref(), "many").await.unwrap();
}

fn world(project: &Project) -> World {
    let mut world = os::world().unwrap();
    world.directory = project.root();
    world.variables = Arc::new(Variables::new(project.variables().iter().map(|(name, value)| (name.clone(), value.clone()))));
    world
}

#[tokio::test]
async fn of_a_large_workspace_only_what_is_shown_is_read() {
    let project = Project::lab();
    let world = world(&project);
    fill(&world, &project, &project.path(".tieline/context.git")).await;

    let (said, read) = run(&world, &["status", "-w", "lab", "--limit", "10"]).await;
    assert!(said.contains("lab/staging/many49/d.out  ready") && said.contains("3 consumers"), "{said}");
    assert!(said.contains("and 4990 more runs") && said.contains("and 9990 more deployables"), "{said}");
    let ledger: Vec<&String> = read.iter().filter(|path| path.starts_with("lab/")).collect();
    assert_eq!(ledger.len(), 10 + 10 + 30, "runs, connections, their consumers: {ledger:?}");

    // Runs that must be looked at to be told apart: ten times as many as are asked for, and it is said.
    let (said, read) = run(&world, &["status", "-w", "lab", "--limit", "2", "--outcome", "failed"]).await;
    assert!(said.contains("and 4980 more runs"), "{said}");
    assert_eq!(read.iter().filter(|path| path.contains("/runs/")).count(), 20, "{read:?}");
    let (_, read) = run(&world, &["status", "-w", "lab", "--since", "1h"]).await;
    assert_eq!(read.iter().filter(|path| path.contains("/runs/")).count(), 0, "their ids tell when they were");
}

#[tokio::test]
async fn of_a_large_workspace_on_github_only_what_is_shown_is_asked_for() {
    let github = GitHub::start();
    let context = github.repository("acme/context");
    let mut project = Project::lab();
    project.git(".tieline/context.git", &["push", "--quiet", context.folder().to_str().unwrap(), "main"]);
    fill(&world(&project), &project, &context.folder()).await;
    project.set("GITHUB_API_URL", &github.url());
    project.set("TIELINE_GITHUB_TOKEN", &github.token(&[("acme/context", &["contents=read"])]));
    project
        .run(&["status", "-w", "lab", "--limit", "5", "--context", "github:acme/context"])
        .succeeds()
        .says("and 4995 more runs");
    let requests = github.requests();
    let blobs = requests.iter().filter(|seen| seen.target.contains("/git/blobs/")).count();
    // Runs, connections, consumers, and `context.yaml`.
    assert!(blobs <= 5 + 5 + 15 + 1, "{blobs}");
    assert!(requests.len() <= blobs + 12, "{} requests", requests.len());
}
