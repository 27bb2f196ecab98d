//! Documents that change between the plan and the claim: what is decided is decided again (sharing is "checked at plan, again under the
//! claim").

use crate::harness::{Project, needs_terraform};

const WORKSPACE: &str = "context/workspaces/platform/workspace.yaml";
const ENVIRONMENT: &str = "context/workspaces/retail/environments/staging.yaml";

/// A deploy of the shop, which was deployed with other inputs before, and a document that changes once all was resolved.
fn deploy_while(path: &str, from: &str, to: &str) -> (Project, crate::harness::Ran) {
    let mut project = Project::deployed_shop();
    project.edit("shop/tieline.yaml", "{name: orders}", "{name: orders, size: large}");
    project.edit(path, from, to);
    let commit = project.shell_line(&["context", "init", "--from", "context"]);
    // Terraform is looked at while the claim is taken, after all was resolved.
    project.meanwhile("version", &commit);
    let ran = project.deploy("shop");
    (project, ran)
}

fn size(project: &Project) -> String {
    std::fs::read_to_string(project.state_path("retail/staging/shop/database")).unwrap()
}

#[test]
fn tf_r43_a_grant_that_is_revoked_before_the_claim_is_missed_under_it() {
    needs_terraform!();
    let (project, ran) = deploy_while(WORKSPACE, "retail/*/*", "other/*/*");
    ran.refused("grant-denied").says("`retail/staging/shop` may not use `platform/staging/network/vpc.vpc`");
    assert!(!size(&project).contains("large"), "nothing was applied");
    assert!(project.newest("retail/staging/shop/runs")["status"] == "succeeded", "it never became a run");
}

#[test]
fn tf_r11_a_default_that_is_another_before_the_claim_is_refused() {
    needs_terraform!();
    let (project, ran) = deploy_while(ENVIRONMENT, "staging.acme.test", "www.acme.test");
    let ran = ran.refused("binding-changed").says("the input `api.domain` changed");
    ran.never_says("the input `database");
    assert!(!size(&project).contains("large"), "nothing was applied");
    project.deploy("shop").succeeds();
    assert!(size(&project).contains("large"));
}

#[test]
fn tf_r11_an_unrelated_change_of_the_documents_changes_nothing() {
    needs_terraform!();
    let (project, ran) = deploy_while(ENVIRONMENT, "values: {domain", "values: {unused: 1, domain");
    ran.succeeds();
    assert!(size(&project).contains("large"));
}
