//! `tieline plan`, and deploys of approved plans.

use crate::harness::{Project, assert_shown, needs_terraform, tasks, verdicts};

fn fingerprint(project: &Project, folder: &str) -> String {
    project.plan_json(folder)["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn tf_a_plan_reads_well() {
    needs_terraform!();
    let project = Project::shop_with_network();
    let ran = project.plan("shop").succeeds();
    assert_shown!(ran.stdout, @r"
    Plan for retail/staging/shop

    database: +2 ~0 -0
      + create terraform_data.password
      + create terraform_data.server
    api: deferred until database is applied

    2 to add, 0 to change, 0 to destroy, 1 plugin is planned later.
    Fingerprint: <fingerprint>
    ");
    assert_eq!(project.state_resources("retail/staging/shop/database"), Vec::<String>::new());

    project.deploy("shop").succeeds();
    project.edit("shop/tieline.yaml", "api:1", "api:2");
    assert_shown!(project.plan("shop").succeeds().stdout, @r"
    Plan for retail/staging/shop

    database: unchanged
    api: +0 ~1 -0
      ~ update terraform_data.service

    0 to add, 1 to change, 0 to destroy.
    Fingerprint: <fingerprint>
    ");
}

#[test]
fn tf_r66_a_plan_for_programs_tells_what_changes_inside_resources_but_no_secret() {
    needs_terraform!();
    let mut project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "    broken: {type: boolean, default: false}\n",
        "    broken: {type: boolean, default: false}\n    token: {type: string, x-sensitive: true}\n",
    );
    project.edit("plugins/thing/main.tf", "base = terraform_data.base.output.name,", "token = var.token,");
    project.edit("plugins/thing/main.tf", "variable \"seed\"", "variable \"token\" {\n  type = string\n}\nvariable \"seed\"");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: one}}\n");
    project.set("TIELINE_SECRETS", "{a.token: canary-4711}");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: two}}\n");
    project.set("TIELINE_SECRETS", "{a.token: canary-4712}");

    let ran = project.plan_with("app", &["-o", "json"]).succeeds().never_says("canary-47");

    assert_eq!(
        ran.json()["tasks"][0]["resources"],
        serde_json::json!([
            {"address": "terraform_data.base", "action": "update", "progress": "planned", "attributes": [
                {"path": "input.name", "before": {"json": "\"one\""}, "after": {"json": "\"two\""}},
                {"path": "output", "before": {"json": "{\"name\":\"one\",\"size\":1,\"upstream\":null}"}, "after": "unknown"},
            ]},
            {"address": "terraform_data.top", "action": "update", "progress": "planned", "attributes": [
                {"path": "input.token", "before": "sensitive", "after": "sensitive"},
                // Terraform does not mark what a provider repeats.
                {"path": "output", "before": {"json": "{\"broken\":false,\"size\":1,\"token\":\"***\"}"}, "after": "unknown"},
            ]},
        ])
    );
}

