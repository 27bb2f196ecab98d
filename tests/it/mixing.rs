//! Plugins that were not written for one another: a type of one shape serves slots of another by a mapping of the catalog (R8, R9).

use serde_json::{Value, json};

use crate::harness::{Project, needs_terraform, tasks};

const CATALOG: &str = "catalog.yaml";
const WORKSPACE: &str = "workspaces/lab/workspace.yaml";
const NET: &str = "lab/staging/net";
const APP: &str = "lab/staging/app";

const MAPPINGS: &str = r"apiVersion: tieline/v1
kind: Catalog
type-mappings:
  - {from: acme/vpc, to: vpc-conn, attributes: {id: data.infrastructure.id, region: specs.region, key: data.auth.key}}
  - {from: vpc-conn, to: acme/vpc, attributes: {data: {infrastructure: {id: id}, auth: {key: key}}, specs: {region: region}}}
";

/// Two networks, in `net`: one as `acme/vpc`, all in one sensitive object, and one as `vpc-conn`. In `app` each is taken as the other.
fn mixed(grants: &str, mappings: &str) -> Project {
    let project = Project::lab();
    let type_of = |name: &str, version: &str, attributes: &str| {
        let text = format!(
            "apiVersion: tieline/v1\nkind: ConnectionInterfaceType\nname: {name}\nversion: {version}\nattributes: {{type: object, {attributes}}}\n"
        );
        project.write(&format!("context/types/{name}/{version}.yaml"), &text);
    };
    type_of(
        "vpc-conn",
        "1.0.0",
        "required: [id], properties: {id: {type: string}, region: {type: string}, key: {type: string, x-sensitive: true}}",
    );
    type_of(
        "acme/vpc",
        "1.0.0",
        "required: [data, specs], properties: {data: {type: object, x-sensitive: true}, specs: {type: object}}",
    );
    project.write(&format!("context/{CATALOG}"), mappings);
    project.edit_context(WORKSPACE, "grants: []", grants);
    let plugin = |name: &str, contract: &str, module: &str| {
        let head = format!("apiVersion: tieline/v1\nkind: Plugin\nname: {name}\nversion: 1.0.0\nterraform: {{module: .}}\n");
        project.plugin(&format!("plugins/{name}"), &format!("{head}{contract}\n"), module);
    };
    plugin(
        "bundle",
        "generates: {vpc: {type: acme/vpc, from: {data: data, specs: specs}}}",
        r#"resource "terraform_data" "vpc" {}
output "data" {
  value     = { infrastructure = { id = "bundle-id" }, auth = { key = "bundle-canary" } }
  sensitive = true
}
output "specs" { value = { region = "there" } }
"#,
    );
    plugin(
        "flat",
        "generates: {vpc: {type: vpc-conn, from: {id: id, region: region, key: key}}}",
        r#"resource "terraform_data" "vpc" {}
output "id" { value = "flat-id" }
output "region" { value = "here" }
output "key" {
  value     = "flat-canary"
  sensitive = true
}
"#,
    );
    plugin(
        "takes-flat",
        "requires: {vpc: {type: vpc-conn, sensitive: [key]}}",
        r#"variable "vpc" { type = object({ id = string, region = string, key = string }) }
resource "terraform_data" "seen" {
  input = { id = var.vpc.id, region = var.vpc.region, key = var.vpc.key }
}
"#,
    );
    plugin(
        "takes-bundle",
        "requires: {vpc: {type: acme/vpc, sensitive: [data]}}",
        r#"variable "vpc" {
  type = object({
    data  = object({ infrastructure = object({ id = string }), auth = object({ key = string }) })
    specs = object({ region = string })
  })
}
resource "terraform_data" "seen" {
  input = { id = var.vpc.data.infrastructure.id, region = var.vpc.specs.region, key = var.vpc.data.auth.key }
}
"#,
    );
    project.app("net", "  bundle: {use: ../plugins/bundle}\n  flat: {use: ../plugins/flat}\n");
    project.app(
        "app",
        r"  flat: {use: ../plugins/takes-flat, connections: {vpc: lab/staging/net/bundle.vpc}}
  bundle: {use: ../plugins/takes-bundle, connections: {vpc: lab/staging/net/flat.vpc}}
",
    );
    project.deploy("net").succeeds();
    project
}

fn granting(allow: &str) -> String {
    format!("grants: [{{connection: '*/*/*', to: ['lab/*/*'], allow: [{allow}]}}]")
}

/// What an applied plugin saw of its connection.
fn seen(project: &Project, alias: &str) -> Value {
    let state: Value = serde_json::from_slice(&std::fs::read(project.state_path(&format!("{APP}/{alias}"))).unwrap()).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let seen = resources.iter().find(|resource| resource["name"] == "seen").unwrap();
    seen["instances"][0]["attributes"]["input"]["value"].clone()
}

fn assert_seen(project: &Project) {
    assert_eq!(seen(project, "flat"), json!({"id": "bundle-id", "region": "there", "key": "bundle-canary"}));
    assert_eq!(seen(project, "bundle"), json!({"id": "flat-id", "region": "here", "key": "flat-canary"}));
}

