//! `tieline import` and `tieline plugins test`: plugins of other systems in their native form, and that they deploy the same.

use std::path::{Path, PathBuf};

use crate::harness::{Project, Ran, needs_terraform, verdicts};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign")
}

/// Imports a path of the corpus into a folder of the project.
fn imported(project: &Project, path: &str, to: &str) -> Ran {
    project.run(&["import", corpus().join(path).to_str().unwrap(), "--to", to])
}

/// Every folder of the corpus that is a plugin's.
fn plugins() -> Vec<String> {
    let mut found = Vec::new();
    for system in ["massdriver", "signadot", "stackspot"] {
        let Ok(entries) = std::fs::read_dir(corpus().join(system)) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let name = format!("{system}/{}", entry.file_name().into_string().unwrap());
            let is_document = |file: &str| entry.path().join(file).is_file();
            let is_signadot = system == "signadot" && entry.path().is_dir();
            if is_signadot || ["plugin.yaml", "massdriver.yaml"].into_iter().any(is_document) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// Plugins of the corpus that cannot be deployed, with what says so.
const REFUSED: [(&str, &str); 5] = [
    ("stackspot/before-schemas", "the time before `schema-version`"),
    ("stackspot/hooks-only", "the plugin consists of hooks"),
    ("stackspot/notes-app", "plays no part in a deploy"),
    ("massdriver/web-chart", "the native form would not be valid"),
    // What is computed for all plugins of a project has to know the value.
    ("stackspot/queue-v2", "the computed input `queue_label` cannot be rendered"),
];

#[test]
fn every_plugin_of_the_corpus_has_a_native_form_that_is_read_back() {
    let project = Project::empty();
    let all = plugins();
    assert!(all.len() > 6, "{all:?}");
    for name in all {
        let to = name.replace('/', "-");
        let ran = imported(&project, &name, &to);
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            ran.refused("invalid-document").says(why);
            assert!(!project.path(&to).exists(), "{name}: nothing is written");
            continue;
        }
        ran.succeeds();
        let documents = project.files_below(&to);
        let mut folders = documents.iter().filter_map(|path| path.strip_suffix("/plugin.yaml")).peekable();
        assert!(folders.peek().is_some(), "{name}: {documents:?}");
        for folder in folders {
            project.run(&["plugins", "test", folder]).succeeds().says("is valid");
        }
    }
}

#[test]
fn manifests_types_and_previews_are_printed() {
    let project = Project::empty();
    let printed = |path: &str| project.run(&["import", corpus().join(path).to_str().unwrap()]).succeeds();
    printed("stackspot/manifests/stk-v2.yaml")
        .says("apiVersion: tieline/v1")
        .says("# decide: the catalog says where `stackspot:");
    printed("stackspot/types/aws-queue-conn.yaml").says("kind: ConnectionInterfaceType");
    printed("massdriver/types/ledger-database.yaml").says("x-sensitive: true");
    printed("massdriver/previews/preview.yaml")
        .says("preview:\n  base: staging")
        .says("# decide: this is a part of `tieline.yaml`");
    let json =
        project.run(&["import", corpus().join("massdriver/lake-network").to_str().unwrap(), "-o", "json"]).succeeds().json();
    assert_eq!(json["documents"][0]["file"], "plugin.yaml");
}

#[test]
fn nothing_is_replaced_and_what_is_ours_stays_as_it_is() {
    let project = Project::lab();
    project.run(&["import", "nothing"]).refused("invalid-input").says("there is no `nothing`");
    project.run(&["import", "plugins/thing"]).refused("invalid-input").says("is Tieline's own already");
    project.run(&["import", "context/context.yaml"]).refused("invalid-input").says("is no document of StackSpot");
    let refused = imported(&project, "stackspot/bucket-v1", "plugins").refused("invalid-input");
    refused.says("`plugins` is not an empty folder");
}

/// The type of what `thing` publishes, which a plugin brings along so that its sensitive attribute is known.
fn thing_type(project: &Project) -> String {
    project.read("context/types/thing-conn/1.0.0.yaml")
}

/// A StackSpot plugin that prints values of every kind, and one that makes what it takes.
fn stackspot() -> Project {
    let project = Project::lab();
    project.write("plugins/queue/types/thing-conn.yaml", &thing_type(&project));
    project.write(
        "plugins/queue/plugin.yaml",
        r#"schema-version: v2
kind: plugin
metadata: {name: queue, description: A queue, version: 1.2.0}
spec:
  type: infra
  requires: {connections: [{type: thing-conn, alias: source_thing}]}
  generates: {connections: [{type: thing-conn, alias: out, outputs: [{from: out_name, to: name}, {from: out_secret, to: secret}]}]}
  inputs:
    - {label: Name, name: queue_name, type: text, required: true}
    - {label: Days, name: days, type: int, default: 4}
    - {label: Fifo, name: fifo, type: bool, default: false}
    - {label: Zones, name: zones, type: multiselect, items: [a, b, c]}
    - {label: Region, name: region, type: text, default: here}
  inputs-envs:
    - {label: Size, name: size, type: text, items: [small, large]}
  computed-inputs: {full_name: "{{ queue_name }}-{{ size }}"}
"#,
    );
    project.write(
        "plugins/queue/templates-deploy/{{ queue_name }}.tf",
        r#"resource "terraform_data" "queue" {
  input = {
    name   = "{{ full_name }}-{{ stk_env }}"
    days   = {{ days }}
    text   = "{{ days }}"
    is     = {{ fifo | tojson }}
    zones  = {{ zones | tojson }}
    from   = "{{ connections['source_thing'].name }}"
    region = var.region
    policy = <<-EOT
      allow {{ queue_name }}
    EOT
  }
}
resource "terraform_data" "secret" {
  input = "{{ connections['source_thing'].secret }}"
}
"#,
    );
    project.write(
        "plugins/queue/templates-deploy/rest.tf",
        r#"variable "region" {
  default = "{{ region }}"
}
output "out_name" { value = terraform_data.queue.output.from }
output "out_secret" {
  value     = terraform_data.secret.output
  sensitive = true
}
"#,
    );
    project.app(
        "app",
        r"  thing: {use: ../plugins/thing, inputs: {name: first}}
  queue:
    use: ../plugins/queue
    inputs: {queue_name: orders, days: 7, fifo: true, zones: [a, c], size: small}
    connections: {source-thing: thing.out}
",
    );
    project
}

