//! Plugins from git remotes and the catalog, and the lock file.

use crate::github::GitHub;
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

/// The lab, with its plugin in a git remote beside the project, tagged `v1.0.0`.
fn lab_with_remote() -> Project {
    let project = Project::lab();
    std::fs::create_dir_all(project.path("remote.git/things")).unwrap();
    std::fs::rename(project.path("plugins/thing"), project.path("remote.git/things/thing")).unwrap();
    project.git("remote.git", &["init", "--quiet", "--initial-branch=main"]);
    release(&project, "v1.0.0");
    project.app("app", &format!("  a: {{use: '{}'}}\n", source(&project, "v1.0.0")));
    project
}

fn source(project: &Project, tag: &str) -> String {
    format!("git::{}//things/thing?ref={tag}", project.path("remote.git").display())
}

fn release(project: &Project, tag: &str) {
    project.git("remote.git", &["add", "--all"]);
    project.git("remote.git", &["commit", "--quiet", "--message", tag]);
    project.git("remote.git", &["tag", "--force", tag]);
}

#[test]
fn tf_a_plugin_from_git_is_locked() {
    needs_terraform!();
    let project = lab_with_remote();
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    let lock = project.read("app/tieline.lock").replace(project.root().to_str().unwrap(), "<project>");
    assert_shown!(lock, @r"
    # Written by tieline; commit it. `tieline plugins update` changes it.
    apiVersion: tieline/v1
    kind: Lock
    plugins:
    - use: git::<project>/remote.git//things/thing?ref=v1.0.0
      source: git::<project>/remote.git//things/thing?ref=v1.0.0
      version: 1.0.0
      commit: <commit>
      digest: <digest>
    ");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\n");
}

#[test]
fn in_automation_no_command_chooses_a_version() {
    let mut project = lab_with_remote();
    project.set("CI", "true");
    for command in [&["validate"][..], &["plugins", "list"], &["plan", "-e", "staging"]] {
        project.run(&[command, &["-C", "app"]].concat()).refused("plugin-changed");
        assert!(!project.path("app/tieline.lock").exists(), "{command:?}");
    }
}

/// The lab, with its plugin in the private repository `acme/plugins` of a GitHub server.
fn lab_on_github(github: &GitHub) -> Project {
    let mut project = Project::lab();
    let files = ["plugin.yaml", "main.tf"].map(|name| (format!("thing/{name}"), project.read(&format!("plugins/thing/{name}"))));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    github.repository("acme/plugins").commit("main", &files);
    project.set("GITHUB_API_URL", &github.url());
    project.app("app", "  a: {use: 'github:acme/plugins//thing@main'}\n");
    project
}

