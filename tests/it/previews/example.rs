//! `examples/preview/`, as its README says to run it.

use super::*;
use crate::harness::needs_terraform;

#[test]
fn tf_r50_the_example_leaves_nothing_but_history() {
    needs_terraform!();
    let project = Project::empty();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/preview/.");
    let copied = std::process::Command::new("cp").args(["-r", source]).arg(project.root()).status().unwrap();
    assert!(copied.success());
    let ran = project.ran(project.script("./run").env("TIELINE", env!("CARGO_BIN_EXE_tieline")).output().unwrap()).succeeds();
    ran.says("retail/pr-12  acme/shop#12  staging").says("[consumers-exist]").says("there are no previews");
    let is_left = |path: &String| !path.contains("/runs/") && !path.contains("/releases/");
    assert_eq!(project.ledger_paths().into_iter().filter(is_left).collect::<Vec<_>>(), [""; 0]);
    for path in project.files_below(".tieline/state") {
        let state: Value = serde_json::from_str(&project.read(&path)).unwrap();
        assert!(path.ends_with(".backup") || state["resources"].as_array().unwrap().is_empty(), "{path}");
    }
    project.verify();
    // Nobody goes back into a preview that is gone; what it was made of need not be kept.
    project.run(&["context", "prune"]).succeeds();
    let releases: Vec<String> = project.ledger_paths().into_iter().filter(|path| path.contains("/releases/")).collect();
    assert!(!releases.is_empty() && releases.iter().all(|path| path.starts_with("retail/staging/")), "{releases:?}");
    project.verify();
}
