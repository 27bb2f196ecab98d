//! The commands that change nothing.

use crate::harness::{Project, assert_shown, needs_terraform};

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are what is shown")]
fn tf_status_and_connections_read_well() {
    needs_terraform!();
    let project = Project::shop();
    let place = ["-C", "shop", "-e", "staging"];
    let run = |command: &[&str]| project.run(&[command, &place].concat()).succeeds();
    assert_shown!(run(&["status"]).stdout, @r"
    retail/staging

    nothing was deployed here yet
    ");
    assert_shown!(run(&["connection", "list"]).stdout, @"nothing is published in retail/staging");
    project.deploy("network").succeeds();
    project.deploy_with("shop", &["--version-tag", "v1"]).succeeds();
    assert_shown!(run(&["status"]).stdout, @r"
    retail/staging

    Runs
      <id>  shop  deploy v1  succeeded
        <time>, <age> ago, took <duration>, by tester
        database +2 ~0 -0, api +1 ~0 -0: succeeded

    Releases
      shop  v1  deployed now
        <time>, <age> ago, run <id>

    Applied plugins
      shop/api  web 2.0.0
        applied <time>, <age> ago; 1 resource
      shop/database  postgres 1.4.0
        applied <time>, <age> ago; 2 resources

    Connections
      retail/staging/shop/api.web  ready
        web-conn 1.0.0, generation 1, 0 consumers
      retail/staging/shop/database.db  ready
        postgres-conn 1.1.0, generation 1, 1 consumer
          retail/staging/shop/api.database
    ");
    assert_shown!(run(&["connection", "list"]).stdout, @r#"
    retail/staging/shop/api.web  web-conn 1.0.0, generation 1
      url = "https://staging.acme.test"
      0 consumers
    retail/staging/shop/database.db  postgres-conn 1.1.0, generation 1
      host = "orders.db.internal"
      port = 5432
      password = (sensitive)
      1 consumer
    "#);
    assert_shown!(run(&["connection", "show", "database.db"]).stdout, @r#"
    retail/staging/shop/database.db  postgres-conn 1.1.0, generation 1
      host = "orders.db.internal"
      port = 5432
      password = (sensitive)
    made by postgres 1.4.0 in run <id>
    1 consumer
      retail/staging/shop/api.database  generation 1  postgres-conn 1.1.0  uses host, password, port
    "#);
    assert_shown!(run(&["connection", "show", "platform/staging/network/vpc.vpc"]).stdout, @r#"
    platform/staging/network/vpc.vpc  network-conn 1.0.0, generation 1
      cidr = "10.0.0.0/16"
      region = "sa-east-1"
    made by network 1.0.0 in run <id>
    1 consumer
      retail/staging/shop/database.network  generation 1  network-conn 1.0.0  uses cidr, region
    its destroy would be refused:
      needed by retail/staging/shop/database.network
      needed by the default `network-conn` of environment `retail/staging`
    "#);
    assert_shown!(run(&["connection", "show", "database.db", "-o", "json"]).stdout, @r#"
    {
      "connection": {
        "address": "retail/staging/shop/database.db",
        "attributes": {
          "host": "orders.db.internal",
          "port": 5432
        },
        "digest": "<digest>",
        "generation": 1,
        "producer": {
          "commit": null,
          "digest": "<digest>",
          "kind": "Application",
          "plugin": "postgres",
          "run": "<id>",
          "version": "1.4.0"
        },
        "schemaVersion": 1,
        "sensitive": {
          "password": {
            "from": "state"
          }
        },
        "sensitiveRevision": "<uuid>",
        "status": "ready",
        "type": "postgres-conn",
        "typeVersion": "1.1.0",
        "uid": "<uid>"
      },
      "consumers": [
        {
          "attributes": [
            "host",
            "password",
            "port"
          ],
          "behind": false,
          "consumer": "retail/staging/shop/api.database",
          "deployable": "shop",
          "environment": "staging",
          "generation": 1,
          "schemaVersion": 1,
          "slot": "api.database",
          "type": "postgres-conn",
          "typeVersion": "1.1.0",
          "uid": "<uid>",
          "workspace": "retail"
        }
      ],
      "declared": [],
      "neededBy": [],
      "schemaVersion": 1
    }
    "#);

    let listed = run(&["connection", "list", "-o", "json"]).json();
    assert_eq!(listed["connections"]["retail/staging/shop/api.web"]["attributes"]["url"], "https://staging.acme.test");
    let status = run(&["status", "-o", "json"]).json();
    assert_eq!((&status["schemaVersion"], &status["runs"][0]["status"]), (&2.into(), &"succeeded".into()));
    assert_eq!(
        (&status["releases"][0]["place"], &status["releases"][0]["versionTag"]),
        (&"retail/staging/shop".into(), &"v1".into())
    );
    project.run(&["connection", "show", "database.none", "-C", "shop", "-e", "staging"]).refused("invalid-input");
}

#[test]
fn plugins_list_reads_well() {
    let project = Project::shop();
    let ran = project.run(&["plugins", "list", "-C", "shop", "-e", "staging"]).succeeds();
    assert_shown!(without_last_column(&ran.stdout), @r"
    ALIAS     PLUGIN    VERSION  REQUIRES       GENERATES      SOURCE
    api       web       2.0.0    postgres-conn  web-conn       ../plugins/web
    database  postgres  1.4.0    network-conn   postgres-conn  ../plugins/postgres
    ");
    let listed = project.run(&["plugins", "list", "-C", "shop", "-e", "staging", "-o", "json"]).succeeds().json();
    assert_eq!(listed["plugins"][0]["version"], "2.0.0");
}

/// Without the short digests at the ends of lines.
fn without_last_column(text: &str) -> String {
    text.lines().map(|line| line.rsplit_once(' ').map_or(line, |(kept, _)| kept.trim_end())).collect::<Vec<_>>().join("\n")
}

#[test]
fn validate_accepts_what_is_good() {
    let project = Project::shop();
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).succeeds().stdout, @"`shop/tieline.yaml` is valid: 2 applied plugins");
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
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).refused("invalid-document").stderr, @r"
    error[invalid-document]: there is no applied plugin `databse`
      --> shop/tieline.yaml:12:29
       |
    12 |     connections: {database: databse.db}
       |                             ^^^^^^^^^^ not found
       |
       = note: there is `api`, `database`
       = help: did you mean `database`?
    ");
    project.edit("shop/tieline.yaml", "databse.db", "database.db");
    assert_shown!(project.run(&["validate", "-C", "shop", "-e", "staging"]).refused("invalid-document").stderr, @r#"
    error[invalid-document]: `api` has no input `imag`
      --> shop/tieline.yaml:11:14
       |
    11 |     inputs: {imag: x}
       |              ^^^^
       |
       = help: did you mean `image`?

    error[invalid-document]: input `size` of `database`: "huge" is not one of "micro", "small" or "large"
     --> shop/tieline.yaml:8:34
      |
    8 |     inputs: {name: orders, size: huge}
      |                                  ^^^^
    "#);
}

#[test]
fn a_wrong_document_of_the_context_is_never_committed() {
    let project = Project::shop();
    project.edit("context/workspaces/retail/environments/staging.yaml", "defaults:", "defalts:");
    let before = project.context_refs();
    let ran = project.run(&["context", "init", "--from", "context"]).refused("invalid-document");
    assert_shown!(ran.stderr, @r"
    error[invalid-document]: unknown field `defalts`
     --> context/workspaces/retail/environments/staging.yaml:6:1
      |
    6 | defalts:
      | ^^^^^^^ unknown field
      |
      = note: known fields: `account`, `allow-destroy`, `apiVersion`, `backend`, `defaults`, `kind`, `name`, `overrides`, `protected`, `sealing`, `values`
      = help: did you mean `defaults`?
    ");
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
    let help = project.run(&["--help"]).succeeds().stdout;
    for command in ["validate", "plan", "deploy", "status", "connection", "context", "plugins", "schema", "completions"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in\n{help}");
        project.run(&[command, "--help"]).succeeds().says(&format!("Usage: tieline {command}"));
    }
    let ran = project.run(&["deplay"]);
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("deploy");
    assert!(project.run(&["--version"]).succeeds().stdout.starts_with("tieline "));
}

#[test]
fn r67_in_a_workflows_script_nothing_printed_is_a_command() {
    let mut project = Project::empty();
    project.set("GITHUB_ACTIONS", "true");
    let ran = project.run(&["deploy", "--x\n::error::forged\r##[add-mask]y"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("forged"), "it is shown: {ran}");
    let lines = ran.raw.stderr.split(|byte| [b'\n', b'\r'].contains(byte)).map(String::from_utf8_lossy);
    for line in lines {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line:?}");
    }
}

#[test]
fn a_missing_context_says_how_to_make_one() {
    let project = Project::empty();
    project.app("app", "  a: {use: ./plugin}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("invalid-input");
    assert_shown!(ran.stderr, @r"
    error[invalid-input]: there is no context repository
     |
     = note: looked for `.tieline/context.git` from `<folder>/project/app` upwards
     = help: make one with `tieline context init --from <folder>`, or name one with `--context <path, git URL or github:owner/repository>`
    ");
}

#[test]
fn an_unknown_environment_is_named() {
    let project = Project::shop();
    let ran = project.run(&["deploy", "-C", "shop", "-e", "stagin"]).refused("invalid-input");
    assert_shown!(ran.stderr, @r"
    error[invalid-input]: the environment `retail/stagin` is not in the context repository
     |
     = note: looked for `workspaces/retail/environments/stagin.yaml` on the documents branch of `<folder>/project/.tieline/context.git`
     = help: check the name, or have the document added to the context repository
    ");
    let ran = project.run(&["deploy", "-C", "shop"]).refused("invalid-input");
    assert_shown!(ran.stderr, @r"
    error[invalid-input]: which environment is meant is said neither by the command nor by the manifest
     |
     = help: add `--environment <name>`
    ");
}
