//! Aliases and deployables by other names.

use super::runs;
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

#[test]
fn tf_r40_case_21_a_renamed_alias_is_moved_not_re_created() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let made = project.made("retail/staging/shop/database");
    let uid = project.ledger("retail/staging/shop/connections/database.db.json")["uid"].clone();

    let ran = project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).succeeds();
    assert_shown!(ran.stdout, @r"
    retail/staging/shop/database is retail/staging/shop/db from now on: 1 applied plugin, 1 connection, nothing was made anew

    To change in documents
      the manifest of retail/staging/shop: `database` is `db`
      defaults, references, grants and owners that name retail/staging/shop/database; until then a redirect leads on, with a warning
    ");

    assert_eq!(project.made("retail/staging/shop/db"), made, "nothing was made anew");
    let left = std::fs::read_to_string(project.state_path("retail/staging/shop/database")).unwrap();
    assert!(!left.contains("module.plugin") && !left.contains("tieline_db"), "the old state holds nothing: {left}");
    let record = project.ledger("retail/staging/shop/connections/db.db.json");
    assert_eq!((&record["uid"], &record["generation"]), (&uid, &1.into()));
    assert_eq!(project.bindings("retail/staging/shop/applied/api.json"), "database <- retail/staging/shop/db.db\n");
    assert!(!project.ledger_paths().iter().any(|path| path.contains("/database") && !path.contains("/moved/")));
    assert_eq!(runs(&project, "retail/staging/shop"), ["deploy succeeded", "move succeeded"]);

    // A manifest from before would destroy what was moved.
    project.plan("shop").refused("invalid-document").says("`database` was renamed to `db`, which this manifest lacks");
    project.edit("shop/tieline.yaml", "  database:\n    use", "  db:\n    use");
    project.edit("shop/tieline.yaml", "database: database.db", "database: db.db");
    let report = project.deploy_json("shop", &[]);
    assert_eq!(tasks(&report), "db: succeeded (no changes)\napi: skipped (unchanged)\n");
    assert_eq!(tasks(&project.deploy_json("shop", &[])), "db: skipped (unchanged)\napi: skipped (unchanged)\n");
    assert_eq!(project.made("retail/staging/shop/db"), made);
}

/// Names that were made of the old one stay what they are until the plugin is destroyed.
#[test]
fn tf_r40_what_a_plugin_is_told_of_its_name_stays_until_it_is_destroyed() {
    needs_terraform!();
    let project = Project::lab();
    let module = "variable \"tieline\" { type = any }\nresource \"terraform_data\" \"named\" { triggers_replace = var.tieline.name_prefix }\noutput \"name\" { value = \"x\" }\n";
    project.plugin("plugins/named", NAMED, module);
    project.app("app", "  a: {use: ../plugins/named}\n");
    project.deploy("app").succeeds();
    let made = project.made("lab/staging/app/a");
    project.relocate(&["lab/staging/app/a", "b"]).succeeds();
    project.relocate(&["lab/staging/app", "lab/staging/other"]).succeeds();
    project.app("other", "  b: {use: ../plugins/named}\n");
    assert_eq!(tasks(&project.deploy_json("other", &["--refresh"])), "b: succeeded (no changes)\n");
    assert_eq!(project.made("lab/staging/other/b"), made);

    // And back to the first name: it is found where it once was.
    project.relocate(&["lab/staging/other", "lab/staging/app"]).succeeds();
    project.relocate(&["lab/staging/app/b", "a"]).succeeds();
    assert_eq!(tasks(&project.deploy_json("app", &["--refresh"])), "a: succeeded (no changes)\n");
    assert_eq!(project.made("lab/staging/app/a"), made);

    project.run(&["destroy", "-C", "app", "-e", "staging"]).succeeds();
    assert_eq!(project.state_resources("lab/staging/app/a"), [""; 0]);
    project.app("app", "  b: {use: ../plugins/named}\n");
    project.deploy("app").succeeds();
    assert_ne!(project.made("lab/staging/app/b"), made, "a new one is told its new name");
}

const NAMED: &str = "apiVersion: tieline/v1
kind: Plugin
name: named
version: 1.0.0
generates: {out: {type: thing-conn, from: {name: name}}}
terraform: {module: .}
";

#[test]
fn tf_r40_a_deployable_is_renamed_under_its_consumers_in_another_workspace() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let made = project.made("platform/staging/network/vpc");
    let ran = project.relocate(&["platform/staging/network", "platform/staging/net"]).succeeds();
    assert_shown!(ran.stdout, @r"
    platform/staging/network is platform/staging/net from now on: 1 applied plugin, 1 connection, nothing was made anew

    To change in documents
      its manifest: `name` and `workspace`, and addresses that leave the workspace out
      defaults, references, grants and owners that name platform/staging/network; until then a redirect leads on, with a warning
      the manifest of retail/staging/shop, a consumer, where it names platform/staging/network
    ");
    assert_eq!(project.made("platform/staging/net/vpc"), made);
    assert_eq!(project.bindings("retail/staging/shop/applied/database.json"), "network <- platform/staging/net/vpc.vpc\n");
    assert!(!project.ledger_paths().iter().any(|path| path.starts_with("platform/staging/network/consumers")));

    // The consumer's default still names the old address.
    let ran = project.deploy("shop").succeeds();
    assert!(ran.stdout.contains("2 unchanged"), "{ran}");
    let said = "`platform/staging/network/vpc.vpc` was moved: it is `platform/staging/net/vpc.vpc` now";
    assert!(ran.stderr.contains(said) && ran.stderr.contains("environments/staging.yaml:7"), "{ran}");

    // Nobody can destroy it, since it is in use and is somebody's default under its old name.
    project.edit("network/tieline.yaml", "name: network", "name: net");
    let refused = project.run(&["destroy", "-C", "network", "-e", "staging"]).refused("consumers-exist");
    refused.says("retail/staging/shop/database.network").says("the default `network-conn` of the environment `retail/staging`");

    // A new deployable under the old address is what the address means then.
    project.edit("network/tieline.yaml", "name: net", "name: network");
    project.deploy("network").succeeds();
    assert_ne!(project.made("platform/staging/network/vpc"), made);
    let plan = project.plan("shop").succeeds();
    plan.never_says("was moved");
}

/// What its owner retired is not there for new bindings again under another name.
#[test]
fn tf_r40_a_retired_connection_moves_and_stays_retired() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    let address = "lab/staging/app/a.out";
    project.run(&["connection", "deprecate", address, "--until", "2099-12-31", "--message", "take the other"]).succeeds();
    project.run(&["connection", "retire", address]).succeeds();
    project.relocate(&["lab/staging/app", "lab/staging/other"]).succeeds();
    let moved = project.ledger("lab/staging/other/connections/a.out.json");
    assert_eq!((&moved["status"], &moved["deprecation"]["message"]), (&"retiring".into(), &"take the other".into()));
}
