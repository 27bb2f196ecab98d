//! What the ledger says after a deploy.

use crate::harness::{Project, assert_shown, needs_terraform, tasks};

const OUT: &str = "lab/staging/app/connections/a.out.json";

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are the ledger's")]
fn tf_r16_the_ledger_holds_what_was_deployed() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let paths = project.ledger_paths();
    assert_shown!(paths.join("\n"), @r"
    platform/staging/network/applied/vpc.json
    platform/staging/network/connections/vpc.vpc.json
    platform/staging/network/consumers/vpc.vpc/retail~staging~shop~database.network.json
    platform/staging/network/releases/<id>.json
    platform/staging/network/runs/<id>.json
    retail/staging/shop/applied/api.json
    retail/staging/shop/applied/database.json
    retail/staging/shop/connections/api.web.json
    retail/staging/shop/connections/database.db.json
    retail/staging/shop/consumers/database.db/retail~staging~shop~api.database.json
    retail/staging/shop/releases/<id>.json
    retail/staging/shop/runs/<id>.json
    ");
    assert_shown!(project.ledger_text("retail/staging/shop/connections/database.db.json"), @r#"
    {
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
    }
    "#);
    let entry = "retail/staging/shop/consumers/database.db/retail~staging~shop~api.database.json";
    assert_shown!(project.ledger_text(entry), @r#"
    {
      "attributes": [
        "host",
        "password",
        "port"
      ],
      "consumer": "retail/staging/shop/api.database",
      "generation": 1,
      "schemaVersion": 1,
      "type": "postgres-conn",
      "typeVersion": "1.1.0",
      "uid": "<uid>"
    }
    "#);
    let applied = project.ledger_text("retail/staging/shop/applied/api.json");
    // The terraform of this machine.
    let terraform = serde_json::from_str::<serde_json::Value>(&applied).unwrap()["terraform"].to_string();
    assert!(terraform.contains("version") && terraform.contains("path"), "{terraform}");
    let mut record: serde_json::Value = serde_json::from_str(&applied).unwrap();
    record.as_object_mut().unwrap().remove("terraform");
    assert_shown!(serde_json::to_string_pretty(&record).unwrap(), @r#"
    {
      "applied": {
        "fingerprint": "<digest>",
        "run": "<id>"
      },
      "attempted": {
        "fingerprint": "<digest>",
        "run": "<id>"
      },
      "bindings": {
        "database": {
          "address": "retail/staging/shop/database.db",
          "attributes": {
            "host": "orders.db.internal",
            "port": 5432
          },
          "digest": "<digest>",
          "generation": 1,
          "sensitive": [
            "password"
          ],
          "type": "postgres-conn",
          "typeVersion": "1.1.0",
          "uid": "<uid>"
        }
      },
      "generator": 1,
      "inputs": {
        "domain": "staging.acme.test",
        "image": "registry.example/api:1"
      },
      "plugin": "web",
      "resources": 1,
      "schemaVersion": 1,
      "sensitiveInputs": [],
      "source": {
        "digest": "<digest>",
        "use": "../plugins/web"
      },
      "state": {
        "backend": {
          "config": {
            "path": "states"
          },
          "type": "local"
        },
        "key": "retail/staging/shop/api"
      },
      "version": "2.0.0"
    }
    "#);
    assert_shown!(serde_json::to_string_pretty(&project.newest("retail/staging/shop/runs")).unwrap(), @r#"
    {
      "actor": "tester",
      "ended": "<time>",
      "id": "<id>",
      "schemaVersion": 1,
      "started": "<time>",
      "status": "succeeded",
      "tasks": [
        {
          "alias": "database",
          "changes": {
            "add": 0,
            "change": 0,
            "remove": 0
          },
          "ended": "<time>",
          "id": "iac:database",
          "started": "<time>",
          "status": "succeeded",
          "type": "iac"
        },
        {
          "alias": "database",
          "changes": {
            "add": 2,
            "change": 0,
            "remove": 0
          },
          "ended": "<time>",
          "id": "deploy:database",
          "started": "<time>",
          "status": "succeeded",
          "type": "deploy"
        },
        {
          "alias": "api",
          "changes": {
            "add": 0,
            "change": 0,
            "remove": 0
          },
          "ended": "<time>",
          "id": "iac:api",
          "started": "<time>",
          "status": "succeeded",
          "type": "iac"
        },
        {
          "alias": "api",
          "changes": {
            "add": 1,
            "change": 0,
            "remove": 0
          },
          "ended": "<time>",
          "id": "deploy:api",
          "started": "<time>",
          "status": "succeeded",
          "type": "deploy"
        }
      ],
      "type": "deploy",
      "versionTag": "<id>"
    }
    "#);
    let release = project.newest("retail/staging/shop/releases");
    assert_shown!(serde_json::to_string_pretty(&release).unwrap(), @r#"
    {
      "made": "<time>",
      "manifest": {
        "apiVersion": "tieline/v1",
        "kind": "Application",
        "name": "shop",
        "plugins": {
          "api": {
            "connections": {
              "database": "database.db"
            },
            "inputs": {
              "image": "registry.example/api:1"
            },
            "use": "../plugins/web"
          },
          "database": {
            "inputs": {
              "name": "orders"
            },
            "use": "../plugins/postgres"
          }
        },
        "workspace": "retail"
      },
      "plugins": {
        "api": {
          "bindings": {
            "database": {
              "address": "retail/staging/shop/database.db",
              "attributes": {
                "host": "orders.db.internal",
                "port": 5432
              },
              "digest": "<digest>",
              "generation": 1,
              "sensitive": [
                "password"
              ],
              "type": "postgres-conn",
              "typeVersion": "1.1.0",
              "uid": "<uid>"
            }
          },
          "inputs": {
            "domain": "staging.acme.test",
            "image": "registry.example/api:1"
          },
          "outputs": {
            "web": [
              "web-conn@1.0.0"
            ]
          },
          "plugin": "web",
          "sensitiveInputs": [],
          "source": {
            "digest": "<digest>",
            "use": "../plugins/web"
          },
          "terraform": "<version>",
          "version": "2.0.0"
        },
        "database": {
          "bindings": {
            "network": {
              "address": "platform/staging/network/vpc.vpc",
              "attributes": {
                "cidr": "10.0.0.0/16",
                "region": "sa-east-1"
              },
              "digest": "<digest>",
              "generation": 1,
              "sensitive": [],
              "type": "network-conn",
              "typeVersion": "1.0.0",
              "uid": "<uid>"
            }
          },
          "inputs": {
            "name": "orders",
            "seed": "one",
            "size": "small"
          },
          "outputs": {
            "db": [
              "postgres-conn@1.1.0"
            ]
          },
          "plugin": "postgres",
          "sensitiveInputs": [],
          "source": {
            "digest": "<digest>",
            "use": "../plugins/postgres"
          },
          "terraform": "<version>",
          "version": "1.4.0"
        }
      },
      "run": "<id>",
      "schemaVersion": 1,
      "versionTag": "<id>"
    }
    "#);
}

#[test]
fn tf_r16_a_run_is_one_commit_of_the_ledger() {
    needs_terraform!();
    let project = Project::shop_with_network();
    let commits = || project.git(".tieline/context.git", &["rev-list", "--count", "ledger"]).trim().parse::<u32>().unwrap();
    let before = commits();
    project.deploy("shop").succeeds();
    assert_eq!(commits(), before + 1);
}

#[test]
fn tf_r20_the_generation_rises_only_with_the_digest() {
    needs_terraform!();
    let project = Project::lab();
    let mut last = (0, String::new());
    let mut deploy = |inputs: &str, generation: u64| {
        project.app("app", &format!("  a: {{use: ../plugins/thing, inputs: {{{inputs}}}}}\n"));
        project.deploy("app").succeeds();
        let record = project.ledger(OUT);
        assert_eq!(record["generation"], generation, "{inputs}");
        let digest = record["digest"].as_str().unwrap().to_owned();
        assert_eq!(digest != last.1, generation != last.0, "{inputs}");
        last = (generation, digest);
        record
    };
    let first = deploy("name: one", 1);
    deploy("name: one, size: 2", 1);
    deploy("name: two, size: 2", 2);
    deploy("name: two, size: 2, seed: other", 3);
    let last = deploy("name: one, size: 2, seed: other", 4);
    assert_eq!(first["uid"], last["uid"]);
}

#[test]
fn tf_r12_case_6_a_broken_contract_keeps_the_old_record() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    let before = project.ledger(OUT);
    project.app(
        "app",
        "  a: {use: ../plugins/thing, inputs: {name: '42'}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n",
    );

    let ran = project.deploy("app").refused("contract-violated");

    ran.says("`a.out` breaks its contract: attribute `name`").says("the infrastructure exists and its state is saved");
    let after = project.ledger(OUT);
    assert_eq!(after["attributes"], before["attributes"]);
    assert_eq!(after["generation"], 1);
    assert_eq!(after["status"], "degraded");
    let state = std::fs::read_to_string(project.state_path("lab/staging/app/a")).unwrap();
    assert!(state.contains("\"42\""), "the infrastructure is kept");
    let run = project.newest("lab/staging/app/runs");
    assert_eq!((&run["status"], &run["failureReason"]), (&"user-error".into(), &"contract-violated".into()));
    assert_eq!(run["tasks"][3]["status"], "skipped", "{run}");

    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy("app").succeeds();
    assert_eq!(project.ledger(OUT)["status"], "ready");
}

#[test]
fn tf_r12_a_required_output_may_not_be_empty() {
    needs_terraform!();
    let project = Project::lab();
    project.edit("plugins/thing/main.tf", "value = terraform_data.base.output.name", "value = null");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").refused("contract-violated").says("name");
    assert!(!project.ledger_paths().contains(&OUT.to_owned()));
    assert_eq!(project.state_resources("lab/staging/app/a").len(), 3);
}

#[test]
fn r10_an_output_that_the_module_lacks_is_refused_at_once() {
    let project = Project::lab();
    project.edit("plugins/thing/main.tf", "output \"name\"", "output \"title\"");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("invalid-document");
    assert_shown!(ran.stderr, @r"
    error[invalid-document]: attribute `name` of output `out` comes from `name`, which the module does not output
      --> plugins/thing/plugin.yaml:17:40
       |
    17 |   out: {type: thing-conn, from: {name: name, secret: secret}}
       |                                        ^^^^
    ");
}

#[test]
fn r13_case_15_a_sensitive_output_is_never_made_public() {
    let mut project = Project::lab();
    project.set("TIELINE_TERRAFORM", "/nowhere/terraform");
    project.edit(
        "plugins/thing/main.tf",
        "value = terraform_data.base.output.name",
        "\n  value = terraform_data.base.output.name\n  sensitive = true\n",
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    let ran = project.run(&["deploy", "-C", "app", "-e", "staging"]).refused("invalid-document");
    assert_shown!(ran.stderr, @r"
    error[invalid-document]: `name` is a public attribute of `thing-conn`, and the module marks its output `name` as sensitive
      --> plugins/thing/plugin.yaml:17:40
       |
    17 |   out: {type: thing-conn, from: {name: name, secret: secret}}
       |                                        ^^^^
       |
       = note: public attributes are written to the context repository in clear
       = help: mark `name` with `x-sensitive: true` in the type, or publish an output that is no secret
    ");
}

#[test]
fn tf_r17_a_degraded_connection_is_bound_only_when_asked() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants: []",
        "grants: [{connection: '*/app/*', to: ['lab/*/*'], allow: [use]}]",
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {broken: true}}\n");
    project.deploy("app").fails(2, "apply-failed").says("the top fell off");
    assert_eq!(project.ledger(OUT)["status"], "degraded");

    project.app("other", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/app/a.out}}\n");
    let ran = project.deploy("other");
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("degraded").says("allow-degraded");
    project.deploy_with("other", &["--allow-degraded"]).succeeds();

    project.app("app", "  a: {use: ../plugins/thing}\n");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded\n");
    assert_eq!(project.ledger(OUT)["status"], "ready");
}

#[test]
fn tf_r16_an_output_that_is_no_longer_generated_is_no_longer_published() {
    needs_terraform!();
    let project = Project::lab();
    let plugins = |output: &str| {
        let b = format!("  b: {{use: ../plugins/follower, connections: {{upstream: a.{output}}}}}\n");
        project.app("app", &format!("  a: {{use: ../plugins/thing}}\n{b}"));
    };
    let document = project.read("plugins/thing/plugin.yaml");
    project.write("plugins/follower/plugin.yaml", &document.replace("name: thing\n", "name: follower\n"));
    project.write("plugins/follower/main.tf", &project.read("plugins/thing/main.tf"));
    let published = || {
        let paths = project.ledger_paths().into_iter().filter(|path| path.contains("/connections/a."));
        paths.collect::<Vec<_>>()
    };
    plugins("out");
    project.deploy("app").succeeds();
    project.edit("plugins/thing/plugin.yaml", "  out: {type", "  result: {type");

    plugins("result");
    project.deploy("app").succeeds();
    assert_eq!(published(), [OUT.replace("a.out", "a.result")]);
}

#[test]
fn tf_a_connection_that_was_destroyed_comes_back_as_another() {
    needs_terraform!();
    let project = Project::lab();
    let both = "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n";
    project.app("app", both);
    project.deploy("app").succeeds();
    let first = project.ledger("lab/staging/app/connections/b.out.json");
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy_with("app", &["--allow-destroy"]).succeeds();
    project.app("app", both);
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\nb: succeeded\n");
    assert_ne!(first["uid"], project.ledger("lab/staging/app/connections/b.out.json")["uid"]);
}
