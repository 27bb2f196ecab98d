//! What people see when Terraform fails in a plugin.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::annotation::Kind;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::endure::states::States;
use crate::harness::needs_terraform;

const BROKEN: &str = r#"variable "value" { type = string }
resource "terraform_data" "it" {
  input = var.value
  lifecycle {
    precondition {
      condition     = var.value == "right"
      error_message = "the value is ${var.value}, and that is not right"
    }
  }
}
output "value" { value = terraform_data.it.output }
"#;

const MANIFEST: &str = "apiVersion: tieline/v1
kind: Application
name: app
workspace: w
plugins:
  first: {use: ../plugins/quick}
  broken:
    use: ../plugins/broken
    after: [first]
    inputs: {value: wrong}
  last: {use: ../plugins/quick, after: [broken]}
";

#[test]
fn tf_an_error_in_a_plugin_is_one_annotation_on_the_callers_line() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    let quick = site.machine.workspace().join("plugins/quick/plugin.yaml");
    let document = std::fs::read_to_string(quick).unwrap().replace("name: quick", "name: broken");
    let document: Vec<&str> = document.lines().filter(|line| !line.starts_with("requires:")).collect();
    site.machine.write("plugins/broken/plugin.yaml", &document.join("\n"));
    site.machine.write("plugins/broken/main.tf", BROKEN);
    site.machine.write("app/tieline.yaml", MANIFEST);

    let mut job = site.job(Event::push("main"));
    let step = site.deploy(&mut job, "app", "e").with("check", "true").run();
    job.finish();

    let (check, annotations) = site.hosted().checks().remove(0);
    assert_eq!((&check["status"], &check["conclusion"]), (&json!("completed"), &json!("failure")), "{check:#}");
    assert_eq!((&annotations[0]["path"], &annotations[0]["start_line"]), (&json!("app/tieline.yaml"), &json!(7)));
    let (_, statuses) = site.hosted().deployments().remove(0);
    let states: Vec<&str> = statuses.iter().filter_map(|status| status["state"].as_str()).collect();
    assert_eq!(states, ["in_progress", "failure"]);

    let reason = step.output("failure-reason").to_owned();
    let step = step.fails(2, &reason);
    assert!(["plan-failed", "apply-failed"].contains(&reason.as_str()), "{step}");
    let [error] =
        step.annotations(Kind::Error).try_into().unwrap_or_else(|all| panic!("not one annotation but {all:#?}\n{step}"));
    assert_eq!(error.place().as_deref(), Some("app/tieline.yaml:7"), "{error:#?}");
    assert!(error.message.contains("main.tf:6"), "{error:#?}");
    assert!(error.message.contains("Resource precondition failed"), "{error:#?}");
    let step = step.says("6 | ").says("the value is wrong, and that is not right").says("Resource precondition failed");
    let folded = step.log.shown.iter().filter(|line| *line == "create terraform_data.it");
    assert_eq!(folded.count(), 1, "what was done is listed once: {step}");
    for row in ["| `first` | ✅ deployed |", "| `broken` | ❌ failed |", "| `last` | ⏭️ skipped |"] {
        assert!(step.summary.contains(row), "no row `{row}` in\n{step}");
    }
    assert_eq!(step.output("run-status"), "runtime-error");
    assert_eq!(site.claims(), "");
}

#[test]
fn tf_a_state_that_cannot_be_saved_outlives_the_container() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let states = States::serve();
    let site = Site::bench(machine, Engine::Namespaces, &states.backend());
    site.manifest("{a: {use: ../plugins/quick}}");
    states.fill();
    let mut job = site.job(Event::push("main"));
    let step = site.deploy(&mut job, "app", "e").run().fails(2, "apply-failed");
    let kept = format!("tieline-{}-a.tfstate", step.output("run-id"));
    let step = step.says("the only copy of a Terraform state").says(&kept);
    let file = site.machine.temporary().join(&kept);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "it holds secrets");
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(!state["resources"].as_array().unwrap().is_empty(), "{state:#}");
    assert!(step.shown().contains(file.to_str().unwrap()), "named as later steps see it: {step}");
}
