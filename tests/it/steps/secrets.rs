//! Secrets that steps leave and take: sealed at rest, opened where they are needed, and nowhere else.

use serde_json::Value;

use super::{Steps, key, lines};
use crate::endure::bench::files_below;
use crate::harness::{assert_shown, needs_terraform};

/// What must be found nowhere.
const CANARY: &str = "canary-7f3a9c21";

/// Leaves a secret, and says it out loud.
const SECRET: &str = r#"
apiVersion: tieline/v1
kind: Plugin
name: secret
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties: {word: {type: string, x-sensitive: true}, size: {type: integer, default: 1}}
requires: {from: {type: value-conn, optional: true, sensitive: [secret]}}
generates: {out: {type: value-conn, from: {value: make.host, secret: make.password}}}
steps:
  create:
    - name: make
      inputs:
        - {name: word, valueFromInput: true, as: {env: WORD}}
        - {name: size, valueFromInput: true, as: {env: SIZE}}
        - {name: host, valueFromConnection: from.value, as: {env: HOST}}
        - {name: taken, valueFromConnection: from.secret, as: {path: /in/taken, env: TAKEN}}
      outputs:
        - {name: host, valueFromPath: /out/host, trim: true}
        - {name: password, valueFromPath: /out/password}
      script: |
        #!/bin/sh -e
        cd "$TIELINE_STEP_ROOT"
        echo "host-${HOST:-none}" > out/host
        printf '%s!%s' "${WORD:-$TAKEN}" "$SIZE" > out/password
        if [ -e in/taken ]; then [ "$(cat in/taken)" = "$TAKEN" ]; echo "took $TAKEN"; fi
        echo "left $(cat out/password)" >&2
    - name: check
      inputs: [{name: password, valueFromStep: {name: make, output: password}, as: {env: PASSWORD}}]
      script: |
        #!/bin/sh -e
        echo "checked $PASSWORD"
  delete:
    - name: remove
      inputs: [{name: password, valueFromStep: {name: make, output: password}, as: {env: PASSWORD}}]
      script: |
        #!/bin/sh -e
        echo "removing $PASSWORD of ${#PASSWORD}"
"#;

/// Keeps a connection's secret in its state, and publishes it.
const KEEPER: &str = "
apiVersion: tieline/v1
kind: Plugin
name: keeper
version: 1.0.0
requires: {from: {type: value-conn, sensitive: [secret]}}
generates: {out: {type: value-conn, from: {value: value, secret: secret}}}
terraform: {}
";

const KEEPER_MODULE: &str = r#"
variable "from" { type = any }
resource "terraform_data" "it" { input = nonsensitive(length(var.from.secret)) }
output "value" { value = "of ${terraform_data.it.output}" }
output "secret" {
  value     = "${var.from.secret}?"
  sensitive = true
}
"#;

fn stage() -> Steps {
    let mut steps = Steps::new();
    let (identity, secrets) = (steps.identity.clone(), format!("{{a.word: {CANARY}}}"));
    steps.bench.set("TIELINE_AGE_IDENTITY", &identity);
    steps.bench.set("TIELINE_SECRETS", &secrets);
    steps.write("plugins/secret/plugin.yaml", SECRET);
    steps.plugin("plugins/keeper", KEEPER, KEEPER_MODULE);
    steps
}

/// A secret of a step, into Terraform, and from its state back into a step.
const CHAIN: &str = "{a: {use: ../plugins/secret}, b: {use: ../plugins/keeper, connections: {from: a.out}}, \
                     c: {use: ../plugins/secret, connections: {from: b.out}}}";

/// The secret is in none of these texts, nor in any file but Terraform's states.
fn assert_nowhere(steps: &Steps, texts: &[&str]) {
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
    }
    let objects = steps.ask_git(&["cat-file", "--batch-all-objects", "--batch", "--buffer"]).unwrap();
    assert!(!objects.contains(CANARY), "in the context");
    let states = steps.path(".tieline/states");
    for file in files_below(&steps.root()).into_iter().chain(files_below(&steps.temporary())) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found || file.starts_with(&states), "{}", file.display());
    }
}

