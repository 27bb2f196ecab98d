//! `tieline context prune`.

use crate::harness::{Project, needs_terraform};

/// The lab, which keeps two runs, with an application that was deployed four times, each time with other files of its plugin.
fn busy_lab() -> Project {
    let project = Project::lab();
    project.edit_context("context.yaml", "kind: Context\n", "kind: Context\nretention: {runs: 2}\n");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    for number in 0..4 {
        project.write("plugins/thing/notes.txt", &format!("{number}"));
        project.deploy_with("app", &["--version-tag", &format!("v{number}")]).succeeds();
    }
    project
}

fn trees(project: &Project) -> usize {
    project.git(".tieline/context.git", &["ls-tree", "--name-only", "ledger:plugins"]).lines().count()
}

fn files(project: &Project, folder: &str) -> usize {
    project.ledger_paths().iter().filter(|path| path.contains(folder)).count()
}

#[test]
fn tf_r36_old_runs_go_with_what_only_they_named() {
    needs_terraform!();
    let project = busy_lab();
    let count = || (files(&project, "/runs/"), files(&project, "/releases/"), trees(&project));
    assert_eq!(count(), (4, 4, 4));
    let before = project.commits();
    let dry = project.run(&["context", "prune", "--dry-run"]).succeeds();
    let dry = dry.says("would remove 2 run records of lab/staging/app").says("would remove release v1 of lab/staging/app");
    assert_eq!(project.commits(), before);
    let ran = project.run(&["context", "prune"]).succeeds();
    assert_eq!(ran.stdout, dry.stdout.replace("would remove", "removed"));
    assert_eq!((project.commits(), count()), (before + 1, (2, 2, 2)));
    project.verify();
    project.run(&["context", "prune"]).succeeds().says("nothing to prune: each deployable keeps its newest 2 runs");
    let report = project.run(&["context", "prune", "-o", "json"]).succeeds().json();
    assert_eq!(report["plugins"].as_array().unwrap().len(), 0);
    project.deploy("app").succeeds().says("1 unchanged");
}

#[test]
fn tf_r16_a_deploy_beside_it_loses_nothing() {
    needs_terraform!();
    let mut project = busy_lab();
    // The tree of the first deploy is named by an old release alone, and will be needed again.
    project.write("plugins/thing/notes.txt", "0");
    let script = project.shell_line(&["context", "prune"]);
    project.meanwhile("apply", &script);
    project.edit("app/tieline.yaml", "thing}", "thing, inputs: {size: 7}}");
    project.deploy("app").succeeds();
    assert!(project.said_meanwhile().contains("removed release v0"), "{}", project.said_meanwhile());
    project.verify();
}
