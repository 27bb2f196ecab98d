//! What has no secrets: deployed, planned, left alone, made anew, taken away.

use super::{Steps, lines};
use crate::harness::{assert_shown, needs_terraform};

#[test]
fn tf_r57_deployed_and_destroyed() {
    needs_terraform!();
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker}, b: {use: ../plugins/quick, connections: {from: a.out}}}");
    let plan = steps.plan("app", &[]);
    assert_shown!(plan.out, @r"
    Plan for w/e/app

    a: its steps run
      the steps make, seed run
    b: deferred until a is applied

    0 to add, 0 to change, 0 to destroy, 1 plugin is planned later.
    Fingerprint: <fingerprint>
    ");

    let deployed = steps.deploys("app", &[]);
    assert_eq!(lines(&deployed.err, "a"), ["make: making a", "seed: seeding db-1"]);
    assert!(deployed.err.contains("[a] step make done in "), "{}", deployed.err);
    assert_eq!(steps.value("app", "a").as_deref(), Some("db-1"));
    let record = steps.recorded("app/applied/a.json").unwrap();
    assert_eq!(record["steps"]["make"]["outputs"], serde_json::json!({"host": {"text": "db-1"}}));
    assert_eq!(record["steps"]["seed"]["outputs"], serde_json::json!({"rows": {"text": "7\n"}}), "kept as it is");
    assert_eq!(record["applied"], record["attempted"]);

    let again = steps.deploys("app", &[]);
    assert!(again.out.contains("2 unchanged") && lines(&again.err, "a").is_empty(), "R24: {}\n{}", again.out, again.err);

    steps.deployable(
        "app",
        "{a: {use: ../plugins/maker, inputs: {size: 2}}, b: {use: ../plugins/quick, connections: {from: a.out}}}",
    );
    let changed = steps.deploys("app", &[]);
    assert_eq!(lines(&changed.err, "a"), ["make: making a", "seed: seeding db-2"]);
    assert_eq!(steps.value("app", "a").as_deref(), Some("db-2"));
    let connection = steps.recorded("app/connections/a.out.json").unwrap();
    assert_eq!((connection["generation"].as_u64(), &connection["sensitive"]), (Some(2), &serde_json::json!({})));

    let drift = steps.start(steps.command(&["drift", "-w", "w", "-e", "e"])).finish();
    assert!(drift.out.contains("`w/e/app/a` is made by steps"), "{}", drift.out);

    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), ["unseed: unseeding 7", "remove: removing db-2"]);
    assert_eq!(steps.value("app", "a"), None);
}

#[test]
fn tf_r27_delete_steps_of_what_the_manifest_no_longer_has_need_leave() {
    needs_terraform!();
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker}, b: {use: ../plugins/quick}}");
    steps.deploys("app", &[]);
    steps.deployable("app", "{b: {use: ../plugins/quick}}");
    let plan = steps.plan("app", &[]);
    assert!(plan.out.contains("a (no longer in the manifest): its steps run\n  the steps unseed, remove run"), "{}", plan.out);
    let refused = steps.deploy("app", &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("taking `a` away runs 2 delete steps"), "{}", refused.err);
    let removed = steps.deploys("app", &["--allow-destroy"]);
    assert_eq!(lines(&removed.err, "a"), ["unseed: unseeding 7", "remove: removing db-1"]);
    steps.verify();
}

#[test]
fn tf_r36_a_rollback_runs_the_create_steps_of_then() {
    needs_terraform!();
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker, inputs: {size: 1}}}");
    steps.deploys("app", &["--version-tag", "one"]);
    steps.deployable("app", "{a: {use: ../plugins/maker, inputs: {size: 2}}}");
    steps.deploys("app", &["--version-tag", "two"]);
    let back = ["rollback", "-w", "w", "-e", "e", "--deployable", "app", "--to", "one"];
    let back = steps.start(steps.command(&back)).finish();
    assert_eq!(back.code, Some(0), "{}\n{}", back.err, back.out);
    assert_eq!(lines(&back.err, "a"), ["make: making a", "seed: seeding db-1"]);
    assert_eq!(steps.value("app", "a").as_deref(), Some("db-1"));
}

/// A plugin whose module takes what its steps left.
const BOTH: &str = r#"
apiVersion: tieline/v1
kind: Plugin
name: both
version: 1.0.0
inputs: {type: object, additionalProperties: false, properties: {size: {type: integer, default: 1}}}
generates: {out: {type: value-conn, from: {value: value, secret: make.password}}}
terraform: {variables: {host: {step: make.host}, password: {step: make.password}, rows: {step: make.rows}}}
steps:
  create:
    - name: make
      inputs: [{name: size, valueFromInput: true, as: {env: SIZE}}]
      outputs:
        - {name: host, valueFromPath: /out/host, trim: true}
        - {name: password, valueFromPath: /out/password, sensitive: true}
        - {name: rows, valueFromPath: /out/rows, type: integer}
      script: |
        #!/bin/sh -e
        cd "$TIELINE_STEP_ROOT/out"
        echo "db-$SIZE" > host
        printf 'canary-%s' "$SIZE" > password
        echo "$SIZE" > rows
  delete:
    - name: remove
      inputs:
        - {name: host, valueFromStep: {name: make, output: host}, as: {env: HOST}}
        - {name: password, valueFromStep: {name: make, output: password}, as: {path: /in/password}}
      script: |
        #!/bin/sh -e
        echo "removing $HOST with $(wc -c < "$TIELINE_STEP_ROOT/in/password") bytes"
"#;

const BOTH_MODULE: &str = r#"
variable "host" { type = string }
variable "rows" { type = number }
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "it" { input = "${var.host}/${var.rows + 1}/${nonsensitive(sha256(var.password))}" }
output "value" { value = terraform_data.it.output }
"#;

#[test]
fn tf_steps_come_before_the_module_that_takes_what_they_leave_and_after_its_destroy() {
    needs_terraform!();
    let mut steps = Steps::new();
    steps.plugin("plugins/both", BOTH, BOTH_MODULE);
    steps.deployable("app", "{a: {use: ../plugins/both}}");
    let plan = steps.plan("app", &[]);
    assert!(plan.out.contains("a: its steps run, and the rest is planned after them\n  the step make runs\n"), "{}", plan.out);
    steps.deploys("app", &[]);
    let value = steps.value("app", "a").unwrap();
    assert!(value.starts_with("db-1/2/"), "{value}");
    let connection = steps.recorded("app/connections/a.out.json").unwrap();
    assert!(connection["sensitive"]["secret"]["sealed"].as_str().unwrap().contains("AGE ENCRYPTED"), "{connection}");

    // What was left is known by now, as far as it can be opened.
    steps.deployable("app", "{a: {use: ../plugins/both, inputs: {size: 2}}}");
    let unknown = steps.plan("app", &[]);
    assert!(unknown.out.contains("the rest is planned after them"), "{}", unknown.out);
    let identity = steps.identity.clone();
    steps.bench.set("TIELINE_AGE_IDENTITY", &identity);
    let plan = steps.plan("app", &[]);
    assert!(plan.out.contains("a: no changes\n  the step make runs before that\n"), "{}", plan.out);
    steps.deploys("app", &[]);
    assert!(steps.value("app", "a").unwrap().starts_with("db-2/3/"));
    let changed = steps.recorded("app/connections/a.out.json").unwrap();
    assert_ne!(changed["sensitiveRevision"], connection["sensitiveRevision"], "the secret is another one");

    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), ["remove: removing db-2 with 8 bytes"]);
    assert!(steps.resources("app", "a").is_empty());
}
