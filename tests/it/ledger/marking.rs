//! The end of connections that others use: deprecated first, then retired.

use crate::harness::{Project, Ran, needs_terraform};

const VPC: &str = "platform/staging/network/vpc.vpc";
const RECORD: &str = "platform/staging/network/connections/vpc.vpc.json";

fn deprecate(project: &Project) -> Ran {
    let words = ["connection", "deprecate", VPC, "--until", "2099-12-31", "--message", "take the one in sa-east-2"];
    project.run(&words)
}

fn retire(project: &Project, address: &str) -> Ran {
    let ran = project.run(&["connection", "retire", address]);
    project.verify();
    assert_eq!(project.claims(), "");
    ran
}

#[test]
fn tf_r40_a_deprecated_connection_keeps_who_is_bound_and_takes_nobody_new() {
    needs_terraform!();
    let project = Project::deployed_shop();
    deprecate(&project)
        .succeeds()
        .says("it is deprecated and goes after 2099-12-31: take the one in sa-east-2")
        .says("retail/staging/shop/database.network");
    assert_eq!(project.claims(), "");
    project.verify();
    let run = project.newest("platform/staging/network/runs");
    assert_eq!((run["type"].as_str(), run["status"].as_str()), (Some("deprecate"), Some("succeeded")));
    let told = "it is deprecated and goes after 2099-12-31: take the one in sa-east-2";
    project.plan("shop").succeeds().says(told);
    let status = project.run(&["status", "-C", "shop", "-e", "staging", "-o", "json"]).succeeds().json();
    assert_eq!(status["stale"][0]["because"], serde_json::json!([told]));

    // The mark outlives deploys of the producer, whether they change anything or not.
    project.deploy("network").succeeds().says("1 unchanged");
    assert_eq!(project.ledger(RECORD)["status"], "deprecated");
    project.edit("network/tieline.yaml", "network}", "network, inputs: {region: sa-east-3}}");
    project.deploy("network").succeeds();
    let record = project.ledger(RECORD);
    assert_eq!((&record["status"], &record["generation"]), (&"deprecated".into(), &2.into()));
    project.deploy("network").succeeds().says("1 unchanged");
    project.deploy("shop").succeeds().says(told);

    // Nobody new.
    let other = project.read("shop/tieline.yaml").replace("name: shop", "name: other");
    project.write("other/tieline.yaml", &other);
    project.deploy("other").refused("unresolved-slot").says(told).says("it takes no new bindings");

    project.run(&["connection", "deprecate", VPC, "--lift"]).succeeds().never_says("deprecated");
    let record = project.ledger(RECORD);
    assert_eq!((&record["status"], record.get("deprecation")), (&"ready".into(), None));
    project.deploy("other").succeeds().never_says("deprecated");
}

#[test]
fn r40_what_is_deprecated_goes_on_a_day_to_come_and_is_there() {
    let project = Project::shop();
    let words = ["connection", "deprecate", VPC, "--message", "go away", "--until"];
    project.run(&[&words[..], &["2001-01-01"]].concat()).refused("invalid-input").says("is over");
    project.run(&[&words[..], &["2099-01-01"]].concat()).refused("invalid-input").says("there is no connection");
    assert_eq!(project.run(&["connection", "deprecate", VPC]).code, 1);
    assert_eq!(project.claims(), "");
}

#[test]
fn tf_r21_a_mark_waits_for_the_run_that_holds_the_producer() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let line = ["connection", "deprecate", VPC, "--until", "2099-12-31", "--message", "later"];
    let script = project.shell_line(&line);
    project.meanwhile("plan", &script);
    project.edit("network/tieline.yaml", "network}", "network, inputs: {region: sa-east-3}}");
    project.deploy("network").succeeds();
    assert!(project.said_meanwhile().contains("[claimed]"), "{}", project.said_meanwhile());
    assert_eq!(project.ledger(RECORD)["status"], "ready");
}

