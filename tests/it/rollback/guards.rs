//! What keeps a rollback from going wrong.

use super::{back_to, deploy_as, input, plan_back_to, two_sizes};
use crate::harness::{Project, assert_shown, needs_terraform};

#[test]
fn tf_r36_on_a_protected_environment_the_plan_for_it_is_approved() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing, inputs: {shape: square}}\n");
    project.edit_context("workspaces/lab/environments/staging.yaml", "protected: false", "protected: true");
    let refused = back_to(&project, "v1", &["--allow-destroy"]).refused("needs-approval");
    assert_shown!(refused.stderr, @r"
    run <id> rolls back lab/staging/app
    [a] planned +1 ~1 -1
    [a] skipped (the plan was refused)
    error[needs-approval]: the plan of `a` deletes or replaces 1 resource
    --> ledger:lab/staging/app/releases/<id>.json
     = note: replace module.plugin.terraform_data.base
     = help: the environment is protected: review `tieline plan --for rollback`, then roll back with `--approved-plan <fingerprint>`
    ");

    let of_v2 = plan_back_to(&project, "v2", &["-o", "json"]).succeeds().json();
    let other = of_v2["fingerprint"].as_str().unwrap();
    let refused = back_to(&project, "v1", &["--approved-plan", other]).refused("plan-changed");
    assert_shown!(refused.stderr, @r"
    run <id> rolls back lab/staging/app
    [a] planned +1 ~1 -1
    [a] skipped (the plan was refused)
    error[plan-changed]: the plan is not the approved one: the plan of a is another one now
    --> ledger:lab/staging/app/releases/<id>.json
     = note: approved: <fingerprint>
     = note: now:      <fingerprint>
     = help: review the new plan with `tieline plan --for rollback` and approve it
    ");

    let plan = plan_back_to(&project, "v1", &["-o", "json"]).succeeds().json();
    assert_eq!((plan["for"].as_str(), plan["command"].as_str()), (Some("rollback"), Some("plan")));
    back_to(&project, "v1", &["--approved-plan", plan["fingerprint"].as_str().unwrap()]).succeeds();
    assert_eq!(project.ledger("lab/staging/app/applied/a.json")["inputs"]["shape"], "round");
}

/// A lab whose thing has two sensitive inputs, with a release of `a` and `b` and one of `a` alone.
fn with_secrets() -> Project {
    let project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "    broken: {type: boolean, default: false}\n",
        "    broken: {type: boolean, default: false}\n    token: {type: string, x-sensitive: true}\n    key: {type: string, x-sensitive: true}\n",
    );
    let variable = |name: &str| format!("variable \"{name}\" {{\n  type = string\n  sensitive = true\n  default = null\n}}\n");
    let module = project.read("plugins/thing/main.tf");
    project.write("plugins/thing/main.tf", &(variable("token") + &variable("key") + &module));
    let deploy = |tag: &str, plugins: &str, secrets: &str| {
        project.app("app", plugins);
        project.deploy_with("app", &["--version-tag", tag, "--allow-destroy", "--secrets", secrets]).succeeds();
    };
    deploy(
        "v1",
        "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n",
        "{a.token: hush-hush-one, b.token: hush-hush-two, b.key: hush-hush-three}",
    );
    deploy(
        "v2",
        "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n  c: {use: ../plugins/thing}\n",
        "{a.token: hush-hush-one, a.key: hush-hush-five, b.token: hush-hush-two, c.key: hush-hush-four}",
    );
    project
}

