//! `examples/mixed/`, as its README says to run it: three formats that feed each other, on the real terraform and with real steps.

use crate::harness::{Project, needs_terraform};

#[test]
fn tf_three_formats_feed_each_other_and_the_secret_stays_in_states() {
    needs_terraform!();
    let project = Project::empty();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mixed/.");
    let copied = std::process::Command::new("cp").args(["-r", source]).arg(project.root()).status().unwrap();
    assert!(copied.success());
    let ran = project.ran(project.script("./run").env("TIELINE", env!("CARGO_BIN_EXE_tieline")).output().unwrap());
    assert_eq!(ran.code, 0, "{ran}");
    let said = ran.to_string();
    for line in [
        "making the schema orders for seed in staging",
        "the states of api and gateway have it; the ledger does not",
        "dropping the schema orders_",
        "gateway--records: terraform_data.record",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(project.claims(), "", "every claim was given back");
    let left: Vec<String> = project
        .ledger_paths()
        .into_iter()
        .filter(|path| ["/applied/", "/connections/", "/consumers/"].iter().any(|folder| path.contains(folder)))
        .filter(|path| !path.starts_with("platform/staging/network/"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing of the shop is left in the ledger but history");
}
