//! Text that wants to be more than text.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::bench::Bench;
use crate::harness::needs_terraform;

/// What runners, terminals, Terraform, shells and readers could take for something else.
const HOSTILE: &[&str] = &[
    "::set-output name=x::y",
    "  ::error::x",
    "##[add-mask]x",
    "a\r::add-mask::x",
    "a\n::stop-commands::x",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "${file(\"/etc/passwd\")}",
    "%{ for x in [1] }%{ endfor }",
    "$${x} %%{y} $%{z}",
    "\r$${x}$\r{",
    "\"quoted\" 'single' `back` \\ \\n \\u0000",
    "\u{202e}desrever\u{2066}\u{200b}\u{feff}",
    "$(touch /tmp/x); rm -rf *",
    "-help",
    "=1+1",
    "null",
    "~",
];

const ECHO: &str = "
apiVersion: tieline/v1
kind: Plugin
name: echo
version: 1.0.0
description: DESCRIPTION
inputs:
  type: object
  additionalProperties: false
  required: [text, map]
  properties:
    text: {type: string}
    map: {type: object, additionalProperties: {type: string}}
    fails: {type: boolean, default: false}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

const ECHO_MODULE: &str = r#"
variable "text" { type = string }
variable "map" { type = map(string) }
variable "fails" { type = bool }
resource "terraform_data" "each" {
  for_each = var.map
  input    = each.value
  lifecycle {
    precondition {
      condition     = !var.fails
      error_message = "no: ${var.text}"
    }
  }
  provisioner "local-exec" {
    command     = "printf '%s\\n' \"$TEXT\""
    environment = { TEXT = each.value }
  }
}
output "value" { value = jsonencode({ text = var.text, map = { for key, one in terraform_data.each : key => one.output } }) }
"#;

/// As JSON in ASCII: YAML takes no control character as it is.
fn escaped(value: &Value) -> String {
    let mut text = String::new();
    for unit in value.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => text.push(char::from(byte)),
            _ => write!(text, "\\u{unit:04x}").unwrap(),
        }
    }
    text
}

fn bench() -> Bench {
    let bench = Bench::new();
    let description = escaped(&json!(HOSTILE.join(" ")));
    bench.plugin("plugins/echo", &ECHO.replace("DESCRIPTION", &description), ECHO_MODULE);
    bench
}

/// The inputs, and the manifest that has them.
fn manifest(bench: &Bench, fails: bool) -> Value {
    let map: serde_json::Map<String, Value> = HOSTILE.iter().map(|text| ((*text).to_owned(), json!(text))).collect();
    let inputs = json!({"text": HOSTILE.join("|"), "map": map});
    let mut all = inputs.clone();
    all["fails"] = json!(fails);
    bench.deployable("app", &escaped(&json!({"a": {"use": "../plugins/echo", "inputs": all}})));
    inputs
}

/// Nothing that a terminal obeys, no runner command, nothing that hides or turns text.
#[track_caller]
fn assert_harmless(text: &str) {
    for line in text.split('\n') {
        let acts = |c: char| c.is_control() && c != '\t';
        let hides =
            |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        assert!(!line.contains(acts), "a control character in {line:?}");
        assert!(!line.contains(hides), "a hidden character in {line:?}");
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "a runner command in {line:?}");
    }
}

#[test]
fn tf_r68_values_and_keys_arrive_as_they_are() {
    needs_terraform!();
    let bench = bench();
    let inputs = manifest(&bench, false);
    let ended = bench.deploys("app", &[]);
    let published: Value = serde_json::from_str(&bench.value("app", "a").unwrap()).unwrap();
    assert_eq!(published, inputs);
    assert_eq!(bench.resources("app", "a").len(), HOSTILE.len());
    assert_harmless(&ended.out);
    assert_harmless(&ended.err);
    let again = bench.deploys("app", &[]);
    assert!(again.out.contains("1 unchanged"), "{}", again.out);

    for command in [
        &["status", "-C", "app", "-e", "e"][..],
        &["connection", "list", "-C", "app", "-e", "e"],
        &["connection", "show", "app/a.out", "-C", "app", "-e", "e"],
        &["plugins", "list", "-C", "app", "-e", "e"],
        &["plan", "-C", "app", "-e", "e", "--allow-local-exec", "--explain"],
        &["plan", "-C", "app", "-e", "e", "--allow-local-exec", "--refresh"],
        &["context", "verify"],
    ] {
        let ended = bench.start(bench.command(command)).finish();
        assert_eq!(ended.code, Some(0), "{command:?} {}", ended.err);
        assert_harmless(&ended.out);
        assert_harmless(&ended.err);
    }
}

#[test]
fn tf_r67_what_terraform_says_cannot_act() {
    needs_terraform!();
    let bench = bench();
    manifest(&bench, true);
    let ended = bench.deploy("app", &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("set-output") && ended.err.contains("add-mask"), "it is shown: {}", ended.err);
    assert_harmless(&ended.err);
    assert_harmless(&ended.out);
}

#[test]
fn r67_what_is_refused_cannot_act() {
    let bench = bench();
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    // One that acts as a command, one inside a line, one on a terminal, one behind a line's end, one on the reader.
    for text in ["::error::x", "a##[add-mask]x", "\u{1b}[2J\u{9b}31m", "a\r\n::stop-commands::x", "\u{202e}x\u{200b}"] {
        for arguments in [
            &["--ledger-branch", text][..],
            &["--documents-branch", text],
            &["--version-tag", text],
            &["--workspace", text],
            &["--inputs", text],
            &["--secrets", text],
            &["--approved-plan", text],
            &["--context", text],
        ] {
            let mut command = bench.command(&["deploy", "-C", "app", "-e", "e"]);
            command.arg(arguments.join("="));
            let ended = bench.start(command).finish();
            assert!(matches!(ended.code, Some(0..=2)), "{arguments:?}: {:?} {}", ended.code, ended.err);
            assert_harmless(&ended.err);
            assert_harmless(&ended.out);
        }
        let manifest = json!({"a": {"use": text, "inputs": {text: text}, "after": [text], "connections": {text: text}}});
        bench.deployable("bad", &escaped(&manifest));
        let ended = bench.deploy("bad", &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        assert_harmless(&ended.err);
    }
}
