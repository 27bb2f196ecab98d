//! What is still needed is not taken away (R29, R31).

use serde_json::json;

use crate::harness::{Project, assert_shown, needs_terraform};

const NETWORK: &str = "platform/staging/network";
const SHOP: &str = "retail/staging/shop";
const CONNECTION: &str = "platform/staging/network/connections/vpc.vpc.json";
const CONSUMER: &str = "retail/staging/shop/database.network";

/// The deployed shop, without the environment's default: nothing but the shop's binding needs the network.
fn shop_without_default() -> Project {
    let project = Project::deployed_shop();
    let default = "defaults:\n  network-conn: platform/staging/network/vpc.vpc\n";
    project.edit_context("workspaces/retail/environments/staging.yaml", default, "");
    project
}

#[test]
fn tf_r29_case_7_a_consumer_in_another_workspace_is_listed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let before = project.ledger(CONNECTION);

    let refused = project.destroy(NETWORK).refused("consumers-exist");

    assert_shown!(refused.stderr, @r"
    run <id> destroys platform/staging/network
    [vpc] skipped (the plan was refused)
    error[consumers-exist]: the connection `platform/staging/network/vpc.vpc` would go, and `retail/staging/shop/database.network` is bound to it
    --> ledger:platform/staging/network
     = help: destroy it first: `tieline destroy --workspace retail --environment staging --deployable shop`; or wire its slot to another connection, and deploy it
     = help: or break it on purpose: `--break-consumers retail/staging/shop/database.network --reason <why>`

    error[consumers-exist]: the connection `platform/staging/network/vpc.vpc` would go, and the default `network-conn` of the environment `retail/staging` names it
    --> ledger:platform/staging/network
     = help: take `network-conn` out of `defaults` in the context's `workspaces/retail/environments/staging.yaml`, or name another connection there
    ");
    assert_eq!(project.ledger(CONNECTION), before, "nothing was marked");
    assert_eq!(project.state_resources("platform/staging/network/vpc").len(), 1, "nothing was destroyed");
}

#[test]
fn tf_r29_a_plan_lists_what_is_in_the_way_for_programs() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let arguments = ["plan", "--for", "destroy", "-C", "network", "-e", "staging"];
    let plan = project.run(&[&arguments[..], &["-o", "json"]].concat()).succeeds().json();
    assert_eq!(plan["for"], "destroy");
    assert_eq!(
        plan["blockers"],
        json!([
            {
                "type": "consumer",
                "id": CONSUMER,
                "connection": "platform/staging/network/vpc.vpc",
                "message": format!("the connection `platform/staging/network/vpc.vpc` would go, and `{CONSUMER}` is bound to it"),
            },
            {
                "type": "default",
                "id": "retail/staging:network-conn",
                "connection": "platform/staging/network/vpc.vpc",
                "message": "the connection `platform/staging/network/vpc.vpc` would go, and the default `network-conn` of the environment `retail/staging` names it",
            },
        ])
    );
    let run = project.run(&super::destroy_arguments(NETWORK, &["-o", "json"]));
    assert_eq!((run.code, &run.json()["blockers"]), (1, &plan["blockers"]), "a run says the same");

    let plan = project.run(&arguments).succeeds();
    assert_shown!(plan.stdout, @r"
    Plan to destroy platform/staging/network

    vpc: +0 ~0 -1
      - delete terraform_data.network

    0 to add, 0 to change, 1 to destroy.

    platform/staging/network/vpc.vpc would go
      for retail/staging/shop/database.network, which uses cidr, region

    Fingerprint: <fingerprint>
    ");
}

