//! What people see on GitHub: comments, pull requests, deployments, check runs.

use serde_json::{Value, json};

use super::caller::Caller;
use crate::github::{GitHub, Hosted};

const SHOP: &str = "/repos/acme/shop";

fn start(permissions: &[&str]) -> (GitHub, Hosted, Caller) {
    let github = GitHub::unjudged();
    let shop = github.repository("acme/shop");
    shop.commit("main", &[("a", "1")]);
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", permissions)]));
    (github, shop, caller)
}

fn on(path: &str) -> String {
    format!("{SHOP}{path}")
}

#[test]
fn comments_are_written_found_and_changed() {
    let (_github, shop, caller) = start(&["pull_requests=write"]);
    let pull = shop.open_pull("main", "A change");
    shop.comment(pull, "ana", "hello");
    let comments = on(&format!("/issues/{pull}/comments"));
    let mine = caller.post(&comments, &json!({"body": "mine"})).ok();
    let all = caller.get(&comments).ok();
    let about = |comment: &Value| format!("{} {} {}", comment["body"], comment["user"]["type"], comment["author_association"]);
    assert_eq!([about(&all[0]), about(&all[1])], [r#""hello" "User" "MEMBER""#, r#""mine" "Bot" "NONE""#]);
    let own = on(&format!("/issues/comments/{}", mine["id"]));
    assert_eq!(caller.patch(&own, &json!({"body": "changed"})).ok()["body"], "changed");
    assert_eq!(shop.comments(pull), ["hello", "changed"]);
    caller.post(&on("/issues/99/comments"), &json!({"body": "b"})).is(404, "Not Found");
    assert_eq!(caller.delete(&own).status, 204);
    caller.patch(&own, &json!({"body": "again"})).is(404, "Not Found");
}

#[test]
fn a_comment_has_a_longest_size() {
    let (_github, shop, caller) = start(&["issues=write"]);
    let comments = on(&format!("/issues/{}/comments", shop.open_pull("main", "A change")));
    caller.post(&comments, &json!({"body": "é".repeat(65_536)})).ok();
    let refused = caller.post(&comments, &json!({"body": "é".repeat(65_537)}));
    refused.is(422, "Validation Failed");
    assert_eq!(refused.json()["errors"][0]["message"], "Body is too long (maximum is 65536 characters)");
}

#[test]
fn comments_take_either_permission() {
    let (_github, shop, caller) = start(&["contents=write"]);
    let comments = on(&format!("/issues/{}/comments", shop.open_pull("main", "A change")));
    let refused = caller.post(&comments, &json!({"body": "b"}));
    refused.is(403, "Resource not accessible by integration");
    assert_eq!(refused.header("x-accepted-github-permissions"), "issues=write; pull_requests=write");
}

#[test]
fn lists_come_in_pages_with_links() {
    let (github, shop, caller) = start(&["issues=read"]);
    let pull = shop.open_pull("main", "A change");
    for number in 0..65 {
        shop.comment(pull, "ana", &number.to_string());
    }
    let comments = on(&format!("/issues/{pull}/comments"));
    assert_eq!(caller.get(&comments).ok().as_array().unwrap().len(), 30);
    let second = caller.get(&format!("{comments}?per_page=25&page=2"));
    assert_eq!(second.ok()[0]["body"], "25");
    let link = |page: u32, name: &str| format!("<{}{comments}?per_page=25&page={page}>; rel=\"{name}\"", github.url());
    let links = [link(1, "prev"), link(1, "first"), link(3, "next"), link(3, "last")];
    assert_eq!(second.header("link"), links.join(", "));
    assert_eq!(caller.get(&format!("{comments}?per_page=100")).header("link"), "");
}

#[test]
fn pull_requests_are_read_and_found_by_their_branch() {
    let (_github, shop, caller) = start(&["pull_requests=read"]);
    let head = shop.commit("change", &[("a", "2")]);
    let number = shop.open_pull("change", "A change");
    shop.open_pull("other", "Another");
    let pull = caller.get(&on(&format!("/pulls/{number}"))).ok();
    assert_eq!((&pull["title"], &pull["state"], &pull["head"]["sha"]), (&json!("A change"), &json!("open"), &json!(head)));
    let found = caller.get(&on("/pulls?head=acme:change")).ok();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["number"]), (1, &json!(number)));
    shop.close_pull(number);
    assert_eq!(caller.get(&on("/pulls?head=acme%3Achange")).ok(), json!([]));
    assert_eq!(caller.get(&on("/pulls?state=closed")).ok()[0]["number"], json!(number));
}

