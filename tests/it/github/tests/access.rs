//! Who may do what, and what every answer has.

use serde_json::json;

use super::caller::Caller;
use crate::github::GitHub;

const REF: &str = "/repos/acme/shop/git/ref/heads/main";

#[test]
fn a_token_does_what_it_may_where_it_may() {
    let github = GitHub::unjudged();
    let shop = github.repository("acme/Shop");
    let head = shop.commit("main", &[("a", "1")]);
    github.repository("acme/other").commit("main", &[("a", "1")]);
    let token = github.token(&[("acme/shop", &["contents=read"])]);
    let caller = Caller::new(&github.url(), &token);
    caller.get(REF).ok();
    caller.get("/repos/ACME/shop/git/ref/heads/main").ok();
    caller.get("/repos/acme/other/git/ref/heads/main").is(404, "Not Found");
    caller.get("/repos/acme/nothing/git/ref/heads/main").is(404, "Not Found");
    let refused = caller.post("/repos/acme/shop/git/refs", &json!({"ref": "refs/heads/b", "sha": head}));
    refused.is(403, "Resource not accessible by integration");
    assert_eq!(refused.header("x-accepted-github-permissions"), "contents=write");
    let unread = Caller::new(&github.url(), &github.token(&[("acme/shop", &["issues=write"])])).get(REF);
    unread.is(403, "Resource not accessible by integration");
    assert_eq!(unread.header("x-accepted-github-permissions"), "contents=read");
    assert!(github.requests()[..5].iter().all(|seen| seen.token == token));
    github.expire(&token);
    caller.get(REF).is(401, "Bad credentials");
}

#[test]
fn everybody_reads_a_public_repository() {
    let github = GitHub::unjudged();
    let shop = github.repository("acme/shop");
    let head = shop.commit("main", &[("a", "1")]);
    let stranger = Caller::stranger(&github.url());
    stranger.get(REF).is(404, "Not Found");
    shop.publish();
    stranger.get(REF).ok();
    Caller::new(&github.url(), &github.token(&[])).get(REF).ok();
    stranger.post("/repos/acme/shop/git/refs", &json!({"ref": "refs/heads/b", "sha": head})).is(404, "Not Found");
    Caller::new(&github.url(), "wrong").get(REF).is(401, "Bad credentials");
}

#[test]
fn answers_have_the_headers_of_github() {
    let github = GitHub::unjudged();
    github.repository("acme/shop").commit("main", &[("a", "1")]);
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", &["contents=read"])]));
    let first = caller.get(REF);
    for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-github-request-id", "etag"] {
        assert!(!first.header(header).is_empty(), "no {header}");
    }
    let again = caller.with("if-none-match", first.header("etag")).get(REF);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn an_enterprise_server_is_the_same_below_its_prefix() {
    let github = GitHub::unjudged();
    github.repository("acme/shop").commit("main", &[("a", "1")]);
    let token = github.token(&[("acme/shop", &["contents=read"])]);
    let found = Caller::new(&github.enterprise_url(), &token).get(REF).ok();
    assert_eq!(found["url"], format!("{}/repos/acme/shop/git/refs/heads/main", github.enterprise_url()));
    assert_eq!(github.requests()[0].to_string(), format!("GET {REF} 200"));
}
