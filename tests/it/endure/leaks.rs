//! Secrets: in Terraform states and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::Signal;

use super::bench::{Bench, Ended, descendants, files_below, terraforms};
use crate::harness::needs_terraform;

/// Every form of it differs from every other.
const CANARY: &str = r#"canary "7f3a+é/9c21""#;

const KEEPER: &str = "
apiVersion: tieline/v1
kind: Plugin
name: keeper
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  required: [token]
  properties: {token: {type: string, x-sensitive: true}}
generates: {out: {type: value-conn, from: {value: value, secret: secret}}}
terraform: {}
";

/// Its secret is one that we never saw: the token, reversed.
const KEEPER_MODULE: &str = r#"
variable "token" {
  type      = string
  sensitive = true
}
resource "terraform_data" "it" { input = strrev(var.token) }
output "value" { value = "public" }
output "secret" {
  value     = terraform_data.it.output
  sensitive = true
}
"#;

const USER: &str = "
apiVersion: tieline/v1
kind: Plugin
name: user
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  required: [gate, token]
  properties: {gate: {type: string}, token: {type: string, x-sensitive: true}, fails: {type: boolean, default: false}}
requires: {from: {type: value-conn, sensitive: [secret]}}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

const USER_MODULE: &str = r#"
variable "gate" { type = string }
variable "fails" { type = bool }
variable "from" { type = any }
variable "token" {
  type      = string
  sensitive = true
}
resource "terraform_data" "it" {
  input = var.from.secret
  provisioner "local-exec" {
    command     = "echo $SECRET; touch ${var.gate}.at; n=0; while [ ! -e ${var.gate}.go ] && [ $n -lt 1800 ]; do sleep 0.05; n=$((n+1)); done"
    environment = { SECRET = var.from.secret }
  }
  lifecycle {
    postcondition {
      condition     = !var.fails
      error_message = "the token is ${nonsensitive(var.token)}, as JSON ${jsonencode(nonsensitive(var.token))}, in base64 ${base64encode("x${nonsensitive(var.token)}y")}, in a URL ${urlencode(nonsensitive(var.token))}"
    }
  }
}
output "value" { value = nonsensitive(strrev(var.from.secret) == var.token) ? "handed over" : "something else" }
"#;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.plugin("plugins/keeper", KEEPER, KEEPER_MODULE);
    bench.plugin("plugins/user", USER, USER_MODULE);
    let secrets = serde_json::json!({"keeper.token": CANARY, "user.token": CANARY});
    bench.set("TIELINE_SECRETS", &secrets.to_string());
    for (name, value) in [
        ("INPUT_SECRETS", CANARY),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY),
        ("ACTIONS_RUNTIME_TOKEN", CANARY),
        ("GITHUB_TOKEN", CANARY),
        ("TF_CLI_ARGS", "-no-such-flag"),
        ("TF_CLI_ARGS_apply", "-no-such-flag"),
        ("TF_LOG", "trace"),
        ("TF_LOG_PATH", bench.path("trace.log").to_str().unwrap()),
        ("TF_VAR_token", CANARY),
    ] {
        bench.set(name, value);
    }
    bench
}

fn manifest(bench: &Bench, fails: bool) {
    let gate = bench.path("gate");
    let user = format!("inputs: {{gate: '{}', fails: {fails}}}, connections: {{from: keeper.out}}", gate.display());
    bench.deployable("app", &format!("{{keeper: {{use: ../plugins/keeper}}, user: {{use: ../plugins/user, {user}}}}}"));
}

/// All forms in which a text could be found again.
fn forms(text: &str) -> BTreeMap<String, Vec<u8>> {
    let json = serde_json::Value::from(text).to_string();
    let mut forms = BTreeMap::from([
        ("in clear".to_owned(), text.to_owned()),
        ("in JSON".to_owned(), json.trim_matches('"').to_owned()),
        ("in JSON in JSON".to_owned(), serde_json::Value::from(json.trim_matches('"')).to_string().trim_matches('"').to_owned()),
        ("in a URL".to_owned(), utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()),
    ]);
    // What stands in the middle is the same whatever surrounds it.
    for (shift, start) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&vec![0; shift], text.as_bytes()].concat();
        for (name, engine) in [("base64", STANDARD_NO_PAD), ("base64 for URLs", URL_SAFE_NO_PAD)] {
            let encoded = engine.encode(&bytes);
            forms.insert(format!("in {name}, shifted by {shift}"), encoded[start..encoded.len() - 2].to_owned());
        }
    }
    forms.into_iter().map(|(name, form)| (name, form.into_bytes())).collect()
}

