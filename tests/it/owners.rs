//! Who may write a deployable.

use crate::github::GitHub;
use crate::harness::{Project, needs_terraform};

const WORKSPACE: &str = "workspaces/lab/workspace.yaml";

/// The lab with an application that belongs to the repository `acme/app`, 7.
fn owned() -> Project {
    let project = Project::lab();
    project.edit_context(WORKSPACE, "grants: []", "owners: {app: {repository: acme/app, id: 7}}\ngrants: []");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: a}}\n");
    project
}

/// The runs that follow are of a workflow of this repository.
fn in_workflow_of(project: &mut Project, repository: &str, id: &str) {
    for (name, value) in [("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", repository), ("GITHUB_REPOSITORY_ID", id)] {
        project.set(name, value);
    }
}

#[test]
fn r41_only_workflows_of_the_owner_write_a_deployable() {
    let mut project = owned();
    in_workflow_of(&mut project, "acme/other", "8");
    let ran = project.deploy("app").refused("not-owner");
    insta::assert_snapshot!(ran.stderr, @"
    error[not-owner]: only workflows of `acme/app` may write `lab/staging/app`
     --> context:workspaces/lab/workspace.yaml:4:10
      |
    4 | owners: {app: {repository: acme/app, id: 7}}
      |          ^^^
      |
      = note: its owner is the repository with the id 7
      = note: this is a workflow of `acme/other`, whose id is 8
      = help: run it in a workflow of `acme/app`
      = help: or make another repository its owner with `tieline transfer`
    ");
    assert_eq!(project.ledger_paths(), [""; 0], "nothing was written");
}

#[test]
fn r41_a_name_is_no_identity() {
    let mut project = owned();
    in_workflow_of(&mut project, "acme/app", "8");
    project.deploy("app").refused("not-owner").says("this is a workflow of `acme/app`, whose id is 8");
}

#[test]
fn r41_nobody_vouches_for_a_person() {
    let mut project = owned();
    project.set("GITHUB_REPOSITORY_ID", "7");
    project.deploy("app").refused("not-owner").says("this is not a workflow, so nobody vouches for who runs it");
}

#[test]
fn tf_r41_the_owner_deploys_under_any_name_and_what_has_no_owner_is_free() {
    needs_terraform!();
    let mut project = owned();
    project.app("free", "  a: {use: ../plugins/thing, inputs: {name: a}}\n");
    project.deploy("free").succeeds();
    in_workflow_of(&mut project, "acme/renamed", "7");
    project.deploy("app").succeeds();
    in_workflow_of(&mut project, "acme/other", "8");
    project.plan("app").succeeds();
    project.deploy("free").succeeds();
}

/// What `acme/app` deployed from its workflow, with the context in `acme/context`; `owner` is the owner's id from then on.
fn deployed_by_owner(github: &GitHub, owner: u64) -> Project {
    github.repository("acme/context");
    let mut project = Project::lab();
    let states = project.path("states").display().to_string();
    project.edit("context/workspaces/lab/environments/staging.yaml", "path: states", &format!("path: {states}"));
    project.set("GITHUB_API_URL", &github.url());
    project.set("TIELINE_CONTEXT", "github:acme/context");
    let token = github.token(&[("acme/context", &["contents=write"]), ("acme/app", &["metadata=read"])]);
    project.set("TIELINE_CONTEXT_TOKEN", &token);
    project.set("TIELINE_GITHUB_TOKEN", &token);
    let owners = format!("owners: {{app: {{repository: acme/app, id: {owner}}}}}\ngrants: []");
    project.edit_context(WORKSPACE, "grants: []", &owners);
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: a}}\n");
    in_workflow_of(&mut project, "acme/app", &owner.to_string());
    project.run(&DEPLOY).succeeds();
    project
}

const DEPLOY: [&str; 5] = ["deploy", "-C", "app", "-e", "staging"];
const DESTROY: [&str; 5] = ["destroy", "-C", "app", "-e", "staging"];

