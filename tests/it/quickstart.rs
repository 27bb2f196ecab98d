//! The first deploy, and the next ones.

use crate::harness::{Project, needs_terraform, tasks};

#[test]
fn tf_r24_a_deploy_that_changes_nothing_starts_no_terraform() {
    needs_terraform!();
    let mut project = Project::shop();
    project.count_terraform();
    project.deploy("network").succeeds();
    project.deploy("shop").succeeds();
    assert!(!project.terraform_starts().is_empty());
    let report = project.deploy_json("shop", &[]);
    assert_eq!(project.terraform_starts(), Vec::<String>::new());
    assert_eq!(tasks(&report), "database: skipped (unchanged)\napi: skipped (unchanged)\n");
}
