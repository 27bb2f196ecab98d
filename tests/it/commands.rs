//! The commands that change nothing.

use crate::harness::{Project, assert_shown, needs_terraform};

#[test]
fn tf_status_and_connections_read_well() {
    needs_terraform!();
    let project = Project::shop();
    let place = ["-C", "shop", "-e", "staging"];
    let run = |command: &[&str]| project.run(&[command, &place].concat()).succeeds();
    assert_shown!(run(&["status"]).stdout, @"");
    assert_shown!(run(&["connection", "list"]).stdout, @"");
    project.deploy("network").succeeds();
    project.deploy_with("shop", &["--version-tag", "v1"]).succeeds();
    assert_shown!(run(&["status"]).stdout, @"");
    assert_shown!(run(&["connection", "list"]).stdout, @"");
    assert_shown!(run(&["connection", "show", "database.db"]).stdout, @"");
    assert_shown!(run(&["connection", "show", "platform/staging/network/vpc.vpc"]).stdout, @"");
    assert_shown!(run(&["connection", "show", "database.db", "-o", "json"]).stdout, @"");

    let listed = run(&["connection", "list", "-o", "json"]).json();
    assert_eq!(listed["connections"]["retail/staging/shop/api.web"]["attributes"]["url"], "https://staging.acme.test");
    let status = run(&["status", "-o", "json"]).json();
    assert_eq!(status["runs"]["shop"][0]["status"], "succeeded");
    assert_eq!(status["releases"]["shop"][0]["versionTag"], "v1");
    project.run(&["connection", "show", "database.none", "-C", "shop", "-e", "staging"]).refused("invalid-input");
}

#[test]
fn plugins_list_reads_well() {
    let project = Project::shop();
    let ran = project.run(&["plugins", "list", "-C", "shop", "-e", "staging"]).succeeds();
    let text = regex_lite(&ran.stdout);
    assert_shown!(text, @"");
    let listed = project.run(&["plugins", "list", "-C", "shop", "-e", "staging", "-o", "json"]).succeeds().json();
    assert_eq!(listed["plugins"][0]["version"], "2.0.0");
}

/// Without the short digests at the ends of lines.
fn regex_lite(text: &str) -> String {
    text.lines().map(|line| line.rsplit_once(' ').map_or(line, |(kept, _)| kept.trim_end())).collect::<Vec<_>>().join("\n")
}

#[test]
fn validate_accepts_what_is_good() {
    let project = Project::shop();
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).succeeds().stdout, @"");
}

#[test]
fn r8_validate_tells_everything_at_once() {
    let project = Project::shop();
    project.write(
        "shop/tieline.yaml",
        r"apiVersion: tieline/v1
kind: Application
name: shop
workspace: retail
plugins:
  database:
    use: ../plugins/postgres
    inputs: {name: orders, size: huge}
  api:
    use: ../plugins/web
    inputs: {imag: x}
    connections: {database: databse.db}
",
    );
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).refused("invalid-document").stderr, @"");
    project.edit("shop/tieline.yaml", "databse.db", "database.db");
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).refused("invalid-document").stderr, @"");
}

#[test]
fn a_wrong_document_of_the_context_is_never_committed() {
    let project = Project::shop();
    project.edit("context/workspaces/retail/environments/staging.yaml", "defaults:", "defalts:");
    let before = project.context_refs();
    let ran = project.run(&["context", "init", "--from", "context"]).refused("invalid-document");
    assert_shown!(ran.stderr, @"");
    assert_eq!(before, project.context_refs());
}

#[test]
fn every_schema_is_a_schema() {
    let project = Project::empty();
    for kind in [
        "manifest",
        "plugin",
        "connection-interface-type",
        "context",
        "catalog",
        "workspace",
        "environment",
        "imported-connection",
    ] {
        let schema = project.run(&["schema", kind]).succeeds().json();
        assert!(schema["$schema"].is_string() && schema["properties"]["apiVersion"].is_object(), "{kind}: {schema}");
    }
    let ran = project.run(&["schema", "nonsense"]);
    assert_eq!(ran.code, 1, "{ran}");
}

#[test]
fn completions_and_help_are_there() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish"] {
        project.run(&["completions", shell]).succeeds().says("tieline");
    }
    assert_shown!(project.run(&["--help"]).succeeds().stdout, @"");
    for command in ["validate", "plan", "deploy", "status", "connection", "context", "plugins", "schema", "completions"] {
        project.run(&[command, "--help"]).succeeds().says("Usage: tieline");
    }
    let ran = project.run(&["deplay"]);
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("deploy");
    assert!(project.run(&["--version"]).succeeds().stdout.starts_with("tieline "));
}

#[test]
fn a_missing_context_says_how_to_make_one() {
    let project = Project::empty();
    project.app("app", "  a: {use: ./plugin}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("invalid-input");
    assert_shown!(ran.stderr, @"");
}

#[test]
fn an_unknown_environment_is_named() {
    let project = Project::shop();
    let ran = project.run(&["deploy", "-C", "shop", "-e", "stagin"]).refused("invalid-input");
    assert_shown!(ran.stderr, @"");
    let ran = project.run(&["deploy", "-C", "shop"]).refused("invalid-input");
    assert_shown!(ran.stderr, @"");
}
