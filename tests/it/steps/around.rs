//! Steps in what else there is: moves, take-overs, fleets, machines without Terraform.

use std::os::unix::fs::symlink;

use super::{Steps, lines};
use crate::fleet::Fleet;
use crate::harness::needs_terraform;

/// No terraform is on the `PATH` of the program from here on.
fn without_terraform(steps: &mut Steps) {
    let folder = steps.path("only-git");
    std::fs::create_dir(&folder).unwrap();
    symlink(which::which("git").unwrap(), folder.join("git")).unwrap();
    steps.bench.set("PATH", folder.to_str().unwrap());
}

#[test]
fn what_is_made_by_steps_alone_needs_no_terraform() {
    let mut steps = Steps::new();
    without_terraform(&mut steps);
    steps.deployable("app", "{a: {use: ../plugins/maker}}");
    steps.deploys("app", &[]);
    assert_eq!(steps.recorded("app/applied/a.json").unwrap()["terraform"]["path"], "");
    steps.deployable("app", "{a: {use: ../plugins/maker}, b: {use: ../plugins/quick}}");
    let refused = steps.deploy("app", &[]);
    assert!(refused.code == Some(1) && refused.err.contains("[terraform-missing]"), "{}", refused.err);
    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), ["unseed: unseeding 7", "remove: removing db-1"]);
}

#[test]
fn tf_r40_moved_without_a_state_and_destroyed_under_the_name_it_was_made_with() {
    needs_terraform!();
    let steps = Steps::new();
    steps.edit("plugins/maker/plugin.yaml", "echo \"removing $HOST\"", "echo \"removing $HOST of $SIGNADOT_RESOURCE_NAME\"");
    steps.deployable("app", "{a: {use: ../plugins/maker}}");
    steps.deploys("app", &[]);
    steps.run(&["move", "a", "z", "-C", "app", "-e", "e"]).succeeds();
    assert_eq!(steps.value("app", "z").as_deref(), Some("db-1"));
    steps.verify();
    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "z"), ["unseed: unseeding 7", "remove: removing db-1 of a"]);
}

#[test]
fn r40_no_state_is_taken_over_for_steps() {
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker}}");
    steps.write("old.tfstate", "{}");
    let refused = steps.run(&["adopt", "a", "-C", "app", "-e", "e", "--state", "../old.tfstate"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("`a` is a plugin of steps"), "{}", refused.stderr);
    assert_eq!(steps.claim("app"), None);
}

#[test]
fn tf_a_fleet_runs_steps_in_its_jobs() {
    needs_terraform!();
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker}, b: {use: ../plugins/quick, connections: {from: a.out}}}");
    let fleet = Fleet::of(&steps.bench);
    fleet.runs(&steps.bench, "a");
    assert_eq!(steps.value("app", "a"), None, "nothing is published yet");
    fleet.runs(&steps.bench, "b");
    let finished = fleet.finish(&steps.bench, &[]);
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.err, finished.out);
    assert_eq!(steps.value("app", "a").as_deref(), Some("db-1"));
    assert_eq!(steps.recorded("app/applied/a.json").unwrap()["steps"]["make"]["outputs"]["host"]["text"], "db-1");
    steps.destroys("app");
}
