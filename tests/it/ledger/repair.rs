//! `tieline context verify --repair`.

use crate::harness::{Project, Ran, needs_terraform};

const ENTRY: &str = "platform/staging/network/consumers/vpc.vpc/retail~staging~shop~database.network.json";

fn repair(project: &Project) -> Ran {
    project.run(&["context", "verify", "--repair"])
}

#[test]
fn tf_r29_entries_are_written_again_as_bindings_say() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let entry = project.ledger_text(ENTRY);
    let ghost = ENTRY.replace("shop~database", "ghost~database");
    project.forge(ENTRY, &entry.replace("\"generation\": 1", "\"generation\": 7").replace("\"cidr\",", ""));
    project.forge(&ghost, &entry.replace("shop/database", "ghost/database"));
    project.forge("platform/staging/network/consumers/vpc.vpc/retail~staging~shop~ghost.network.json", "{");
    let missing = "retail/staging/shop/consumers/database.db/retail~staging~shop~api.database.json";
    let lost = project.ledger_text(missing);
    project.unforge(missing);

    project.run(&["context", "verify"]).fails(2, "context-unavailable").says("--repair").says("5 disagreements are left");
    let before = project.commits();
    repair(&project)
        .succeeds()
        .says(&format!("wrote {missing}"))
        .says(&format!("removed {ghost}"))
        .says("`generation` is `7`, it should be `1`")
        .says("everything in the ledger agrees");
    assert_eq!(project.commits(), before + 1, "one commit");
    assert_eq!(project.ledger_text(ENTRY), entry);
    assert_eq!(project.ledger_text(missing), lost);
    repair(&project).succeeds();
    assert_eq!(project.commits(), before + 1, "nothing to mend is no commit");
}

#[test]
fn tf_r29_a_connection_that_nobody_made_goes_unless_somebody_uses_it() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let web = "retail/staging/shop/connections/api.web.json";
    let dangling = web.replace("api.web", "gone.web");
    project.forge(&dangling, &project.ledger_text(web).replace("shop/api.web", "shop/gone.web"));
    project.unforge("platform/staging/network/applied/vpc.json");
    repair(&project)
        .fails(2, "context-unavailable")
        .says(&format!("removed {dangling}"))
        .says("`platform/staging/network/connections/vpc.vpc.json` its producer `platform/staging/network/applied/vpc.json` is missing")
        .says("1 disagreement is left");
    assert!(!project.ledger_paths().contains(&dangling));
    assert!(project.ledger_paths().contains(&ENTRY.to_owned()));
}

#[test]
fn tf_r21_what_a_run_holds_is_left_alone() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let entry = project.ledger_text(ENTRY);
    let ghost = ENTRY.replace("shop~database", "ghost~database");
    project.forge(ENTRY, &entry.replace("\"generation\": 1", "\"generation\": 7"));
    project.forge(&ghost, &entry.replace("shop/database", "ghost/database"));
    let script = project.shell_line(&["context", "verify", "--repair"]);
    project.meanwhile("plan", &script);
    project.edit("shop/tieline.yaml", "name: orders", "name: others");
    project.run(&["deploy", "-C", "shop", "-e", "staging", "--allow-destroy"]).succeeds();
    let said = project.said_meanwhile();
    for text in ["[claimed]", "a run holds `retail/staging/shop`", "removed platform", "1 disagreement is left"] {
        assert!(said.contains(text), "no `{text}` in {said}");
    }
    // The run has put its own entries right.
    project.verify();
}

#[test]
fn tf_r31_a_repair_may_need_approval() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.forge(ENTRY, "{}");
    project.edit_context("workspaces/retail/environments/staging.yaml", "defaults:", "overrides: {repair: guardians}\ndefaults:");
    repair(&project).refused("needs-approval").says("guardians");
}

#[test]
fn tf_r29_for_programs_the_repair_is_json() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.forge(ENTRY, "{}");
    project.forge("notes.txt", "hello");
    let ran = project.run(&["context", "verify", "--repair", "-o", "json"]).fails(2, "context-unavailable");
    let report = ran.json();
    assert_eq!(report["mended"][ENTRY]["removed"], false);
    assert_eq!(report["left"][0]["message"], "`notes.txt` no run writes a file here");
}
