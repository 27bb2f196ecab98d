//! Plugins that came, went or changed since the release.

use super::{back_to, deploy_as, input, plan_back_to};
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

#[test]
fn tf_r36_a_plugin_upgrade_is_undone_from_the_stored_tree() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    project.edit("plugins/thing/plugin.yaml", "version: 1.0.0", "version: 2.0.0");
    project.edit("plugins/thing/main.tf", "size = var.size, upstream", "size = var.size + 100, upstream");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n");
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 101);
    back_to(&project, "v1", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
    assert_eq!(project.ledger("lab/staging/app/applied/a.json")["version"], "1.0.0");
}

#[test]
fn tf_r38_a_plugin_that_moved_resources_since_wants_leave_to_replace_them() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    project.edit("plugins/thing/plugin.yaml", "version: 1.0.0", "version: 2.0.0");
    project.edit("plugins/thing/main.tf", "\"base\"", "\"core\"");
    project.edit("plugins/thing/main.tf", "terraform_data.base", "terraform_data.core");
    let module = project.read("plugins/thing/main.tf");
    project.write(
        "plugins/thing/main.tf",
        &format!("{module}\nmoved {{\n  from = terraform_data.base\n  to   = terraform_data.core\n}}\n"),
    );
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n");
    let has = |name: &str| project.state_resources("lab/staging/app/a").contains(&format!("module.plugin.terraform_data.{name}"));
    assert!(has("core") && !has("base"));
    let refused = back_to(&project, "v1", &[]).refused("needs-approval");
    assert_shown!(refused.stderr, @r"
    run <id> rolls back lab/staging/app
    [a] planned +1 ~1 -1
    [a] failed (the plan of `a` deletes or replaces 1 resource) in <duration>
    error[needs-approval]: the plan of `a` deletes or replaces 1 resource
    --> ledger:lab/staging/app/releases/<id>.json
     = note: delete module.plugin.terraform_data.core
     = help: review `tieline plan --for rollback`; if this is wanted, roll back with `--allow-destroy` or `--approved-plan <fingerprint>`
    ");
    back_to(&project, "v1", &["--allow-destroy"]).succeeds();
    assert!(has("base") && !has("core"));
}

#[test]
fn tf_r38_a_plugin_added_since_is_destroyed_only_with_leave() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    assert_shown!(plan_back_to(&project, "v1", &[]).succeeds().stdout, @r"
    Rollback plan for lab/staging/app

    back to the release `v1` of run `<id>`; data is not rolled back

    b (not in the release): +0 ~0 -2
      - delete terraform_data.base
      - delete terraform_data.top
    a: unchanged

    0 to add, 0 to change, 2 to destroy.
    Fingerprint: <fingerprint>
    ");
    let refused = back_to(&project, "v1", &[]).refused("needs-approval");
    assert_shown!(refused.stderr, @r"
    run <id> rolls back lab/staging/app
    [a] skipped (unchanged) in <duration>
    [b] planned +0 ~0 -2
    [b] failed (the plan of `b` deletes or replaces 2 resources) in <duration>
    error[needs-approval]: the plan of `b` deletes or replaces 2 resources
    --> ledger:lab/staging/app/releases/<id>.json
     = note: delete module.plugin.terraform_data.base
     = note: delete module.plugin.terraform_data.top
     = help: review `tieline plan --for rollback`; if this is wanted, roll back with `--allow-destroy` or `--approved-plan <fingerprint>`
    ");
    assert!(!project.state_resources("lab/staging/app/b").is_empty());
    back_to(&project, "v1", &["--allow-destroy"]).succeeds();
    assert!(project.state_resources("lab/staging/app/b").is_empty());
}

#[test]
fn tf_r38_a_plugin_removed_since_comes_back_with_a_new_state() {
    needs_terraform!();
    let project = Project::lab();
    let both = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, after: [a]}\n";
    deploy_as(&project, "v1", both);
    let uid = project.ledger("lab/staging/app/connections/b.out.json")["uid"].clone();
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n");
    let ran = back_to(&project, "v1", &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&ran), "a: skipped (unchanged)\nb: succeeded\n");
    assert_ne!(project.ledger("lab/staging/app/connections/b.out.json")["uid"], uid);
    let applied = project.ledger("lab/staging/app/applied/b.json");
    assert_eq!(applied["after"], serde_json::json!(["a"]), "the order without data is part of the release");
    // What is recorded is what a deploy of the old manifest would have recorded: it finds nothing to do.
    project.app("app", both);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\nb: skipped (unchanged)\n");
}

