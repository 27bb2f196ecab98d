//! What may be deleted and replaced, and who is asked first.

use crate::harness::{Project, needs_terraform, tasks, verdicts};

/// A deployed thing that will be replaced by the next deploy.
fn about_to_replace() -> Project {
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {shape: square}}\n");
    project
}

const ENVIRONMENT: &str = "workspaces/lab/environments/staging.yaml";

#[test]
fn tf_r27_a_replacement_needs_approval() {
    needs_terraform!();
    let project = about_to_replace();
    project.plan("app").succeeds().says("-/+ replace");
    let ran = project.deploy("app").refused("needs-approval");
    ran.says("replace module.plugin.terraform_data.base").says("--allow-destroy");

    let report = project.deploy_json("app", &["--allow-destroy"]);
    assert_eq!(tasks(&report), "a: succeeded\n");
}

#[test]
fn tf_r27_an_environment_may_allow_replacements() {
    needs_terraform!();
    let project = about_to_replace();
    project.edit_context(ENVIRONMENT, "allow-destroy: false", "allow-destroy: true");
    project.deploy("app").succeeds();
}

#[test]
fn tf_r26_a_protected_environment_wants_an_approved_plan() {
    needs_terraform!();
    let project = about_to_replace();
    project.edit_context(ENVIRONMENT, "protected: false", "protected: true");
    project.edit_context(ENVIRONMENT, "allow-destroy: false", "allow-destroy: true");
    project.deploy_with("app", &["--allow-destroy"]).refused("needs-approval").says("--approved-plan");

    let fingerprint = project.plan_json("app")["fingerprint"].as_str().unwrap().to_owned();
    project.deploy_with("app", &["--approved-plan", &fingerprint]).succeeds();

    // What neither deletes nor replaces needs nobody.
    project.app("app", "  a: {use: ../plugins/thing, inputs: {shape: square, size: 2}}\n");
    project.deploy("app").succeeds();
}

#[test]
fn tf_r26_a_late_plan_that_replaces_stops_an_approved_deploy() {
    needs_terraform!();
    let project = Project::lab();
    let plugins =
        "  a: {use: ../plugins/thing, inputs: {name: NAME}}\n  b: {use: ../plugins/follower, connections: {upstream: a.out}}\n";
    project.write(
        "plugins/follower/plugin.yaml",
        &project.read("plugins/thing/plugin.yaml").replace("name: thing\n", "name: follower\n"),
    );
    project.write(
        "plugins/follower/main.tf",
        &project
            .read("plugins/thing/main.tf")
            .replace("triggers_replace = var.shape", "triggers_replace = [var.shape, var.upstream.name]"),
    );
    project.app("app", &plugins.replace("NAME", "one"));
    project.deploy("app").succeeds();
    project.app("app", &plugins.replace("NAME", "two"));
    let plan = project.plan_json("app");
    assert_eq!(verdicts(&plan), "a: changes\nb: deferred\n");

    let ran = project.deploy_with("app", &["--approved-plan", plan["fingerprint"].as_str().unwrap()]).refused("needs-approval");

    ran.says("the plan of `b`, which could only be made now, deletes or replaces resources");
    let next = project.plan_json("app");
    assert_eq!(verdicts(&next), "a: unchanged\nb: changes\n");
    project.deploy_with("app", &["--approved-plan", next["fingerprint"].as_str().unwrap()]).succeeds();
}

