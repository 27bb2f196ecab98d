//! The Git data API and the contents.

use std::process::Command;

use serde_json::{Value, json};

use super::caller::Caller;
use crate::github::{GitHub, Hosted};

const REPO: &str = "/repos/acme/context";

fn start() -> (GitHub, Hosted, Caller) {
    let github = GitHub::unjudged();
    let repository = github.repository("acme/context");
    let token = github.token(&[("acme/context", &["contents=write"])]);
    let caller = Caller::new(&github.url(), &token);
    (github, repository, caller)
}

fn on(path: &str) -> String {
    format!("{REPO}{path}")
}

#[test]
fn a_commit_is_made_of_a_blob_a_tree_and_a_ref() {
    let (_github, repository, caller) = start();
    let head = repository.commit("main", &[("a.txt", "a"), ("folder/b.txt", "b"), ("folder/c.txt", "c")]);
    let blob = caller.post(&on("/git/blobs"), &json!({"content": "w6kK", "encoding": "base64"})).ok();
    let entries = json!([
        {"path": "folder/new.txt", "mode": "100755", "type": "blob", "sha": blob["sha"]},
        {"path": "a.txt", "mode": "100644", "type": "blob", "content": "changed"},
        {"path": "folder/c.txt", "mode": "100644", "type": "blob", "sha": null},
    ]);
    let before = caller.get(&on(&format!("/git/commits/{head}"))).ok();
    let tree = caller.post(&on("/git/trees"), &json!({"base_tree": before["tree"]["sha"], "tree": entries})).ok();
    let author = json!({"name": "Ana", "email": "ana@acme.test", "date": "2026-11-20T10:00:00Z"});
    let about = json!({"message": "a change", "tree": tree["sha"], "parents": [head], "author": author});
    let commit = caller.post(&on("/git/commits"), &about).ok();
    assert_eq!((&commit["author"], &commit["committer"], &commit["message"]), (&author, &author, &json!("a change")));
    assert_eq!(commit["parents"][0]["sha"], head.as_str());
    let moved = caller.patch(&on("/git/refs/heads/main"), &json!({"sha": commit["sha"]})).ok();
    assert_eq!((&moved["ref"], &moved["object"]["sha"]), (&json!("refs/heads/main"), &commit["sha"]));
    assert_eq!(repository.files("main"), ["a.txt", "folder/b.txt", "folder/new.txt"]);
    assert_eq!(repository.file("main", "folder/new.txt").unwrap(), "é\n");
    assert_eq!(repository.head("refs/heads/main").as_deref(), commit["sha"].as_str());
}

