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
    project.run(&DESTROY).refused("invalid-input").says("`lab/staging/app` is orphaned").says("say why with `--reason`");
    let ran = project.run(&[&DESTROY[..], &reason[..], &["-o", "json"]].concat()).succeeds();
    insta::assert_snapshot!(ran.json()["run"]["overrides"].to_string(), @r#"[{"override":"orphaned","reason":"the team is no more","subjects":["acme/app (7)"]}]"#);
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