#[test]
fn tf_r29_what_is_in_the_way_can_go_in_the_order_that_is_told() {
    needs_terraform!();
    let project = Project::lab();
    let grants = "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]";
    project.edit_context("workspaces/lab/workspace.yaml", "grants: []", grants);
    project.app("base", "  a: {use: ../plugins/thing}\n");
    project.app("middle", "  a: {use: ../plugins/thing, connections: {upstream: lab/staging/base/a.out}}\n");
    project.app("top", "  a: {use: ../plugins/thing, connections: {upstream: lab/staging/middle/a.out}}\n");
    for app in ["base", "middle", "top"] {
        project.deploy(app).succeeds();
    }
    let refused = project.destroy("lab/staging/base").refused("consumers-exist");
    let told = refused.stderr.lines().filter_map(|line| line.split_once("`tieline destroy ")?.1.split_once('`'));
    let told: Vec<&str> = told.map(|(command, _)| command.rsplit(' ').next().unwrap()).collect();
    assert_eq!(told, ["middle", "top", "middle"], "the one in the way, then the order\n{refused}");
    for app in ["top", "middle", "base"] {
        project.destroy(&format!("lab/staging/{app}")).succeeds();
        project.is_gone(&format!("lab/staging/{app}"), &["a"]);
    }
}

#[test]
fn tf_r29_nothing_of_a_protected_environment_is_destroyed() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.edit_context("workspaces/lab/environments/staging.yaml", "protected: false", "protected: true");
    let refused = project.destroy("lab/staging/app").refused("protected");
    refused.says("set `protected: false` in the context's `workspaces/lab/environments/staging.yaml` first");
    assert_eq!(project.state_resources("lab/staging/app/a").len(), 3);

    // A deploy that would take something away needs a plan that was approved.
    project.app("app", "  b: {use: ../plugins/thing}\n");
    project.deploy_with("app", &["--allow-destroy"]).refused("needs-approval");
    let fingerprint = project.plan_json("app")["fingerprint"].as_str().unwrap().to_owned();
    project.deploy_with("app", &["--approved-plan", &fingerprint]).succeeds();
    assert_eq!(project.state_resources("lab/staging/app/a"), Vec::<String>::new());
}

#[test]
fn tf_r31_consumers_are_broken_one_by_one_and_with_a_reason() {
    needs_terraform!();
    let project = shop_without_default();
    project.app_beside_the_shop();
    let both = format!("{CONSUMER},retail/staging/other/database.network");
    project.destroy_with(NETWORK, &["--break-consumers", CONSUMER]).refused("invalid-input").says("needs a reason");
    let refused = project.destroy_with(NETWORK, &["--break-consumers", CONSUMER, "--reason", "moving"]);
    let refused = refused.refused("consumers-exist");
    assert!(refused.stderr.contains("retail/staging/other/database.network") && !refused.stderr.contains(CONSUMER), "{refused}");

    let named = format!("{both},retail/staging/nobody/a.b");
    let done = project.destroy_with(NETWORK, &["--break-consumers", &named, "--reason", "moving to another region"]).succeeds();
    done.says("`retail/staging/nobody/a.b` is named by `break-consumers`, and needs nothing that goes");
    project.is_gone_but_for_consumers(NETWORK);
    let run = project.newest("platform/staging/network/runs");
    assert_eq!(run["overrides"][0]["reason"], "moving to another region");
    assert_eq!(run["overrides"][0]["subjects"].as_array().unwrap().len(), 3);

    // Its consumer is told by whom and when.
    let id = run["id"].as_str().unwrap();
    let plan = project.plan("shop");
    plan.says(&format!("run `{id}` of tester destroyed it")).says("although this slot was bound to it: moving to another region");

    for place in [SHOP, "retail/staging/other"] {
        project.destroy(place).succeeds();
        project.is_gone(place, &["api", "database"]);
    }
    project.is_gone(NETWORK, &["vpc"]);
}

impl Project {
    /// A second application that is bound to the network.
    fn app_beside_the_shop(&self) {
        let manifest = self.read("shop/tieline.yaml").replace("name: shop", "name: other");
        self.write(
            "other/tieline.yaml",
            &manifest.replace("{name: orders}", "{name: other}\n    connections: {network: platform/staging/network/vpc.vpc}"),
        );
        self.deploy("other").succeeds();
    }

    /// What breaks consumers leaves their entries: these are theirs to take away.
    fn is_gone_but_for_consumers(&self, place: &str) {
        let left = self.ledger_paths();
        assert!(
            !left.iter().any(|path| ["applied", "connections"].iter().any(|kind| path.starts_with(&format!("{place}/{kind}/"))))
        );
    }
}