#[test]
fn tf_r41_only_the_owner_marks() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit_context(
        "workspaces/platform/workspace.yaml",
        "grants:",
        "owners: {network: {repository: acme/network, id: 7}}\ngrants:",
    );
    deprecate(&project).refused("not-owner");
    project.run(&["connection", "retire", VPC]).refused("consumers-exist");
}

#[test]
fn tf_r29_retire_is_refused_while_anybody_needs_it_then_nobody_binds() {
    needs_terraform!();
    let project = Project::deployed_shop();
    retire(&project, VPC)
        .refused("consumers-exist")
        .says("needed by retail/staging/shop/database.network")
        .says("needed by the default `network-conn` of environment `retail/staging`");
    assert_eq!(project.ledger(RECORD)["status"], "ready");
    project.run(&["destroy", "-C", "shop", "-e", "staging"]).succeeds();
    retire(&project, VPC).refused("consumers-exist").never_says("needed by retail");
    let defaults = "defaults:\n  network-conn: platform/staging/network/vpc.vpc\n";
    project.edit_context("workspaces/retail/environments/staging.yaml", defaults, "");

    let ran = retire(&project, VPC).succeeds();
    assert_eq!(project.ledger(RECORD)["status"], "retiring");
    assert_eq!(project.newest("platform/staging/network/runs")["type"], "retire");
    let overlay = "environments: {staging: {references: {database.network: platform/staging/network/vpc.vpc}}}\n";
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + overlay));
    project.deploy("shop").refused("unresolved-slot").says("it is being taken out of use");

    let command = ran.stdout.split_once("to finish: tieline ").unwrap().1.trim();
    project.run(&command.split(' ').collect::<Vec<_>>()).succeeds();
    assert!(!project.ledger_paths().contains(&RECORD.to_owned()));
    project.verify();
}

#[test]
fn tf_r30_retire_sees_a_run_that_is_about_to_bind() {
    needs_terraform!();
    let mut project = Project::shop_with_network();
    let defaults = "defaults:\n  network-conn: platform/staging/network/vpc.vpc\n";
    project.edit_context("workspaces/retail/environments/staging.yaml", defaults, "");
    let overlay = "environments: {staging: {references: {database.network: platform/staging/network/vpc.vpc}}}\n";
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + overlay));
    let script = project.shell_line(&["connection", "retire", VPC]);
    project.meanwhile("plan", &script);
    project.deploy("shop").succeeds();
    let said = project.said_meanwhile();
    assert!(said.contains("about to be bound by run") && said.contains("of retail/staging/shop"), "{said}");
    assert_eq!(project.ledger(RECORD)["status"], "ready");
}

#[test]
fn tf_r48_imported_connections_are_shown_with_their_consumers_and_retired() {
    needs_terraform!();
    let project = Project::lab();
    let document = "workspaces/lab/imported/staging/mine.yaml";
    let mine = "apiVersion: tieline/v1\nkind: ImportedConnection\nname: mine\ntype: thing-conn\nversion: 1.0.0\nattributes: {name: mine}\n";
    project.write_context(document, mine);
    project.app("app", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/imported/mine}}\n");
    project.deploy("app").succeeds();
    let address = "lab/staging/imported/mine";
    let shown = project.run(&["connection", "show", address]).succeeds();
    shown.says("imported: a document of the context").says("lab/staging/app/b.upstream");
    let listed = project.run(&["connection", "list", "-w", "lab", "-e", "staging", "-o", "json"]).succeeds().json();
    assert_eq!(listed["consumers"][address]["bound"], 1);
    retire(&project, address).refused("consumers-exist").says("needed by lab/staging/app/b.upstream");
    project.run(&["connection", "deprecate", address, "--lift"]).refused("invalid-input").says("a document of people");

    project.edit_context(document, "name: mine}", "name: yours}");
    project.run(&["status", "-w", "lab", "-e", "staging"]).succeeds().says("it has changed since");

    project.run(&["destroy", "-C", "app", "-e", "staging"]).succeeds();
    retire(&project, address).succeeds().says("which nobody needs");
    project.run(&["connection", "show", address]).refused("invalid-input");
}