#[test]
fn tf_r8_each_shape_serves_the_other_and_no_secret_is_in_the_ledger() {
    needs_terraform!();
    let project = mixed(&granting("use, read-sensitive"), MAPPINGS);
    project.deploy("app").succeeds().never_says("canary");
    assert_seen(&project);
    for path in project.ledger_paths() {
        assert!(!project.ledger_text(&path).contains("canary"), "{path}");
    }
    let flat = project.ledger(&format!("{APP}/applied/flat.json"))["bindings"]["vpc"].clone();
    assert_eq!((&flat["type"], &flat["attributes"]), (&json!("acme/vpc"), &json!({"region": "there"})));
    assert_eq!(flat["sensitive"], json!(["id", "key"]), "what is sensitive where it comes from is so wherever it goes");

    let again = project.deploy_json("app", &[]);
    assert_eq!(tasks(&again), "bundle: skipped (unchanged)\nflat: skipped (unchanged)\n");
    project.edit_context(CATALOG, "region: specs.region, ", "");
    project.deploy("app").fails(2, "plan-failed");
    project.edit_context(CATALOG, "id: data.infrastructure.id", "id: specs.region, region: specs.region");
    project.deploy("app").succeeds();
    assert_eq!(seen(&project, "flat")["id"], "there", "another mapping is another apply");
}

#[test]
fn tf_r8_links_are_mapped_as_well() {
    needs_terraform!();
    let project = mixed("grants: []", MAPPINGS);
    project.app(
        "app",
        r"  a: {use: ../plugins/bundle}
  b: {use: ../plugins/flat}
  flat: {use: ../plugins/takes-flat, connections: {vpc: a.vpc}}
  bundle: {use: ../plugins/takes-bundle, connections: {vpc: b.vpc}}
",
    );
    project.deploy("app").succeeds();
    assert_seen(&project);

    project.edit_context(CATALOG, "id: data.infrastructure.id", "id: specs.name");
    let refused = project.deploy("app").refused("contract-mismatch");
    refused.says("the mapping of `acme/vpc` to `vpc-conn` makes `id` of `specs.name`, and there is no such value");
}

#[test]
fn tf_r32_a_destroy_needs_neither_the_catalog_nor_the_types() {
    needs_terraform!();
    let project = mixed(&granting("use, read-sensitive"), MAPPINGS);
    project.deploy("app").succeeds();
    std::fs::remove_file(project.path(&format!("context/{CATALOG}"))).unwrap();
    std::fs::remove_dir_all(project.path("context/types")).unwrap();
    project.init_context();
    project.destroy(APP).succeeds().never_says("stands in for");
    project.is_gone(APP, &["flat", "bundle"]);
}

#[test]
fn tf_r32_what_is_made_of_a_state_that_is_gone_has_something_to_stand_in_for_it() {
    needs_terraform!();
    let project = mixed(&granting("use, read-sensitive"), MAPPINGS);
    // What stands in for an object has what the type says that it must have.
    project.edit_context(
        "types/acme/vpc/1.0.0.yaml",
        "data: {type: object, ",
        "data: {type: object, required: [infrastructure, auth], properties: {infrastructure: {type: object, required: [id], properties: {id: {type: string}}}, auth: {type: object, required: [key], properties: {key: {type: string}}}}, ",
    );
    project.deploy("app").succeeds();
    for alias in ["bundle", "flat"] {
        std::fs::remove_file(project.state_path(&format!("{NET}/{alias}"))).unwrap();
    }
    let ran = project.destroy(APP).succeeds();
    ran.says("`bundle` is destroyed with something that stands in for `bundle.vpc.data`").says("`flat.vpc.id`, `flat.vpc.key`");
    project.is_gone(APP, &["flat", "bundle"]);
}

#[test]
fn tf_r9_what_a_mapping_does_not_give_is_refused_before_anything_starts() {
    needs_terraform!();
    let project = mixed(&granting("use, read-sensitive"), &MAPPINGS.replace(", specs: {region: region}", ""));
    let refused = project.deploy("app").refused("contract-mismatch");
    refused
        .says("slot `bundle.vpc` cannot take `lab/staging/net/flat.vpc`")
        .says("the mapping of `vpc-conn` to `acme/vpc` gives no `specs`, which `acme/vpc` 1.0.0 requires");
    project.write_context(CATALOG, "apiVersion: tieline/v1\nkind: Catalog\n");
    project.deploy("app").refused("contract-mismatch").says("it needs a `acme/vpc`, and that is a `vpc-conn` 1.0.0");
}

#[test]
fn tf_r43_what_is_sensitive_only_where_it_comes_from_needs_the_grant_to_read_it() {
    needs_terraform!();
    let project = mixed(&granting("use"), MAPPINGS);
    project.edit("plugins/takes-flat/plugin.yaml", ", sensitive: [key]", "");
    project.app("app", "  flat: {use: ../plugins/takes-flat, connections: {vpc: lab/staging/net/bundle.vpc}}\n");
    project.deploy("app").refused("grant-denied").says("may not read the sensitive attributes of `lab/staging/net/bundle.vpc`");
}
