//! What is still needed is not taken away (R29, R31).

use crate::harness::{Project, assert_shown, needs_terraform, tasks};

const NETWORK: &str = "platform/staging/network";
const SHOP: &str = "retail/staging/shop";
const ENVIRONMENT: &str = "workspaces/retail/environments/staging.yaml";
const CONSUMER: &str = "retail/staging/shop/database.network";

/// The deployed shop, without the environment's default: nothing but the shop's binding needs the network.
fn shop_without_default() -> Project {
    let project = Project::deployed_shop();
    project.edit_context(ENVIRONMENT, "defaults:\n  network-conn: platform/staging/network/vpc.vpc\n", "");
    project
}

#[test]
fn tf_r29_case_7_a_consumer_in_another_workspace_is_listed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let before = project.ledger("platform/staging/network/connections/vpc.vpc.json");

    let refused = project.destroy(NETWORK).refused("consumers-exist");

    assert_shown!(refused.stderr, @"");
    assert_eq!(project.ledger("platform/staging/network/connections/vpc.vpc.json"), before, "nothing was marked");
    assert_eq!(project.state_resources("platform/staging/network/vpc").len(), 1, "nothing was destroyed");
}
