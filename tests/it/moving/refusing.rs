//! Moves that do not take place, and what is left then: everything as it was.

use super::runs;
use crate::harness::{Project, assert_shown, needs_terraform};

#[test]
fn tf_r40_a_move_whose_plan_is_not_empty_leaves_everything_as_it_was() {
    needs_terraform!();
    let project = Project::deployed_shop();
    // Somebody changed a resource behind everybody's back: no plan of it is empty.
    let path = project.state_path("retail/staging/shop/database");
    let state = std::fs::read_to_string(&path).unwrap();
    let drifted = state.replacen("\"name\": \"orders\"", "\"name\": \"others\"", 1);
    assert_ne!(state, drifted);
    std::fs::write(&path, &drifted).unwrap();
    let before = project.ledger_without_runs();

    let ran = project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).refused("plan-changed");
    assert_shown!(ran.stdout + &ran.stderr, @r"
    The move of retail/staging/shop/database failed (plan-changed): everything is called what it was
    run <id> moves retail/staging/shop/database to retail/staging/shop/db
    [database] planned +0 ~1 -0
    error[plan-changed]: as `retail/staging/shop/db` it would change 1 resource, so nothing was moved
     |
     = note: update terraform_data.server
     = help: a move changes nothing: deploy `retail/staging/shop` until `tieline plan --refresh` shows no changes, then move it
    ");
    assert_eq!(project.ledger_without_runs(), before);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), drifted);
    assert_eq!(project.state_resources("retail/staging/shop/db"), [""; 0], "the copy is empty again");
    assert_eq!(runs(&project, "retail/staging/shop"), ["deploy succeeded", "move user-error"]);

    // And it can take place once that is mended.
    std::fs::write(&path, state).unwrap();
    project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).succeeds();
}

#[test]
fn tf_r40_what_cannot_move_is_refused_before_anything_is_touched() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let before = project.context_refs();
    let refused = |from: &str, to: &str| {
        let ran = project.relocate(&[from, to, "-C", "shop", "-e", "staging"]).refused("invalid-input");
        ran.stderr.lines().filter(|line| line.starts_with("error") || line.contains("help")).collect::<Vec<_>>().join("\n")
    };
    let said = [
        refused("database", "api"),
        refused("database", "database"),
        refused("nothing", "something"),
        refused("database", "retail/staging/shop"),
        refused("retail/staging/shop/database", "retail/staging/other/database"),
        refused("retail/staging/shop", "platform/staging/network"),
        refused("retail/staging/shop", "retail/production/shop"),
        refused("retail/staging/shop", "a/b"),
        refused("retail/staging/shop", "retail/staging/Shop"),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    error[invalid-input]: `retail/staging/shop/api` is deployed already
     = help: choose another name, or destroy what is there first
    error[invalid-input]: `retail/staging/shop/database` is called that already
    error[invalid-input]: nothing is deployed as `retail/staging/shop/nothing`
     = help: `tieline status` shows what there is
    error[invalid-input]: an applied plugin cannot become a deployable
     = help: write both sides in the same form
    error[invalid-input]: an applied plugin keeps its deployable, which is `retail/staging/shop`
     = help: rename it in its place, or move the whole deployable
    error[invalid-input]: `platform/staging/network` is deployed already
     = help: choose another name, or destroy what is there first
    error[invalid-input]: the environment `retail/production` is not in the context repository
     = help: check the name, or have the document added to the context repository
    error[invalid-input]: `a/b` names nothing that can move
     = help: write an alias, `<workspace>/<environment>/<deployable>/<alias>`, or `<workspace>/<environment>/<deployable>`
    error[invalid-input]: `Shop` is not a valid deployable name: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    ");
    assert_eq!(project.context_refs(), before);
}

/// The consumer's record would be written under its run.
#[test]
fn tf_r40_a_move_while_a_consumer_runs_is_refused() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let before = project.ledger_without_runs();
    project.edit("shop/tieline.yaml", "api:1", "api:2");
    let line = project.shell_line(&["move", "platform/staging/network", "platform/staging/net"]);
    project.meanwhile("apply", &line);
    project.deploy("shop").succeeds();
    let said = std::fs::read_to_string(project.path("../meanwhile.log")).unwrap();
    assert!(said.contains("[claimed]") && said.contains("`retail/staging/shop` is held by run"), "{said}");
    assert_eq!(project.ledger_without_runs().len(), before.len() + 1, "a release more, and nothing moved");
    project.relocate(&["platform/staging/network", "platform/staging/net"]).succeeds();
}

/// Nobody binds to what is about to be called otherwise.
#[test]
fn tf_r40_who_would_bind_while_it_moves_is_refused() {
    needs_terraform!();
    let mut project = Project::shop_with_network();
    let line = project.shell_line(&["deploy", "-C", "shop", "-e", "staging"]);
    project.meanwhile("plan", &line);
    project.relocate(&["platform/staging/network", "platform/staging/net"]).succeeds();
    let said = std::fs::read_to_string(project.path("../meanwhile.log")).unwrap();
    assert!(said.contains("[unresolved-slot]") && said.contains("or moved"), "{said}");
    project.deploy("shop").succeeds().says("was moved: it is `platform/staging/net/vpc.vpc` now");
    assert_eq!(project.bindings("retail/staging/shop/applied/database.json"), "network <- platform/staging/net/vpc.vpc\n");
}

/// Else whoever may move could move it to where it may be destroyed.
#[test]
fn tf_r29_what_is_protected_moves_only_to_where_it_is_as_well() {
    needs_terraform!();
    let project = Project::lab();
    let environment = |name: &str| format!("workspaces/lab/environments/{name}.yaml");
    let scratch = project.read(&format!("context/{}", environment("staging"))).replace("name: staging", "name: scratch");
    project.write_context(&environment("scratch"), &scratch);
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.edit_context(&environment("staging"), "protected: false", "protected: true\noverrides: {abandon: platform}");
    let before = project.context_refs();
    let refused = project.relocate(&["lab/staging/app", "lab/scratch/app"]).refused("protected");
    assert_shown!(refused.stderr, @r"
    error[protected]: `lab/staging/app` would be less protected as `lab/scratch/app`
     |
     = note: the old environment has `protected: true`, the new one has not
     = note: the old environment has an approval for `abandon` in `overrides`, the new one has not
     = help: put the same into the context's `workspaces/lab/environments/scratch.yaml` first, or take it out of `workspaces/lab/environments/staging.yaml`, by a reviewed change
    ");
    assert_eq!(project.context_refs(), before);

    // Within the environment, or to one that is protected as well, it moves.
    project.relocate(&["lab/staging/app", "lab/staging/other"]).succeeds();
    project.edit_context(&environment("scratch"), "protected: false", "protected: true\noverrides: {abandon: others}");
    project.relocate(&["lab/staging/other", "lab/scratch/app"]).succeeds();
}
