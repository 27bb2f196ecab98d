//! Applies that fail, secrets that turn, and what follows from either.

use crate::harness::{Project, needs_terraform, tasks};

#[test]
fn tf_r24_case_18_back_to_what_was_is_not_skipped_after_a_failure() {
    needs_terraform!();
    let project = Project::lab();
    let good = "  a: {use: ../plugins/thing, inputs: {size: 1}}\n";
    project.app("app", good);
    project.deploy("app").succeeds();
    let before = project.ledger("lab/staging/app/applied/a.json");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2, broken: true}}\n");

    project.deploy("app").fails(2, "apply-failed");

    let failed = project.ledger("lab/staging/app/applied/a.json");
    assert_eq!(failed["applied"], before["applied"], "the last good apply is still known");
    assert_ne!(failed["attempted"], before["attempted"], "and that another was started");
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/a")).unwrap();
    assert!(state.contains("\"size\": 2"), "half of it was applied: {state}");

    project.app("app", good);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/a")).unwrap();
    assert!(!state.contains("\"size\": 2"), "{state}");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\n");
}

#[test]
fn tf_r23_a_failure_skips_its_dependents_and_nothing_else() {
    needs_terraform!();
    let project = Project::lab();
    project.app(
        "app",
        r"  bad: {use: ../plugins/thing, inputs: {broken: true}}
  child: {use: ../plugins/thing, connections: {upstream: bad.out}}
  grandchild: {use: ../plugins/thing, connections: {upstream: child.out}}
  good: {use: ../plugins/thing}
  later: {use: ../plugins/thing, after: [good]}
",
    );

    let ran = project.deploy_with("app", &["-o", "json"]).fails(2, "apply-failed");

    let report = ran.json();
    let ended = tasks(&report);
    assert!(ended.contains("bad: failed ("), "{ended}");
    assert!(ended.contains("child: skipped (`bad` did not succeed)\n"), "{ended}");
    assert!(ended.contains("grandchild: skipped (`bad` did not succeed)\n"), "{ended}");
    assert!(ended.contains("good: succeeded\n") && ended.contains("later: succeeded\n"), "{ended}");
    assert_eq!(report["run"]["status"], "runtime-error");
    let published: Vec<_> = project.ledger_paths().into_iter().filter(|path| path.contains("/connections/")).collect();
    assert_eq!(published, ["lab/staging/app/connections/good.out.json", "lab/staging/app/connections/later.out.json"]);
    assert!(!project.ledger_paths().iter().any(|path| path.contains("/releases/")), "a failed run releases nothing");
}

#[test]
fn tf_r23_a_plan_that_fails_points_at_the_plugin() {
    needs_terraform!();
    let project = Project::lab();
    project.edit("plugins/thing/main.tf", "sha256(var.seed)", "tonumber(var.seed)");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.plan("app").fails(2, "plan-failed").says("app/tieline.yaml").says("main.tf");
}

#[test]
fn tf_r20_case_19_a_rotated_secret_wakes_its_consumers() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit_context(
        "workspaces/retail/workspace.yaml",
        "name: retail\n",
        "name: retail\ngrants:\n  - {connection: '*/shop/database.db', to: ['retail/*/reports'], allow: [use, read-sensitive]}\n",
    );
    project.write(
        "reports/tieline.yaml",
        r"apiVersion: tieline/v1
kind: Application
name: reports
workspace: retail
plugins:
  viewer:
    use: ../plugins/web
    inputs: {image: viewer}
    connections: {database: retail/staging/shop/database.db}
",
    );
    project.deploy("reports").succeeds();
    let password_of = |key: &str| {
        let state = std::fs::read_to_string(project.state_path(key)).unwrap();
        let at = state.find("postgres://app:").unwrap_or_else(|| panic!("{state}"));
        state[at..].split('@').next().unwrap().to_owned()
    };
    let old = password_of("retail/staging/shop/api");
    assert_eq!(old, password_of("retail/staging/reports/viewer"));

    project.edit("shop/tieline.yaml", "{name: orders}", "{name: orders, seed: two}");
    let ran = project.deploy_with("shop", &["-o", "json"]).succeeds();

    let report = ran.json();
    assert_eq!(tasks(&report), "database: succeeded\napi: succeeded\n");
    assert_eq!(
        report["stale"],
        serde_json::json!({"retail/staging/shop/database.db": ["retail/staging/reports/viewer.database"]})
    );
    let new = password_of("retail/staging/shop/api");
    assert_ne!(old, new);
    assert_eq!(old, password_of("retail/staging/reports/viewer"));
    project.run(&["status", "-C", "shop", "-e", "staging"]).succeeds().says("2 consumers, 1 stale");

    assert_eq!(tasks(&project.deploy_json("reports", &[])), "viewer: succeeded\n");
    assert_eq!(new, password_of("retail/staging/reports/viewer"));
    project.run(&["status", "-C", "shop", "-e", "staging"]).succeeds().never_says("stale");
}

#[test]
fn tf_r24_what_changed_outside_is_found_when_asked() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    assert_eq!(tasks(&project.deploy_json("app", &["--refresh"])), "a: succeeded (no changes)\n");
    std::fs::remove_file(project.state_path("lab/staging/app/a")).unwrap();
    project.deploy_with("app", &["--refresh"]).fails(2, "state-missing");
}

#[test]
fn tf_r11_case_5_a_record_that_changes_between_plan_and_apply_is_refused() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.edit("shop/tieline.yaml", "{name: orders}", "{name: orders, size: large}");
    project.edit("network/tieline.yaml", "network}", "network, inputs: {cidr: 10.9.0.0/16}}");
    let deploy = project.shell_line(&["deploy", "-C", "network", "-e", "staging"]);
    project.meanwhile("plan", &deploy);

    let ran = project.deploy("shop").refused("binding-changed");

    ran.says("`platform/staging/network/vpc.vpc` changed while `database` was planned: generation 1 has become 2");
    let state = std::fs::read_to_string(project.state_path("retail/staging/shop/database")).unwrap();
    assert!(!state.contains("large") && state.contains("10.0.0.0/16"), "nothing was applied");
    project.deploy("shop").succeeds();
    let state = std::fs::read_to_string(project.state_path("retail/staging/shop/database")).unwrap();
    assert!(state.contains("large") && state.contains("10.9.0.0/16"));
}

#[test]
fn tf_r33_another_backend_does_not_make_everything_twice() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.edit_context("workspaces/lab/environments/staging.yaml", "path: states", "path: elsewhere");
    project.deploy("app").fails(2, "state-missing");
    assert!(!project.path(".tieline/elsewhere").exists());
}
