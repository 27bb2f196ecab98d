//! Text that would be a command if somebody printed it as it is. It has no effect, and can be read.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::annotation::Kind;
use super::result::StepResult;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::harness::needs_terraform;

/// Commands in every form, each with a word that no command of ours has.
const HOSTILE: &[&str] = &[
    "::set-output name=evil::1",
    "  ::add-mask::evil",
    "x ##[add-mask]evil",
    "##[error]evil",
    "a\r::add-mask::evil",
    "a\r\n::error::evil",
    "a\n::stop-commands::evil-token",
    "::stop-commands::evil-token",
    "::set-env name=EVIL::1",
    "::add-path::/evil",
    "\u{1b}[2J\u{1b}]0;evil\u{7}",
    "\u{200b}::add-mask::evil",
    ":\u{ad}:add-mask::evil",
    "%0A::add-mask::evil",
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
  required: [map]
  properties:
    map: {type: object, additionalProperties: {type: string}}
    text: {type: string, default: ''}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

const ECHO_MODULE: &str = r#"
variable "map" { type = map(string) }
variable "text" { type = string }
resource "terraform_data" "each" {
  for_each = var.map
  input    = { tags = { (each.key) = each.value } }
  lifecycle {
    precondition {
      condition     = var.text == ""
      error_message = "no: ${var.text}"
    }
  }
  provisioner "local-exec" {
    command     = "printf '%s\\n' \"$TEXT\""
    environment = { TEXT = each.value }
  }
}
output "value" { value = jsonencode({ for key, one in terraform_data.each : key => one.output }) }
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

fn site() -> Option<Site> {
    let site = Site::bench_with_files(machine()?, Engine::Namespaces);
    let description = escaped(&json!(HOSTILE.join(" ")));
    site.machine.write("plugins/echo/plugin.yaml", &ECHO.replace("DESCRIPTION", &description));
    site.machine.write("plugins/echo/main.tf", ECHO_MODULE);
    Some(site)
}

fn manifest(text: &str) -> String {
    let map: serde_json::Map<String, Value> = HOSTILE.iter().map(|text| ((*text).to_owned(), json!(text))).collect();
    escaped(&json!({"echo": {"use": "../plugins/echo", "inputs": {"map": map, "text": text}}}))
}

fn pull_request(site: &Site, number: usize) -> Event {
    site.pull_request(HOSTILE[number % HOSTILE.len()], &HOSTILE.join("/"))
}

/// Nothing of it was obeyed, by runner or terminal.
fn assert_no_effect(step: &StepResult) {
    step.assert_clean();
    let masks = step.log.commands.iter().filter(|command| command.name == "add-mask" && command.data.contains("evil"));
    assert_eq!(masks.count(), 0, "{step}");
    let groups = step.log.commands.iter().filter(|command| ["group", "debug"].contains(&command.name.as_str()));
    assert!(groups.clone().all(|group| !group.data.contains(['\r', '\n', '\u{1b}'])), "{step}");
    assert!(!step.log.outputs.contains_key("evil") && step.environment.is_empty() && step.path.is_empty(), "{step}");
    assert!(step.log.errors.is_empty(), "the runner complains of nothing: {:?}", step.log.errors);
    let obeyed: Vec<&String> = step.log.raw.iter().filter(|line| line.contains(['\u{1b}', '\u{7}'])).collect();
    assert!(obeyed.is_empty(), "a terminal obeys {obeyed:#?}");
}

/// A person can read what was tried.
fn assert_visible(step: &StepResult) {
    for word in ["set-output", "stop-commands", "add-mask", "set-env", "add-path"] {
        assert!(step.shown().contains(word), "`{word}` cannot be seen in\n{step}");
    }
}

#[test]
fn tf_r67_hostile_names_tags_and_provisioners_have_no_effect() {
    needs_terraform!();
    let Some(site) = site() else { return };
    site.manifest(&manifest(""));
    for (number, command) in ["plan", "deploy", "deploy"].into_iter().enumerate() {
        let mut job = site.job(pull_request(&site, number));
        let step = site.deploy(&mut job, "app", "e").with("command", command).with("allow-local-exec", "true").run().succeeds();
        assert_no_effect(&step);
        if number == 1 {
            assert_visible(&step);
        }
        assert!(step.log.annotations.is_empty(), "{step}");
        job.finish();
    }
}

#[test]
fn tf_r67_hostile_diagnostics_have_no_effect() {
    needs_terraform!();
    let Some(site) = site() else { return };
    site.manifest(&manifest(&HOSTILE.join("|")));
    let mut job = site.job(pull_request(&site, 1));
    let step = site.deploy(&mut job, "app", "e").with("allow-local-exec", "true").run();
    job.finish();
    assert_eq!(step.exit, Some(2), "{step}");
    assert_no_effect(&step);
    assert_visible(&step);
    let errors = step.annotations(Kind::Error);
    assert!(!errors.is_empty() && errors.iter().all(|error| error.file.as_deref() == Some("app/tieline.yaml")), "{errors:#?}");
    assert!(errors.iter().all(|error| !error.message.starts_with("evil")), "{errors:#?}");
}

#[test]
fn r67_hostile_names_and_inputs_are_refused_without_effect() {
    let Some(site) = site() else { return };
    for (number, text) in HOSTILE.iter().enumerate() {
        site.manifest(&escaped(
            &json!({"a": {"use": text, "inputs": {*text: text}, "after": [text], "connections": {*text: text}}}),
        ));
        let mut job = site.job(pull_request(&site, number));
        let step = site.deploy(&mut job, "app", "e").run();
        assert_eq!(step.exit, Some(1), "{text:?}: {step}");
        assert_no_effect(&step);
        assert!(step.annotations(Kind::Error).iter().all(|error| !error.message.starts_with("evil")), "{step}");

        let inputs = ["workspace", "version-tag", "inputs", "secrets", "manifest", "ledger-branch", "command", text];
        let mut hostile = site.deploy(&mut job, "app", "e");
        for input in inputs {
            hostile = hostile.with(input, text);
        }
        let step = hostile.run();
        assert_eq!(step.exit, Some(1), "{text:?}: {step}");
        assert_no_effect(&step);
        job.finish();
    }
}
