//! Connections that moved on, were re-created or went since the release (R37), and who may use them.

use super::{back_to, deploy_as, input, plan_back_to};
use crate::harness::{Project, Ran, assert_shown, needs_terraform, tasks};

const ENVIRONMENT: &str = "workspaces/lab/environments/staging.yaml";
const WORKSPACE: &str = "workspaces/lab/workspace.yaml";
const BOUND: &str = "  a: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/s.out}}\n";

/// Deploys `shared`, which is shared by all of the workspace, with this name of its thing.
fn share(project: &Project, name: &str, rest: &str) {
    project.app("shared", &format!("  s: {{use: ../plugins/thing, inputs: {{name: {name}{rest}}}}}\n"));
    project.edit("shared/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy_with("shared", &["--allow-destroy"]).succeeds();
}

/// Two releases of `app` that are bound to the shared thing.
fn bound() -> Project {
    let project = Project::lab();
    share(&project, "one", "");
    deploy_as(&project, "v1", BOUND);
    deploy_as(&project, "v2", &BOUND.replace("connections", "inputs: {size: 2}, connections"));
    project
}

/// Takes the shared thing away, though it is used, as somebody with a reason may.
fn destroy_shared(project: &Project) -> Ran {
    let place = ["destroy", "-w", "lab", "-e", "staging", "--deployable", "shared"];
    let overrides = ["--break-consumers", "lab/staging/app/a.upstream", "--reason", "it is rebuilt"];
    project.run(&[&place[..], &overrides].concat()).succeeds()
}

#[test]
fn tf_r37_a_producer_that_moved_on_is_used_as_it_is_now() {
    needs_terraform!();
    let project = bound();
    share(&project, "two", "");
    assert_shown!(plan_back_to(&project, "v1", &[]).succeeds().stdout, @r"
    Rollback plan for lab/staging/app

    back to the release `v1` of run `<id>`; data is not rolled back
    slot `a.upstream`: `lab/staging/shared/s.out` has moved on from generation 1 to 2, and is used as it is now

    a: +0 ~2 -0
      ~ update terraform_data.base
      ~ update terraform_data.top
      slot upstream: lab/staging/shared/s.out moved on from generation 1 to 2

    0 to add, 2 to change, 0 to destroy.
    Fingerprint: <fingerprint>
    ");
    assert_shown!(back_to(&project, "v1", &[]).succeeds().stdout, @r#"
    lab/staging/app succeeded: 1 task, 0 unchanged, +0 ~2 -0, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back
    slot `a.upstream`: `lab/staging/shared/s.out` has moved on from generation 1 to 2, and is used as it is now

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id>
    "#);
    assert_eq!(input(&project, "lab/staging/app/a", "upstream"), "two");
}

#[test]
fn tf_r37_a_producer_that_was_created_again_is_refused_unless_it_is_rebound() {
    needs_terraform!();
    let project = bound();
    destroy_shared(&project);
    share(&project, "anew", "");
    let refused = back_to(&project, "v1", &[]).refused("binding-changed");
    assert_shown!(refused.stderr, @r"
    error[binding-changed]: slot `a.upstream` of the release took `lab/staging/shared/s.out`, which was destroyed and created again since
    --> ledger:lab/staging/app/releases/<id>.json
     = help: say what it is to take: `--rebind '{a.upstream: <address>}'`, or `rebind` in a workflow
    ");
    plan_back_to(&project, "v1", &[]).refused("binding-changed");
    let rebound = back_to(&project, "v1", &["--rebind", "{a.upstream: lab/staging/shared/s.out}"]).succeeds();
    assert_shown!(rebound.stdout, @r#"
    lab/staging/app succeeded: 1 task, 0 unchanged, +0 ~2 -0, <duration>
    back to the release `v1` of run `<id>`; data is not rolled back
    slot `a.upstream` takes `lab/staging/shared/s.out` as it is now

    Connections
      lab/staging/app/a.out  thing-conn 1.0.0, generation 1
        name = "thing"
        secret = (sensitive)

    To go back to release `v2` of <time>:
      tieline rollback -w lab -e staging --deployable app --to <id>
    "#);
    assert_eq!(input(&project, "lab/staging/app/a", "upstream"), "anew");
    // The release that this made is bound to what there is now.
    back_to(&project, "v1", &[]).succeeds();
}

#[test]
fn tf_r37_a_producer_that_is_gone_is_named() {
    needs_terraform!();
    let project = bound();
    destroy_shared(&project);
    let refused = back_to(&project, "v1", &[]).refused("binding-changed");
    assert_shown!(refused.stderr, @r"
    error[binding-changed]: slot `a.upstream` of the release took `lab/staging/shared/s.out`, which is gone
    --> ledger:lab/staging/app/releases/<id>.json
     = help: say what it is to take: `--rebind '{a.upstream: <address>}'`, or `rebind` in a workflow
    ");
    project.app("other", "  o: {use: ../plugins/thing, inputs: {name: other}}\n");
    project.edit("other/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy("other").succeeds();
    back_to(&project, "v1", &["--rebind", "{a.upstream: other/o.out}"]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/a", "upstream"), "other");
    assert_eq!(project.bindings("lab/staging/app/applied/a.json"), "upstream <- lab/staging/other/o.out\n");
}

#[test]
fn tf_r37_rebind_names_slots_of_the_release() {
    needs_terraform!();
    let project = bound();
    let unknown = back_to(&project, "v1", &["--rebind", "{a.downstream: lab/staging/shared/s.out}"]);
    assert_shown!(unknown.refused("invalid-input").stderr, @r"
    error[invalid-input]: `rebind` names the slot `a.downstream`, which is not bound in the release
     |
     = help: take it out, or correct its name
    ");
    let unreadable = back_to(&project, "v1", &["--rebind", "lab/staging/shared/s.out"]);
    assert_shown!(unreadable.refused("invalid-input").stderr, @r"
    error[invalid-input]: `rebind` is not a YAML mapping of texts
     |
     = help: write it as a YAML mapping of `alias.slot: address`
    ");
}

#[test]
fn tf_r37_a_producer_whose_secret_was_rotated_is_used_as_it_is_now() {
    needs_terraform!();
    let project = bound();
    share(&project, "one", ", seed: two");
    back_to(&project, "v1", &[]).succeeds().says("has moved on from generation 1 to 2, and is used as it is now");
}

#[test]
fn tf_r44_a_grant_revoked_since_refuses_a_rollback() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context(WORKSPACE, "grants: []", "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]");
    project.app("shared", "  s: {use: ../plugins/thing, inputs: {name: one}}\n");
    project.deploy("shared").succeeds();
    deploy_as(&project, "v1", BOUND);
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing}\n");
    project.edit_context(WORKSPACE, "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]", "grants: []");
    let refused = back_to(&project, "v1", &[]).refused("grant-denied");
    assert_shown!(refused.stderr, @r#"
    error[grant-denied]: `lab/staging/app` may not use `lab/staging/shared/s.out`
    --> ledger:lab/staging/app/releases/<id>.json
     = note: slot `a.upstream` takes it through the reference
     = help: ask for this grant in the context's `workspaces/lab/workspace.yaml`:
             grants:
               - {connection: "staging/shared/s.out", to: ["lab/staging/app"], allow: [use]}
    "#);
}

#[test]
fn tf_r46_what_was_stood_in_for_then_goes_and_comes_back() {
    needs_terraform!();
    let project = Project::lab();
    share(&project, "stand-in", "");
    let both =
        "  a: {use: ../plugins/thing, inputs: {name: own}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n";
    let stood_in = format!("{both}environments: {{staging: {{stand-ins: {{a.out: lab/staging/shared/s.out}}}}}}\n");
    deploy_as(&project, "v1", &stood_in);
    assert_eq!(input(&project, "lab/staging/app/b", "upstream"), "stand-in");
    deploy_as(&project, "v2", both);
    assert_eq!(input(&project, "lab/staging/app/b", "upstream"), "own");

    // Back to where another stands in for `a`: it goes, after its consumer has left it.
    assert_shown!(plan_back_to(&project, "v1", &[]).succeeds().stdout, @r"
    Rollback plan for lab/staging/app

    back to the release `v1` of run `<id>`; data is not rolled back

    a (not in the release): +0 ~0 -2
      - delete terraform_data.base
      - delete terraform_data.top
    b: +0 ~2 -0
      ~ update terraform_data.base
      ~ update terraform_data.top
      slot upstream: lab/staging/app/a.out (thing-conn 1.0.0) -> lab/staging/shared/s.out (thing-conn 1.0.0)

    0 to add, 2 to change, 2 to destroy.
    Fingerprint: <fingerprint>
    ");
    back_to(&project, "v1", &[]).refused("needs-approval");
    // The consumer has left it; only what would be lost was refused.
    let ran = back_to(&project, "v1", &["--allow-destroy", "-o", "json"]).succeeds().json();
    assert_eq!(tasks(&ran), "a: succeeded\nb: skipped (unchanged)\n");
    assert_eq!(input(&project, "lab/staging/app/b", "upstream"), "stand-in");
    // The documents of then find nothing to do.
    project.app("app", &stood_in);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "b: skipped (unchanged)\n");

    // And forward again: `a` is created anew.
    back_to(&project, "v2", &[]).succeeds();
    assert_eq!(input(&project, "lab/staging/app/b", "upstream"), "own");
}

#[test]
fn tf_r37_an_imported_connection_with_other_values_is_used_as_it_is_now() {
    needs_terraform!();
    let project = Project::lab();
    let mine = |name: &str| {
        project.write_context(
            "workspaces/lab/imported/staging/mine.yaml",
            &format!("apiVersion: tieline/v1\nkind: ImportedConnection\nname: mine\ntype: thing-conn\nversion: 1.0.0\nattributes: {{name: {name}}}\n"),
        );
    };
    mine("then");
    project.edit_context(ENVIRONMENT, "defaults: {}", "defaults: {thing-conn: lab/staging/imported/mine}");
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    mine("now");
    back_to(&project, "v1", &[])
        .succeeds()
        .says("slot `a.upstream`: `lab/staging/imported/mine` has other values now, and is used as it is now");
    assert_eq!(input(&project, "lab/staging/app/a", "upstream"), "now");
}

#[test]
fn tf_r40_a_producer_that_was_renamed_since_is_found() {
    needs_terraform!();
    let project = bound();
    project.run(&["move", "lab/staging/shared/s", "t"]).succeeds();
    back_to(&project, "v1", &[])
        .succeeds()
        .says("slot `a.upstream`: `lab/staging/shared/s.out` is `lab/staging/shared/t.out` by now");
    assert_eq!(project.bindings("lab/staging/app/applied/a.json"), "upstream <- lab/staging/shared/t.out\n");
}
