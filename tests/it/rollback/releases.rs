//! Which release is meant, and what a rollback makes of it.

use super::{back_to, deploy_as, input, newest_release, plan_back_to, two_sizes};
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

#[test]
fn tf_r36_an_input_goes_back_to_what_it_was() {
    needs_terraform!();
    let project = two_sizes();
    assert_shown!(plan_back_to(&project, "v1", &[]).succeeds().stdout, @r"
    Rollback plan for lab/staging/app

    back to the release `v1` of run `<id>`; data is not rolled back

    a: +0 ~2 -0
      ~ update terraform_data.base
      ~ update terraform_data.top

    0 to add, 2 to change, 0 to destroy.
    Fingerprint: <fingerprint>
    ");
    let ran = back_to(&project, "v1", &[]).succeeds();
    assert_shown!(ran.stdout, @r#"
    lab/staging/app succeeded: 1 task, 0 unchanged, +0 ~2 -0, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id>
    "#);
    assert_shown!(ran.stderr, @r"
    run <id> rolls back lab/staging/app
    [a] planned +0 ~2 -0
    [a] applying
    [a] updated terraform_data.base in 0s
    [a] updated terraform_data.top in 0s
    [a] done +0 ~2 -0 in <duration>
    ");
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
}

#[test]
fn tf_r39_a_rollback_is_a_release_that_names_its_source() {
    needs_terraform!();
    let project = two_sizes();
    let (second, _) = newest_release(&project);
    let run = back_to(&project, "v1", &["-o", "json"]).succeeds().json();
    let (made, release) = newest_release(&project);
    assert_eq!((run["run"]["type"].as_str(), run["run"]["id"].as_str()), (Some("rollback"), Some(made.as_str())));
    let first = release["source"].as_str().unwrap().to_owned();
    assert_ne!(first, second, "the source is the run that made `v1`");
    assert_eq!((run["run"]["source"].as_str(), release["versionTag"].as_str()), (Some(first.as_str()), Some("v1")));

    // By the id of a run, and back again: a rollback of a rollback.
    back_to(&project, &second, &[]).succeeds().says("back to the release `v2`");
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 2);
    // The newest release of a tag counts: it is the rollback's own.
    back_to(&project, "v1", &["--version-tag", "v1-again"]).succeeds().says(&made);
    let (_, release) = newest_release(&project);
    assert_eq!((release["versionTag"].as_str(), release["source"].as_str()), (Some("v1-again"), Some(made.as_str())));
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
}

#[test]
fn tf_r39_nothing_to_change_is_a_success_and_starts_no_terraform() {
    needs_terraform!();
    let mut project = two_sizes();
    project.count_terraform();
    // The other script is another build of terraform.
    project.deploy("app").succeeds();
    project.terraform_starts();
    let ran = back_to(&project, "v2", &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&ran), "a: skipped (unchanged)\n");
    assert_eq!(project.terraform_starts(), Vec::<String>::new());
    assert_shown!(back_to(&project, "v2", &[]).succeeds().stdout, @r#"
    lab/staging/app succeeded: 1 task, 1 unchanged, +0 ~0 -0, <duration>
    back to the release `v2` of run `<id>`; data is not rolled back

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)
    "#);
}

#[test]
fn tf_r36_the_commit_is_that_of_the_release() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.git(".", &["add", "app", "plugins"]);
    project.git(".", &["commit", "--quiet", "--message", "one"]);
    let then = project.git(".", &["rev-parse", "HEAD"]);
    project.deploy("app").succeeds();
    let (first, _) = newest_release(&project);
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    project.git(".", &["commit", "--quiet", "--all", "--message", "two"]);
    project.deploy("app").succeeds();
    back_to(&project, &first, &[]).succeeds();
    let run = project.newest("lab/staging/app/runs");
    assert_eq!(run["commit"].as_str(), Some(then.trim()));
    assert_eq!(project.ledger("lab/staging/app/connections/a.out.json")["producer"]["commit"].as_str(), Some(then.trim()));
}

#[test]
fn tf_r36_what_is_not_there_is_told_with_what_is() {
    needs_terraform!();
    let project = two_sizes();
    assert_shown!(back_to(&project, "v3", &[]).refused("invalid-input").stderr, @r"
    error[invalid-input]: there is no release `v3` of `lab/staging/app`
     |
     = note: `v2`, made <time> by run `<id>`
     = note: `v1`, made <time> by run `<id>`
     = help: name one that `tieline status` shows, by its version tag or its run id
    ");
    let unsaid = project.run(&["rollback", "-w", "lab", "-e", "staging", "--deployable", "app"]).refused("invalid-input");
    assert_shown!(unsaid.stderr, @r"
    error[invalid-input]: which release to go back to is not said
     |
     = help: add `--to <version tag or run id>`; `tieline status` shows the releases there are
    ");
}

#[test]
fn tf_r36_the_manifest_its_branch_and_the_plugins_sources_are_not_needed() {
    needs_terraform!();
    let project = two_sizes();
    std::fs::remove_dir_all(project.path("app")).unwrap();
    std::fs::remove_dir_all(project.path("plugins")).unwrap();
    back_to(&project, "v1", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
}

#[test]
fn tf_r36_a_release_of_before_types_and_versions_were_in_it() {
    needs_terraform!();
    let project = two_sizes();
    let path = project.ledger_paths().into_iter().find(|path| path.contains("/app/releases/")).unwrap();
    let mut release = project.ledger(&path);
    let plugin = release["plugins"]["a"].as_object_mut().unwrap();
    for field in ["outputs", "plugin", "version"] {
        plugin.remove(field).unwrap();
    }
    project.forge(&path, &format!("{release:#}\n"));
    back_to(&project, "v1", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
    let again = back_to(&project, "v1", &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&again), "a: skipped (unchanged)\n");
}

#[test]
fn tf_r36_defaults_and_values_of_today_do_not_flow_in() {
    needs_terraform!();
    let project = two_sizes();
    project.edit_context(
        "workspaces/lab/environments/staging.yaml",
        "defaults: {}",
        "values: {size: 9, shape: square}\ndefaults: {thing-conn: lab/staging/other/x.out}",
    );
    project.app("other", "  x: {use: ../plugins/thing, connections: {upstream: lab/staging/other/x.out}}\n");
    back_to(&project, "v1", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
    assert_eq!(project.ledger("lab/staging/app/applied/a.json")["inputs"]["shape"], "round");
}

#[test]
fn tf_r36_after_a_half_way_deploy_what_failed_is_not_skipped() {
    needs_terraform!();
    let project = two_sizes();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 3, broken: true}}\n");
    let failed = project.deploy_with("app", &["--version-tag", "v3"]).fails(2, "apply-failed");
    assert_shown!(failed.stdout, @r#"
    lab/staging/app failed (apply-failed): 1 task, 0 unchanged, +0 ~2 -0, <duration>

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1, degraded
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id> -C app
    "#);
    back_to(&project, "v2", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 2);
}

#[test]
fn tf_r36_what_was_destroyed_comes_back() {
    needs_terraform!();
    let project = two_sizes();
    project.run(&["destroy", "-w", "lab", "-e", "staging", "--deployable", "app"]).succeeds();
    assert_eq!(project.state_resources("lab/staging/app/a"), Vec::<String>::new());
    assert_shown!(back_to(&project, "v1", &[]).succeeds().stdout, @r#"
    lab/staging/app succeeded: 1 task, 0 unchanged, +2 ~0 -0, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id>
    "#);
    deploy_as(&project, "v3", "  a: {use: ../plugins/thing}\n");
}