#[test]
fn tf_a_stackspot_plugin_and_its_native_form_give_the_same_plan() {
    needs_terraform!();
    let project = stackspot();
    project.deploy("app").succeeds();
    let ran = project.run(&["import", "plugins/queue", "--to", "plugins/native"]).succeeds();
    ran.says("wrote plugins/native/plugin.yaml").says("wrote plugins/native/queue_name.tf").never_says("to decide");
    project.edit("app/tieline.yaml", "use: ../plugins/queue", "use: ../plugins/native");
    let plan = project.plan_json("app");
    assert_eq!(verdicts(&plan), "thing: unchanged\nqueue: no-changes\n", "{plan:#}");
    project.deploy("app").succeeds();
    assert_eq!(verdicts(&project.plan_json("app")), "thing: unchanged\nqueue: unchanged\n");
}

#[test]
fn tf_a_massdriver_bundle_of_steps_and_its_native_form_give_the_same_plan() {
    needs_terraform!();
    let project = Project::lab();
    project.write(
        "plugins/pair/massdriver.yaml",
        r"name: pair
description: Two steps that are told where they run
version: 1.0.0
params:
  properties:
    size: {type: integer, default: 1}
    label: {type: string}
connections:
  properties:
    upstream_thing: {$ref: thing-conn}
artifacts:
  required: [out]
  properties:
    out: {$ref: thing-conn}
steps:
  - {path: base, provisioner: terraform}
  - {path: src, provisioner: terraform}
",
    );
    project.write(
        "plugins/pair/base/main.tf",
        r#"variable "size" { type = number }
variable "md_metadata" { type = any }
resource "terraform_data" "base" { input = { size = var.size, metadata = var.md_metadata } }
"#,
    );
    project.write(
        "plugins/pair/src/main.tf",
        r#"variable "label" { type = string }
variable "upstream_thing" { type = any }
variable "md_metadata" {
  type = any
}
resource "terraform_data" "top" {
  input = "${var.label} ${var.md_metadata.name_prefix} ${var.upstream_thing.name}"
}
resource "terraform_data" "told" { input = var.md_metadata }
output "artifact_out" {
  sensitive = true
  value     = { name = "pair", secret = var.upstream_thing.secret }
}
"#,
    );
    project.write("plugins/pair/types/thing-conn.yaml", &thing_type(&project));
    let thing = "  thing: {use: ../plugins/thing}\n";
    project.app(
        "app",
        &format!(
            "{thing}  pair: {{use: ../plugins/pair, inputs: {{size: 2, label: x}}, connections: {{upstream-thing: thing.out}}}}\n"
        ),
    );
    project.deploy("app").succeeds();

    project.run(&["import", "plugins/pair", "--to", "plugins/native"]).succeeds().says("wrote plugins/native/base/plugin.yaml");
    project.app(
        "app",
        &format!(
            r"{thing}  pair--base: {{use: ../plugins/native/base, inputs: {{size: 2}}}}
  pair:
    use: ../plugins/native/src
    inputs: {{label: x}}
    connections: {{upstream-thing: thing.out}}
    after: [pair--base]
"
        ),
    );
    let plan = project.plan_json("app");
    assert_eq!(verdicts(&plan), "pair--base: no-changes\nthing: unchanged\npair: no-changes\n", "{plan:#}");
    project.deploy("app").succeeds();
}

#[test]
fn golden_cases_say_what_differs() {
    let project = Project::empty();
    let queue = corpus().join("stackspot/queue-v2");
    let copied = std::process::Command::new("cp").arg("-r").arg(queue).arg(project.path("queue")).status().unwrap();
    assert!(copied.success());
    let passed = project.run(&["plugins", "test", "queue"]).succeeds();
    passed.says("passed    deploy-fifo").says("left out  apply-readme").says("2 cases: 1 passed, 0 failed, 1 left out");

    let expected = "queue/tests/deploy-fifo/expected";
    project.edit(&format!("{expected}/provider.tf"), "provider", "provide");
    std::fs::rename(project.path(&format!("{expected}/outputs.tf")), project.path(&format!("{expected}/results.tf"))).unwrap();
    let failed = project.run(&["plugins", "test", "queue"]).refused("invalid-document");
    failed
        .says("failed    deploy-fifo")
        .says("provider.tf:1")
        .says("results.tf: is expected, and was not made")
        .says("outputs.tf: was made, and is not expected");
    let json = project.run(&["plugins", "test", "queue", "-o", "json"]).json();
    assert_eq!(json["cases"][1]["verdict"], "failed");

    let lab = Project::lab();
    lab.run(&["plugins", "test", "plugins/thing"]).succeeds().says("is valid; it has no cases to test");
    imported(&lab, "stackspot/bucket-v1", "bucket").succeeds();
}