#[test]
fn tf_r27_case_13_a_plugin_that_left_the_manifest_goes_only_as_allowed() {
    needs_terraform!();
    let project = Project::lab();
    let first = "  a: {use: ../plugins/thing}\n";
    project.app("app", &format!("{first}  b: {{use: ../plugins/thing, connections: {{upstream: a.out}}}}\n"));
    project.deploy("app").succeeds();
    let of_b = |path: &String| path.contains("/b.") || path.contains("~b.");
    assert_eq!(project.ledger_paths().iter().filter(|path| of_b(path)).count(), 3, "{:?}", project.ledger_paths());
    project.app("app", &first.replace("thing}", "thing, inputs: {size: 2}}"));

    assert_eq!(verdicts(&project.plan_json("app")), "b: changes\na: changes\n", "what goes comes first");
    project.plan("app").succeeds().says("b (no longer in the manifest)");
    project.deploy("app").refused("needs-approval").says("b");
    assert_eq!(project.state_resources("lab/staging/app/b").len(), 3, "nothing is lost");
    assert!(project.ledger_paths().iter().any(|path| path.ends_with("app/applied/b.json")));

    project.deploy_with("app", &["--allow-destroy"]).succeeds();

    assert_eq!(project.state_resources("lab/staging/app/b"), Vec::<String>::new());
    assert!(!project.ledger_paths().iter().any(of_b), "{:?}", project.ledger_paths());
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\n");
}

#[test]
fn tf_r32_r34_a_chain_that_left_goes_consumers_first() {
    needs_terraform!();
    let project = Project::lab();
    project.app(
        "app",
        "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n  c: {use: ../plugins/thing}\n",
    );
    project.deploy("app").succeeds();
    // The plugin is no longer what it was: destroy works from what was applied.
    project
        .write("plugins/other/plugin.yaml", &project.read("plugins/thing/plugin.yaml").replace("name: thing\n", "name: other\n"));
    project.write("plugins/other/main.tf", &project.read("plugins/thing/main.tf"));
    std::fs::remove_dir_all(project.path("plugins/thing")).unwrap();
    project.app("app", "  d: {use: ../plugins/other}\n");

    let report = project.deploy_json("app", &["--allow-destroy", "--parallelism", "1"]);

    assert_eq!(tasks(&report), "b: succeeded\na: succeeded\nc: succeeded\nd: succeeded\n");
    for alias in ["a", "b", "c"] {
        assert_eq!(project.state_resources(&format!("lab/staging/app/{alias}")), Vec::<String>::new());
    }
}

#[test]
fn tf_r29_case_7_what_another_workspace_consumes_stays() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit("network/tieline.yaml", "  vpc:", "  other:");

    let ran = project.deploy_with("network", &["--allow-destroy"]).refused("consumers-exist");

    ran.says("retail/staging/shop/database.network").says("the default `network-conn` of the environment `retail/staging`");
    assert_eq!(project.ledger("platform/staging/network/connections/vpc.vpc.json")["status"], "ready");
    assert_eq!(project.state_resources("platform/staging/network/other"), Vec::<String>::new(), "nothing was begun");
    assert_eq!(project.state_resources("platform/staging/network/vpc").len(), 1);
}

#[test]
fn tf_r35_what_is_to_be_kept_is_left_behind() {
    needs_terraform!();
    let project = Project::lab();
    project.edit("plugins/thing/plugin.yaml", "{module: .}", "{module: ., keep-on-destroy: [terraform_data.base]}");
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let report = project.deploy_json("app", &["--allow-destroy"]);
    assert_eq!(report["retained"], serde_json::json!(["b: terraform_data.base"]));
    assert_eq!(project.state_resources("lab/staging/app/b"), Vec::<String>::new());
}

#[test]
fn tf_r33_a_missing_state_is_not_success() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    std::fs::remove_file(project.state_path("lab/staging/app/a")).unwrap();

    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    project.plan("app").fails(2, "state-missing");
    project.deploy("app").fails(2, "state-missing").says("lab/staging/app/a");
    project.app("app", "  b: {use: ../plugins/thing}\n");
    project.deploy_with("app", &["--allow-destroy"]).fails(2, "state-missing");
    assert!(project.ledger_paths().iter().any(|path| path.ends_with("app/applied/a.json")), "what is recorded stays recorded");
}

