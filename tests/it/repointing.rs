//! Slots that take something else than at their last apply: shown before it happens, whatever the resources say (R47).

use serde_json::json;

use crate::harness::{Project, assert_shown, needs_terraform, verdicts};

/// An application with two producers and a consumer `b`, wired to one of them.
fn wire(project: &Project, to: &str) {
    let producers = "  a: {use: ../plugins/thing, inputs: {name: same}}\n  c: {use: ../plugins/thing, inputs: {name: same}}\n";
    project.app("app", &format!("{producers}  b: {{use: ../plugins/thing, connections: {{upstream: {to}}}}}\n"));
}

#[test]
fn tf_r47_a_repointed_slot_is_a_planned_change_even_with_the_same_values() {
    needs_terraform!();
    let project = Project::lab();
    wire(&project, "a.out");
    project.deploy("app").succeeds();
    wire(&project, "c.out");

    let planned = project.plan_json("app");
    assert_eq!(verdicts(&planned), "a: unchanged\nc: unchanged\nb: no-changes\n");
    assert_eq!(
        planned["tasks"][2]["rebindings"],
        json!([{
            "slot": "upstream", "change": "repointed",
            "from": {"address": "lab/staging/app/a.out", "type": "thing-conn", "typeVersion": "1.0.0", "generation": 1},
            "to": {"address": "lab/staging/app/c.out", "type": "thing-conn", "typeVersion": "1.0.0", "generation": 1},
        }])
    );
    assert_shown!(project.plan("app").succeeds().stdout, @r"
    Plan for lab/staging/app

    a: unchanged
    c: unchanged
    b: no changes
      slot upstream: lab/staging/app/a.out (thing-conn 1.0.0) -> lab/staging/app/c.out (thing-conn 1.0.0)

    0 to add, 0 to change, 0 to destroy.
    Fingerprint: <fingerprint>
    ");
    project.deploy("app").succeeds().says("[b] slot upstream: lab/staging/app/a.out (thing-conn 1.0.0) -> lab/staging/app/c.out");
    assert_eq!(project.plan_json("app")["tasks"][2]["rebindings"], json!([]));
}

#[test]
fn tf_r47_a_slot_that_becomes_unset_is_shown() {
    needs_terraform!();
    let project = Project::lab();
    wire(&project, "a.out");
    project.deploy("app").succeeds();
    project.edit("app/tieline.yaml", ", connections: {upstream: a.out}", "");
    project.plan("app").succeeds().says("slot upstream: lab/staging/app/a.out (thing-conn 1.0.0) -> nothing");
}

#[test]
fn tf_r20_a_connection_that_moved_on_or_was_made_again_is_shown() {
    needs_terraform!();
    let project = Project::deployed_shop();
    for cidr in ["10.1.0.0/16", "10.2.0.0/16"] {
        project.write(
            "network/tieline.yaml",
            &format!(
                "apiVersion: tieline/v1\nkind: SharedInfra\nname: network\nworkspace: platform\nplugins:\n  vpc: {{use: ../plugins/network, inputs: {{cidr: {cidr}}}}}\n"
            ),
        );
        project.deploy("network").succeeds();
    }
    let moved = "slot network: platform/staging/network/vpc.vpc moved on from generation 1 to 3";
    project.plan("shop").succeeds().says(moved);
    project.deploy("shop").succeeds().says(&format!("[database] {moved}"));

    let default = "network-conn: platform/staging/network/vpc.vpc";
    project.edit_context("workspaces/retail/environments/staging.yaml", default, "{}");
    project
        .run(&[
            "destroy",
            "-w",
            "platform",
            "-e",
            "staging",
            "--deployable",
            "network",
            "--break-consumers",
            "retail/staging/shop/database.network",
            "--reason",
            "made anew",
        ])
        .succeeds();
    project.edit_context("workspaces/retail/environments/staging.yaml", "{}", default);
    project.deploy("network").succeeds();
    project.plan("shop").succeeds().says("slot network: platform/staging/network/vpc.vpc was destroyed and created again");
}
