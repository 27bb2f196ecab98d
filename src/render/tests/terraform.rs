#![allow(clippy::disallowed_methods, reason = "these tests run the real terraform on real files")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Scene, attribute, backend, face, input, output, slot, state};
use crate::render::{BoundSlot, SensitiveSource, escape};

/// The real terraform in a folder of its own.
struct Terraform {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Terraform {
    /// None, said aloud, where there is no terraform to test with.
    fn new(module: &str) -> Option<Self> {
        let Ok(program) = which::which("terraform") else {
            eprintln!("SKIPPED: no terraform binary on the path");
            return None;
        };
        let terraform = Self { program, folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(terraform.path("plugin")).unwrap();
        std::fs::write(terraform.path("plugin/main.tf"), module).unwrap();
        std::fs::write(terraform.path("terraform.rc"), "").unwrap();
        Some(terraform)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let result = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("terraform.rc"))
            .output()
            .unwrap();
        assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
        result.stdout
    }

    /// Applies a root module with these variables, and gives back its outputs.
    fn apply(&self, main: &[u8], variables: &Value) -> Value {
        std::fs::write(self.path("main.tf.json"), main).unwrap();
        std::fs::write(self.path("terraform.tfvars.json"), variables.to_string()).unwrap();
        self.run(&["init", "-input=false"]);
        self.run(&["apply", "-input=false", "-auto-approve"]);
        serde_json::from_slice(&self.run(&["output", "-json"])).unwrap()
    }
}

#[test]
fn tf_r68_terraform_gives_back_hostile_values_as_they_were() {
    let Some(terraform) = Terraform::new("variable \"in\" {}\noutput \"out\" {\n  value = var.in\n}\n") else { return };
    let texts = [
        "${file(\"/etc/passwd\")}",
        "$${x}",
        "$$${x}",
        "$$$${x}",
        "$$$$${x}",
        "%{ if true }a%{ endif }",
        "%%{x}",
        "%%%{x}",
        "%%%%{",
        "$%{x}",
        "%${x}",
        "$",
        "$$",
        "${",
        "%{",
        "a$",
        "\"\\\n\t\u{7f}'`",
        "~{}",
        "${~x~}",
        "//",
        "::set-output name=a::b",
        "é✓𝄞",
        "{{ x }}",
        "#{x}",
        "<<EOF\nEOF\n",
    ];
    let mut keys: serde_json::Map<String, Value> = texts.iter().map(|text| ((*text).to_owned(), json!(text))).collect();
    keys.insert("nested".to_owned(), json!({"list": texts, "null": null, "number": 1.5, "bool": true, "": {"//": "${x}"}}));
    let hostile = Value::Object(keys);

    let main = json!({
        "module": {"plugin": {"source": "./plugin", "in": escape(&hostile)}},
        "output": {"out": {"value": "${module.plugin.out}"}}
    });
    let outputs = terraform.apply(main.to_string().as_bytes(), &json!({}));
    assert_eq!(outputs["out"]["value"], hostile);
}

fn in_folder(folder: &Path, alias: &str) -> crate::domain::record::StateLocation {
    state(backend("local", json!({"path": folder.to_str().unwrap()})), alias)
}

const PRODUCER: &str = r#"
variable "password" {}
variable "tieline" {}
output "endpoint" { value = "${var.tieline.name_prefix}.test" }
output "password" {
  value     = var.password
  sensitive = true
}
"#;

const CONSUMER: &str = r#"
variable "db" {}
resource "terraform_data" "uses" { input = "${var.db.host} ${var.db.password}" }
output "reveals" { value = nonsensitive("${var.db.host} ${var.db.password}") }
output "hidden" { value = issensitive(var.db.password) && !issensitive(var.db.host) }
"#;

#[test]
fn tf_r18_a_secret_goes_from_state_to_state_and_its_revision_says_when_it_changed() {
    let (Some(producer), Some(consumer)) = (Terraform::new(PRODUCER), Terraform::new(CONSUMER)) else { return };
    let states = tempfile::tempdir().unwrap();

    let mut scene = Scene::new(json!({"inputs": {"properties": {"password": {"x-sensitive": true}}}}), PRODUCER);
    scene.state = in_folder(states.path(), "main");
    scene.sensitive_inputs = [input("password")].into();
    scene.outputs = BTreeMap::from([(output("db"), vec![face(&[("host", "endpoint"), ("password", "password")])])]);
    let root = scene.render().unwrap().main;
    let publish = |password: Value| producer.apply(&root, &json!({"tieline_input_password": password}));

    let first = publish(json!("canary-1"));
    assert_eq!(first["tieline_db_public"]["value"]["host"], "staging-shop-a9fdba.test");
    assert_eq!(first["tieline_db_sensitive"]["sensitive"], true);
    assert_eq!(first["tieline_db_present"]["value"], json!({"password": true}));
    assert_eq!(publish(json!("canary-1"))["tieline_db_revision"], first["tieline_db_revision"]);
    let second = publish(json!("canary-2"));
    assert_ne!(second["tieline_db_revision"], first["tieline_db_revision"]);

    let mut scene = Scene::new(json!({"requires": {"db": {"type": "postgres-conn", "sensitive": ["password"]}}}), CONSUMER);
    scene.state = in_folder(states.path(), "consumer");
    let source = SensitiveSource::State { location: in_folder(states.path(), "main"), output: output("db"), face: 0 };
    let bound = BoundSlot {
        attributes: [(attribute("host"), json!("db.test"))].into(),
        sensitive: [(attribute("password"), source)].into(),
        unasked: [].into(),
    };
    scene.slots = BTreeMap::from([(slot("db"), bound)]);
    for (name, value) in [("reveals", json!("db.test canary-2")), ("hidden", json!(true))] {
        scene.outputs.insert(output(name), vec![face(&[("host", name)])]);
        let root = scene.render().unwrap().main;
        assert!(!String::from_utf8_lossy(&root).contains("canary"));
        assert_eq!(consumer.apply(&root, &json!({}))[format!("tieline_{name}_public")]["value"]["host"], value);
    }

    assert_eq!(publish(Value::Null)["tieline_db_present"]["value"], json!({"password": false}));
}

const BUNDLED: &str = r#"
variable "vpc" {}
output "reveals" { value = nonsensitive("${var.vpc.data.infrastructure.arn} ${var.vpc.data.note} ${var.vpc.id}") }
output "hidden" { value = issensitive(var.vpc.data) && issensitive(var.vpc.id) && !issensitive(var.vpc.region) }
"#;

#[test]
fn tf_r18_what_a_mapping_makes_of_a_secret_is_read_from_the_state_and_stays_sensitive() {
    let (Some(producer), Some(consumer)) = (Terraform::new(PRODUCER), Terraform::new(BUNDLED)) else { return };
    let states = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(json!({"inputs": {"properties": {"password": {"x-sensitive": true}}}}), PRODUCER);
    scene.state = in_folder(states.path(), "main");
    scene.sensitive_inputs = [input("password")].into();
    scene.outputs = BTreeMap::from([(output("db"), vec![face(&[("host", "endpoint"), ("password", "password")])])]);
    producer.apply(&scene.render().unwrap().main, &json!({"tieline_input_password": {"deep": {"er": "canary"}}}));

    let mut scene = Scene::new(json!({"requires": {"vpc": {"type": "acme/vpc", "sensitive": ["data"]}}}), BUNDLED);
    scene.state = in_folder(states.path(), "consumer");
    let part = || SensitiveSource::Part {
        of: Box::new(SensitiveSource::State { location: in_folder(states.path(), "main"), output: output("db"), face: 0 }),
        attribute: attribute("password"),
        inside: vec![attribute("deep"), attribute("er")],
    };
    let infrastructure = SensitiveSource::Object([(attribute("arn"), part())].into());
    let note = SensitiveSource::Plain(json!("${x} \"quoted\""));
    let data = SensitiveSource::Object([(attribute("infrastructure"), infrastructure), (attribute("note"), note)].into());
    let bound = BoundSlot {
        attributes: [(attribute("region"), json!("here"))].into(),
        sensitive: [(attribute("data"), data), (attribute("id"), part())].into(),
        unasked: [attribute("id")].into(),
    };
    scene.slots = BTreeMap::from([(slot("vpc"), bound)]);
    for (name, value) in [("reveals", json!("canary ${x} \"quoted\" canary")), ("hidden", json!(true))] {
        scene.outputs.insert(output(name), vec![face(&[("host", name)])]);
        let root = scene.render().unwrap().main;
        assert!(!String::from_utf8_lossy(&root).contains("canary"));
        assert_eq!(consumer.apply(&root, &json!({}))[format!("tieline_{name}_public")]["value"]["host"], value);
    }
}