#[test]
fn a_deployment_goes_through_its_states_and_retires_the_one_before() {
    let (_github, shop, caller) = start(&["deployments=write"]);
    let deploy = |environment: &str| {
        let body = json!({"ref": "main", "environment": environment, "auto_merge": false, "required_contexts": []});
        caller.post(&on("/deployments"), &body).ok()["id"].clone()
    };
    let set = |id: &Value, state: &str| {
        let body = json!({"state": state, "log_url": "https://ci.acme.test/1"});
        caller.post(&on(&format!("/deployments/{id}/statuses")), &body).ok()
    };
    let (first, elsewhere, second) = (deploy("staging"), deploy("lab"), deploy("staging"));
    for (id, state) in [(&first, "in_progress"), (&first, "success"), (&elsewhere, "success"), (&second, "success")] {
        set(id, state);
    }
    let states: Vec<Vec<String>> = shop
        .deployments()
        .iter()
        .map(|(_, statuses)| statuses.iter().map(|status| status["state"].as_str().unwrap().to_owned()).collect())
        .collect();
    assert_eq!(states, [vec!["in_progress", "success", "inactive"], vec!["success"], vec!["success"]]);
    let statuses = caller.get(&on(&format!("/deployments/{first}/statuses"))).ok();
    assert_eq!(statuses[1]["log_url"], "https://ci.acme.test/1");
    let listed = caller.get(&on("/deployments?environment=staging")).ok();
    assert_eq!((&listed[0]["id"], listed.as_array().unwrap().len()), (&second, 2));
}

#[test]
fn a_deployment_is_refused_as_github_refuses_it() {
    let (_github, shop, caller) = start(&["deployments=write", "checks=write"]);
    let make = |body: Value| caller.post(&on("/deployments"), &body);
    make(json!({"ref": "nothing"})).is(422, "No ref found for: nothing");
    shop.commit("old", &[("b", "1")]);
    shop.commit("main", &[("c", "1")]);
    make(json!({"ref": "old"})).is(409, "Conflict merging main into old");
    let check = json!({"name": "tieline", "head_sha": shop.head("refs/heads/main")});
    caller.post(&on("/check-runs"), &check).ok();
    make(json!({"ref": "main"})).is(409, "Conflict: Commit status checks failed for main.");
    let id = make(json!({"ref": "main", "required_contexts": []})).ok()["id"].clone();
    let set = |body: Value| caller.post(&on(&format!("/deployments/{id}/statuses")), &body);
    for body in [
        json!({"state": "done"}),
        json!({"state": "success", "description": "x".repeat(141)}),
        json!({"state": "success", "environment_url": "javascript:alert(1)"}),
    ] {
        set(body).is(422, "Validation Failed");
    }
    caller.post(&on("/deployments/1/statuses"), &json!({"state": "success"})).is(404, "Not Found");
}

