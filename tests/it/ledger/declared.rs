//! References and stand-ins that nothing is bound by.

use crate::harness::{Project, Ran, needs_terraform};

const STAND_IN: &str = "lab/staging/shared/consumers/d.out/lab~staging~app~a.out.json";
const REFERENCE: &str = "lab/staging/shared/consumers/e.out/lab~staging~app~a.upstream.json";

const OVERLAY: &str = "environments: {staging: {stand-ins: {a.out: lab/staging/shared/d.out}, references: {a.upstream: lab/staging/shared/e.out}}}\n";

/// Shared infrastructure with two connections, and an application that declares both: nothing is bound to the one's stand-in, and the
/// plugin that the other is a reference of is not deployed.
fn lab() -> Project {
    let project = Project::lab();
    project.app("shared", "  d: {use: ../plugins/thing}\n  e: {use: ../plugins/thing}\n");
    project.edit("shared/tieline.yaml", "kind: Application", "kind: SharedInfra");
    project.deploy("shared").succeeds();
    app(&project, "  b: {use: ../plugins/thing}\n", OVERLAY);
    project
}

fn app(project: &Project, b: &str, overlay: &str) {
    project.app("app", &format!("  a: {{use: ../plugins/thing}}\n{b}{overlay}"));
    project.deploy("app").succeeds();
}

fn entries(project: &Project) -> Vec<String> {
    project.ledger_paths().into_iter().filter(|path| path.contains("/consumers/")).collect()
}

fn destroy(project: &Project, deployable: &str) -> Ran {
    project.run(&["destroy", "-w", "lab", "-e", "staging", "--deployable", deployable])
}

#[test]
fn tf_r29_what_is_declared_and_unused_keeps_its_producer() {
    needs_terraform!();
    let project = lab();
    assert_eq!(entries(&project), [STAND_IN, REFERENCE]);
    assert_eq!(project.ledger(STAND_IN)["declared"], "stand-in");
    destroy(&project, "shared")
        .refused("consumers-exist")
        .says("`lab/staging/app/a.out` names it, a stand-in")
        .says("`lab/staging/app/a.upstream` names it, a reference");
    project
        .run(&["connection", "show", "lab/staging/shared/d.out"])
        .succeeds()
        .says("0 consumers")
        .says("lab/staging/app/a.out, a stand-in that nothing is bound by");

    destroy(&project, "app").succeeds();
    assert_eq!(entries(&project), Vec::<String>::new());
    project.verify();
    destroy(&project, "shared").succeeds();
    project.verify();
}

#[test]
fn tf_r29_an_entry_goes_with_its_declaration_or_becomes_a_binding() {
    needs_terraform!();
    let project = lab();
    app(&project, "  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n", OVERLAY);
    let bound = "lab/staging/shared/consumers/d.out/lab~staging~app~b.upstream.json";
    assert_eq!(entries(&project), [bound, REFERENCE]);
    app(&project, "  b: {use: ../plugins/thing}\n", "");
    assert_eq!(entries(&project), Vec::<String>::new());
}

#[test]
fn tf_r29_a_failed_deploy_changes_no_declaration() {
    needs_terraform!();
    let project = lab();
    project.app("app", "  b: {use: ../plugins/thing, inputs: {broken: true}}\n");
    project.deploy("app").fails(2, "apply-failed");
    assert_eq!(entries(&project), [STAND_IN, REFERENCE]);
}

#[test]
fn tf_r29_declarations_are_verified_and_mended() {
    needs_terraform!();
    let project = lab();
    let ghost = STAND_IN.replace("app~a", "ghost~a");
    project.forge(&ghost, &project.ledger_text(STAND_IN).replace("/app/", "/ghost/"));
    project.forge(REFERENCE, &project.ledger_text(REFERENCE).replace("\"reference\"", "\"stand-in\""));
    let entry = project.ledger_text(STAND_IN);
    project.unforge(STAND_IN);
    project
        .run(&["context", "verify"])
        .fails(2, "context-unavailable")
        .says("`lab/staging/app/a.out` declares it, but this is missing");
    project
        .run(&["context", "verify", "--repair"])
        .succeeds()
        .says(&format!("removed {ghost}"))
        .says(&format!("wrote {STAND_IN}"))
        .says("`declared` is `stand-in`, it should be `reference`");
    assert_eq!(project.ledger_text(STAND_IN), entry);
    project.verify();
}
