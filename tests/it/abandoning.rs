//! Applied plugins that are given up instead of destroyed: made over to a stand-in, or left to somebody else (R46).

use serde_json::json;

use crate::harness::{Project, needs_terraform, tasks, verdicts};

const BECAUSE: [&str; 2] = ["--reason", "the platform team runs it now"];

/// An application with a producer `a` that is deployed, a consumer `b` of it, and an imported connection `mine`.
fn deployed() -> Project {
    let project = Project::lab();
    project.write_context(
        "workspaces/lab/imported/staging/mine.yaml",
        "apiVersion: tieline/v1\nkind: ImportedConnection\nname: mine\ntype: thing-conn\nversion: 1.0.0\nattributes: {name: mine}\n",
    );
    project.app("app", PLUGINS);
    project.deploy("app").succeeds();
    project
}

const PLUGINS: &str = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n";

fn stand_in(project: &Project) {
    project.app("app", &format!("{PLUGINS}environments: {{staging: {{stand-ins: {{a.out: lab/staging/imported/mine}}}}}}\n"));
}

#[test]
fn tf_r46_a_deployed_plugin_is_abandoned_to_a_stand_in_and_taken_back_only_by_adoption() {
    needs_terraform!();
    let project = deployed();
    stand_in(&project);
    project.deploy("app").refused("invalid-document").says("give it up with `--abandon a` and a `--reason`");
    project.deploy_with("app", &["--abandon", "a"]).refused("invalid-input").says("setting a safeguard aside needs a reason");

    let planned = project.plan_with("app", &[&["--abandon", "a", "-o", "json"][..], &BECAUSE].concat()).succeeds().json();
    assert_eq!(verdicts(&planned), "a: abandoned\nb: changes\n");

    let report = project.deploy_json("app", &[&["--abandon", "a"][..], &BECAUSE].concat());

    assert_eq!(tasks(&report), "b: succeeded\na: skipped (abandoned, because the platform team runs it now)\n");
    assert_eq!(report["retained"], json!(["a: all of it, in the state `lab/staging/app/a` of the `local` backend"]));
    assert_eq!(report["counts"]["remove"], 0);
    assert_eq!(project.state_resources("lab/staging/app/a").len(), 3, "its infrastructure and its state stay");
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/imported/mine\n");
    let left: Vec<String> = project.ledger_paths().into_iter().filter(|path| path.contains("/a.")).collect();
    assert_eq!(left, Vec::<String>::new(), "nothing recorded of it is left");
    let overridden = &project.newest("lab/staging/app/runs")["overrides"][0];
    assert_eq!((&overridden["override"], &overridden["subjects"]), (&json!("abandon"), &json!(["a"])));
    assert_eq!(overridden["left"]["a"]["key"], "lab/staging/app/a");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "b: skipped (unchanged)\n");

    // And back: what stands there is not taken for its own, nor made a second time.
    project.app("app", PLUGINS);
    let refused = project.plan("app");
    assert_eq!(refused.code, 1, "{refused}");
    refused.says("the Terraform state of `a` holds 2 resources that nobody recorded");
    project.deploy("app").refused("invalid-input").says("take them over with `tieline adopt`");
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/imported/mine\n");

    // Somebody took it away: it is deployed as a new one.
    std::fs::remove_file(project.state_path("lab/staging/app/a")).unwrap();
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\nb: succeeded\n");
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/app/a.out\n");
}

#[test]
fn tf_r29_consumers_elsewhere_hold_what_is_abandoned_too() {
    needs_terraform!();
    let project = deployed();
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants: []",
        "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]",
    );
    project.app("other", "  x: {use: ../plugins/thing, connections: {upstream: lab/staging/app/a.out}}\n");
    project.deploy("other").succeeds();
    stand_in(&project);
    let abandon = [&["--abandon", "a"][..], &BECAUSE].concat();
    project.deploy_with("app", &abandon).refused("consumers-exist").says("lab/staging/other/x.upstream");
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/app/a.out\n");

    let broken = [&abandon[..], &["--break-consumers", "lab/staging/other/x.upstream"]].concat();
    let ran = project.run(&[&["deploy", "-C", "app", "-e", "staging"], &broken[..]].concat()).succeeds();
    ran.says("a: all of it, in the state `lab/staging/app/a` of the `local` backend");
    let overrides = &project.newest("lab/staging/app/runs")["overrides"];
    assert_eq!((&overrides[0]["override"], &overrides[1]["override"]), (&json!("break-consumers"), &json!("abandon")));
}

#[test]
fn tf_r46_what_left_the_manifest_can_be_abandoned_and_nothing_else() {
    needs_terraform!();
    let project = deployed();
    let abandon = |aliases: &'static str| [&["--abandon", aliases][..], &BECAUSE].concat();
    project.deploy_with("app", &abandon("a")).refused("invalid-input").says("`a` cannot be abandoned: it would stay deployed");
    project.deploy_with("app", &abandon("c")).refused("invalid-input").says("`c` cannot be abandoned: it is not deployed there");
    project.app("app", "  c: {use: ../plugins/thing}\n");
    // Without leave to destroy anything.
    let report = project.deploy_json("app", &abandon("a,b"));
    let because = "abandoned, because the platform team runs it now";
    assert_eq!(tasks(&report), format!("b: skipped ({because})\na: skipped ({because})\nc: succeeded\n"));
    assert_eq!(project.state_resources("lab/staging/app/b").len(), 3);
}
