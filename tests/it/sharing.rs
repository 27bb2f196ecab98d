//! Where connections come from, and who may use them.

use crate::harness::{Project, needs_terraform, tasks, verdicts};

const ENVIRONMENT: &str = "workspaces/lab/environments/staging.yaml";
const WORKSPACE: &str = "workspaces/lab/workspace.yaml";
const MINE: &str = "workspaces/lab/imported/staging/mine.yaml";

/// An imported connection `mine` of the lab.
fn lab_with_imported() -> Project {
    let project = Project::lab();
    project.write_context(
        MINE,
        "apiVersion: tieline/v1\nkind: ImportedConnection\nname: mine\ntype: thing-conn\nversion: 1.0.0\nattributes: {name: mine}\n",
    );
    project
}

/// The input that each thing took from its upstream.
fn upstream(project: &Project, key: &str) -> String {
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(project.state_path(key)).unwrap()).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let base = resources.iter().find(|resource| resource["name"] == "base").unwrap();
    base["instances"][0]["attributes"]["input"]["value"]["upstream"].as_str().unwrap_or("nothing").to_owned()
}

#[test]
fn tf_r1_case_1_reference_beats_link_beats_default() {
    needs_terraform!();
    let project = lab_with_imported();
    project.edit_context(ENVIRONMENT, "defaults: {}", "defaults: {'thing-conn:upstream': lab/staging/shared/d.out}");
    project.edit_context(WORKSPACE, "grants: []", "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]");
    project.app(
        "shared",
        "  d: {use: ../plugins/thing, inputs: {name: default}, connections: {upstream: lab/staging/imported/mine}}\n",
    );
    project.deploy("shared").succeeds();
    let producer = "  a: {use: ../plugins/thing, inputs: {name: link}, connections: {upstream: lab/staging/imported/mine}}\n";
    let of_b = |rest: &str| project.app("app", &format!("{producer}{rest}"));
    let bound = || (project.bindings("lab/staging/app/applied/b.json"), upstream(&project, "lab/staging/app/b"));

    of_b("  b: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    assert_eq!(bound(), ("upstream <- lab/staging/shared/d.out\n".to_owned(), "default".to_owned()));

    of_b("  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    assert_eq!(bound(), ("upstream <- lab/staging/app/a.out\n".to_owned(), "link".to_owned()));

    of_b(
        "  b: {use: ../plugins/thing, connections: {upstream: a.out}}\nenvironments: {staging: {references: {b.upstream: lab/staging/imported/mine}}}\n",
    );
    project.deploy("app").succeeds();
    assert_eq!(bound(), ("upstream <- lab/staging/imported/mine\n".to_owned(), "mine".to_owned()));
    assert!(!project.ledger_paths().iter().any(|path| path.contains("consumers/a.out/")), "no longer a consumer of the link");
}

#[test]
fn r2_case_2_a_broken_reference_does_not_fall_through() {
    let project = lab_with_imported();
    project.edit_context(ENVIRONMENT, "defaults: {}", "defaults: {thing-conn: lab/staging/imported/mine}");
    project.edit_context(MINE, "version: 1.0.0", "version: 9.0.0");
    project.app(
        "app",
        "  b: {use: ../plugins/thing}\nenvironments: {staging: {references: {b.upstream: lab/staging/imported/none}}}\n",
    );
    let ran = project.deploy("app");
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("lab/staging/imported/none");
}

#[test]
fn r3_case_3_one_default_does_not_feed_two_slots() {
    let project = lab_with_imported();
    project.edit_context(ENVIRONMENT, "defaults: {}", "defaults: {thing-conn: lab/staging/imported/mine}");
    peering(&project);
    project.app("app", "  p: {use: ../plugins/peering}\n");
    project
        .deploy("app")
        .refused("unresolved-slot")
        .says("one default must not feed several slots of one plugin: `p.left` and `p.right`");
}

#[test]
fn tf_case_16_peering_takes_two_connections_of_one_type() {
    needs_terraform!();
    let project = lab_with_imported();
    peering(&project);
    let plugins = "  a: {use: ../plugins/thing}\n  p: {use: ../plugins/peering, connections: {left: a.out, right: lab/staging/imported/mine}}\n";
    project.app("app", plugins);
    project.deploy("app").succeeds();
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/p")).unwrap();
    assert!(state.contains("thing and mine"), "{state}");

    // The same by defaults, keyed by slot.
    project.edit_context(
        ENVIRONMENT,
        "defaults: {}",
        "defaults: {'thing-conn:left': lab/staging/imported/mine, 'thing-conn:right': app/a.out}",
    );
    project.app(
        "app",
        "  a: {use: ../plugins/thing, connections: {upstream: lab/staging/imported/mine}}\n  p: {use: ../plugins/peering}\n",
    );
    project.deploy("app").succeeds();
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/p")).unwrap();
    assert!(state.contains("mine and thing"), "{state}");
}

fn peering(project: &Project) {
    project.write(
        "plugins/peering/plugin.yaml",
        r"apiVersion: tieline/v1
kind: Plugin
name: peering
version: 1.0.0
requires:
  left: {type: thing-conn}
  right: {type: thing-conn}
terraform: {module: .}
",
    );
    project.write(
        "plugins/peering/main.tf",
        r#"variable "left" { type = object({ name = string }) }
variable "right" { type = object({ name = string }) }
resource "terraform_data" "peering" {
  input = "${var.left.name} and ${var.right.name}"
}
"#,
    );
}

#[test]
fn tf_r46_case_4_a_stand_in_feeds_two_consumers() {
    needs_terraform!();
    let project = lab_with_imported();
    project.app(
        "app",
        r"  a: {use: ../plugins/thing}
  b: {use: ../plugins/thing, connections: {upstream: a.out}}
  c: {use: ../plugins/thing, connections: {upstream: a.out}}
environments: {staging: {stand-ins: {a.out: lab/staging/imported/mine}}}
",
    );

    let report = project.deploy_json("app", &[]);

    assert_eq!(tasks(&report), "b: succeeded\nc: succeeded\n");
    assert_eq!(project.state_resources("lab/staging/app/a"), Vec::<String>::new(), "its producer is not deployed");
    for alias in ["b", "c"] {
        assert_eq!(project.bindings(&format!("lab/staging/app/applied/{alias}.json")), "upstream <- lab/staging/imported/mine\n");
        assert_eq!(upstream(&project, &format!("lab/staging/app/{alias}")), "mine");
    }
    assert_eq!(tasks(&project.deploy_json("app", &[])), "b: skipped (unchanged)\nc: skipped (unchanged)\n");
}

#[test]
fn tf_r46_a_deployed_plugin_does_not_just_become_a_stand_in() {
    needs_terraform!();
    let project = lab_with_imported();
    let plugins = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n";
    project.app("app", plugins);
    project.deploy("app").succeeds();
    project.app("app", &format!("{plugins}environments: {{staging: {{stand-ins: {{a.out: lab/staging/imported/mine}}}}}}\n"));
    let ran = project.deploy("app");
    assert_eq!(ran.code, 1, "{ran}");
    assert_eq!(project.state_resources("lab/staging/app/a").len(), 3);
    assert_eq!(project.bindings("lab/staging/app/applied/b.json"), "upstream <- lab/staging/app/a.out\n");
}

#[test]
fn tf_r6_a_reference_to_what_is_not_there_yet_is_planned_only() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context(WORKSPACE, "grants: []", "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]");
    project.app("app", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/d.out}}\n");

    let ran = project.plan_with("app", &["--explain"]).succeeds();
    ran.says("lab/staging/shared/d.out").says("pending");
    let planned = project.plan_json("app");
    assert_eq!(verdicts(&planned), "b: deferred\n");
    project.deploy("app").refused("unresolved-slot").says("`lab/staging/shared/d.out`, which does not exist yet");

    project.app("shared", "  d: {use: ../plugins/thing}\n");
    project.deploy("shared").succeeds();
    project.deploy("app").succeeds();
}

