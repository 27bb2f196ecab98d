//! Moves that were killed: the same move again brings them to their end.

use super::runs;
use crate::harness::{Project, needs_terraform, tasks};

/// Kills the move at the `n`th start of a Terraform command.
fn killed_at(project: &mut Project, command: &str, n: usize) {
    let count = project.path("../starts").display().to_string();
    project.wrap_terraform(&format!(
        "if [ \"$1 $2\" = \"{command}\" ]; then echo >> '{count}'; [ $(wc -l < '{count}') = {n} ] && kill -9 $PPID && exit 1; fi\n"
    ));
    let ran = project.run(&["move", "database", "db", "-C", "shop", "-e", "staging"]);
    assert_eq!(ran.code, -1, "it was not killed: {ran}");
    assert_ne!(project.claims(), "");
    project.wrap_terraform("");
}

fn comes_to_its_end(project: &Project, made: &[String]) {
    project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).succeeds();
    assert_eq!(project.made("retail/staging/shop/db"), made);
    assert_eq!(project.state_resources("retail/staging/shop/database"), [""; 0]);
    project.edit("shop/tieline.yaml", "  database:\n    use", "  db:\n    use");
    project.edit("shop/tieline.yaml", "database: database.db", "database: db.db");
    // The terraform is another one than before, which is why both are looked at.
    assert_eq!(tasks(&project.deploy_json("shop", &[])), "db: succeeded (no changes)\napi: succeeded (no changes)\n");
    assert_eq!(project.made("retail/staging/shop/db"), made);
}

/// The copy is there, the ledger knows nothing of it.
#[test]
fn tf_r40_killed_after_the_copy_before_the_ledger() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let made = project.made("retail/staging/shop/database");
    killed_at(&mut project, "plan -json", 1);
    assert_eq!(project.made("retail/staging/shop/db"), made, "the copy was made");
    comes_to_its_end(&project, &made);
    assert_eq!(runs(&project, "retail/staging/shop")[1..3], ["move aborted", "move succeeded"]);
}

/// Whoever clears up after it finds in its journal what the connections were, whatever runs next.
#[test]
fn tf_r21_killed_after_the_copy_its_connections_are_given_back() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let status = |project: &Project| project.ledger("retail/staging/shop/connections/database.db.json")["status"].clone();
    killed_at(&mut project, "plan -json", 1);
    assert_eq!(status(&project), "retiring");
    project.relocate(&["api", "web", "-C", "shop", "-e", "staging"]);
    assert_eq!(status(&project), "ready");
}

/// Whoever does not move again after all goes on as before.
#[test]
fn tf_r40_killed_after_the_copy_and_deployed_as_before() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let made = project.made("retail/staging/shop/database");
    killed_at(&mut project, "plan -json", 1);
    let report = project.deploy_json("shop", &[]);
    assert_eq!(tasks(&report), "database: succeeded (no changes)\napi: succeeded (no changes)\n");
    assert_eq!(project.ledger("retail/staging/shop/connections/database.db.json")["status"], "ready");
    assert_eq!(project.made("retail/staging/shop/database"), made);
    // A new plugin of the other name does not take the copy for its own.
    let manifest = project.read("shop/tieline.yaml");
    project.write("shop/tieline.yaml", &(manifest + "  db:\n    use: ../plugins/postgres\n    inputs: {name: others}\n"));
    let refused = project.deploy("shop").refused("invalid-input");
    refused.says("holds 2 resources that nobody recorded");
}

/// The ledger has it, the old state is not empty.
#[test]
fn tf_r40_killed_after_the_ledger_before_the_old_state_was_emptied() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let made = project.made("retail/staging/shop/database");
    killed_at(&mut project, "state push", 1);
    assert_eq!(project.made("retail/staging/shop/database"), made, "the old state is as it was");
    assert!(project.ledger_paths().contains(&"retail/staging/shop/applied/db.json".to_owned()));

    // A manifest from before is refused, and a new one of the old name does not take what was left for its own.
    project.run(&["deploy", "-C", "shop", "-e", "staging"]).refused("invalid-document");
    let before = project.read("shop/tieline.yaml");
    project.write("shop/tieline.yaml", &(before.clone() + "  db:\n    use: ../plugins/postgres\n    inputs: {name: orders}\n"));
    project.deploy("shop").refused("invalid-input").says("holds 2 resources that nobody recorded");
    assert_eq!(project.made("retail/staging/shop/database"), made);
    project.write("shop/tieline.yaml", &before);

    let ran = project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).succeeds();
    ran.says("its old state was not empty, and is now");
    let again = project.relocate(&["database", "db", "-C", "shop", "-e", "staging"]).succeeds();
    again.says("there is nothing left to do");
    assert_eq!(project.made("retail/staging/shop/db"), made);
    assert_eq!(project.state_resources("retail/staging/shop/database"), [""; 0]);
}
