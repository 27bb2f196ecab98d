//! The double's answers are what GitHub's own description says.

use serde_json::{Value, json};

use super::caller::Caller;
use crate::acceptance::need;
use crate::github::GitHub;

const EVERYTHING: &[&str] = &["contents=write", "deployments=write", "checks=write", "pull_requests=write", "issues=write"];

#[test]
fn acceptance_openapi_every_route_answers_as_described() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    let shop = github.repository("acme/shop");
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", EVERYTHING)]));
    let on = |path: &str| format!("/repos/acme/shop{path}");
    let post = |path: &str, body: Value| caller.post(&on(path), &body).ok();
    let get = |path: &str| caller.get(&on(path));

    get("/git/ref/heads/main").is(409, "Git Repository is empty.");
    caller.put(&on("/contents/folder/a.txt"), &json!({"message": "first", "content": "YQ=="})).ok();
    let head = shop.head("refs/heads/main").unwrap();
    shop.commit("change", &[("folder/a.txt", "b"), ("c.txt", "c")]);

    let blob = post("/git/blobs", json!({"content": "b", "encoding": "utf-8"}));
    let entry = json!({"path": "folder/b.txt", "mode": "100644", "type": "blob", "sha": blob["sha"]});
    let gone = json!({"path": "folder/a.txt", "mode": "100644", "type": "blob", "sha": null});
    let tree = post("/git/trees", json!({"base_tree": head, "tree": [entry, gone]}));
    let commit = post("/git/commits", json!({"message": "m", "tree": tree["sha"], "parents": [head]}));
    post("/git/refs", json!({"ref": "refs/tieline/claims/a/b/c", "sha": head}));
    caller.patch(&on("/git/refs/heads/main"), &json!({"sha": commit["sha"], "force": false})).ok();
    caller.patch(&on("/git/refs/heads/main"), &json!({"sha": head})).is(422, "Update is not a fast forward");
    caller.delete(&on("/git/refs/tieline/claims/a/b/c")).ok();
    caller.delete(&on("/git/refs/tieline/claims/a/b/c")).is(422, "Reference does not exist");
    get("/git/ref/heads/nothing").is(404, "Not Found");
    for path in ["/git/ref/heads/main", "/git/matching-refs/heads/", "/git/trees/main?recursive=1", "/commits/heads/main"] {
        get(path).ok();
    }
    for path in ["/compare/main...change", "/contents/folder/b.txt?ref=main", "/contents/folder", ""] {
        get(path).ok();
    }
    get(&format!("/git/blobs/{}", blob["sha"].as_str().unwrap())).ok();
    get(&format!("/git/commits/{head}")).ok();
    assert_eq!(get("/tarball/main").status, 302);

    let pull = shop.open_pull("change", "A change");
    shop.commit("another", &[("d.txt", "d")]);
    post("/pulls", json!({"title": "Another", "head": "another", "base": "main", "body": "It adds d."}));
    get("/pulls?state=all").ok();
    get(&format!("/pulls/{pull}")).ok();
    let comment = post(&format!("/issues/{pull}/comments"), json!({"body": "b"}));
    let own = format!("/issues/comments/{}", comment["id"]);
    caller.patch(&on(&own), &json!({"body": "c"})).ok();
    get(&own).ok();
    let listed = get(&format!("/issues/{pull}/comments?per_page=1&page=1"));
    assert_eq!(listed.ok()[0]["url"], format!("{}{}", github.url(), on(&own)));
    caller.delete(&on(&own)).ok();

    let issue = post("/issues", json!({"title": "A title", "body": "b", "labels": ["a label"]}));
    let own = format!("/issues/{}", issue["number"]);
    caller.patch(&on(&own), &json!({"body": "c", "state": "closed", "state_reason": "completed"})).ok();
    post(&format!("{own}/comments"), json!({"body": "a word"}));
    get("/issues?labels=a%20label&state=all&per_page=100&page=1").ok();

    let deployment = post("/deployments", json!({"ref": "main", "required_contexts": [], "auto_merge": false}));
    let own = format!("/deployments/{}", deployment["id"]);
    let status = json!({"state": "success", "log_url": "https://ci.acme.test", "environment_url": "https://acme.test"});
    post(&format!("{own}/statuses"), status);
    for path in [&format!("{own}/statuses"), &own, "/deployments?environment=production"] {
        get(path).ok();
    }

    let check = post("/check-runs", json!({"name": "tieline", "head_sha": head, "status": "in_progress"}));
    let own = format!("/check-runs/{}", check["id"]);
    let annotation = json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"});
    let output = json!({"title": "t", "summary": "s", "annotations": [annotation]});
    caller.patch(&on(&own), &json!({"status": "completed", "conclusion": "failure", "output": output})).ok();
    get(&own).ok();
    get(&format!("{own}/annotations")).ok();

    let app = super::apps::app(&github, -60, 540);
    let installation = app.get(&on("/installation")).ok();
    let permissions = json!({"permissions": {"contents": "read"}});
    app.post(&format!("/app/installations/{}/access_tokens", installation["id"]), &permissions).ok();
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[test]
fn acceptance_openapi_what_is_not_described_is_found() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    github.repository("acme/shop").commit("main", &[("a", "1")]);
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", EVERYTHING)]));
    caller.post("/repos/acme/shop/git/refs", &json!({"ref": 1, "sha": "x"}));
    caller.get("/repos/acme/shop/secrets");
    let found = github.forgive_violations();
    assert!(found[0].starts_with("POST /repos/acme/shop/git/refs 422: request.body.ref"), "{found:#?}");
    assert!(found[1].contains("GET /repos/acme/shop/secrets 404:"), "{found:#?}");
}
