//! What can be gone back to, and how, is shown.

use super::{back_to, deploy_as, two_sizes};
use crate::harness::{Project, assert_shown, needs_terraform};

fn status(project: &Project, arguments: &[&str]) -> crate::harness::Ran {
    project.run(&[&["status", "-w", "lab", "-e", "staging"], arguments].concat()).succeeds()
}

#[test]
fn tf_r36_status_shows_what_can_be_gone_back_to() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.edit("plugins/thing/plugin.yaml", "version: 1.0.0", "version: 1.1.0");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n  c: {use: ../plugins/thing}\n");
    deploy_as(&project, "v3", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n  c: {use: ../plugins/thing}\n");
    deploy_as(
        &project,
        "v4",
        "  a: {use: ../plugins/thing, inputs: {size: 2}}\n  c: {use: ../plugins/thing, connections: {upstream: a.out}}\n",
    );
    let shown = status(&project, &[]).stdout;
    let releases = shown.split("\nReleases\n").nth(1).unwrap().split("\nApplied plugins\n").next().unwrap();
    assert_shown!(releases, @r"
    app  v4  deployed now
      <time>, <age> ago, run <id>
    app  v3  back: c other connections
      <time>, <age> ago, run <id>
    app  v2  back: a other inputs, c other connections
      <time>, <age> ago, run <id>
    app  v1  back: a 1.1.0 -> 1.0.0, b comes back, c goes
      <time>, <age> ago, run <id>
    to go back: tieline rollback -w lab -e staging --deployable app --to <id>
    ");

    let json = status(&project, &["-o", "json"]).json();
    let first = &json["releases"][3];
    assert_eq!(first["differs"], serde_json::json!({"a": "1.1.0 -> 1.0.0", "b": "comes back", "c": "goes"}));
    let command = first["command"].as_str().unwrap();
    assert!(command.starts_with("tieline rollback "), "{command}");
    // The command is exact: it can be pasted.
    let arguments: Vec<&str> = command.split(' ').skip(1).chain(["--allow-destroy"]).collect();
    project.run(&arguments).succeeds().says("back to the release `v1`");
    let json = status(&project, &["-o", "json"]).json();
    assert_eq!(json["releases"][0]["differs"], serde_json::json!({}));
}

#[test]
fn tf_r36_a_run_says_how_to_go_back_by_a_command_that_works() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy_with("app", &["--version-tag", "v1"]).succeeds().never_says("To go back");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    let second = project.deploy_with("app", &["--version-tag", "v2"]).succeeds();
    assert_shown!(second.stdout, @r#"
    lab/staging/app succeeded: 1 task, 0 unchanged, +0 ~2 -0, <duration>

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v1` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id> -C app
    "#);
    let command = second.stdout.lines().last().unwrap().trim().to_owned();
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    project.run(&arguments).succeeds().says("back to the release `v1`").says("To go back to release `v2`");
}

#[test]
fn tf_r36_a_half_way_deploy_is_not_what_is_deployed() {
    needs_terraform!();
    let project = two_sizes();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2, broken: true}}\n");
    project.deploy("app").fails(2, "apply-failed").says("To go back to release `v2`");
    assert_eq!(status(&project, &["-o", "json"]).json()["releases"][0]["differs"]["a"], "other inputs");
    back_to(&project, "v2", &[]).succeeds();
    status(&project, &[]).says("deployed now");
}