#[test]
fn a_tree_is_listed_with_its_folders_and_cut_where_it_is_long() {
    let (github, repository, caller) = start();
    repository.commit("main", &[("a.txt", "a"), ("folder/b.txt", "bb")]);
    let paths = |tree: &Value| -> Vec<String> {
        let entries = tree["tree"].as_array().unwrap().iter();
        entries.map(|entry| format!("{} {} {}", entry["path"], entry["type"], entry["size"])).collect()
    };
    let flat = caller.get(&on("/git/trees/main")).ok();
    assert_eq!(paths(&flat), [r#""a.txt" "blob" 1"#, r#""folder" "tree" null"#]);
    let deep = caller.get(&on("/git/trees/main?recursive=1")).ok();
    assert_eq!(paths(&deep), [r#""a.txt" "blob" 1"#, r#""folder" "tree" null"#, r#""folder/b.txt" "blob" 2"#]);
    assert_eq!(deep["truncated"], json!(false));
    github.truncate_trees_at(2);
    let cut = caller.get(&on("/git/trees/main?recursive=1")).ok();
    assert_eq!((paths(&cut).len(), &cut["truncated"]), (2, &json!(true)));
}

#[test]
fn a_tree_is_refused_as_github_refuses_it() {
    let (_github, repository, caller) = start();
    let head = repository.commit("main", &[("a.txt", "a")]);
    let with = |entry: Value| caller.post(&on("/git/trees"), &json!({"base_tree": head, "tree": [entry]}));
    let nothing = "0123456789012345678901234567890123456789";
    with(json!({"path": "gone.txt", "mode": "100644", "type": "blob", "sha": null})).is(422, "GitRPC::BadObjectState");
    with(json!({"path": "b.txt", "mode": "100644", "type": "blob", "sha": nothing})).is(422, "GitRPC::BadObjectState");
    with(json!({"path": "b.txt", "content": "b"})).is(422, "Must supply a valid tree.mode");
    with(json!({"path": "../b", "mode": "100644", "content": "b"})).is(422, "tree.path contains a malformed path component");
    let message = "Must supply either tree.sha or tree.content. Request will be rejected if both are present.";
    with(json!({"path": "b.txt", "mode": "100644"})).is(422, message);
    let entries = json!([{"path": "b.txt", "mode": "100644", "content": "b"}]);
    let based = json!({"base_tree": nothing, "tree": entries});
    caller.post(&on("/git/trees"), &based).is(422, "base_tree is not a valid tree oid");
    caller.post(&on("/git/trees"), &json!({"tree": []})).is(422, "Invalid tree info");
}

#[test]
fn a_blob_is_read_by_its_id() {
    let (_github, repository, caller) = start();
    repository.commit("main", &[("a.txt", &"a".repeat(100))]);
    let tree = caller.get(&on("/git/trees/main")).ok();
    let path = on(&format!("/git/blobs/{}", tree["tree"][0]["sha"].as_str().unwrap()));
    let blob = caller.get(&path).ok();
    assert_eq!((&blob["encoding"], &blob["size"]), (&json!("base64"), &json!(100)));
    assert_eq!(blob["content"].as_str().unwrap().lines().map(str::len).collect::<Vec<_>>(), [60, 60, 16]);
    assert_eq!(caller.with("accept", "application/vnd.github.raw+json").get(&path).body, [b'a'; 100]);
    caller.get(&on("/git/blobs/0123456789012345678901234567890123456789")).is(404, "Not Found");
    let message = "The sha parameter must be exactly 40 characters and contain only [0-9a-f].";
    caller.get(&on("/git/blobs/main")).is(422, message);
}

#[test]
fn a_ref_is_made_moved_and_deleted_but_never_by_two() {
    let (_github, repository, caller) = start();
    let first = repository.commit("main", &[("a", "1")]);
    let second = repository.commit("main", &[("a", "2")]);
    let claim = "/git/refs/tieline/claims/a/b/c";
    let make = |sha: &str| caller.post(&on("/git/refs"), &json!({"ref": "refs/tieline/claims/a/b/c", "sha": sha}));
    assert_eq!(make(&first).ok()["object"], caller.get(&on("/git/ref/tieline/claims/a/b/c")).ok()["object"]);
    make(&second).is(422, "Reference already exists");
    let below = json!({"ref": "refs/tieline/claims/a/b/c/d", "sha": first});
    caller.post(&on("/git/refs"), &below).is(422, "Reference update failed");
    caller.patch(&on(claim), &json!({"sha": second})).ok();
    caller.patch(&on(claim), &json!({"sha": first})).is(422, "Update is not a fast forward");
    caller.patch(&on(claim), &json!({"sha": first, "force": true})).ok();
    assert_eq!(caller.delete(&on(claim)).status, 204);
    caller.delete(&on(claim)).is(422, "Reference does not exist");
    caller.patch(&on(claim), &json!({"sha": first})).is(422, "Reference does not exist");
    caller.get(&on("/git/ref/tieline/claims/a/b/c")).is(404, "Not Found");
    let nothing = "0123456789012345678901234567890123456789";
    make(nothing).is(422, "Object does not exist");
    caller.patch(&on("/git/refs/heads/main"), &json!({"sha": nothing})).is(422, "Object does not exist");
    let invalid = json!({"ref": "refs/heads/a b", "sha": first});
    caller.post(&on("/git/refs"), &invalid).is(422, "refs/heads/a b is not a valid ref name.");
    assert_eq!(repository.references(), ["refs/heads/main"]);
}

#[test]
fn refs_are_listed_by_how_they_start() {
    let (_github, repository, caller) = start();
    for branch in ["main", "maintenance", "other"] {
        repository.commit(branch, &[("a", "1")]);
    }
    let names = |start: &str| -> Vec<String> {
        let found = caller.get(&on(&format!("/git/matching-refs/{start}"))).ok();
        found.as_array().unwrap().iter().map(|found| found["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("heads/main"), ["refs/heads/main", "refs/heads/maintenance"]);
    assert_eq!(names("heads%2Foth"), ["refs/heads/other"]);
    assert_eq!(names("tags"), Vec::<String>::new());
    caller.get(&on("/git/ref/heads/mai")).is(404, "Not Found");
}

#[test]
fn a_commit_is_refused_where_its_tree_or_a_parent_is_missing() {
    let (_github, repository, caller) = start();
    let head = repository.commit("main", &[("a", "1")]);
    let tree = caller.get(&on(&format!("/git/commits/{head}"))).ok()["tree"]["sha"].clone();
    let make = |about: Value| caller.post(&on("/git/commits"), &about);
    make(json!({"message": "m", "tree": head})).is(422, "Tree SHA does not exist");
    let message = "Parent SHA does not exist or is not a commit object";
    make(json!({"message": "m", "tree": tree, "parents": [tree]})).is(422, message);
    make(json!({"tree": tree})).is(422, "Invalid request.\n\n\"message\" wasn't supplied.");
    assert_eq!(make(json!({"message": "m", "tree": tree, "parents": []})).ok()["parents"], json!([]));
}

#[test]
fn an_empty_repository_takes_a_first_file_only() {
    let (_github, repository, caller) = start();
    for refused in [
        caller.get(&on("/git/ref/heads/main")),
        caller.get(&on("/git/matching-refs/heads")),
        caller.post(&on("/git/blobs"), &json!({"content": "a"})),
    ] {
        refused.is(409, "Git Repository is empty.");
    }
    caller.get(&on("/contents/a.txt")).is(404, "This repository is empty.");
    let file = json!({"message": "first", "content": "YQ==", "branch": "ledger"});
    assert_eq!(caller.put(&on("/contents/folder/a.txt"), &file).ok()["content"]["path"], "folder/a.txt");
    assert_eq!(repository.file("ledger", "folder/a.txt").as_deref(), Some("a"));
}

#[test]
fn a_file_is_read_and_written_by_its_path() {
    let (_github, repository, caller) = start();
    repository.commit("main", &[("folder/a b.txt", "one"), ("folder/big", &"b".repeat(2 << 20))]);
    let file = caller.get(&on("/contents/folder/a%20b.txt")).ok();
    assert_eq!((&file["content"], &file["encoding"]), (&json!("b25l\n"), &json!("base64")));
    assert_eq!(caller.get(&on("/contents/folder/big")).ok()["encoding"], "none");
    let raw = caller.with("accept", "application/vnd.github.raw+json");
    assert_eq!(raw.get(&on("/contents/folder/big?ref=main")).body.len(), 2 << 20);
    assert_eq!(caller.get(&on("/contents/folder")).ok().as_array().unwrap().len(), 2);
    caller.get(&on("/contents/nothing")).is(404, "Not Found");
    caller.get(&on("/contents/folder?ref=nothing")).is(404, "No commit found for the ref nothing");
    let change = |sha: Value| {
        let body = json!({"message": "m", "content": "dHdv", "sha": sha});
        caller.put(&on("/contents/folder/a%20b.txt"), &body)
    };
    change(Value::Null).is(422, "Invalid request.\n\n\"sha\" wasn't supplied.");
    change(json!("abc")).is(409, "folder/a b.txt does not match abc");
    assert_eq!(change(file["sha"].clone()).status, 200);
    assert_eq!(repository.file("main", "folder/a b.txt").as_deref(), Some("two"));
}

#[test]
fn what_git_itself_does_to_a_repository_is_seen() {
    let (_github, repository, caller) = start();
    let head = repository.commit("main", &[("a.txt", "a")]);
    let done = Command::new("git").args(["update-ref", "refs/tags/v1", &head]).current_dir(repository.folder()).status();
    assert!(done.unwrap().success());
    assert_eq!(caller.get(&on("/git/ref/tags/v1")).ok()["object"]["sha"], head.as_str());
}
