//! Overrides that need the approval of a GitHub environment, which the job's own token tells.

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::harness::{Project, assert_shown, needs_terraform};

const ENVIRONMENT: &str = "workspaces/lab/environments/staging.yaml";
const BREAK: [&str; 9] =
    ["destroy", "-C", "shared", "-e", "staging", "--break-consumers", "lab/staging/app/a.upstream", "--reason", "the end of it"];

/// The lab with a connection and its consumer, which nobody breaks without the approval of `breakers`.
fn guarded() -> Project {
    let project = Project::lab();
    project.edit_context(ENVIRONMENT, "defaults: {}", "overrides: {break-consumers: breakers}");
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants: []",
        "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]",
    );
    project.app("shared", "  d: {use: ../plugins/thing, inputs: {name: shared}}\n");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: app}, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.deploy("shared").succeeds();
    project.deploy("app").succeeds();
    project
}

/// The runs that follow are of a job with this subject.
fn in_job(project: &mut Project, github: &GitHub, subject: &str) {
    let identity = github.identity(subject);
    project.set("GITHUB_ACTIONS", "true");
    project.set("ACTIONS_ID_TOKEN_REQUEST_URL", &identity.url);
    project.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &identity.token);
}

#[test]
fn tf_r31_an_override_needs_the_approval_that_the_environment_asks_for() {
    needs_terraform!();
    let github = GitHub::start();
    let mut project = guarded();
    let ran = project.run(&BREAK).refused("needs-approval");
    assert_shown!(ran.stderr, @"
    error[needs-approval]: `break-consumers` needs the approval of the GitHub environment `breakers`
     --> context:workspaces/lab/environments/staging.yaml:5:13
      |
    5 | overrides: {break-consumers: breakers}
      |             ^^^^^^^^^^^^^^^
      |
      = note: this is not a workflow, so nobody approved it
      = help: run it in a job with `environment: breakers` and `permissions: {id-token: write}`
    ");

    project.set("GITHUB_ACTIONS", "true");
    project.run(&BREAK).fails(2, "permission-denied").says("it lacks `id-token: write`");
    in_job(&mut project, &github, "repo:acme/shop:ref:refs/heads/main");
    project.run(&BREAK).refused("needs-approval").says("this job runs under no GitHub environment");
    in_job(&mut project, &github, "repo:acme/shop:environment:staging");
    project.run(&BREAK).refused("needs-approval").says("this job runs under the GitHub environment `staging`");
    assert!(!project.state_resources("lab/staging/shared/d").is_empty(), "nothing was touched");

    in_job(&mut project, &github, "repo:acme/shop:environment:breakers");
    project.run(&BREAK[..7]).refused("invalid-input").says("needs a reason");
    project.run(&BREAK).succeeds().never_says("eyJ");
    let run = project.newest("lab/staging/shared/runs");
    assert_eq!(run["approvedIn"], "breakers");
    assert_eq!(
        run["overrides"],
        json!([{"override": "break-consumers", "reason": "the end of it", "subjects": ["lab/staging/app/a.upstream"]}])
    );
}

#[test]
fn tf_r31_where_keys_are_pinned_the_approval_is_signed_with_one() {
    needs_terraform!();
    let github = GitHub::start();
    let mut project = guarded();
    in_job(&mut project, &github, "repo:acme/shop:environment:breakers");
    let pin = |key: &Value| {
        let issuer = format!("{}/_oidc", github.url());
        let keys = format!("proof-keys: {{issuer: '{issuer}', audience: tieline/lab, keys: [{key}]}}\n");
        project.write_context("context.yaml", &format!("apiVersion: tieline/v1\nkind: Context\n{keys}"));
    };
    let mut other = GitHub::key();
    other["kid"] = "2".into();
    pin(&other);
    project.run(&BREAK).fails(2, "permission-denied").says("signed with the key `1`, which is not pinned");
    pin(&GitHub::key());
    project.run(&BREAK).succeeds();
}

#[test]
fn tf_r31_an_environment_of_another_repository_approves_nothing() {
    needs_terraform!();
    let github = GitHub::start();
    for name in ["acme/shared", "acme/other"] {
        github.repository(name);
    }
    let mut project = guarded();
    let issuer = format!("{}/_oidc", github.url());
    let keys = format!("proof-keys: {{issuer: '{issuer}', audience: tieline/lab, keys: [{}]}}\n", GitHub::key());
    project.write_context("context.yaml", &format!("apiVersion: tieline/v1\nkind: Context\n{keys}"));
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants:",
        "owners: {shared: {repository: acme/shared, id: 1000000}}\ngrants:",
    );
    // The variables say that it is the owner; the signed token knows better.
    project.set("GITHUB_REPOSITORY_ID", "1000000");
    in_job(&mut project, &github, "repo:acme/other:environment:breakers");
    project.run(&BREAK).fails(2, "permission-denied").says("its token is of a workflow of `acme/other`");
    assert!(!project.state_resources("lab/staging/shared/d").is_empty(), "nothing was touched");
    in_job(&mut project, &github, "repo:acme/shared:environment:breakers");
    project.run(&BREAK).succeeds();
}

#[test]
fn tf_r26_where_an_approved_plan_was_deployed_is_recorded() {
    needs_terraform!();
    let github = GitHub::start();
    let mut project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {name: app}}\n");
    in_job(&mut project, &github, "repo:acme/app:environment:production");
    project.deploy("app").succeeds();
    assert_eq!(project.newest("lab/staging/app/runs")["approvedIn"], Value::Null, "nothing was to be approved");
    project.edit("app/tieline.yaml", "name: app}", "name: other}");
    let plan = project.plan_json("app");
    project.deploy_with("app", &["--approved-plan", plan["fingerprint"].as_str().unwrap()]).succeeds();
    assert_eq!(project.newest("lab/staging/app/runs")["approvedIn"], "production");
}
