//! Many runs at once.

use serde_json::{Value, json};

use super::bench::{Bench, wait_until};
use crate::harness::needs_terraform;

#[test]
fn tf_r21_a_second_deploy_is_told_who_holds_the_first() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let first = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let claim = bench.claim("app").unwrap();
    let second = bench.deploy("app", &[]);
    assert_eq!(second.code, Some(1), "{}", second.err);
    let host = claim["host"].as_str().unwrap();
    for said in ["[claimed]", claim["run"]["id"].as_str().unwrap(), &format!("on `{host}`, process {}", first.id())] {
        assert!(second.err.contains(said), "no `{said}` in {}", second.err);
    }
    assert_eq!(bench.claim("app").unwrap()["run"], claim["run"], "the first is not disturbed");
    bench.open("gate");
    let first = first.finish();
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!((bench.runs("app").len(), bench.value("app", "a").as_deref()), (1, Some("slow")));
    bench.assert_left_free("app");
}

#[test]
fn tf_two_deployables_are_deployed_at_once() {
    needs_terraform!();
    let bench = Bench::new();
    for name in ["one", "two"] {
        bench.deployable(name, &format!("{{a: {}}}", bench.slow(name, "")));
    }
    let runs = ["one", "two"].map(|name| bench.start_deploy(name, &[]));
    bench.wait_at("one");
    bench.wait_at("two");
    bench.open("one");
    bench.open("two");
    for (run, name) in runs.into_iter().zip(["one", "two"]) {
        let ended = run.finish();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(bench.value(name, "a").as_deref(), Some("slow"));
    }
    bench.assert_left_free("one");
    bench.assert_left_free("two");
    bench.verify();
}

/// Another run's commit lands between the reading of the ledger and our own commit on it.
#[test]
fn tf_r16_a_lost_race_for_the_ledger_is_run_again() {
    needs_terraform!();
    let bench = Bench::new();
    bench.holding_git("refs/heads/ledger");
    bench.deployable("one", "{a: {use: ../plugins/quick}}");
    bench.deployable("two", "{a: {use: ../plugins/quick}}");
    bench.write("hold", "");
    let first = bench.start_deploy("one", &[]);
    wait_until("the ledger is about to be written", || bench.path("held").exists());
    let mut second = bench.deploy_command("two", &[]);
    second.env("PATH", std::env::var("PATH").unwrap());
    let second = bench.start(second).finish();
    assert_eq!(second.code, Some(0), "{}", second.err);
    std::fs::remove_file(bench.path("hold")).unwrap();
    let first = first.finish();
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(["one", "two"].map(|name| bench.value(name, "a").unwrap()), ["plain", "plain"]);
    bench.verify();
}

/// A claim as another machine would have written it, long ago.
fn of_elsewhere(claim: &Value, run: &str) -> Value {
    let mut claim = claim.clone();
    claim["host"] = json!("elsewhere");
    claim["process"]["boot"] = json!("another");
    claim["process"]["machine"] = json!("another");
    claim["lease"] = json!("2020-01-01T00:00:00Z");
    claim["run"]["id"] = json!(run);
    claim
}

#[test]
fn tf_r21_a_claim_of_another_host() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let first = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let claim = bench.claim("app").unwrap();
    bench.open("gate");
    assert_eq!(first.finish().code, Some(0));

    bench.put_claim("app", &of_elsewhere(&claim, "01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    let refused = bench.deploy("app", &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    for said in ["[claimed]", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "`elsewhere`", "its lease ended 2020-01-01"] {
        assert!(refused.err.contains(said), "no `{said}` in {}", refused.err);
    }
    assert_eq!(bench.claim("app").unwrap()["host"], "elsewhere", "it stays");

    let ended = claim["run"]["id"].as_str().unwrap();
    bench.put_claim("app", &of_elsewhere(&claim, ended));
    bench.deploys("app", &[]);
    assert_eq!(bench.runs("app")[0]["status"], "succeeded", "a run that is recorded as ended is not recorded anew");
    bench.assert_left_free("app");
}

#[test]
fn tf_r21_who_lost_the_claim_starts_nothing_new() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick, after: [a]}}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let claim = bench.claim("app").unwrap();
    bench.put_claim("app", &of_elsewhere(&claim, "01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    bench.open("gate");
    let ended = run.finish();
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("[claimed]") && ended.err.contains("was taken over by another run"), "{}", ended.err);
    assert!(bench.resources("app", "b").is_empty());
    assert_eq!(bench.resources("app", "a").len(), 3, "what was running was let finish");
    assert_eq!(bench.claim("app").unwrap()["host"], "elsewhere", "the other's claim is not deleted");
    assert!(bench.is_tidy());
}
