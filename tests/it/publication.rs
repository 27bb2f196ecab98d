//! What the ledger says after a deploy.

use crate::harness::{Project, assert_shown, needs_terraform, tasks};

const OUT: &str = "lab/staging/app/connections/a.out.json";

#[test]
fn tf_r16_the_ledger_holds_what_was_deployed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let paths = project.ledger_paths();
    assert_shown!(paths.join("\n"), @"");
    assert_shown!(project.ledger_text("retail/staging/shop/connections/database.db.json"), @"");
    let entry = "retail/staging/shop/consumers/database.db/retail~staging~shop~api.database.json";
    assert_shown!(project.ledger_text(entry), @"");
    let applied = project.ledger_text("retail/staging/shop/applied/api.json");
    // The terraform of this machine.
    let terraform = serde_json::from_str::<serde_json::Value>(&applied).unwrap()["terraform"].to_string();
    assert!(terraform.contains("version") && terraform.contains("path"), "{terraform}");
    let mut record: serde_json::Value = serde_json::from_str(&applied).unwrap();
    record.as_object_mut().unwrap().remove("terraform");
    assert_shown!(serde_json::to_string_pretty(&record).unwrap(), @"");
    assert_shown!(serde_json::to_string_pretty(&project.newest("retail/staging/shop/runs")).unwrap(), @"");
    let mut release = project.newest("retail/staging/shop/releases");
    release.as_object_mut().unwrap().remove("terraform");
    assert_shown!(serde_json::to_string_pretty(&release).unwrap(), @"");
}

#[test]
fn tf_r16_a_run_is_one_commit_of_the_ledger() {
    needs_terraform!();
    let project = Project::shop_with_network();
    let commits = || project.git(".tieline/context.git", &["rev-list", "--count", "ledger"]).trim().parse::<u32>().unwrap();
    let before = commits();
    project.deploy("shop").succeeds();
    assert_eq!(commits(), before + 1);
}

#[test]
fn tf_r20_the_generation_rises_only_with_the_digest() {
    needs_terraform!();
    let project = Project::lab();
    let mut last = (0, String::new());
    let mut deploy = |inputs: &str, generation: u64| {
        project.app("app", &format!("  a: {{use: ../plugins/thing, inputs: {{{inputs}}}}}\n"));
        project.deploy("app").succeeds();
        let record = project.ledger(OUT);
        assert_eq!(record["generation"], generation, "{inputs}");
        let digest = record["digest"].as_str().unwrap().to_owned();
        assert_eq!(digest != last.1, generation != last.0, "{inputs}");
        last = (generation, digest);
        record
    };
    let first = deploy("name: one", 1);
    deploy("name: one, size: 2", 1);
    deploy("name: two, size: 2", 2);
    deploy("name: two, size: 2, seed: other", 3);
    let last = deploy("name: one, size: 2, seed: other", 4);
    assert_eq!(first["uid"], last["uid"]);
}

#[test]
fn tf_r12_case_6_a_broken_contract_keeps_the_old_record() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    let before = project.ledger(OUT);
    project.app(
        "app",
        "  a: {use: ../plugins/thing, inputs: {name: '42'}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n",
    );

    let ran = project.deploy("app").refused("contract-violated");

    ran.says("`a.out` breaks its contract: attribute `name`").says("the infrastructure exists and its state is saved");
    let after = project.ledger(OUT);
    assert_eq!(after["attributes"], before["attributes"]);
    assert_eq!(after["generation"], 1);
    assert_eq!(after["status"], "degraded");
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/a")).unwrap();
    assert!(state.contains("\"42\""), "the infrastructure is kept");
    let run = project.newest("lab/staging/app/runs");
    assert_eq!((&run["status"], &run["failureReason"]), (&"user-error".into(), &"contract-violated".into()));
    assert_eq!(run["tasks"][1]["status"], "skipped", "{run}");

    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    assert_eq!(project.ledger(OUT)["status"], "ready");
}

#[test]
fn tf_r12_a_required_output_may_not_be_empty() {
    needs_terraform!();
    let project = Project::lab();
    project.edit("plugins/thing/main.tf", "value = terraform_data.base.output.name", "value = null");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").refused("contract-violated").says("name");
    assert!(!project.ledger_paths().contains(&OUT.to_owned()));
    assert_eq!(project.state_resources("lab/staging/app/a").len(), 3);
}

#[test]
fn r10_an_output_that_the_module_lacks_is_refused_at_once() {
    let project = Project::lab();
    project.edit("plugins/thing/main.tf", "output \"name\"", "output \"title\"");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("contract-mismatch");
    assert_shown!(ran.stderr, @"");
}

#[test]
fn r13_case_15_a_sensitive_output_is_never_made_public() {
    let mut project = Project::lab();
    project.set("TIELINE_TERRAFORM", "/nowhere/terraform");
    project.edit(
        "plugins/thing/main.tf",
        "value = terraform_data.base.output.name",
        "value = terraform_data.base.output.name\n  sensitive = true\n",
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("contract-mismatch");
    assert_shown!(ran.stderr, @"");
}

#[test]
fn tf_r17_a_degraded_connection_is_bound_only_when_asked() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants: []",
        "grants: [{connection: '*/app/*', to: ['lab/*/*'], allow: [use]}]",
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {broken: true}}\n");
    project.deploy("app").fails(2, "apply-failed").says("the top fell off");
    assert_eq!(project.ledger(OUT)["status"], "degraded");

    project.app("other", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/app/a.out}}\n");
    let ran = project.deploy("other");
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("degraded").says("allow-degraded");
    project.deploy_with("other", &["--allow-degraded"]).succeeds();

    project.app("app", "  a: {use: ../plugins/thing}\n");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    assert_eq!(project.ledger(OUT)["status"], "ready");
}
