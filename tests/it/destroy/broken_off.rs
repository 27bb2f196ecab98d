//! Destroys that fail, are cancelled or are killed on the way, and what such a deploy left (R33, R34).

use super::destroy_arguments;
use crate::harness::{Project, needs_terraform, tasks};

const PLACE: &str = "lab/staging/app";
const CONNECTION: &str = "lab/staging/app/connections/a.out.json";

/// An application that is deployed.
fn deployed(plugins: &str) -> Project {
    let project = Project::lab();
    project.app("app", plugins);
    project.deploy("app").succeeds();
    project
}

/// What kills the program that runs this terraform, once it has done what it was started for.
fn done_and_killed() -> String {
    format!("'{}' \"$@\"\nkill -9 $PPID\nexit 0\n", which::which("terraform").unwrap().display())
}

const KILLED: &str = "kill -9 $PPID\nexit 1\n";

/// A destroy that is killed where a terraform command is started.
fn killed(at: &str, script: &str) -> Project {
    let mut project = deployed("  a: {use: ../plugins/thing}\n");
    project.meanwhile(at, script);
    assert_eq!(project.run(&destroy_arguments(PLACE, &[])).code, -1, "it was killed");
    assert_eq!(project.ledger(CONNECTION)["status"], "retiring");
    project
}

#[test]
fn tf_r34_what_is_independent_goes_and_what_is_still_needed_stays() {
    needs_terraform!();
    let plugins = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n  c: {use: ../plugins/thing}\n";
    let mut project = deployed(plugins);
    project.meanwhile("apply", "exit 1\n");

    let report = project.run(&destroy_arguments(PLACE, &["--parallelism", "1", "-o", "json"]));

    assert_eq!(report.code, 2, "{report}");
    let ended = tasks(&report.json());
    assert!(ended.starts_with("b: failed") && ended.contains("a: skipped (`b` did not succeed)"), "{ended}");
    assert!(ended.contains("c: succeeded"), "{ended}");
    assert_eq!(project.state_resources("lab/staging/app/c"), Vec::<String>::new());
    assert_eq!(project.ledger(CONNECTION)["status"], "ready", "nobody touched it");
    assert_eq!(project.ledger("lab/staging/app/connections/b.out.json")["status"], "degraded");

    let report = project.destroy_with(PLACE, &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&report), "b: succeeded\na: succeeded\n");
    project.is_gone(PLACE, &["a", "b", "c"]);
}

#[test]
fn tf_r33_a_missing_state_is_refused_and_can_be_restored() {
    needs_terraform!();
    let project = deployed("  a: {use: ../plugins/thing}\n");
    let (state, kept) = (project.state_path("lab/staging/app/a"), project.path("kept"));
    std::fs::rename(&state, &kept).unwrap();
    project.destroy(PLACE).fails(2, "state-missing").says("restore the state");
    project.deploy_with("app", &["--refresh"]).fails(2, "state-missing");
    assert_eq!(project.ledger(CONNECTION)["status"], "ready");
    std::fs::rename(&kept, &state).unwrap();
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r33_what_was_never_made_needs_no_state() {
    needs_terraform!();
    let mut project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.meanwhile("apply", "exit 1\n");
    project.deploy("app").fails(2, "apply-failed");
    assert!(!project.state_path("lab/staging/app/a").exists());
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r33_what_is_half_made_is_destroyed() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {broken: true}}\n");
    project.deploy("app").fails(2, "apply-failed");
    assert!(!project.state_resources("lab/staging/app/a").is_empty());
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r33_what_a_killed_deploy_made_is_destroyed() {
    needs_terraform!();
    let mut project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.meanwhile("apply", &done_and_killed());
    assert_eq!(project.run(&["deploy", "-C", "app", "-e", "staging"]).code, -1);
    // Nothing of it is in the ledger yet: the claim names the plugin, and the manifest leads to it.
    let ran = project.destroy_with(PLACE, &["-C", "app"]).succeeds();
    ran.says("its journal is folded into the ledger");
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r34_a_cancelled_destroy_leaves_everything_as_it_was() {
    needs_terraform!();
    let mut project = deployed("  a: {use: ../plugins/thing}\n");
    project.meanwhile("plan", "kill -INT $PPID\n");
    let ran = project.destroy(PLACE);
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(project.ledger(CONNECTION)["status"], "ready");
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r34_killed_before_its_destroy_a_connection_is_as_it_was() {
    needs_terraform!();
    let project = killed("plan", KILLED);
    project.deploy("app").succeeds();
    assert_eq!(project.ledger(CONNECTION)["status"], "ready");

    let project = killed("plan", KILLED);
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r34_killed_in_its_destroy_the_next_run_finds_out_what_is_left() {
    needs_terraform!();
    let project = killed("apply", KILLED);
    let before = project.ledger(CONNECTION);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded (no changes)\n", "it was looked at again");
    let after = project.ledger(CONNECTION);
    assert_eq!((&after["status"], &after["uid"]), (&serde_json::json!("ready"), &before["uid"]));

    let project = killed("apply", KILLED);
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);
}

#[test]
fn tf_r34_killed_after_its_destroy_the_next_run_goes_on() {
    needs_terraform!();
    let project = killed("apply", &done_and_killed());
    assert_eq!(project.state_resources("lab/staging/app/a"), Vec::<String>::new());
    project.destroy(PLACE).succeeds();
    project.is_gone(PLACE, &["a"]);

    let project = killed("apply", &done_and_killed());
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    assert_eq!((project.state_resources("lab/staging/app/a").len(), &project.ledger(CONNECTION)["status"]), (3, &"ready".into()));
}
