//! Going back to an earlier release (R36 to R39), on real Terraform: each outcome, and what is said of it.

mod bindings;
mod guards;
mod plugins;
mod releases;
mod shown;

use crate::harness::{Project, Ran};

/// The lab with two releases of the application `app`: `v1` with `a` of size 1, `v2` with size 2.
fn two_sizes() -> Project {
    let project = Project::lab();
    deploy_as(&project, "v1", "  a: {use: ../plugins/thing}\n");
    deploy_as(&project, "v2", "  a: {use: ../plugins/thing, inputs: {size: 2}}\n");
    project
}

/// Deploys the application `app` with these plugins as a release of this name.
fn deploy_as(project: &Project, tag: &str, plugins: &str) {
    project.app("app", plugins);
    project.deploy_with("app", &["--version-tag", tag, "--allow-destroy"]).succeeds();
}

/// `rollback` of `app` to a release, from no manifest; the ledger must agree with itself afterwards, however it ended.
fn back_to(project: &Project, to: &str, arguments: &[&str]) -> Ran {
    let place = ["rollback", "-w", "lab", "-e", "staging", "--deployable", "app", "--to", to];
    let ran = project.run(&[&place[..], arguments].concat());
    project.verify();
    assert_eq!(project.claims(), "", "a run that ended holds no claim");
    ran
}

/// `plan --for rollback`, which changes nothing.
fn plan_back_to(project: &Project, to: &str, arguments: &[&str]) -> Ran {
    let before = project.context_refs();
    let place = ["plan", "--for", "rollback", "-w", "lab", "-e", "staging", "--deployable", "app", "--to", to];
    let ran = project.run(&[&place[..], arguments].concat());
    assert_eq!(before, project.context_refs(), "a plan changes nothing");
    ran
}

/// An input of the resource `base` of an applied thing, as its state has it.
fn input(project: &Project, key: &str, name: &str) -> serde_json::Value {
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(project.state_path(key)).unwrap()).unwrap();
    let base = state["resources"].as_array().unwrap().iter().find(|resource| resource["name"] == "base").unwrap().clone();
    base["instances"][0]["attributes"]["input"]["value"][name].clone()
}

/// The run of the newest release, and the release.
fn newest_release(project: &Project) -> (String, serde_json::Value) {
    let release = project.newest("lab/staging/app/releases");
    (release["run"].as_str().unwrap().to_owned(), release)
}
