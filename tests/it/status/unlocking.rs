//! Claims that a dead run left.

use serde_json::json;

use super::{Holder, RUN, claim};
use crate::endure::bench::Bench;
use crate::github::GitHub;
use crate::harness::{Ran, assert_shown, needs_terraform};

const PLACE: (&str, &str, &str) = ("w", "e", "app");
const LONG_AGO: Holder = Holder::Elsewhere("2020-01-01T00:00:00Z");

fn bench(holder: Holder, run_url: Option<&str>) -> Bench {
    let bench = Bench::new();
    bench.put_claim("app", &claim(PLACE, holder, run_url));
    bench
}

fn unlock(bench: &Bench, more: &[&str]) -> Ran {
    bench.run(&[&["unlock", "--claim", RUN, "--reason", "its runner was taken away"], more].concat())
}

fn deploy(bench: &Bench) -> Ran {
    bench.run(&["deploy", "-C", "app", "-e", "e"])
}

#[test]
fn r21_what_a_dead_run_held_is_freed_and_it_is_recorded_who_did_and_why() {
    let bench = bench(Holder::Dead, None);
    assert_shown!(unlock(&bench, &[]).succeeds().stdout, @r"
    freed w/e/app, held by run <id>
      that run is dead: its process on this machine is gone
      what it had done is noted in the ledger, and it is marked `aborted`; the next run goes on from there
    recorded as run <id>: its runner was taken away
    ");
    assert_eq!(bench.claim("app"), None);
    bench.verify();
    let runs = bench.runs("app");
    let dead = runs.iter().find(|run| run["id"] == RUN).unwrap();
    assert_eq!((&dead["status"], &dead["tasks"][0]["status"]), (&json!("aborted"), &json!("aborted")));
    let ours = runs.iter().find(|run| run["type"] == "unlock").unwrap();
    assert_eq!((&ours["status"], &ours["actor"]), (&json!("succeeded"), &json!("tester")));
    let set_aside = json!([{"override": "unlock", "subjects": [RUN], "reason": "its runner was taken away"}]);
    assert_eq!(ours["overrides"], set_aside);
    unlock(&bench, &[]).refused("invalid-input").says("no claim is held by a run");
}

#[test]
fn r21_a_run_that_lives_is_never_robbed_of_its_claim() {
    for (holder, why) in [
        (Holder::Alive, "its process runs on this machine"),
        (Holder::Elsewhere("2999-01-01T00:00:00Z"), "its lease is not over"),
    ] {
        let bench = bench(holder, None);
        let before = bench.context_refs();
        unlock(&bench, &[]).refused("claimed").says(why).says("wait until it has ended, or cancel it");
        assert_eq!(bench.context_refs(), before, "nothing was touched");
    }
}

#[test]
fn r21_where_nobody_can_tell_a_person_answers_for_it() {
    let bench = bench(LONG_AGO, None);
    let freed = unlock(&bench, &["-o", "json"]).succeeds().json();
    assert_eq!(freed["freed"]["claim"]["holder"]["life"], "unknown");
    assert_eq!(
        (&freed["freed"]["claim"]["places"], &freed["reason"]),
        (&json!(["w/e/app"]), &json!("its runner was taken away"))
    );
    assert_eq!(bench.claim("app"), None);
}

#[test]
fn r21_only_an_exact_id_with_a_reason_frees() {
    let bench = bench(Holder::Dead, None);
    let before = bench.context_refs();
    bench.run(&["unlock", "--claim", RUN]).refused("invalid-input").says("needs a reason");
    bench.run(&["unlock", "--claim", RUN, "--reason", "  "]).refused("invalid-input").says("needs a reason");
    let other = RUN.replace('7', "6");
    bench.run(&["unlock", "--claim", &other, "--reason", "x"]).refused("invalid-input").says("no claim is held by a run");
    bench.run(&["unlock", "--claim", &RUN[..20], "--reason", "x"]).refused("invalid-input");
    assert_eq!(bench.run(&["unlock", "--reason", "x"]).code, 1);
    assert_eq!(bench.run(&["unlock", "--claim", RUN, "--lock", "1", "--alias", "a", "--reason", "x"]).code, 1);
    assert_eq!(bench.context_refs(), before, "nothing was touched");
}

#[test]
fn r21_the_server_tells_whether_a_workflow_run_is_over() {
    let github = GitHub::start();
    let shop = github.repository("acme/shop");
    let url = shop.workflow_run(42, "in_progress", None);
    let mut bench = bench(LONG_AGO, Some(&url));
    bench.set("GITHUB_API_URL", &github.url());
    bench.set("TIELINE_GITHUB_TOKEN", &github.token(&[("acme/shop", &["actions=read"])]));
    bench
        .run(&["status", "-w", "w"])
        .succeeds()
        .says("alive: its workflow run goes on (in_progress), although its lease is over");
    unlock(&bench, &[]).refused("claimed").says("its workflow run goes on (in_progress)").says(&url);
    assert!(bench.claim("app").is_some());

    shop.workflow_run(42, "completed", Some("cancelled"));
    bench.run(&["status", "-w", "w"]).succeeds().says("dead: its lease is over, and so is its workflow run (cancelled)");
    unlock(&bench, &[]).succeeds().says("that run is dead: its lease is over, and so is its workflow run (cancelled)");

    // What the server does not show may live or not.
    let hidden = url.replace("/42/", "/43/");
    let mut other = claim(PLACE, LONG_AGO, Some(&hidden));
    other["run"]["id"] = json!("7ZZZZZZZZZ0000000000000001");
    bench.put_claim("app", &other);
    bench.run(&["status", "-w", "w"]).succeeds().says("unknown whether alive");
}

#[test]
fn tf_r21_a_run_goes_on_where_the_workflow_run_of_a_dead_one_is_over() {
    needs_terraform!();
    let github = GitHub::start();
    let shop = github.repository("acme/shop");
    let url = shop.workflow_run(42, "in_progress", None);
    let mut bench = bench(LONG_AGO, Some(&url));
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.set("GITHUB_API_URL", &github.url());
    deploy(&bench).refused("claimed").says("is held by run");
    bench.set("TIELINE_GITHUB_TOKEN", &github.token(&[("acme/shop", &["actions=read"])]));
    deploy(&bench).refused("claimed").says("is held by run");

    shop.workflow_run(42, "completed", Some("failure"));
    deploy(&bench).succeeds().says("is dead: its lease is over, and so is its workflow run (failure)");
    assert_eq!(bench.claim("app"), None);
    let dead = bench.runs("app").into_iter().find(|run| run["id"] == RUN).unwrap();
    assert_eq!(dead["status"], "aborted");
    bench.verify();
}

#[test]
fn r31_to_free_may_need_an_approval() {
    let bench = bench(Holder::Dead, None);
    let document = "workspaces/w/environments/e.yaml";
    let text = bench.read(&format!("context/{document}"));
    bench.write_context(document, &format!("{text}overrides: {{unlock: breakers}}\n"));
    unlock(&bench, &[]).refused("needs-approval").says("`unlock` needs the approval of the GitHub environment `breakers`");
    assert!(bench.claim("app").is_some());
}

#[test]
fn r41_only_workflows_of_the_owner_free_a_claim() {
    let bench = bench(Holder::Dead, None);
    let workspace = "apiVersion: tieline/v1\nkind: Workspace\nname: w\nowners: {app: {repository: acme/app, id: 7}}\n";
    bench.write_context("workspaces/w/workspace.yaml", workspace);
    unlock(&bench, &[]).refused("not-owner");
    assert!(bench.claim("app").is_some());
}

#[test]
fn r21_the_claim_of_a_fleet_is_freed_once_none_of_its_jobs_works() {
    let bench = Bench::new();
    let mut fleet = claim(PLACE, LONG_AGO, None);
    fleet["fleet"] = json!({"deployment": {"environment": "0".repeat(64), "plugins": {}}, "closing": false});
    fleet["run"]["tasks"] = json!([]);
    let job = |holder: Holder| {
        let mut job = claim(PLACE, holder, None);
        job["part"] = json!({"aliases": ["a"]});
        job
    };
    let part = format!("refs/tieline/claims/fleet/{RUN}/a");
    bench.put_claim("app", &fleet);
    bench.put_journal(&part, &job(Holder::Alive));
    bench.run(&["status", "-w", "w"]).succeeds().says("a fleet of 1 job").says("a: works, or ended without a word, on runner-7");
    unlock(&bench, &[]).refused("claimed").says("its process runs on this machine");

    bench.put_journal(&part, &job(Holder::Dead));
    bench.run(&["status", "-w", "w"]).succeeds().says(&format!("finish it: tieline fleet finish --fleet {RUN}"));
    unlock(&bench, &[]).succeeds();
    assert_eq!(bench.claims(), "", "its jobs' journals are gone too");
    let runs = bench.runs("app");
    let dead = runs.iter().find(|run| run["id"] == RUN).unwrap();
    assert_eq!((&dead["status"], &dead["tasks"][0]["status"]), (&json!("aborted"), &json!("aborted")));
}