#[test]
fn tf_r18_a_secret_goes_from_a_step_to_terraform_to_a_step_and_is_seen_nowhere() {
    needs_terraform!();
    let steps = stage();
    steps.deployable("app", CHAIN);
    let deployed = steps.deploys("app", &[]);
    assert_eq!(lines(&deployed.err, "a"), ["make: left ***!1", "check: checked ***"]);
    assert_eq!(lines(&deployed.err, "c"), ["make: took ***", "make: left ***!1", "check: checked ***"]);
    assert_eq!(steps.value("app", "b").as_deref(), Some(format!("of {}", CANARY.len() + 2).as_str()));
    assert_eq!(steps.value("app", "c").as_deref(), Some(format!("host-of {}", CANARY.len() + 2).as_str()));
    let handle = &steps.recorded("app/connections/a.out.json").unwrap()["sensitive"]["secret"];
    assert!(handle["sealed"].as_str().unwrap().contains("AGE ENCRYPTED"), "{handle}");
    let record = steps.recorded("app/applied/a.json").unwrap();
    assert_eq!(record["steps"]["make"]["outputs"]["password"].get("text"), None, "sealed since it is published as a secret");
    assert_nowhere(&steps, &[&deployed.err, &deployed.out]);

    let before = |name: &str| steps.recorded(&format!("app/connections/{name}.out.json")).unwrap();
    let (a, b) = (before("a"), before("b"));
    let again = steps.deploys("app", &[]);
    assert_eq!(
        steps.recorded("app/connections/a.out.json").unwrap(),
        Value::Object(renewed(&a, &before("a"))),
        "the same secret"
    );
    assert_eq!(before("b")["generation"], b["generation"]);
    steps.deployable("app", &CHAIN.replace("secret},", "secret, inputs: {size: 2}},"));
    let changed = steps.deploys("app", &[]);
    assert_ne!(before("a")["sensitiveRevision"], a["sensitiveRevision"]);
    assert_eq!((before("a")["generation"].as_u64(), before("b")["generation"].as_u64()), (Some(2), Some(2)), "R20");

    let destroyed = steps.start(steps.command(&["destroy", "-w", "w", "-e", "e", "--deployable", "app"])).finish();
    assert_eq!(destroyed.code, Some(0), "{}\n{}", destroyed.err, destroyed.out);
    assert_eq!(lines(&destroyed.err, "a"), [format!("remove: removing *** of {}", CANARY.len() + 2)]);
    assert_nowhere(&steps, &[&again.err, &changed.err, &changed.out, &destroyed.err, &destroyed.out]);
}

/// What a record is after another apply with the same result: only the run is another one.
fn renewed(before: &Value, now: &Value) -> serde_json::Map<String, Value> {
    let mut record = before.as_object().unwrap().clone();
    record.insert("producer".to_owned(), now["producer"].clone());
    record
}

#[test]
fn r60_without_recipients_nothing_runs() {
    let steps = stage();
    steps.deployable("app", "{a: {use: ../plugins/secret}}");
    let text = steps.read("context/context.yaml");
    let without: String = text.lines().filter(|line| !line.starts_with("sealing")).map(|line| format!("{line}\n")).collect();
    steps.write_context("context.yaml", &without);
    let refused = steps.deploy("app", &[]);
    assert_eq!((refused.code, lines(&refused.err, "a").len()), (Some(1), 0));
    assert_shown!(refused.err, @r"
    error[invalid-input]: what step `make` of `a` leaves as `password` is a secret, and there is nobody to seal it for
     --> app/tieline.yaml:5:11
      |
    5 | plugins: {a: {use: ../plugins/secret}}
      |           ^
      |
      = note: what a step leaves is recorded, so that others and its delete steps have it; a secret only sealed
      = help: make a key with `age-keygen`, and write its public key, `age1…`, under `sealing.recipients` of `context.yaml` or of the environment
    ");
    assert_eq!(steps.claim("app"), None);
    assert!(steps.runs("app").is_empty());
}

#[test]
fn r71_where_steps_may_not_run_nothing_runs() {
    let steps = stage();
    steps.deployable("app", "{a: {use: ../plugins/secret}}");
    steps.edit_context("context.yaml", "step-runners: [host]", "step-runners: [docker]");
    let refused = steps.deploy("app", &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("the step runner `host` is not permitted"), "{}", refused.err);
    assert!(steps.runs("app").is_empty());
}

#[test]
fn tf_what_is_sealed_needs_an_identity_and_is_refused_first_without() {
    needs_terraform!();
    let mut steps = stage();
    steps.deployable("app", CHAIN);
    steps.bench.set("TIELINE_AGE_IDENTITY", "");
    let refused = steps.deploy("app", &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("`b.from.secret` is sealed, and there is no identity to open it with"), "{}", refused.err);
    assert!(steps.runs("app").is_empty());

    // What only leaves a secret needs none, but to be taken away.
    steps.deployable("app", "{a: {use: ../plugins/secret}}");
    steps.deploys("app", &[]);
    let refused = steps.destroy("app");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("`a.make.password` is sealed, and there is no identity to open it with"), "{}", refused.err);
    steps.bench.set("TIELINE_SECRETS", "{a.make.password: given-instead}");
    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), ["remove: removing *** of 13"]);
}

