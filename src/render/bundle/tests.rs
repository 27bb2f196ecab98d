//! Steps as they are adapted.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

macro_rules! tree {
    ($folder:literal: $($file:literal),*) => {
        BTreeMap::from([$((
            $file,
            include_bytes!(concat!("../../../tests/fixtures/foreign/massdriver/", $folder, "/", $file)).as_slice(),
        )),*])
    };
}

fn step(name: &str, steps: &[&str], variables: &[&str]) -> Bundle {
    Bundle {
        step: name.to_owned(),
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        variables: variables.iter().map(|variable| (*variable).to_owned()).collect::<BTreeSet<_>>(),
        ..Bundle::default()
    }
}

fn text(adapted: &Adapted, path: &str) -> String {
    String::from_utf8(adapted.files[path].clone()).unwrap()
}

fn warnings(adapted: &Adapted) -> Vec<&str> {
    adapted.warnings.0.iter().map(|warning| warning.message.as_str()).collect()
}

#[test]
fn what_the_provider_publishes_becomes_outputs_and_the_provider_goes() {
    let files = tree!("lake-network": "massdriver.yaml", "src/main.tf", "src/resources.tf", "src/_massdriver_variables.tf",
        "src/modules/naming/main.tf");
    let adapted = adapt(&step("src", &["src"], &["hub_account", "range"]), &files).unwrap();
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @r#"
    output "artifact_network_id" {
      value = (
    terraform_data.network.id
      )
      depends_on = [module.naming]
    }
    output "artifact_network_range" {
      value = (
    var.range
      )
      depends_on = [module.naming]
    }
    output "artifact_network_segments" {
      value = (
    local.segments
      )
      depends_on = [module.naming]
    }
    output "artifact_network_access" {
      value = (
    {
          token = var.cloud_account.data.token
        }
      )
      depends_on = [module.naming]
    }
    "#);
    insta::assert_snapshot!(text(&adapted, "src/tieline_variables.tf"), @r#"
    variable "hub_account" {
      type    = any
      default = null
    }
    "#);
    insta::assert_snapshot!(text(&adapted, "src/main.tf"), @r#"
    terraform {
      required_version = ">= 1.5"
      required_providers {
        random = { source = "hashicorp/random" }
      }
    }

    resource "terraform_data" "network" {
      input = {
        range = var.range
        owner = var.cloud_account.data.owner
        tags  = var.md_metadata.default_tags
        hub   = var.hub_account != null ? var.hub_account.id : "none"
      }
    }

    module "naming" {
      source    = "./modules/naming"
      providers = { random = random }
    }

    locals {
      # One for each zone.
      segments = [for zone in range(var.zones) : {
        id   = "seg-${zone}"
        open = zone == 0
      }]
    }
    "#);
    assert_eq!(text(&adapted, "src/resources.tf").trim(), "");
    assert!(!text(&adapted, "src/modules/naming/main.tf").contains("massdriver-cloud"));
    assert_eq!(adapted.files["massdriver.yaml"], files["massdriver.yaml"]);
    insta::assert_debug_snapshot!(warnings(&adapted), @r#"
    [
        "the alarm `massdriver_instance_alarm.egress` is left out: it goes to Massdriver",
        "the alarm `massdriver_instance_alarm.unused` is left out: it goes to Massdriver",
    ]
    "#);
}

#[test]
fn data_is_a_secret_output_and_alarms_of_the_vendor_are_left_out_with_a_word() {
    let files = tree!("orders-database": "src/main.tf", "src/_artifacts.tf", "src/alarms.tf");
    let adapted = adapt(&step("src", &["src"], &["network", "aws_authentication", "md_metadata", "engine"]), &files).unwrap();
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @r#"
    output "artifact_authentication_data" {
      value = (
    local.payload.data
      )
      sensitive = true
    }
    output "artifact_authentication_specs" {
      value = (
    local.payload.specs
      )
    }
    "#);
    assert_eq!(text(&adapted, "src/alarms.tf").trim(), "");
    insta::assert_debug_snapshot!(warnings(&adapted), @r#"
    [
        "`module.alarm_channel` and 1 more alarms are left out: they go to Massdriver",
    ]
    "#);
}

#[test]
fn programs_become_expressions_of_the_module() {
    let files = tree!("events-queue": "src/main.tf", "src/artifact_queue.jq", "src/resource_dashboard.jq");
    let envs = [("SOURCE", "\"net://\" + .connections.network.id + \":\" + (.params.port | tostring)")];
    let bundle = Bundle {
        envs: envs.iter().map(|(name, program)| ((*name).to_owned(), (*program).to_owned())).collect(),
        ..step("src", &["src"], &["topic", "region", "port", "labels", "network", "SIGNING_KEY"])
    };
    let adapted = adapt(&bundle, &files).unwrap();
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @r#"
    output "artifact_dashboard_id" {
      value = (
    terraform_data.queue.id
      )
    }
    output "artifact_dashboard_nodes" {
      value = (
    [{ host = "a.example.test", live = true }, { host = "b.example.test", live = false }]
      )
    }
    output "artifact_queue_data" {
      value = (
    { "url" = ("amqps://u:p@${terraform_data.queue.id}"), "signing" = var.SIGNING_KEY, "hosts" = [for item1 in ([{ host = "a.example.test", live = true }, { host = "b.example.test", live = false }]) : try(item1.host, null) if (try(item1.live, null) != null && try(item1.live, null) != false)], "source" = "${"${"${"net://"}${try(var.network.id, null)}"}${":"}"}${tostring(var.port)}" }
      )
      sensitive = true
    }
    output "artifact_queue_specs" {
      value = (
    { "region" = var.region, "name" = "${lower(var.topic)}-${tostring(terraform_data.queue.id)}", "team" = (concat([for value in [try(var.labels.team, null)] : value if value != null && value != false], ["nobody"])[0]), "subnet" = try((try(var.network.segments, null)[0]).id, null), "port" = ((((var.port > 1024))) ? "high" : "low") }
      )
    }
    "#);
    insta::assert_snapshot!(text(&adapted, "src/tieline_variables.tf"), @r#"
    variable "SIGNING_KEY" {
      type    = any
      default = null
    }
    variable "labels" {
      type    = any
      default = null
    }
    variable "port" {
      type    = any
      default = null
    }
    variable "region" {
      type    = any
      default = null
    }
    "#);
}

#[test]
fn outputs_that_are_called_after_a_field_are_taken_as_they_are() {
    let files = tree!("tenant-cluster": "base/main.tf", "addons/main.tf");
    let steps = ["base", "addons"];
    let base = adapt(&step("base", &steps, &["size"]), &files).unwrap();
    assert_eq!(base.files.keys().collect::<Vec<_>>(), ["addons/main.tf", "base/main.tf"]);
    let addons = adapt(&step("addons", &steps, &["network"]), &files).unwrap();
    insta::assert_snapshot!(text(&addons, "addons/tieline_outputs.tf"), @r#"
    output "artifact_kubernetes_cluster_authentication" {
      value = (
    {
          cluster = { server = "https://k.example.test", certificate-authority-data = "Zm9v" }
          user    = { token = terraform_data.token.id }
        }
      )
    }
    output "artifact_kubernetes_cluster_namespace" {
      value = (
    "default"
      )
    }
    "#);
}

fn refusals(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let Err(Problems(problems)) = adapt(&step("src", &["src"], &[]), &files) else { return Vec::new() };
    problems.iter().map(|problem| format!("{}: {}", problem.message, problem.help.join("; "))).collect()
}

#[test]
fn what_cannot_be_had_without_massdriver_is_refused_with_what_to_change() {
    let resource = |inside: &str| format!("resource \"massdriver_artifact\" \"it\" {{\n{inside}\n}}\n");
    let plain = resource("field = \"it\"\nartifact = jsonencode({a = 1})");
    let cases: Vec<(&str, String)> = vec![
        ("count", resource("count = 1\nfield = \"it\"\nartifact = jsonencode({})")),
        ("lifecycle", resource("field = \"it\"\nartifact = jsonencode({})\nlifecycle {\n  prevent_destroy = true\n}")),
        ("field", resource("field = var.x\nartifact = jsonencode({})")),
        ("used", format!("{plain}output \"x\" {{\n  value = massdriver_artifact.it.id\n}}\n")),
        ("taken", format!("{plain}output \"artifact_it_a\" {{\n  value = 1\n}}\n")),
        ("other", "data \"massdriver_package\" \"it\" {}\nresource \"massdriver_thing\" \"it\" {}\n".to_owned()),
        (
            "bound",
            "module \"app\" {\n  source = \"github.com/massdriver-cloud/terraform-modules//massdriver-application?ref=1\"\n}\n"
                .to_owned(),
        ),
        ("files", "locals {\n  envs = jsondecode(file(\"${path.root}/_params.auto.tfvars.json\"))\n}\n".to_owned()),
        (
            "alarm",
            "resource \"massdriver_package_alarm\" \"it\" {}\noutput \"x\" {\n  value = massdriver_package_alarm.it.id\n}\n"
                .to_owned(),
        ),
        ("wrong", "resource {".to_owned()),
    ];
    let told: Vec<String> = cases
        .iter()
        .flat_map(|(name, text)| {
            let found = refusals(&[("src/main.tf", text)]);
            assert!(!found.is_empty(), "{name}");
            found
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    `massdriver_artifact.it` has `count`, so when it publishes depends on Massdriver's provider: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `massdriver_artifact.it` has `lifecycle`, so when it publishes depends on Massdriver's provider: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    which field `massdriver_artifact.it` publishes is not written as a plain text: write `field = "…"`
    `massdriver_artifact.it` is for Massdriver alone, but `output x` uses it: take the reference out: there is no such resource here
    the module already has an output `artifact_it_a`: rename that output
    `data.massdriver_package.it` is of Massdriver's provider, which is not used here: take it out
    `massdriver_thing.it` is of Massdriver's provider, which is not used here: take it out
    `module.app` works inside Massdriver alone: it reads the files of its provisioner: hand what it makes of them to the module as variables, and leave this module out
    the module in `src` reads `_params.auto.tfvars.json`, which only Massdriver's provisioner writes: declare a variable for each value that it takes from there
    `massdriver_package_alarm.it` is for Massdriver alone, but `output x` uses it: take the reference out: there is no such resource here
    `src/main.tf` cannot be read: line 1: invalid block body; expected `}`, newline or identifier: make it a Terraform file
    "#);
    let nested = refusals(&[("src/main.tf", "module \"m\" {\n  source = \"./m\"\n}\n"), ("src/m/main.tf", &plain)]);
    assert_eq!(nested.len(), 1);
}

#[test]
fn programs_without_a_faithful_counterpart_are_refused() {
    let told: Vec<String> = [
        ".foo",
        "{a: .outputs.missing}",
        "{a: .params}",
        "{a: (.params.x + .params.y)}",
        "{a: .params.x[1:2]}",
        "{a: (.params.x | test(\"a\"))}",
        "{a: (if .params.x then 1 else \"a\" end)}",
        "{(.params.x): 1}",
        "def f: 1; {a: f}",
        "{a: .envs.X}",
        "{a: ",
    ]
    .iter()
    .flat_map(|program| {
        let found = refusals(&[("src/main.tf", "locals {}\n"), ("src/artifact_it.jq", program)]);
        assert_eq!(found.len(), 1, "{program}");
        found
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    `src/artifact_it.jq` cannot be made an output of the module: there is no `.foo`: it is given params, connections, envs, secrets and outputs: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: the module has no output `missing`: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: it takes `.params` as a whole: name what it takes of it: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: of two values that are added it has to be plain what they are: write texts as `"\(.a)\(.b)"`: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: `.[]` and slices can stand in `[…]` and in `map(…)` alone: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: `test` has no counterpart in Terraform: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: an `if` whose branches are of different types has no counterpart in Terraform: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: a key that is computed has no counterpart in Terraform: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: `def` has no counterpart in Terraform: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: `app.envs` has no `X`: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    `src/artifact_it.jq` cannot be made an output of the module: it is no jq program: it ends too early: publish it as a Terraform output: `output "artifact_it" { value = {…} }`
    "#);
}

#[test]
fn texts_of_programs_stay_texts() {
    let hostile = r#"{a: "${file(\"/etc/passwd\")} %{if true}", "${b}": "x\" }\noutput \"y\" {"}"#;
    let files = BTreeMap::from([("src/main.tf", "locals {}\n".as_bytes()), ("src/artifact_it.jq", hostile.as_bytes())]);
    // A key that is no identifier would be the name of an output.
    assert!(adapt(&step("src", &["src"], &[]), &files).is_err());
    let files =
        BTreeMap::from([("src/main.tf", "locals {}\n".as_bytes()), ("src/artifact_it.jq", br#"{a: "${x} \" }"}"#.as_slice())]);
    insta::assert_snapshot!(text(&adapt(&step("src", &["src"], &[]), &files).unwrap(), "src/tieline_outputs.tf"), @r#"
    output "artifact_it_a" {
      value = (
    "$${x} \" }"
      )
    }
    "#);
}