#[test]
fn tf_r5_explain_tells_where_everything_came_from() {
    needs_terraform!();
    let project = Project::shop_with_network();
    assert_shown!(project.plan_with("shop", &["--explain"]).succeeds().stdout, @r#"
    api
      input domain = "staging.acme.test" (environment values)
        plugin default: "example.test"
      input image = "registry.example/api:1" (manifest)
      slot database = database.db (link)
        reference: no `api.database` under `environments.staging.references`
        link database.db: taken
        environment default for this slot: no `postgres-conn:database` under `defaults` of environment `staging`
        environment default: no `postgres-conn` under `defaults` of environment `staging`
    database
      input name = "orders" (manifest)
      input seed = "one" (plugin default)
      input size = "small" (plugin default)
      slot network = platform/staging/network/vpc.vpc (generation 1) (environment default)
        reference: no `database.network` under `environments.staging.references`
        link: no `network` under `plugins.database.connections`
        environment default for this slot: no `network-conn:network` under `defaults` of environment `staging`
        environment default platform/staging/network/vpc.vpc: taken
    "#);
}

#[test]
fn tf_r25_what_waits_for_a_changed_producer_is_deferred() {
    needs_terraform!();
    let project = Project::shop_with_network();
    assert_eq!(verdicts(&project.plan_json("shop")), "database: changes\napi: deferred\n");
    project.deploy("shop").succeeds();
    assert_eq!(verdicts(&project.plan_json("shop")), "database: unchanged\napi: unchanged\n");
    project.edit("shop/tieline.yaml", "{name: orders}", "{name: orders, size: micro}");
    assert_eq!(verdicts(&project.plan_json("shop")), "database: changes\napi: deferred\n");
}

#[test]
fn tf_r26_a_fingerprint_is_stable_and_its_plan_is_accepted() {
    needs_terraform!();
    let project = Project::shop_with_network();
    let first = fingerprint(&project, "shop");
    assert_eq!(first, fingerprint(&project, "shop"));

    let report = project.deploy_json("shop", &["--approved-plan", &first]);

    assert_eq!(tasks(&report), "database: succeeded\napi: succeeded\n");
    assert_eq!(report["run"]["planFingerprint"], *first);
    assert_ne!(first, fingerprint(&project, "shop"), "nothing is left to do, which is another plan");
}

#[test]
fn tf_r26_a_changed_input_makes_another_plan() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit("shop/tieline.yaml", "api:1", "api:2");
    let approved = fingerprint(&project, "shop");
    project.edit("shop/tieline.yaml", "api:2", "api:3");

    let ran = project.deploy_with("shop", &["--approved-plan", &approved]).refused("plan-changed");

    ran.says("the plan of api is another one now");
    let state = std::fs::read_to_string(project.state_path("retail/staging/shop/api")).unwrap();
    assert!(state.contains("api:1"), "nothing was applied");
    project.edit("shop/tieline.yaml", "api:3", "api:2");
    project.deploy_with("shop", &["--approved-plan", &approved]).succeeds();
}

#[test]
fn tf_r26_an_approved_plan_of_something_else_is_refused() {
    needs_terraform!();
    let project = Project::shop_with_network();
    project.deploy_with("shop", &["--approved-plan", "nonsense"]).refused("plan-changed");
    assert_eq!(project.state_resources("retail/staging/shop/database"), Vec::<String>::new());
}

#[test]
fn tf_a_plan_takes_no_state_lock() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit("shop/tieline.yaml", "api:1", "api:2");
    // The lock of somebody who died: terraform's own, on the state of the service.
    let lock = project.path(".tieline/states/retail/staging/shop/.api.tfstate.lock.info");
    std::fs::write(&lock, r#"{"ID":"dead","Operation":"OperationTypeApply","Who":"somebody@else"}"#).unwrap();
    project.plan("shop").succeeds().says("update");
    assert!(lock.exists());
}

#[test]
fn tf_r10_gates_hold_before_terraform_starts() {
    needs_terraform!();
    let mut project = Project::lab();
    project.count_terraform();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let module = project.read("plugins/thing/main.tf");
    project.write(
        "plugins/thing/main.tf",
        &format!("{module}\nresource \"terraform_data\" \"shell\" {{\n  provisioner \"local-exec\" {{\n    command = \"true\"\n  }}\n}}\n"),
    );
    project.plan("app").refused("local-exec-denied").says("plugins/thing/main.tf");
    project.deploy("app").refused("local-exec-denied");
    project.deploy_with("app", &["--allow-local-exec"]).refused("ceiling");
    assert_eq!(project.terraform_starts(), Vec::<String>::new());

    project.edit_context("context.yaml", "kind: Context\n", "kind: Context\nceilings: {local-exec: true}\n");
    project.deploy("app").refused("local-exec-denied");
    project.deploy_with("app", &["--allow-local-exec"]).succeeds();
}
