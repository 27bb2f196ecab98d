//! Commits, comparisons and archives.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::json;
use tar::Archive;

use super::caller::{Caller, Got};
use crate::github::{GitHub, Hosted};

const SHOP: &str = "/repos/acme/shop";

fn start() -> (GitHub, Hosted, Caller) {
    let github = GitHub::unjudged();
    let shop = github.repository("acme/shop");
    let caller = Caller::new(&github.url(), &github.token(&[("acme/shop", &["contents=read"])]));
    (github, shop, caller)
}

fn on(path: &str) -> String {
    format!("{SHOP}{path}")
}

#[test]
fn a_name_leads_to_a_commit() {
    let (_github, shop, caller) = start();
    caller.get(&on("/commits/main")).is(409, "Git Repository is empty.");
    shop.commit("main", &[("a", "1\n"), ("b", "1\n")]);
    let head = shop.commit("feature/x", &[("a", "1\n")]);
    let second = shop.commit("main", &[("a", "2\n3\n")]);
    assert_eq!(caller.with("accept", "application/vnd.github.sha").get(&on("/commits/feature/x")).body, head.as_bytes());
    let commit = caller.get(&on("/commits/heads%2Fmain")).ok();
    assert_eq!((&commit["sha"], &commit["stats"]), (&json!(second), &json!({"additions": 2, "deletions": 1, "total": 3})));
    assert_eq!((&commit["files"][0]["filename"], &commit["files"][0]["status"]), (&json!("a"), &json!("modified")));
    caller.get(&on("/commits/nothing")).is(422, "No commit found for SHA: nothing");
}

#[test]
fn two_commits_are_compared() {
    let (_github, shop, caller) = start();
    let first = shop.commit("main", &[("a", "1")]);
    let second = shop.commit("main", &[("b", "2")]);
    let of = |names: &str| {
        let found = caller.get(&on(&format!("/compare/{names}"))).ok();
        format!("{} {} {} {}", found["status"], found["ahead_by"], found["behind_by"], found["files"].as_array().unwrap().len())
    };
    assert_eq!(of(&format!("{first}...{second}")), r#""ahead" 1 0 1"#);
    assert_eq!(of(&format!("main...{first}")), r#""behind" 0 1 0"#);
    assert_eq!(of("main...main"), r#""identical" 0 0 0"#);
    caller.get(&on("/compare/main...nothing")).is(404, "Not Found");
}

#[test]
fn an_archive_is_on_another_host_and_has_one_folder() {
    let (github, shop, caller) = start();
    let head = shop.commit("main", &[("folder/a.txt", "a"), ("b.txt", "b")]);
    let answer = caller.get(&on(&format!("/tarball/{head}")));
    let place = answer.header("location");
    assert_eq!(answer.status, 302);
    assert!(!place.starts_with(&github.url()), "{place}");
    let stranger = Caller::stranger("");
    let got = stranger.get(place);
    let folder = format!("acme-shop-{}", &head[..7]);
    let files = [format!("{folder}/b.txt"), format!("{folder}/folder/a.txt")];
    assert_eq!(unpacked(&got), (head.clone(), files.to_vec()));
    assert_eq!(stranger.get(place.split('?').next().unwrap()).status, 404);
    assert_eq!(github.requests()[1].target, place.replace(place.split("/acme").next().unwrap(), "codeload"));
    caller.get(&on("/tarball/nothing")).is(404, "Not Found");
    shop.serve_archive(b"not an archive".to_vec());
    assert_eq!(stranger.get(place).body, b"not an archive");
}

#[test]
fn everybody_has_the_archive_of_a_public_repository() {
    let (github, shop, _) = start();
    shop.commit("main", &[("a", "1")]);
    shop.publish();
    let stranger = Caller::stranger(&github.url());
    let answer = stranger.get(&on("/tarball/main"));
    assert!(!answer.header("location").contains("token="));
    assert_eq!(stranger.get(answer.header("location")).status, 200);
}

/// The commit that an archive says it is of, and its files.
fn unpacked(got: &Got) -> (String, Vec<String>) {
    let mut tar = Vec::new();
    GzDecoder::new(got.body.as_slice()).read_to_end(&mut tar).unwrap();
    let (mut commit, mut files) = (String::new(), Vec::new());
    for entry in Archive::new(tar.as_slice()).entries().unwrap().raw(true) {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_pax_global_extensions() {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            commit = text.trim_end().rsplit('=').next().unwrap().to_owned();
        } else if entry.header().entry_type().is_file() {
            files.push(entry.path().unwrap().to_str().unwrap().to_owned());
        }
    }
    (commit, files)
}
