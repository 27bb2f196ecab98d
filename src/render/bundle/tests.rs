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
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @"");
    insta::assert_snapshot!(text(&adapted, "src/tieline_variables.tf"), @"");
    insta::assert_snapshot!(text(&adapted, "src/main.tf"), @"");
    assert_eq!(text(&adapted, "src/resources.tf").trim(), "");
    assert!(!text(&adapted, "src/modules/naming/main.tf").contains("massdriver-cloud"));
    assert_eq!(adapted.files["massdriver.yaml"], files["massdriver.yaml"]);
    insta::assert_debug_snapshot!(warnings(&adapted), @"");
}

#[test]
fn data_is_a_secret_output_and_alarms_of_the_vendor_are_left_out_with_a_word() {
    let files = tree!("orders-database": "src/main.tf", "src/_artifacts.tf", "src/alarms.tf");
    let adapted = adapt(&step("src", &["src"], &["network", "aws_authentication", "md_metadata", "engine"]), &files).unwrap();
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @"");
    assert_eq!(text(&adapted, "src/alarms.tf").trim(), "");
    insta::assert_debug_snapshot!(warnings(&adapted), @"");
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
    insta::assert_snapshot!(text(&adapted, "src/tieline_outputs.tf"), @"");
    insta::assert_snapshot!(text(&adapted, "src/tieline_variables.tf"), @"");
}

#[test]
fn outputs_that_are_called_after_a_field_are_taken_as_they_are() {
    let files = tree!("tenant-cluster": "base/main.tf", "addons/main.tf");
    let steps = ["base", "addons"];
    let base = adapt(&step("base", &steps, &["size"]), &files).unwrap();
    assert_eq!(base.files.keys().collect::<Vec<_>>(), ["addons/main.tf", "base/main.tf"]);
    let addons = adapt(&step("addons", &steps, &["network"]), &files).unwrap();
    insta::assert_snapshot!(text(&addons, "addons/tieline_outputs.tf"), @"");
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
    insta::assert_snapshot!(told.join("\n"), @"");
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
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn texts_of_programs_stay_texts() {
    let hostile = r#"{a: "${file(\"/etc/passwd\")} %{if true}", "${b}": "x\" }\noutput \"y\" {"}"#;
    let files = BTreeMap::from([("src/main.tf", "locals {}\n".as_bytes()), ("src/artifact_it.jq", hostile.as_bytes())]);
    // A key that is no identifier would be the name of an output.
    assert!(adapt(&step("src", &["src"], &[]), &files).is_err());
    let files =
        BTreeMap::from([("src/main.tf", "locals {}\n".as_bytes()), ("src/artifact_it.jq", br#"{a: "${x} \" }"}"#.as_slice())]);
    insta::assert_snapshot!(text(&adapt(&step("src", &["src"], &[]), &files).unwrap(), "src/tieline_outputs.tf"), @"");
}