#[test]
fn tf_a_plugin_from_github_is_locked() {
    needs_terraform!();
    let github = GitHub::start();
    let mut project = lab_on_github(&github);
    project.set("TIELINE_GITHUB_TOKEN", &github.token(&[("acme/plugins", &["contents=read"])]));
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    assert_shown!(project.read("app/tieline.lock"), @r"
    # Written by tieline; commit it. `tieline plugins update` changes it.
    apiVersion: tieline/v1
    kind: Lock
    plugins:
    - use: github:acme/plugins//thing@main
      source: github:acme/plugins//thing@main
      version: 1.0.0
      commit: <commit>
      digest: <digest>
    ");
    assert_eq!(github.requests().len(), 4, "two for the branch, two for the archive and where it is");
    // The branch went on; the lock file holds, and the files are here.
    github.repository("acme/plugins").commit("main", &[("thing/main.tf", "# another\n")]);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\n");
}

#[test]
fn a_private_repository_on_github_wants_a_token() {
    let github = GitHub::start();
    let project = lab_on_github(&github);
    assert_shown!(project.run(&["validate", "-C", "app", "-e", "staging"]).refused("plugin-unavailable").stderr, @r"
    error[plugin-unavailable]: the repository `github:acme/plugins` cannot be read
     --> app/tieline.yaml:6:12
      |
    6 |   a: {use: 'github:acme/plugins//thing@main'}
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: `acme/plugins` does not have it, or it is not seen without a token
      = note: `GET /repos/acme/plugins/commits/tags/main` was answered with 404, which says no more
      = help: check the name
      = help: give a token: `github-token`, or `context-token` for the context repository
    ");
}

#[test]
fn tf_a_locked_plugin_needs_no_remote() {
    needs_terraform!();
    let project = lab_with_remote();
    project.run(&["validate", "-C", "app", "-e", "staging"]).succeeds();
    std::fs::rename(project.path("remote.git"), project.path("gone.git")).unwrap();
    project.deploy("app").succeeds();
}

#[test]
fn a_moved_tag_is_refused_until_it_is_taken_in() {
    let mut project = lab_with_remote();
    project.run(&["validate", "-C", "app", "-e", "staging"]).succeeds();
    let locked = project.read("app/tieline.lock");
    project.edit("remote.git/things/thing/main.tf", "fell off", "fell down");
    release(&project, "v1.0.0");
    let explain = |project: &Project| project.run(&["plan", "-C", "app", "-e", "staging", "--explain"]);
    explain(&project).refused("plugin-changed").says("the tag `v1.0.0`").says("was moved");
    assert_eq!(project.read("app/tieline.lock"), locked);

    project.run(&["plugins", "update", "-C", "app", "-e", "staging"]).succeeds();
    project.set("CI", "true");
    explain(&project).succeeds();
    assert_ne!(project.read("app/tieline.lock"), locked);
}

#[test]
fn a_lock_entry_must_be_what_its_commit_holds() {
    let project = lab_with_remote();
    project.run(&["validate", "-C", "app", "-e", "staging"]).succeeds();
    let locked = project.read("app/tieline.lock");
    let digest = locked.split("digest: ").nth(1).unwrap().trim().to_owned();
    project.edit("app/tieline.lock", &digest, &format!("{}0000", &digest[..digest.len() - 4]));
    let ran = project.run(&["plan", "-C", "app", "-e", "staging", "--explain"]).refused("plugin-changed");
    ran.says("tieline plugins update").never_says("was moved");
}

#[test]
fn in_automation_the_lock_file_must_be_complete() {
    let mut project = lab_with_remote();
    project.set("CI", "true");
    let ran = project.run(&["plan", "-C", "app", "-e", "staging", "--explain"]).refused("plugin-changed");
    ran.says("tieline.lock");
    assert!(!project.path("app/tieline.lock").exists());
}

#[test]
fn tf_a_catalog_name_with_a_range_takes_the_newest_version_in_it() {
    needs_terraform!();
    let project = lab_with_remote();
    for version in ["1.1.0", "2.0.0"] {
        let document = project.read("remote.git/things/thing/plugin.yaml");
        let old = document.lines().find(|line| line.starts_with("version:")).unwrap().to_owned();
        project.edit("remote.git/things/thing/plugin.yaml", &old, &format!("version: {version}"));
        release(&project, &format!("v{version}"));
    }
    let of = |version: &str| format!("      '{version}': {{source: '{}'}}\n", source(&project, &format!("v{version}")));
    project.write_context(
        "catalog.yaml",
        &format!(
            "apiVersion: tieline/v1\nkind: Catalog\nplugins:\n  thing:\n    versions:\n{}{}{}",
            of("1.0.0"),
            of("1.1.0"),
            of("2.0.0")
        ),
    );
    project.app("app", "  a: {use: 'thing@^1'}\n");
    project.deploy("app").succeeds();
    let record = project.ledger("lab/staging/app/applied/a.json");
    assert_eq!(record["version"], "1.1.0");
    assert_eq!(record["source"]["use"], "thing@^1");

    project.app("app", "  a: {use: 'thing@^3'}\n");
    project.deploy("app").refused("plugin-unavailable").says("thing");
    project.app("app", "  a: {use: 'thimg@^1'}\n");
    project.deploy("app").refused("plugin-unavailable").says("`thing`");
}

#[test]
fn a_path_may_not_leave_the_work_tree() {
    let project = Project::lab();
    project.app("app", "  a: {use: ../../outside}\n");
    let ran = project.run(&["validate", "-C", "app", "-e", "staging"]);
    assert_eq!(ran.code, 1, "{ran}");
}

#[test]
fn yanked_versions_are_refused_and_deprecated_ones_named() {
    let project = lab_with_remote();
    let source = source(&project, "v1.0.0");
    let catalog = |mark: &str| {
        let versions = format!("      '1.0.0': {{source: '{source}', {mark}}}\n");
        project.write_context(
            "catalog.yaml",
            &format!("apiVersion: tieline/v1\nkind: Catalog\nplugins:\n  thing:\n    versions:\n{versions}"),
        );
    };
    project.app("app", "  a: {use: 'thing@1.0.0'}\n");
    let explain = || project.run(&["plan", "-C", "app", "-e", "staging", "--explain"]);
    catalog("yanked: it loses data");
    explain().refused("plugin-unavailable").says("it loses data");
    catalog("deprecated: use thing 2");
    explain().succeeds().says("use thing 2");
}

#[test]
fn r10_modules_and_providers_outside_the_ceilings_are_refused() {
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let module = project.read("plugins/thing/main.tf");
    project.edit_context(
        "context.yaml",
        "kind: Context\n",
        "kind: Context\nceilings: {modules: ['./'], providers: ['terraform.io/builtin/*']}\n",
    );
    project
        .write("plugins/thing/main.tf", &format!("{module}\nmodule \"far\" {{\n  source = \"git::https://git.test/far\"\n}}\n"));
    project.deploy("app").refused("module-denied").says("git::https://git.test/far").says("plugins/thing/main.tf");
    project.write("plugins/thing/main.tf", &format!("{module}\nresource \"random_pet\" \"pet\" {{}}\n"));
    project.deploy("app").refused("module-denied").says("random");
}
