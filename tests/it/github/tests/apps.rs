//! The app's tokens, and the identity of a job.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::caller::Caller;
use crate::github::jwt::Key;
use crate::github::{GitHub, call};

const REF: &str = "/repos/acme/shop/git/ref/heads/main";
const INSTALLATION: &str = "/repos/acme/shop/installation";

/// The app, with a proof that was made so many seconds from now, and ends so many seconds from now.
pub(super) fn app(github: &GitHub, made: i64, ends: i64) -> Caller {
    let app = github.install_app(&["acme/shop", "acme/context"], &["contents=write", "issues=read"]);
    let now = call::now().timestamp();
    let claims = json!({"iss": app.id, "iat": now + made, "exp": now + ends});
    Caller::new(&github.url(), &Key::read(app.key).sign(&claims))
}

fn start() -> GitHub {
    let github = GitHub::unjudged();
    github.repository("acme/shop").commit("main", &[("a", "1")]);
    github.repository("acme/context").commit("main", &[("a", "1")]);
    github.repository("acme/other").commit("main", &[("a", "1")]);
    github
}

#[test]
fn the_app_gets_a_token_for_what_it_asks() {
    let github = start();
    let app = app(&github, -60, 540);
    let installation = app.get(INSTALLATION).ok();
    assert_eq!(installation["permissions"], json!({"contents": "write", "issues": "read"}));
    let route = format!("/app/installations/{}/access_tokens", installation["id"]);
    let narrow = json!({"repositories": ["shop"], "permissions": {"contents": "read"}});
    let minted = app.post(&route, &narrow).ok();
    let caller = Caller::new(&github.url(), minted["token"].as_str().unwrap());
    caller.get(REF).ok();
    caller.get("/repos/acme/context/git/ref/heads/main").is(404, "Not Found");
    assert_eq!(caller.post("/repos/acme/shop/git/blobs", &json!({"content": "a"})).status, 403);
    let wide = Caller::new(&github.url(), app.post(&route, &json!({})).ok()["token"].as_str().unwrap());
    wide.post("/repos/acme/context/git/blobs", &json!({"content": "a"})).ok();
    github.expire_all();
    caller.get(REF).is(401, "Bad credentials");
}

#[test]
fn the_app_gets_no_more_than_it_was_given() {
    let github = start();
    let app = app(&github, -60, 540);
    let ask = |body: Value| app.post("/app/installations/1/access_tokens", &body);
    ask(json!({"permissions": {"issues": "write"}})).is(422, "The permissions requested are not granted to this installation.");
    let message = "There is at least one repository that does not exist or is not accessible to the parent installation.";
    ask(json!({"repositories": ["other"]})).is(422, message);
    app.get("/repos/acme/other/installation").is(404, "Not Found");
    app.post("/app/installations/9/access_tokens", &json!({})).is(404, "Not Found");
    app.get(REF).is(401, "Bad credentials");
}

#[test]
fn the_app_must_prove_itself() {
    let github = start();
    app(&github, -60, 540).get(INSTALLATION).ok();
    let expired = app(&github, -600, -1).get(INSTALLATION);
    assert!(expired.json()["message"].as_str().unwrap().starts_with("'Expiration time' claim ('exp') must be"));
    app(&github, 0, 700).get(INSTALLATION).is(401, "'Expiration time' claim ('exp') is too far in the future");
    assert!(app(&github, 60, 540).get(INSTALLATION).json()["message"].as_str().unwrap().starts_with("'Issued at' claim"));
    let token = github.token(&[("acme/shop", &["contents=write"])]);
    Caller::new(&github.url(), &token).get(INSTALLATION).is(401, "A JSON web token could not be decoded");
}

#[test]
fn a_token_of_the_app_runs_out() {
    let github = start();
    github.tokens_live_for(TimeDelta::zero());
    let minted = app(&github, -60, 540).post("/app/installations/1/access_tokens", &json!({})).ok();
    Caller::new(&github.url(), minted["token"].as_str().unwrap()).get(REF).is(401, "Bad credentials");
}

#[test]
fn a_job_gets_tokens_that_others_can_check() {
    let github = start();
    let identity = github.identity("repo:acme/shop:environment:staging");
    let job = Caller::new("", &identity.token);
    let value = job.get(&format!("{}&audience=sts.amazonaws.com", identity.url)).ok()["value"].clone();
    let claims = GitHub::claims(value.as_str().unwrap()).unwrap();
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!("sts.amazonaws.com"), &json!(identity.issuer)));
    assert_eq!(claims["sub"], "repo:acme/shop:environment:staging");
    let stranger = Caller::stranger(&identity.issuer);
    let configuration = stranger.get("/.well-known/openid-configuration").ok();
    let keys = stranger.get(configuration["jwks_uri"].as_str().unwrap()).ok();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert_eq!(Caller::new("", "wrong").get(&identity.url).status, 401);
}