/// No canary stands in any file of the whole folder, logs and outputs included, nor in any object of the context.
fn assert_no_leak(bench: &Bench) {
    assert!(bench.is_tidy(), "the private folder is gone");
    let objects = Command::new("git")
        .arg("-C")
        .arg(bench.context())
        .args(["cat-file", "--batch-all-objects", "--batch", "--unordered"])
        .output()
        .unwrap();
    assert!(objects.status.success() && objects.stdout.len() > 1000);
    let mut texts = vec![("an object of the context".to_owned(), objects.stdout)];
    for file in files_below(&bench.path("..")) {
        let name = file.display().to_string();
        if !name.ends_with(".tfstate") && !name.ends_with(".tfstate.backup") {
            texts.push((name, fs::read(&file).unwrap()));
        }
    }
    let reversed: String = CANARY.chars().rev().collect();
    for (form, bytes) in [CANARY, reversed.as_str()].into_iter().flat_map(forms) {
        for (name, text) in &texts {
            if let Some(at) = find(text, &bytes) {
                let around = &text[at.saturating_sub(200)..(at + 200).min(text.len())];
                panic!("the canary is in {name}, {form}: …{}…", String::from_utf8_lossy(around));
            }
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    aho_corasick::AhoCorasick::new([part]).unwrap().find(text).map(|found| found.start())
}

/// Everything that reads may be asked about it afterwards.
fn ask_everything(bench: &Bench) {
    for output in ["text", "json"] {
        for command in [
            &["plan", "-C", "app", "-e", "e", "--allow-local-exec", "-o", output][..],
            &["plan", "-C", "app", "-e", "e", "--explain", "-o", output],
            &["status", "-C", "app", "-e", "e", "-o", output],
            &["connection", "list", "-C", "app", "-e", "e", "-o", output],
            &["plugins", "list", "-C", "app", "-e", "e", "-o", output],
            &["context", "verify", "-o", output],
        ] {
            bench.start(bench.command(command)).finish();
        }
    }
}

fn forms_are_found() -> bool {
    let encoded = STANDARD_NO_PAD.encode(format!("some{CANARY}where"));
    forms(CANARY).values().any(|form| find(encoded.as_bytes(), form).is_some())
}

#[test]
fn tf_r66_no_secret_leaves_a_run_that_succeeds() {
    needs_terraform!();
    assert!(forms_are_found(), "the search finds what it looks for");
    let bench = bench();
    manifest(&bench, false);
    bench.start(bench.command(&["plan", "-C", "app", "-e", "e", "--allow-local-exec"])).finish();
    bench.start(bench.command(&["plan", "-C", "app", "-e", "e", "--allow-local-exec", "-o", "json"])).finish();
    bench.open("gate");
    let ended = bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "user").as_deref(), Some("handed over"), "{}", ended.err);
    let state = fs::read(bench.state_path("w/e/app/user")).unwrap();
    let reversed: String = CANARY.chars().rev().collect();
    assert!(find(&state, serde_json::Value::from(reversed).to_string().as_bytes()).is_some(), "the state has it, as is said");
    ask_everything(&bench);
    assert_no_leak(&bench);
}

#[test]
fn tf_r66_no_secret_leaves_a_run_whose_terraform_quotes_it() {
    needs_terraform!();
    let bench = bench();
    manifest(&bench, true);
    bench.open("gate");
    let ended = bench.deploy("app", &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("the token is ***, as JSON"), "{}", ended.err);
    ask_everything(&bench);
    assert_no_leak(&bench);
}

#[test]
fn tf_r69_no_secret_leaves_a_run_that_is_cancelled_nor_shows_while_it_runs() {
    needs_terraform!();
    let bench = bench();
    manifest(&bench, false);
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");

    let folders: Vec<_> = fs::read_dir(bench.temporary()).unwrap().flatten().collect();
    assert_eq!(folders.len(), 1, "one private folder");
    assert_eq!(folders[0].metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for file in files_below(&folders[0].path()) {
        let name = file.display().to_string();
        if name.ends_with("tfvars.json") {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    let children = descendants(run.id());
    assert!(!terraforms(run.id(), "apply").is_empty() && children.len() > 1);
    for child in &children {
        let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        assert!(find(&line, b"7f3a").is_none() && find(&line, b"a3f7").is_none(), "{}", String::from_utf8_lossy(&line));
    }
    for terraform in terraforms(run.id(), "apply") {
        let environment = fs::read(format!("/proc/{terraform}/environ")).unwrap();
        assert!(find(&environment, b"7f3a").is_none());
        let environment = String::from_utf8_lossy(&environment).into_owned();
        for variable in environment.split('\0') {
            for never in ["TIELINE_", "INPUT_", "ACTIONS_", "GITHUB_TOKEN", "TF_CLI_ARGS", "TF_LOG", "TF_VAR_"] {
                assert!(!variable.starts_with(never), "{variable}");
            }
        }
    }
    run.signal(Signal::INT);
    run.finish().assert_aborted("cancelled");
    ask_everything(&bench);
    assert_no_leak(&bench);
}

#[test]
fn tf_r65_each_part_of_a_secret_is_one() {
    needs_terraform!();
    let mut bench = bench();
    manifest(&bench, true);
    bench.open("gate");
    let secrets = serde_json::json!({"keeper.token": "another one", "user.token": {"deep": [CANARY]}});
    bench.set("TIELINE_SECRETS", &secrets.to_string());
    let ended = bench.deploy("app", &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert_no_leak(&bench);
}

/// A person's own mistakes are quoted too.
#[test]
fn r66_no_secret_leaves_a_run_that_is_refused() {
    let bench = bench();
    manifest(&bench, false);
    let refused = |command: Command| -> Ended {
        let ended = bench.start(command).finish();
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        ended
    };
    let secrets = |text: &str| {
        let mut command = bench.deploy_command("app", &[]);
        command.env("TIELINE_SECRETS", text);
        command
    };
    refused(secrets(&serde_json::json!({"keeper.token": CANARY}).to_string()));
    refused(secrets(&serde_json::json!({"keeper.token": CANARY, "user.token": CANARY, "nobody.token": CANARY}).to_string()));
    refused(secrets(&format!("{{keeper.token: {CANARY}")));
    refused(secrets(CANARY));
    assert_no_leak(&bench);
}