#[test]
fn tf_r27_a_renamed_alias_goes_after_its_consumers_have_moved() {
    needs_terraform!();
    let project = Project::lab();
    let plugins = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n";
    project.app("app", plugins);
    project.deploy("app").succeeds();
    project.app("app", &plugins.replace("  a:", "  z:").replace("a.out", "z.out"));

    let report = project.deploy_json("app", &["--allow-destroy", "--parallelism", "1"]);

    assert_eq!(tasks(&report), "z: succeeded\nb: succeeded (no changes)\na: succeeded\n");
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/app/z.out\n");
    assert_eq!(project.state_resources("lab/staging/app/a"), Vec::<String>::new());
    assert!(!project.ledger_paths().iter().any(|path| path.contains("a.out") || path.ends_with("/a.json")));
}

#[test]
fn tf_r27_an_overlay_may_take_a_plugin_away() {
    needs_terraform!();
    let project = Project::lab();
    let plugins = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n";
    project.app("app", plugins);
    project.deploy("app").succeeds();
    project.app("app", &format!("{plugins}environments: {{staging: {{plugins: {{b: null}}}}}}\n"));
    project.deploy("app").refused("needs-approval");
    project.deploy_with("app", &["--allow-destroy"]).succeeds();
    assert_eq!(project.state_resources("lab/staging/app/b"), Vec::<String>::new());
}

#[test]
fn tf_r32_what_takes_a_secret_is_destroyed_with_its_producer() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let manifest = project.read("shop/tieline.yaml");
    let (head, _) = manifest.split_once("  database:").unwrap();
    project.write("shop/tieline.yaml", &format!("{head}  other: {{use: ../plugins/postgres, inputs: {{name: other}}}}\n"));
    let report = project.deploy_json("shop", &["--allow-destroy", "--parallelism", "1"]);
    assert_eq!(tasks(&report), "api: succeeded\ndatabase: succeeded\nother: succeeded\n");
    for alias in ["api", "database"] {
        assert_eq!(project.state_resources(&format!("retail/staging/shop/{alias}")), Vec::<String>::new());
    }
}

#[test]
fn tf_r34_a_destroy_that_failed_is_tried_again() {
    needs_terraform!();
    let mut project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.meanwhile("apply", "exit 1\n");
    let ran = project.deploy_with("app", &["--allow-destroy"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(project.ledger_paths().iter().any(|path| path.ends_with("/applied/b.json")), "it is still known");
    assert_eq!(project.state_resources("lab/staging/app/b").len(), 3);

    project.deploy_with("app", &["--allow-destroy"]).succeeds();
    assert!(!project.ledger_paths().iter().any(|path| path.contains("/b.")));
}

#[test]
fn tf_r15_a_plugin_may_not_drop_what_consumers_use() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit("plugins/postgres/plugin.yaml", ", password: password}", "}");
    project.edit("shop/tieline.yaml", "    connections: {database: database.db}\n", "    connections: {database: database.db}\n");
    let ran = project.deploy("shop");
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("password");
    assert_eq!(project.ledger("retail/staging/shop/connections/database.db.json")["generation"], 1);
}

#[test]
fn tf_r15_a_plugin_may_not_drop_what_consumers_elsewhere_use() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.write_context(
        "types/network-conn/2.0.0.yaml",
        &project.read("context/types/network-conn/1.0.0.yaml").replace("version: 1.0.0", "version: 2.0.0"),
    );
    project.edit("plugins/network/plugin.yaml", "{type: network-conn,", "{type: network-conn@2,");
    project.plan("network").refused("breaks-consumers").says("retail/staging/shop/database.network");
    project.deploy("network").refused("breaks-consumers");
    project.edit("plugins/network/plugin.yaml", "{type: network-conn@2,", "{type: network-conn@1,");
    project.edit("plugins/network/plugin.yaml", ", region: region}", "}");
    project.deploy("network").refused("breaks-consumers").says("region");
}