#[test]
fn tf_r36_missing_secrets_are_listed_before_anything_else() {
    needs_terraform!();
    let project = with_secrets();
    // Even the plugins' trees are not looked at.
    let before = project.context_refs();
    let refused = back_to(&project, "v1", &["--secrets", "{a.token: hush-hush-one}"]).refused("invalid-input");
    assert_shown!(refused.stderr, @r"
    error[invalid-input]: the release needs the sensitive inputs `b.key`, `b.token`
    --> ledger:lab/staging/app/releases/<id>.json
     = note: their values are never recorded: a rollback takes today's
     = help: give them as `secrets`: `TIELINE_SECRETS='{alias.input: value}'`
    ");
    assert_eq!(project.context_refs(), before);
}

#[test]
fn tf_r36_secrets_are_todays_and_others_are_not_used() {
    needs_terraform!();
    let project = with_secrets();
    let secrets = "{a.token: todays-one, a.key: todays-five, b.token: todays-two, b.key: todays-three, c.key: todays-four}";
    let ran = back_to(&project, "v1", &["--secrets", secrets, "--allow-destroy"]).succeeds().never_says("todays-");
    assert_shown!(ran.stdout, @r#"
    lab/staging/app succeeded: 3 tasks, 0 unchanged, +0 ~0 -2, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back
    the secret `a.key` is not used: it is no input of the release

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
    assert_eq!(project.ledger("lab/staging/app/applied/b.json")["sensitiveInputs"], serde_json::json!(["key", "token"]));
}

/// A terraform that says it is another version.
fn pretend(project: &mut Project, version: &str) {
    project.wrap_terraform(&format!(
        "if [ \"$1\" = version ]; then echo '{{\"terraform_version\":\"{version}\",\"platform\":\"linux_amd64\",\"terraform_outdated\":false}}'; exit 0; fi\n"
    ));
}

#[test]
fn tf_r38_a_lower_terraform_than_the_one_that_wrote_the_state_is_refused() {
    needs_terraform!();
    let mut project = two_sizes();
    pretend(&mut project, "1.6.0");
    let before = project.context_refs();
    let refused = back_to(&project, "v1", &[]).refused("terraform-missing");
    assert_shown!(refused.stderr.replace(&version(&project), "<newer>"), @r"
    error[terraform-missing]: the terraform here is version 1.6.0, lower than <newer>, which wrote a state of this deployable
     |
     = note: it is `<folder>/bin/wrapped-terraform`
     = help: use version <newer> or a later one: `--terraform <binary>`, or `terraform` in a workflow
    ");
    assert_eq!(project.context_refs(), before);
    plan_back_to(&project, "v1", &[]).refused("terraform-missing");
}

/// The version of terraform that made the newest release.
fn version(project: &Project) -> String {
    project.newest("lab/staging/app/releases")["plugins"]["a"]["terraform"].as_str().unwrap().to_owned()
}

#[test]
fn tf_r38_terraform_stays_at_the_version_that_wrote_the_state_and_this_is_said() {
    needs_terraform!();
    let mut project = Project::lab();
    pretend(&mut project, "1.6.0");
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    pretend(&mut project, "1.7.0");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    back_to(&project, "v1", &[])
        .succeeds()
        .says("Terraform stays at 1.7.0 for `a`: it wrote the state, and the release had 1.6.0");
    assert_eq!(input(&project, "lab/staging/app/a", "size"), 1);
}

#[test]
fn tf_r15_consumers_that_it_would_break_are_listed() {
    needs_terraform!();
    let project = Project::lab();
    let first = project.read("plugins/thing/plugin.yaml");
    let wide =
        project.read("context/types/thing-conn/1.0.0.yaml").replace("    secret:", "    size: {type: integer}\n    secret:");
    project.write_context("types/thing-conn/1.0.0.yaml", &wide);
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.edit("app/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy_with("app", &["--version-tag", "v1"]).succeeds();
    project.write("plugins/thing/plugin.yaml", &first.replace("secret: secret", "size: size, secret: secret"));
    let module = project.read("plugins/thing/main.tf");
    project.write("plugins/thing/main.tf", &(module + "output \"size\" { value = var.size }\n"));
    project.deploy_with("app", &["--version-tag", "v2"]).succeeds();
    project.app("user", "  u: {use: ../plugins/thing, connections: {upstream: lab/staging/app/a.out}}\n");
    project.deploy("user").succeeds();
    let refused = back_to(&project, "v1", &[]).refused("breaks-consumers");
    assert_shown!(refused.stderr, @r"
    error[breaks-consumers]: `thing 1.0.0` breaks a consumer of `lab/staging/app/a.out`
    --> ledger:lab/staging/app/releases/<id>.json
     = note: `lab/staging/user/u.upstream`: it uses `size`, which is no longer published
     = help: publish the old and the new version side by side with `types`, move the consumers, then drop the old one
    ");
}

#[test]
fn tf_r29_what_came_since_and_is_used_does_not_go() {
    needs_terraform!();
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.edit("app/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy_with("app", &["--version-tag", "v2"]).succeeds();
    project.app("user", "  u: {use: ../plugins/thing, connections: {upstream: lab/staging/app/b.out}}\n");
    project.deploy("user").succeeds();
    let refused = back_to(&project, "v1", &["--allow-destroy"]).refused("consumers-exist");
    assert_shown!(refused.stderr, @r"
    run <id> rolls back lab/staging/app
    [b] skipped (the plan was refused)
    [a] skipped (the plan was refused)
    error[consumers-exist]: the connection `lab/staging/app/b.out` would go, and `lab/staging/user/u.upstream` is bound to it
    --> ledger:lab/staging/app/releases/<id>.json
     = help: destroy it first: `tieline destroy --workspace lab --environment staging --deployable user`; or wire its slot to another connection, and deploy it
     = help: or break it on purpose: `--break-consumers lab/staging/user/u.upstream --reason <why>`
    ");
    assert!(!project.state_resources("lab/staging/app/b").is_empty());
}
