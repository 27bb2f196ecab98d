//! The branch is gone, or the documents, the plugin's source, the producer, its state (R32).

use crate::harness::{Project, needs_terraform, tasks};

const DATA: &str = "retail/staging/data";
const FRONT: &str = "retail/staging/front";

/// A shared database with a password, and an application elsewhere that uses it.
fn database_and_front() -> Project {
    let project = Project::shop_with_network();
    let head =
        |kind: &str, name: &str| format!("apiVersion: tieline/v1\nkind: {kind}\nname: {name}\nworkspace: retail\nplugins:\n");
    project.write(
        "data/tieline.yaml",
        &(head("SharedInfra", "data") + "  database: {use: ../plugins/postgres, inputs: {name: orders}}\n"),
    );
    project.write(
        "front/tieline.yaml",
        &(head("Application", "front")
            + "  api: {use: ../plugins/web, inputs: {image: one}, connections: {database: data/database.db}}\n"),
    );
    project
}

fn deployed() -> Project {
    let project = database_and_front();
    project.deploy("data").succeeds();
    project.deploy("front").succeeds();
    project
}

/// Takes the database away although it is needed.
fn without_producer() -> Project {
    let project = deployed();
    let broken = ["--break-consumers", "retail/staging/front/api.database", "--reason", "the worst day"];
    project.destroy_with(DATA, &broken).succeeds();
    project
}

#[test]
fn tf_r32_neither_manifest_nor_plugin_sources_are_needed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    for folder in ["shop", "network", "plugins"] {
        std::fs::remove_dir_all(project.path(folder)).unwrap();
    }
    let report = project.destroy_with("retail/staging/shop", &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&report), "api: succeeded\ndatabase: succeeded\n");
    assert_eq!(report["notes"], serde_json::json!([]), "the real password was read");
    project.is_gone("retail/staging/shop", &["api", "database"]);
    let again = project.destroy("retail/staging/shop").succeeds();
    again.says("0 tasks");
}

#[test]
fn tf_r32_the_documents_of_environment_and_workspace_may_be_gone() {
    needs_terraform!();
    let project = Project::deployed_shop();
    std::fs::remove_dir_all(project.path("context/workspaces/retail")).unwrap();
    project.init_context();
    let ran = project.destroy("retail/staging/shop").succeeds();
    ran.says("the document of the environment `retail/staging` is gone: whether it was protected cannot be told")
        .says("the document of the workspace `retail` is gone: who owns its deployables cannot be told")
        .never_says("stands in for");
    project.is_gone("retail/staging/shop", &["api", "database"]);
}

#[test]
fn tf_r32_a_branch_without_documents_is_not_one_whose_documents_are_gone() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let ran = project.destroy_with("retail/staging/shop", &["--documents-branch", "ledger"]).refused("invalid-input");
    ran.says("has no documents").says("--documents-branch");
    project.destroy("retail/staging/shop").succeeds();
}

#[test]
fn tf_r32_a_place_that_never_was_is_refused() {
    needs_terraform!();
    let project = Project::shop();
    project.destroy("retail/staging/nothing").refused("invalid-input").says("nothing was ever deployed at");
    project.run(&["destroy", "-e", "staging"]).refused("invalid-input").says("then no manifest is read");
}

#[test]
fn tf_r32_case_9_the_producer_is_gone() {
    needs_terraform!();
    let project = without_producer();
    let report = project.destroy_with(FRONT, &["-o", "json"]).succeeds().json();
    assert_eq!(
        report["notes"],
        serde_json::json!([
            "`api` is destroyed with something that stands in for `api.database.password`: the real value is not there"
        ])
    );
    project.is_gone(FRONT, &["api"]);
}

#[test]
fn tf_r32_case_9_the_producers_state_is_gone() {
    needs_terraform!();
    let project = without_producer();
    std::fs::remove_file(project.state_path("retail/staging/data/database")).unwrap();
    project.destroy(FRONT).succeeds().says("stands in for `api.database.password`");
    project.is_gone(FRONT, &["api"]);
}

#[test]
fn tf_r32_case_9_nothing_says_where_the_producers_state_was() {
    needs_terraform!();
    let project = without_producer();
    std::fs::remove_dir_all(project.path("context/workspaces/retail")).unwrap();
    std::fs::remove_dir_all(project.path("context/types")).unwrap();
    project.init_context();
    project.destroy(FRONT).succeeds().says("stands in for `api.database.password`");
    project.is_gone(FRONT, &["api"]);
}

#[test]
fn tf_r32_what_cannot_be_read_can_be_given() {
    needs_terraform!();
    let mut project = without_producer();
    project.set(
        "TIELINE_SECRETS",
        r#"{api.database.password: "${file(\"/nowhere\")}%{ if true }\n::error::canary-of-the-password"}"#,
    );
    let ran = project.destroy(FRONT).succeeds();
    ran.never_says("stands in for").never_says("canary-of-the-password").never_says("::error");
    project.is_gone(FRONT, &["api"]);
}

#[test]
fn tf_r32_nothing_stands_in_for_what_a_provider_takes() {
    needs_terraform!();
    let mut project = without_producer();
    std::fs::remove_file(project.path("context/workspaces/retail/environments/staging.yaml")).unwrap();
    project.init_context();
    with_provider(
        &project,
        "locals {\n  dsn = \"x:${var.database.password}\"\n}\nprovider \"terraform\" {\n  token = local.dsn\n}\n",
    );

    let refused = project.destroy_with(FRONT, &[]).refused("invalid-input");

    refused
        .says("the destroy of `api` needs the real `api.database.password`, which is not there")
        .says("TIELINE_SECRETS='{api.database.password: <value>}'");
    assert_eq!(project.state_resources("retail/staging/front/api").len(), 1, "nothing was destroyed");
    project.set("TIELINE_SECRETS", "{api.database.password: given}");
    project.destroy(FRONT).never_says("which is not there");
}

/// Has the front applied with more in its module.
fn with_provider(project: &Project, more: &str) {
    project.forge_module("retail/staging/front/applied/api.json", "plugins/web", more);
}

#[test]
fn tf_r32_a_sensitive_input_that_nobody_gives_is_stood_in_for() {
    needs_terraform!();
    let mut project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "    seed: {type: string, default: one}",
        "    seed: {type: string, minLength: 8, x-sensitive: true}",
    );
    project.edit("plugins/thing/main.tf", "variable \"seed\" { type = string }", "variable \"seed\" {\n  type = string\n  validation {\n    condition     = length(var.seed) >= 8\n    error_message = \"too short\"\n  }\n}");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.set("TIELINE_SECRETS", "{a.seed: canary-of-the-seed}");
    project.deploy("app").succeeds();
    project.set("TIELINE_SECRETS", "");
    project.destroy("lab/staging/app").succeeds().says("stands in for `a.seed`");
    project.is_gone("lab/staging/app", &["a"]);
}

#[test]
fn tf_r35_what_is_kept_is_told_before_and_after() {
    needs_terraform!();
    let project = Project::lab();
    project.edit("plugins/thing/plugin.yaml", "{module: .}", "{module: ., keep-on-destroy: [terraform_data.base]}");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    let plan = project.run(&["plan", "--for", "destroy", "-C", "app", "-e", "staging"]).succeeds();
    plan.says("1 to destroy").says("Would be left behind on purpose\n  a: terraform_data.base");
    let ran = project.destroy("lab/staging/app").succeeds();
    ran.says("Left behind on purpose\n  a: terraform_data.base").says("destroys lab/staging/app").never_says("manifest");
    project.is_gone("lab/staging/app", &["a"]);
}