#[test]
fn a_check_run_gathers_annotations_fifty_at_a_time() {
    let (_github, shop, caller) = start(&["checks=write"]);
    let head = shop.head("refs/heads/main").unwrap();
    let check = caller.post(&on("/check-runs"), &json!({"name": "tieline", "head_sha": head, "status": "in_progress"})).ok();
    let own = on(&format!("/check-runs/{}", check["id"]));
    let annotation = json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"});
    let output = |count: usize| json!({"title": "t", "summary": "s", "annotations": vec![&annotation; count]});
    let message = "Invalid request.\n\nNo more than 50 items are allowed; 51 were supplied.";
    caller.patch(&own, &json!({"output": output(51)})).is(422, message);
    caller.patch(&own, &json!({"output": output(50)})).ok();
    let message = "Invalid request.\n\n\"conclusion\" wasn't supplied.";
    caller.patch(&own, &json!({"status": "completed"})).is(422, message);
    let done = caller.patch(&own, &json!({"conclusion": "failure", "output": output(2)})).ok();
    assert_eq!((&done["status"], &done["output"]["annotations_count"]), (&json!("completed"), &json!(52)));
    assert_eq!(caller.get(&format!("{own}/annotations?per_page=100")).ok().as_array().unwrap().len(), 52);
    assert_eq!(shop.checks()[0].1.len(), 52);
    let nowhere = json!({"name": "tieline", "head_sha": "0123456789012345678901234567890123456789"});
    let message = "No commit found for SHA: 0123456789012345678901234567890123456789";
    caller.post(&on("/check-runs"), &nowhere).is(422, message);
}

#[test]
fn a_repository_says_what_it_is_and_what_the_caller_may() {
    let (_github, shop, caller) = start(&["contents=write"]);
    let about = caller.get(SHOP).ok();
    assert_eq!((&about["full_name"], &about["private"]), (&json!("acme/shop"), &json!(true)));
    assert_eq!(about["permissions"]["push"], json!(true));
    shop.publish();
    assert_eq!(caller.get("/repos/acme/shop").ok()["visibility"], "public");
}

#[test]
fn a_pull_request_is_opened_once_and_only_for_a_change() {
    let (_github, shop, caller) = start(&["pull_requests=write"]);
    shop.commit("change", &[("b", "1")]);
    let open = |head: &str| caller.post(&on("/pulls"), &json!({"title": "t", "head": head, "base": "main", "body": "why"}));
    assert_eq!(open("acme:change").ok()["head"]["ref"], "change");
    let again = open("change");
    again.is(422, "Validation Failed");
    assert_eq!(again.json()["errors"][0]["message"], "A pull request already exists for acme:change.");
    assert_eq!(open("main").json()["errors"][0]["message"], "No commits between main and main");
    open("nothing").is(422, "Validation Failed");
    assert_eq!(shop.pulls(), [("t".to_owned(), "change".to_owned(), "why".to_owned())]);
}

#[test]
fn pull_requests_have_a_state_labels_and_a_branch_of_somebody() {
    let (_github, shop, caller) = start(&["pull_requests=read"]);
    shop.commit("change", &[("a", "2")]);
    let number = shop.open_pull("change", "A change");
    shop.label_pull(number, "tieline-keep-3d");
    let path = on(&format!("/pulls/{number}"));
    let about = || {
        let pull = caller.get(&path).ok();
        format!(
            "{} {} {} {}",
            pull["state"],
            pull["merged"],
            pull["labels"][0]["name"],
            pull["head"]["repo"]["id"] == pull["base"]["repo"]["id"]
        )
    };
    assert_eq!(about(), r#""open" false "tieline-keep-3d" true"#);
    shop.fork_pull(number);
    shop.close_pull(number);
    assert_eq!(about(), r#""closed" false "tieline-keep-3d" false"#);
    shop.reopen_pull(number);
    shop.merge_pull(number);
    assert_eq!(about(), r#""closed" true "tieline-keep-3d" false"#);
    shop.lose_pull(number);
    caller.get(&path).is(404, "Not Found");
}

#[test]
fn a_repository_is_found_by_its_number_under_its_name_of_today() {
    let (_github, mut shop, caller) = start(&["pull_requests=read"]);
    let path = format!("/repositories/{}", shop.id());
    assert_eq!(caller.get(&path).ok()["full_name"], "acme/shop");
    shop.rename("acme/store");
    assert_eq!(caller.get(&path).ok()["full_name"], "acme/store");
    shop.delete();
    caller.get(&path).is(404, "Not Found");
}
