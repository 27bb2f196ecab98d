//! Faults on demand, and the record of requests.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::caller::Caller;
use crate::github::{Fault, GitHub, Hosted};

const REF: &str = "/repos/acme/shop/git/ref/heads/main";
const REFS: &str = "/repos/acme/shop/git/refs";

fn start() -> (GitHub, Hosted, String, Caller) {
    let github = GitHub::unjudged();
    let shop = github.repository("acme/shop");
    let head = shop.commit("main", &[("a", "1")]);
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", &["contents=write"])]));
    (github, shop, head, caller)
}

#[test]
fn a_fault_meets_as_many_requests_as_it_was_told_to_and_only_those() {
    let (github, _, head, caller) = start();
    github.fail(2, "POST /repos/acme/shop/git/refs", Fault::Status(502));
    caller.get(REF).ok();
    let body = json!({"ref": "refs/heads/b", "sha": head});
    let statuses: Vec<u16> = (0..3).map(|_| caller.post(REFS, &body).status).collect();
    assert_eq!(statuses, [502, 502, 201]);
    assert_eq!(github.writes(), 3);
    let seen: Vec<String> = github.requests().iter().map(ToString::to_string).collect();
    assert_eq!(seen[0], format!("GET {REF} 200"));
    assert_eq!(seen[3], format!("POST {REFS} 201"));
    assert_eq!(github.requests()[3].body, body.to_string().as_bytes());
}

#[test]
fn a_connection_is_cut_before_or_after_the_deed() {
    let (github, shop, head, caller) = start();
    let make = |name: &str| caller.send(Method::POST, REFS, Some(&json!({"ref": name, "sha": head})));
    github.fail(1, "POST", Fault::Cut);
    make("refs/heads/b").unwrap_err();
    assert_eq!(shop.references(), ["refs/heads/main"]);
    github.fail(1, "POST", Fault::CutAfterwards);
    make("refs/heads/b").unwrap_err();
    assert_eq!(shop.references(), ["refs/heads/b", "refs/heads/main"]);
    assert_eq!(github.requests().iter().filter(|seen| seen.status.is_none()).count(), 2);
    caller.get(REF).ok();
}

#[test]
fn rates_are_limited_in_both_ways() {
    let (github, _, _, caller) = start();
    github.fail(1, "", Fault::SecondaryLimit { status: 429, retry_after: Some(7) });
    let refused = caller.get(REF);
    assert_eq!((refused.status, refused.header("retry-after")), (429, "7"));
    assert!(refused.json()["message"].as_str().unwrap().contains("secondary rate limit"));
    github.fail(1, "", Fault::PrimaryLimit { reset_in: 60 });
    let refused = caller.get(REF);
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (403, "0"));
    assert_eq!(refused.headers.get_all("x-ratelimit-reset").iter().count(), 1);
    caller.get(REF).ok();
}

#[test]
fn a_slow_answer_takes_its_time() {
    let (github, _, _, caller) = start();
    github.fail(1, "", Fault::Slow(Duration::from_millis(200)));
    let start = Instant::now();
    caller.get(REF).ok();
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn somebody_else_may_be_faster() {
    let (github, shop, head, caller) = start();
    let tree = caller.get(&format!("/repos/acme/shop/git/commits/{head}")).ok()["tree"]["sha"].clone();
    let mine = json!({"message": "mine", "tree": tree, "parents": [head]});
    let mine = caller.post("/repos/acme/shop/git/commits", &mine).ok();
    let other = shop.clone();
    github.meanwhile("PATCH", move || _ = other.commit("main", &[("a", "2")]));
    caller.patch(&format!("{REFS}/heads/main"), &json!({"sha": mine["sha"]})).is(422, "Update is not a fast forward");
    assert_eq!(shop.file("main", "a").as_deref(), Some("2"));
}