#[test]
fn r66_a_secret_in_what_is_not_marked_as_one_is_not_recorded_in_clear() {
    let steps = stage();
    steps.edit("plugins/secret/plugin.yaml", "echo \"host-${HOST:-none}\" > out/host", "echo \"host-$WORD\" > out/host");
    steps.deployable("app", "{a: {use: ../plugins/secret}}");
    let failed = steps.deploy("app", &[]);
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    let said = "what step `make` of `a` left as `host` has a secret in it, and is not marked as one";
    assert!(failed.err.contains(said), "{}", failed.err);
    assert_eq!(steps.value("app", "a"), None);
    assert_nowhere(&steps, &[&failed.err, &failed.out]);
    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), [format!("remove: removing *** of {}", CANARY.len() + 2)]);
}

#[test]
fn tf_resealed_for_others() {
    needs_terraform!();
    let mut steps = stage();
    steps.deployable("app", CHAIN);
    steps.deploys("app", &[]);
    let (recipient, identity) = key();
    let text = steps.read("context/context.yaml");
    let start = text.find("age1").unwrap();
    let old = text[start..start + 62].to_owned();
    steps.edit_context("context.yaml", &old, &recipient);
    let before = steps.recorded("app/connections/a.out.json").unwrap();
    let resealed = steps.run(&["context", "reseal"]).succeeds();
    // Two steps left a secret, which stands in the record of the apply and in that of the connection.
    assert_eq!(resealed.stdout, "sealed 4 values of w/e/app anew\n");
    let after = steps.recorded("app/connections/a.out.json").unwrap();
    assert_eq!((&after["digest"], &after["sensitiveRevision"]), (&before["digest"], &before["sensitiveRevision"]));
    assert_eq!(after["sensitive"]["secret"]["recipients"], serde_json::json!([recipient]));
    assert_eq!(steps.run(&["context", "reseal"]).succeeds().stdout, "everything is sealed for today's recipients\n");
    steps.verify();
    let refused = steps.destroy("app");
    assert!(refused.err.contains("it is sealed for none of the identities that are given"), "{}", refused.err);
    steps.bench.set("TIELINE_AGE_IDENTITY", &identity);
    steps.destroys("app");
}

#[test]
fn tf_r48_an_imported_connection_is_opened_for_terraform() {
    needs_terraform!();
    let mut steps = stage();
    let recipients = [steps.read("context/context.yaml")];
    let start = recipients[0].find("age1").unwrap();
    let recipient = recipients[0][start..start + 62].to_owned();
    let sealed = tieline::secrets::seal(&[recipient], &tieline::secrets::Secret::new(CANARY)).unwrap();
    let sealed: String = sealed.lines().map(|line| format!("      {line}\n")).collect();
    steps.write_context(
        "workspaces/w/imported/e/legacy.yaml",
        &format!(
            "apiVersion: tieline/v1\nkind: ImportedConnection\nname: legacy\ntype: value-conn\nversion: 1.0.0\n\
             attributes: {{value: old}}\nsensitive:\n  secret:\n    sealed: |\n{sealed}"
        ),
    );
    steps.bench.set("TIELINE_SECRETS", "");
    steps.deployable("app", "{a: {use: ../plugins/keeper, connections: {from: imported/legacy}}}");
    let deployed = steps.deploys("app", &[]);
    assert_eq!(steps.value("app", "a").as_deref(), Some(format!("of {}", CANARY.len()).as_str()));
    assert_nowhere(&steps, &[&deployed.err, &deployed.out]);
    steps.destroys("app");
}
