//! What a ledger lets go of.

use serde_json::{Value, json};

use super::{Bench, place, records};
use tieline::context::prune::{Pruned, look};
use tieline::context::{Branch, Change, Changes, ContextStore, layout};
use tieline::domain::canonical;
use tieline::domain::names::{Digest, RunId};

const PLACE: &str = "retail/staging/shop";

fn id(number: u64) -> RunId {
    RunId::from_parts(number, 0)
}

fn tree(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// A release of a plugin whose tree has this name.
fn release(run: &RunId, tag: &str, plugin: &str) -> Value {
    let released = json!({
        "source": {"use": "./plugin", "digest": tree(plugin)},
        "inputs": {}, "sensitiveInputs": [], "bindings": {}, "terraform": "1.11.4",
    });
    json!({
        "schemaVersion": 1, "versionTag": tag, "run": run, "made": "2026-01-01T00:00:00Z", "manifest": {}, "plugins": {"a": released},
    })
}

/// A ledger of runs `(number, type)`, releases `(run, tag, plugin)` and plugin trees.
async fn ledger(runs: &[(u64, &str)], releases: &[(u64, &str, &str)], trees: &[&str]) -> Bench {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let mut changes = Changes::new();
    let mut write = |path: String, value: &Value| changes.insert(path, Change::write(canonical::to_bytes(value)));
    for (number, run_type) in runs {
        let mut run = records::run(id(*number).as_str());
        run["type"] = json!(run_type);
        write(layout::run(&place(PLACE), &id(*number)), &run);
    }
    for (number, tag, plugin) in releases {
        write(layout::release(&place(PLACE), &id(*number)), &release(&id(*number), tag, plugin));
    }
    for plugin in trees {
        write(format!("{}/main.tf", layout::plugin_tree(&tree(plugin))), &json!(""));
    }
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &changes, head.as_ref(), "m").await.unwrap();
    bench
}

async fn pruned(bench: &Bench, retained: usize) -> Pruned {
    let store = bench.local().await;
    let head = store.head(Branch::Ledger).await.unwrap();
    look(&store, head.as_ref(), retained).await.unwrap()
}

fn runs(pruned: &Pruned) -> Vec<String> {
    pruned.runs.values().flatten().cloned().collect()
}

fn tags(pruned: &Pruned) -> Vec<String> {
    pruned.releases.values().flat_map(|releases| releases.values()).map(ToString::to_string).collect()
}

#[tokio::test]
async fn r36_a_release_stays_while_its_run_or_its_tag_does() {
    let runs_there: Vec<(u64, &str)> = (1..=6).map(|number| (number, "deploy")).collect();
    // Run 1 released `a` for the first time, run 5 once more; 6 failed.
    let releases = [(1, "a", "one"), (2, "b", "two"), (3, "c", "three"), (4, "d", "four"), (5, "a", "five")];
    let bench = ledger(&runs_there, &releases, &["one", "two", "three", "four", "five", "stray"]).await;
    let found = pruned(&bench, 2).await;
    assert_eq!(runs(&found), [1, 2, 3, 4].map(|number| id(number).to_string()));
    assert_eq!(tags(&found), ["a", "b", "c"], "the newest two tags are `a` of run 5, and `d`");
    let mut gone: Vec<String> = ["one", "two", "three", "stray"].map(|name| tree(name).to_string()).to_vec();
    gone.sort();
    assert_eq!(found.plugins.into_iter().collect::<Vec<_>>(), gone);
}

#[tokio::test]
async fn r36_failures_take_no_releases_place() {
    let runs_there: Vec<(u64, &str)> = (1..=9).map(|number| (number, "deploy")).collect();
    let bench = ledger(&runs_there, &[(1, "a", "one"), (2, "b", "two")], &["one", "two"]).await;
    let found = pruned(&bench, 2).await;
    assert_eq!((runs(&found).len(), tags(&found), found.plugins.len()), (7, vec![], 0));
}

#[tokio::test]
async fn r29_that_nothing_is_deployed_any_more_is_not_forgotten() {
    let runs_there = [(1, "deploy"), (2, "destroy"), (3, "destroy"), (4, "deploy"), (5, "deploy")];
    let bench = ledger(&runs_there, &[(1, "a", "one")], &["one"]).await;
    let found = pruned(&bench, 1).await;
    assert_eq!(runs(&found), [1, 2, 4].map(|number| id(number).to_string()), "run 3 destroyed it last");
    assert_eq!(tags(&found), Vec::<String>::new());
}

#[tokio::test]
async fn r21_what_a_run_in_progress_names_stays() {
    let bench = ledger(&[(1, "deploy"), (2, "deploy")], &[(2, "b", "two")], &["attempted", "two"]).await;
    let store = bench.local().await;
    let mut applied = records::applied("web", &json!({}));
    applied["source"]["digest"] = json!(tree("attempted"));
    let process = json!({"id": 1, "started": 2, "boot": "b"});
    let claim = json!({
        "schemaVersion": 1, "place": place(PLACE), "run": records::run(id(1).as_str()), "host": "h", "process": process,
        "lease": "2026-01-01T00:00:00Z", "binds": [], "applied": {"web": applied},
    });
    let held = store.write_claim(&place(PLACE), &canonical::to_bytes(&claim), None).await.unwrap();
    let found = pruned(&bench, 1).await;
    assert_eq!((runs(&found).len(), found.plugins.len()), (0, 0), "the run that holds the claim, and the tree of its journal");
    store.delete_claim(&place(PLACE), &held).await.unwrap();
    let found = pruned(&bench, 1).await;
    assert_eq!((runs(&found).len(), found.plugins.len()), (1, 1));
}

#[tokio::test]
async fn r52_while_a_preview_is_at_work_no_tree_goes() {
    let bench = ledger(&[], &[], &["stray"]).await;
    let store = bench.local().await;
    let place = place("retail/pr-12/shop");
    let claim = json!({
        "schemaVersion": 1, "place": place, "run": records::run(id(1).as_str()), "host": "h",
        "process": {"id": 1, "started": 2, "boot": "b"}, "lease": "2026-01-01T00:00:00Z", "binds": [], "applied": {},
    });
    let held = store.write_claim(&place, &canonical::to_bytes(&claim), None).await.unwrap();
    assert_eq!(pruned(&bench, 1).await.plugins.len(), 0, "what it is about to apply is named nowhere yet");
    store.delete_claim(&place, &held).await.unwrap();
    assert_eq!(pruned(&bench, 1).await.plugins.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_may_name_anything() {
    let bench = ledger(&[(1, "deploy")], &[], &["stray"]).await;
    let store = bench.local().await;
    let applied = layout::applied(&place(PLACE), &"web".parse().unwrap());
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &super::write(&[(&applied, "{")]), head.as_ref(), "m").await.unwrap();
    let head = store.head(Branch::Ledger).await.unwrap();
    assert!(look(&store, head.as_ref(), 1).await.is_err());
}