#[test]
fn tf_r42_r43_nothing_of_an_application_is_used_without_a_grant() {
    needs_terraform!();
    let project = Project::lab();
    project.app("shared", "  d: {use: ../plugins/thing}\n");
    project.deploy("shared").succeeds();
    project.app("app", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.deploy("app").refused("grant-denied").says("lab/staging/shared/d.out").says("allow: [use]");

    // Shared infrastructure is the workspace's.
    project.edit("shared/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy("shared").succeeds();
    project.edit("shared/tieline.yaml", "thing}", "thing, inputs: {name: other}}");
    project.deploy("shared").succeeds();
    project.deploy("app").succeeds();
}

#[test]
fn tf_r44_case_10_a_revoked_grant_stops_the_next_deploy_but_no_destroy() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit_context("workspaces/platform/workspace.yaml", "retail/*/*", "other/*/*");
    project.plan("shop").refused("grant-denied");
    project.deploy("shop").refused("grant-denied").says("platform/staging/network/vpc.vpc");
    assert_eq!(project.state_resources("retail/staging/shop/api").len(), 1, "what is there stays");

    project.run(&["destroy", "-w", "retail", "-e", "staging", "--deployable", "shop"]).succeeds();
    project.verify();
    assert_eq!(project.state_resources("retail/staging/shop/api"), Vec::<String>::new());
    assert_eq!(project.state_resources("retail/staging/shop/database"), Vec::<String>::new());
    assert!(!project.ledger_paths().iter().any(|path| path.contains("/consumers/")), "the network is nobody's any more");
}

#[test]
fn tf_r47_repointing_a_slot_moves_the_consumer() {
    needs_terraform!();
    let project = lab_with_imported();
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    let entries = |project: &Project| project.ledger_paths().into_iter().filter(|path| path.contains("/consumers/")).count();
    assert_eq!(entries(&project), 1);
    project.app(
        "app",
        "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: lab/staging/imported/mine}}\n",
    );
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\nb: succeeded\n");
    assert_eq!(upstream(&project, "lab/staging/app/b"), "mine");
    assert!(!project.ledger_paths().iter().any(|path| path.contains("/consumers/a.out/")), "{:?}", project.ledger_paths());
}

#[test]
fn tf_r48_case_17_imported_in_production_managed_in_staging() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let staging = project.read("context/workspaces/retail/environments/staging.yaml");
    project.write(
        "context/workspaces/retail/environments/production.yaml",
        &staging.replace("name: staging", "name: production").replace("staging.acme", "www.acme"),
    );
    project.write_context(
        "workspaces/retail/imported/production/legacy-orders.yaml",
        r"apiVersion: tieline/v1
kind: ImportedConnection
name: legacy-orders
type: postgres-conn
version: 1.1.0
attributes: {host: legacy.internal, port: 5433}
sensitive: {password: {env: LEGACY_PASSWORD}}
",
    );
    let manifest = project.read("shop/tieline.yaml");
    project.write(
        "shop/tieline.yaml",
        &format!(
            "{manifest}environments: {{production: {{stand-ins: {{database.db: retail/production/imported/legacy-orders}}}}}}\n"
        ),
    );
    let deploy = |project: &Project| project.run(&["deploy", "-C", "shop", "-e", "production"]);
    let ran = deploy(&project);
    assert_eq!(ran.code, 1, "without its password: {ran}");
    ran.says("LEGACY_PASSWORD");
    project.set("LEGACY_PASSWORD", "canary-0815");

    deploy(&project).succeeds().never_says("canary-0815");

    project.verify();
    let state = std::fs::read_to_string(project.state_path("retail/production/shop/api")).unwrap();
    assert!(state.contains("postgres://app:canary-0815@legacy.internal:5433"), "{state}");
    assert!(!project.state_path("retail/production/shop/database").exists());
    project.deploy("shop").succeeds().says("2 unchanged");
}

