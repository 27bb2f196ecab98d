//! `examples/sharing/`, as its README says to run it: each example from its first deploy to its last destroy, on the real terraform.

use crate::harness::{Project, needs_terraform};

/// Runs one of the examples in a copy, and gives what it said. The script itself fails where something was not refused that must be.
fn runs(example: &str) -> String {
    let project = Project::empty();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sharing/.");
    let copied = std::process::Command::new("cp").args(["-r", source]).arg(project.root()).status().unwrap();
    assert!(copied.success());
    let ran = project.ran(project.script("./run").arg(example).env("TIELINE", env!("CARGO_BIN_EXE_tieline")).output().unwrap());
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(project.claims(), "", "every claim was given back");
    let left: Vec<String> = project
        .ledger_paths()
        .into_iter()
        .filter(|path| ["/applied/", "/connections/", "/consumers/"].iter().any(|folder| path.contains(folder)))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing is left in the ledger but history");
    for path in project.files_below(".tieline/state") {
        let state: serde_json::Value = serde_json::from_str(&project.read(&path)).unwrap();
        assert!(path.ends_with(".backup") || state["resources"].as_array().unwrap().is_empty(), "{path}");
    }
    ran.stdout
}

#[test]
fn tf_r46_a_cluster_of_its_own_in_production_and_a_shared_one_for_previews() {
    needs_terraform!();
    let said = runs("cluster");
    assert!(said.contains("`retail/previews/shop/api.cluster` is bound to it"), "{said}");
}

#[test]
fn tf_r48_case_17_a_managed_database_in_staging_and_an_imported_one_in_production() {
    needs_terraform!();
    let said = runs("database");
    assert!(said.contains("BILLING_DB_PASSWORD") && !said.contains("a-secret-of-the-run"), "{said}");
}

#[test]
fn tf_r3_case_16_two_networks_peered_by_one_plugin() {
    needs_terraform!();
    let said = runs("peering");
    assert!(said.contains("`platform/production/peering/peering.accepter` is bound to it"), "{said}");
}

#[test]
fn tf_r15_a_database_moves_to_a_new_major_while_its_consumers_follow_one_by_one() {
    needs_terraform!();
    let said = runs("new-major");
    assert!(said.contains("breaks 2 consumers") && said.contains("breaks a consumer"), "{said}");
}
