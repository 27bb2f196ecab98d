//! A workspace that is split: deployables are taken to another one by one, and who uses them goes on.

use crate::harness::{Project, needs_terraform, tasks};

/// `lab` with a base that two others use, one of them with its own consumer, and an empty workspace `core` beside it.
fn lab() -> Project {
    let project = Project::lab();
    project.write_context("workspaces/core/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: core\n");
    let environment = project.read("context/workspaces/lab/environments/staging.yaml");
    project.write_context("workspaces/core/environments/staging.yaml", &environment);
    for (name, plugins) in [
        ("base", "  a: {use: ../plugins/thing}\n"),
        ("middle", "  a: {use: ../plugins/thing, connections: {upstream: base/a.out}}\n"),
        (
            "top",
            "  a: {use: ../plugins/thing, connections: {upstream: middle/a.out}}\n  b: {use: ../plugins/thing, connections: {upstream: base/a.out}}\n",
        ),
        ("reader", "  a: {use: ../plugins/thing, connections: {upstream: top/a.out}}\n"),
    ] {
        project.app(name, plugins);
        project.edit(&format!("{name}/tieline.yaml"), "kind: Application", "kind: SharedInfra");
        project.deploy(name).succeeds();
    }
    project
}

#[test]
fn tf_r40_a_workspace_is_split_and_consumers_go_on() {
    needs_terraform!();
    let project = lab();
    let made = |project: &Project, workspace: &str| {
        ["base/a", "middle/a", "top/a", "top/b"].map(|one| project.made(&format!("{workspace}/staging/{one}")))
    };
    let before = made(&project, "lab");
    for name in ["middle", "base", "top"] {
        project.relocate(&[&format!("lab/staging/{name}"), &format!("core/staging/{name}")]).succeeds();
        // Whoever stays goes on by the redirect, though it sees nothing of the other workspace by itself.
        assert_eq!(tasks(&project.deploy_json("reader", &[])), "a: skipped (unchanged)\n");
    }
    assert_eq!(made(&project, "core"), before, "nothing was made anew");
    let left = project.ledger_paths();
    let left: Vec<_> =
        left.iter().filter(|path| path.starts_with("lab/") && !path.contains("/runs/") && !path.contains("/reader/")).collect();
    assert_eq!(left, ["lab/staging/base/moved.json", "lab/staging/middle/moved.json", "lab/staging/top/moved.json"]);

    // The documents follow: first those of what moved.
    for name in ["base", "middle", "top"] {
        project.edit(&format!("{name}/tieline.yaml"), "workspace: lab", "workspace: core");
        let report = project.deploy_json(name, &[]);
        assert!(tasks(&report).lines().all(|line| line.ends_with("succeeded (no changes)")), "{report}");
    }
    assert_eq!(made(&project, "core"), before);

    // Then those of who stayed: under the new address the new workspace's grant counts.
    let shown = project.plan("reader").succeeds().stderr;
    assert!(shown.contains("`lab/staging/top/a.out` was moved: it is `core/staging/top/a.out` now"), "{shown}");
    assert!(shown.contains("{connection: \"staging/top/a.out\", to: [\"lab/staging/reader\"], allow: [use]}"), "{shown}");
    project.edit("reader/tieline.yaml", "top/a.out", "core/staging/top/a.out");
    project.plan("reader").refused("grant-denied");
    let grant = "grants:\n  - {connection: \"staging/top/a.out\", to: [\"lab/staging/reader\"], allow: [use]}\n";
    let workspace = project.read("context/workspaces/core/workspace.yaml");
    project.write_context("workspaces/core/workspace.yaml", &(workspace + grant));
    let ran = project.deploy("reader").succeeds();
    ran.never_says("was moved").says("1 unchanged");
}

/// A redirect is believed only where both sides say it.
#[test]
fn tf_r40_a_forged_redirect_leads_nowhere() {
    needs_terraform!();
    let project = lab();
    let goal = r#"{"workspace": "lab", "environment": "staging", "deployable": "base"}"#;
    let forged = format!(
        r#"{{"schemaVersion": 1, "place": {goal}, "run": "01J0000000000000000000000A", "moved": "2026-01-01T00:00:00Z", "left": {{}}}}"#
    );
    project.forge("lab/staging/nobody/moved.json", &forged);
    project.edit("reader/tieline.yaml", "top/a.out", "nobody/a.out");
    project.plan("reader").succeeds().says("waits for `lab/staging/nobody/a.out`, which is not published yet");

    // Nor does one that leads to itself keep anybody busy.
    project.forge("lab/staging/nobody/moved.json", &forged.replace("base", "nobody"));
    project.plan("reader").succeeds().says("waits for `lab/staging/nobody/a.out`, which is not published yet");
}

/// What a release before the move says can still be applied after it.
#[test]
fn tf_r40_a_rollback_goes_back_to_before_the_move() {
    needs_terraform!();
    let project = lab();
    let made = project.made("lab/staging/top/a");
    let run = project.newest("lab/staging/top/releases")["run"].as_str().unwrap().to_owned();
    project.edit("top/tieline.yaml", "  a: {use: ../plugins/thing,", "  a: {use: ../plugins/thing, inputs: {size: 7},");
    project.deploy("top").succeeds();
    project.relocate(&["lab/staging/top/a", "first"]).succeeds();
    project.relocate(&["lab/staging/top", "core/staging/peak"]).succeeds();
    project.relocate(&["lab/staging/base", "core/staging/base"]).succeeds();
    // From another workspace it needs a grant for what it takes from the old one.
    let grant = "grants: [{connection: \"staging/middle/a.out\", to: [\"core/*/*\"], allow: [use]}]";
    project.edit_context("workspaces/lab/workspace.yaml", "grants: []", grant);
    let ran = project.run(&["rollback", "-w", "core", "-e", "staging", "--deployable", "peak", "--to", &run]).succeeds();
    project.verify();
    assert_eq!(project.made("core/staging/peak/first"), made, "{ran}");
    assert_eq!(project.ledger("core/staging/peak/applied/first.json")["inputs"]["size"], 1);
    assert_eq!(project.bindings("core/staging/peak/applied/first.json"), "upstream <- lab/staging/middle/a.out\n");
}