#[test]
fn tf_r45_what_is_orphaned_is_destroyed_by_those_whom_the_context_belongs_to() {
    needs_terraform!();
    let github = GitHub::unjudged();
    let mut project = deployed_by_owner(&github, 7);
    let reason = ["--reason", "the team is no more"];

    in_workflow_of(&mut project, "acme/other", "8");
    project.run(&[&DESTROY[..], &reason[..]].concat()).refused("not-owner");
    in_workflow_of(&mut project, "acme/context", "9");
    project.run(&[&DEPLOY[..], &reason[..]].concat()).refused("not-owner");
    project.run(&DESTROY).refused("invalid-input").says("`lab/staging/app` is orphaned").says("add `--reason <text>`");
    let ran = project.run(&[&DESTROY[..], &reason[..], &["-o", "json"]].concat()).succeeds();
    insta::assert_snapshot!(ran.json()["run"]["overrides"].to_string(), @r#"[{"override":"orphaned","reason":"the team is no more","subjects":["acme/app (7)"]}]"#);
}

/// The whole ledger is mended and pruned by those whom it belongs to.
#[test]
fn tf_r41_upkeep_is_for_those_whom_the_context_belongs_to() {
    needs_terraform!();
    let github = GitHub::unjudged();
    let mut project = deployed_by_owner(&github, 7);
    let upkeep: [&[&str]; 2] = [&["context", "verify", "--repair"], &["context", "prune"]];
    for command in upkeep {
        project.run(command).refused("not-owner").says("run it in a workflow of `acme/context`");
    }
    project.run(&["context", "verify"]).succeeds();
    project.run(&["context", "prune", "--dry-run"]).succeeds();
    in_workflow_of(&mut project, "acme/context", "9");
    for command in upkeep {
        project.run(command).succeeds();
    }
}

#[test]
fn tf_r45_what_has_an_owner_is_not_orphaned() {
    needs_terraform!();
    let github = GitHub::unjudged();
    github.repository("acme/context");
    github.repository("acme/app");
    let mut project = deployed_by_owner(&github, 2_000_000);
    in_workflow_of(&mut project, "acme/context", "9");
    project.run(&[&DESTROY[..], &["--reason", "tidying up"]].concat()).refused("not-owner");
    project.set("TIELINE_GITHUB_TOKEN", "");
    project.run(&[&DESTROY[..], &["--reason", "tidying up"]].concat()).refused("not-owner");
}

#[test]
fn tf_r45_a_person_who_can_write_the_context_destroys_what_is_orphaned() {
    needs_terraform!();
    let github = GitHub::unjudged();
    let mut project = deployed_by_owner(&github, 7);
    project.set("GITHUB_ACTIONS", "");
    project.run(&[&DESTROY[..], &["--reason", "the team is no more"]].concat()).succeeds();
}

#[test]
fn tf_r41_a_plugins_tree_that_was_changed_is_not_used() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: a}}\n");
    project.deploy("app").succeeds();
    let digest = project.ledger("lab/staging/app/applied/a.json")["source"]["digest"].as_str().unwrap().to_owned();
    project.forge(&format!("plugins/{digest}/more.tf"), "output \"more\" { value = 1 }\n");
    project.run(&DESTROY).refused("plugin-changed").says("is not the one that was applied");
    assert!(!project.state_resources("lab/staging/app/a").is_empty());
}

#[test]
fn tf_r18_case_22_a_handle_to_another_state_is_not_believed() {
    needs_terraform!();
    let project = Project::lab();
    let reader = "apiVersion: tieline/v1\nkind: Plugin\nname: reader\nversion: 1.0.0\ninputs: {type: object}\nrequires: {upstream: {type: thing-conn, sensitive: [secret]}}\nterraform: {module: .}\n";
    let module = "variable \"upstream\" {\n  type = object({ name = string, secret = string })\n}\nresource \"terraform_data\" \"it\" {\n  input = var.upstream.secret\n}\n";
    project.plugin("plugins/reader", reader, module);
    project.edit_context(
        WORKSPACE,
        "grants: []",
        "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use, read-sensitive]}]",
    );
    for (name, seed) in [("shared", "right"), ("evil", "wrong")] {
        project.app(name, &format!("  d: {{use: ../plugins/thing, inputs: {{name: {name}, seed: {seed}}}}}\n"));
        project.deploy(name).succeeds();
    }
    // Whatever a record says of where its secrets are: it is not asked.
    for (path, at) in [("applied/d.json", "/state/key"), ("connections/d.out.json", "/sensitive/secret")] {
        let path = format!("lab/staging/shared/{path}");
        let mut record = project.ledger(&path);
        *record.pointer_mut(at).unwrap() = match at {
            "/state/key" => "lab/staging/evil/d".into(),
            _ => serde_json::json!({"from": "state", "key": "lab/staging/evil/d", "address": "lab/staging/evil/d.out"}),
        };
        project.forge(&path, &record.to_string());
    }
    project.app("app", "  r: {use: ../plugins/reader, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.run(&DEPLOY).succeeds();
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/r")).unwrap();
    let secret = |seed: &str| tieline::domain::names::Digest::of(seed.as_bytes()).as_str().to_owned();
    assert!(state.contains(&secret("right")) && !state.contains(&secret("wrong")), "{state}");
}
