//! An approval of a destroy is for what was applied when it was planned (R26, R35).

use crate::harness::{Project, needs_terraform};

const APP: &str = "lab/staging/app";

#[test]
fn tf_r26_an_approved_destroy_is_not_for_what_was_applied_since() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.edit("plugins/thing/plugin.yaml", "{module: .}", "{module: ., keep-on-destroy: [terraform_data.base]}");
    project.deploy("app").succeeds();
    let plan = project.run(&["plan", "-C", "app", "-e", "staging", "--for", "destroy", "-o", "json"]).succeeds().json();
    let approved = plan["fingerprint"].as_str().unwrap();

    // It would not leave anything behind any more; the resources to delete are the same.
    project.edit("plugins/thing/plugin.yaml", "{module: ., keep-on-destroy: [terraform_data.base]}", "{module: .}");
    project.deploy("app").succeeds();

    project.destroy_with(APP, &["--approved-plan", approved]).refused("plan-changed");
    assert!(!project.state_resources("lab/staging/app/a").is_empty(), "nothing was destroyed");
}

#[test]
fn tf_r29_a_connection_whose_record_is_lost_is_found() {
    needs_terraform!();
    let project = Project::shop_with_network();
    project.deploy("shop").succeeds();
    project.unforge("platform/staging/network/connections/vpc.vpc.json");

    let ran = project.run(&["context", "verify"]);

    assert_ne!(ran.code, 0, "{ran}");
    ran.says("`platform/staging/network/connections/vpc.vpc.json` is missing, though what published it is applied");
}