#[test]
fn tf_r42_case_22_a_forged_record_is_not_believed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    // A record that says it is another's, with a handle to wherever.
    let path = "platform/staging/network/connections/vpc.vpc.json";
    let record = project.ledger_text(path);
    project.forge(path, &record.replace("platform/staging/network/vpc.vpc", "retail/staging/shop/database.db"));
    let ran = project.run(&["plan", "-C", "shop", "-e", "staging"]);
    assert_ne!(ran.code, 0, "{ran}");
    project.run(&["context", "verify"]).fails(2, "context-unavailable").says(path);
    project.forge(path, &record);
    project.verify();

    // A consumer that no applied record knows.
    let forged = "platform/staging/network/consumers/vpc.vpc/retail~staging~ghost~api.network.json";
    let entry = project.ledger_text("platform/staging/network/consumers/vpc.vpc/retail~staging~shop~database.network.json");
    project.forge(forged, &entry.replace("shop/database", "ghost/api"));
    project.run(&["context", "verify"]).fails(2, "context-unavailable").says("ghost");
}

#[test]
fn tf_a_remote_context_serves_as_well() {
    needs_terraform!();
    let mut project = Project::shop();
    std::fs::rename(project.path(".tieline/context.git"), project.root().parent().unwrap().join("context.git")).unwrap();
    let remote = format!("file://{}", project.root().parent().unwrap().join("context.git").display());
    project.set("TIELINE_CONTEXT", &remote);
    let deploy = |project: &Project| project.run(&["deploy", "-C", "network", "-e", "staging"]);
    let ran = deploy(&project);
    assert_eq!(ran.code, 1, "a relative folder of states means nothing there: {ran}");
    ran.says("absolute");
    let states = project.path(".tieline/states").display().to_string();
    for workspace in ["platform", "retail"] {
        project.edit(
            &format!("context/workspaces/{workspace}/environments/staging.yaml"),
            "path: states",
            &format!("path: {states}"),
        );
    }
    project.init_context();
    deploy(&project).succeeds();
    deploy(&project).succeeds().says("1 unchanged");
    project.verify();
    assert_eq!(project.state_resources("platform/staging/network/vpc").len(), 1);
}

#[test]
fn tf_r47_a_failed_repointing_keeps_the_old_producer_guarded() {
    needs_terraform!();
    let project = Project::lab();
    let deploy = |of: &str, broken: bool| {
        let b = format!("  b: {{use: ../plugins/thing, inputs: {{broken: {broken}}}, connections: {{upstream: {of}.out}}}}\n");
        project.app("app", &format!("  a: {{use: ../plugins/thing}}\n  c: {{use: ../plugins/thing}}\n{b}"));
        project.deploy("app")
    };
    let entries = || project.ledger_paths().into_iter().filter(|path| path.contains("/consumers/")).collect::<Vec<_>>();
    let entry = |of: &str| format!("lab/staging/app/consumers/{of}.out/lab~staging~app~b.upstream.json");
    deploy("a", false).succeeds();
    deploy("c", true).fails(2, "apply-failed");
    assert_eq!(entries(), [entry("a"), entry("c")], "either may be what is in use");
    deploy("c", false).succeeds();
    assert_eq!(entries(), [entry("c")]);
}
