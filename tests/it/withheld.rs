//! Plans of those who may use a connection, but not read its secrets (R43).

use crate::harness::{Project, assert_shown, needs_terraform, tasks, verdicts};

const WORKSPACE: &str = "workspaces/lab/workspace.yaml";

/// An application with a secret, and another that takes it: `r` reads it, `s` takes what `r` publishes, `p` takes what is public.
fn lab_with_secret() -> Project {
    let project = Project::lab();
    project.plugin(
        "plugins/reader",
        r"apiVersion: tieline/v1
kind: Plugin
name: reader
version: 1.0.0
requires:
  upstream: {type: thing-conn, sensitive: [secret]}
generates:
  out: {type: thing-conn, from: {name: name}}
terraform: {module: .}
",
        r#"variable "upstream" { type = object({ name = string, secret = string }) }
resource "terraform_data" "reader" {
  input = sha256(var.upstream.secret)
}
output "name" { value = "read" }
"#,
    );
    project.app("owner", "  d: {use: ../plugins/thing}\n");
    project.deploy("owner").succeeds();
    project.app(
        "app",
        r"  p: {use: ../plugins/thing, connections: {upstream: lab/staging/owner/d.out}}
  r: {use: ../plugins/reader, connections: {upstream: lab/staging/owner/d.out}}
  s: {use: ../plugins/thing, connections: {upstream: r.out}}
",
    );
    project
}

#[test]
fn tf_r43_a_plan_without_read_sensitive_defers_the_task_and_reads_no_state() {
    needs_terraform!();
    let mut project = lab_with_secret();
    project.plan("app").refused("grant-denied").says("allow: [use]").says("allow: [use, read-sensitive]");
    project.edit_context(WORKSPACE, "grants: []", "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]");
    project.count_terraform();

    let ran = project.plan("app").succeeds();

    assert_shown!(ran.stdout, @r"
    Plan for lab/staging/app

    p: +2 ~0 -0
      + create terraform_data.base
      + create terraform_data.top
    r: deferred (sensitive), it may not read the secrets of lab/staging/owner/d.out
    s: deferred until r is applied

    2 to add, 0 to change, 0 to destroy, 2 plugins are planned later.
    Fingerprint: <fingerprint>
    ");
    assert_shown!(ran.stderr, @r#"
    [p] planned +2 ~0 -0
    warning[grant-denied]: `lab/staging/app` may not read the sensitive attributes of `lab/staging/owner/d.out`
     --> app/tieline.yaml:7:55
      |
    7 |   r: {use: ../plugins/reader, connections: {upstream: lab/staging/owner/d.out}}
      |                                                       ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: slot `r.upstream` takes it through the reference
      = help: ask for this grant in the context's `workspaces/lab/workspace.yaml`:
              grants:
                - {connection: "staging/owner/d.out", to: ["lab/staging/app"], allow: [use, read-sensitive]}
    "#);
    assert_eq!(project.terraform_starts(), ["init", "plan", "show"], "of the one that takes nothing secret");
    assert_eq!(verdicts(&project.plan_json("app")), "p: changes\nr: deferred-sensitive\ns: deferred\n");
    project.plan_with("app", &["--explain"]).succeeds().says("allow: [use, read-sensitive]");

    let refused = project.deploy("app").refused("grant-denied");
    refused.says("`lab/staging/app` may not read the sensitive attributes of `lab/staging/owner/d.out`");
    assert!(project.state_resources("lab/staging/app/p").is_empty(), "refused before anything is touched");

    project.edit_context(WORKSPACE, "allow: [use]", "allow: [use, read-sensitive]");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "p: succeeded\nr: succeeded\ns: succeeded\n");
}

#[test]
fn tf_r44_a_revoked_read_sensitive_is_noticed_even_where_nothing_changed() {
    needs_terraform!();
    let project = lab_with_secret();
    let grant = "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use, read-sensitive]}]";
    project.edit_context(WORKSPACE, "grants: []", grant);
    project.deploy("app").succeeds();
    project.edit_context(WORKSPACE, "allow: [use, read-sensitive]", "allow: [use]");
    assert_eq!(verdicts(&project.plan_json("app")), "p: unchanged\nr: deferred-sensitive\ns: deferred\n");
    project.deploy("app").refused("grant-denied");
}