#[test]
fn tf_r36_a_tag_deleted_in_the_plugins_repository_is_not_needed() {
    needs_terraform!();
    let project = Project::lab();
    std::fs::create_dir_all(project.path("remote.git")).unwrap();
    std::fs::rename(project.path("plugins/thing"), project.path("remote.git/thing")).unwrap();
    project.git("remote.git", &["init", "--quiet", "--initial-branch=main"]);
    let release = |tag: &str| {
        project.git("remote.git", &["add", "--all"]);
        project.git("remote.git", &["commit", "--quiet", "--message", tag]);
        project.git("remote.git", &["tag", tag]);
    };
    let plugins = |tag: &str| format!("  a: {{use: 'git::{}//thing?ref={tag}'}}\n", project.path("remote.git").display());
    release("v1.0.0");
    deploy_as(&project, "v1", &plugins("v1.0.0"));
    project.edit("remote.git/thing/main.tf", "size = var.size, upstream", "size = var.size + 100, upstream");
    release("v2.0.0");
    deploy_as(&project, "v2", &plugins("v2.0.0"));
    project.git("remote.git", &["tag", "--delete", "v1.0.0"]);
    back_to(&project, "v1", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
    let used = project.ledger("lab/staging/app/applied/a.json")["source"]["use"].as_str().unwrap().to_owned();
    assert!(used.ends_with("//thing?ref=v1.0.0"), "it is known by where it came from: {used}");
}

#[test]
fn tf_r36_a_type_that_asks_for_more_since_does_not_hold_for_the_release() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    let newer = project.read("context/types/thing-conn/1.0.0.yaml");
    let newer = newer.replace("version: 1.0.0", "version: 1.1.0").replace("[name]", "[name, color]");
    let newer = newer.replace("    secret:", "    color: {type: string}\n    secret:");
    project.write_context("types/thing-conn/1.1.0.yaml", &newer);
    let of_today = project.deploy("app").refused("invalid-document");
    of_today.says("`from` lacks `color`");
    let ran = back_to(&project, "v1", &["-o", "json"]).succeeds().json();
    assert_eq!(tasks(&ran), "a: skipped (unchanged)\n");
    assert_eq!(project.ledger("lab/staging/app/connections/a.out.json")["typeVersion"], "1.0.0");
}

/// Has init do with lock files what it does where a module asks for a provider: without one it locks this version, and one that it starts
/// from stays, unless the module wants a higher version.
fn provider(project: &mut Project, version: &str, wants_higher: bool) {
    let lock = format!("provider \\\"registry.example/acme/cloud\\\" {{\\n  version = \\\"{version}\\\"\\n}}\\n");
    let keep = if wants_higher { "false" } else { "cp .terraform.lock.hcl locked 2>/dev/null" };
    project.wrap_terraform(&format!(
        "if [ \"$1\" = init ]; then\n  {keep} || printf \"{lock}\" > locked\n  rm -f .terraform.lock.hcl\n  terraform \"$@\"; code=$?\n  mv locked .terraform.lock.hcl\n  exit $code\nfi\n[ \"$1\" = version ] || rm -f .terraform.lock.hcl\n"
    ));
}

/// The version of the provider that the last apply was locked to.
fn locked(project: &Project, alias: &str) -> String {
    let record = project.ledger(&format!("lab/staging/app/applied/{alias}.json"));
    let lock = record["providerLock"].as_str().unwrap().to_owned();
    lock.split('"').nth(3).unwrap().to_owned()
}

#[test]
fn tf_r38_a_provider_stays_at_the_higher_version_and_this_is_said() {
    needs_terraform!();
    let mut project = Project::lab();
    let both = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n";
    provider(&mut project, "5.0.0", false);
    deploy_as(&project, "v1", both);
    provider(&mut project, "5.1.0", true);
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    assert_eq!(locked(&project, "a"), "5.1.0");

    provider(&mut project, "6.0.0", false);
    assert_shown!(back_to(&project, "v1", &[]).succeeds().stdout, @r#"
    lab/staging/app succeeded: 2 tasks, 0 unchanged, +2 ~2 -0, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back
    the provider `registry.example/acme/cloud` stays at 5.1.0 for `a`: it wrote the state, and the release had 5.0.0

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)
      lab/staging/app/b.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id>
    "#);
    assert_eq!(locked(&project, "a"), "5.1.0", "it wrote the state");
    assert_eq!(locked(&project, "b"), "5.0.0", "there is no state that it could harm: as in the release");
}
