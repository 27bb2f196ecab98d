//! Who may write a deployable.

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
