//! States that plain Terraform wrote, taken over (R40).

use std::path::Path;
use std::process::Command;

use super::runs;
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

/// A network that somebody made with plain Terraform, in the folder `old`: a resource of its own and a module, some with keys.
const OLD: &str = r#"
terraform {
  backend "local" {
    path = "old.tfstate"
  }
}
resource "terraform_data" "network" { input = { cidr = "10.1.0.0/16" } }
resource "terraform_data" "zones" {
  for_each = toset(["a.b", "c\"d"])
  input    = each.key
}
module "names" {
  source = "./names"
  count  = 2
}
"#;

const NAMES: &str = "resource \"terraform_data\" \"name\" { input = \"n\" }\n";

const PLUGIN: &str = "apiVersion: tieline/v1
kind: Plugin
name: network
version: 1.0.0
inputs: {type: object, required: [cidr], properties: {cidr: {type: string}}}
generates: {out: {type: thing-conn, from: {name: name, secret: secret}}}
terraform: {module: .}
";

/// The same as a plugin.
const MODULE: &str = r#"
variable "cidr" { type = string }
resource "terraform_data" "network" { input = { cidr = var.cidr } }
resource "terraform_data" "zones" {
  for_each = toset(["a.b", "c\"d"])
  input    = each.key
}
module "names" {
  source = "./names"
  count  = 2
}
output "name" { value = "net" }
output "secret" {
  value     = sha256(var.cidr)
  sensitive = true
}
"#;

fn lab() -> Project {
    let project = Project::lab();
    project.write("old/main.tf", OLD);
    project.write("old/names/main.tf", NAMES);
    project.plugin("plugins/network", PLUGIN, MODULE);
    project.write("plugins/network/names/main.tf", NAMES);
    let old = project.path("old");
    terraform(&old, &["init", "-input=false"]);
    terraform(&old, &["apply", "-auto-approve", "-input=false"]);
    project.app("app", "  net: {use: ../plugins/network, inputs: {cidr: 10.1.0.0/16}}\n");
    project
}

fn terraform(folder: &Path, arguments: &[&str]) {
    let output = Command::new("terraform").args(arguments).current_dir(folder).env_remove("TF_CLI_CONFIG_FILE").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn adopt(project: &Project, arguments: &[&str]) -> crate::harness::Ran {
    let ran = project.run(&[&["adopt", "net", "-C", "app", "-e", "staging"], arguments].concat());
    project.verify();
    assert_eq!(project.claims(), "");
    ran
}

/// The ids of all instances of the managed resources in a state.
fn ids(path: &Path) -> Vec<String> {
    let state: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let managed = state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed");
    let ours = |resource: &&serde_json::Value| {
        resource["module"].is_null() && resource["name"].as_str().unwrap().starts_with("tieline_")
    };
    let instances = managed.filter(|resource| !ours(resource)).flat_map(|resource| resource["instances"].as_array().unwrap());
    let mut ids: Vec<String> = instances.map(|one| one["attributes"]["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn tf_r40_a_state_of_plain_terraform_is_adopted() {
    needs_terraform!();
    let project = lab();
    let old = std::fs::read_to_string(project.path("old/old.tfstate")).unwrap();
    let ran = adopt(&project, &["--state", "../old/old.tfstate"]).succeeds();
    ran.says("the state that it came from was left as it is").never_says("10.1.0.0");
    assert_eq!(std::fs::read_to_string(project.path("old/old.tfstate")).unwrap(), old);
    assert_eq!(ids(&project.state_path("lab/staging/app/net")), ids(&project.path("old/old.tfstate")), "nothing was made anew");
    assert_eq!(project.ledger("lab/staging/app/connections/net.out.json")["attributes"]["name"], "net");
    assert_eq!(runs(&project, "lab/staging/app"), ["adopt succeeded"]);

    // From here on it is like any other.
    assert_eq!(tasks(&project.deploy_json("app", &[])), "net: skipped (unchanged)\n");
    assert_eq!(tasks(&project.deploy_json("app", &["--refresh"])), "net: succeeded (no changes)\n");
    adopt(&project, &["--state", "../old/old.tfstate"]).refused("invalid-input").says("is applied already");
}

#[test]
fn tf_r40_a_state_in_a_backend_is_adopted() {
    needs_terraform!();
    let project = lab();
    let path = project.path("old/old.tfstate");
    let backend = format!("{{type: local, config: {{path: {}}}}}", path.display());
    adopt(&project, &["--state-backend", &backend]).succeeds();
    assert_eq!(ids(&project.state_path("lab/staging/app/net")), ids(&path));
}

#[test]
fn tf_r40_a_state_that_would_change_is_adopted_only_if_that_is_approved() {
    needs_terraform!();
    let project = lab();
    project.edit("app/tieline.yaml", "10.1.0.0", "10.2.0.0");
    let ran = adopt(&project, &["--state", "../old/old.tfstate"]).refused("needs-approval");
    assert_shown!(ran.stderr, @r"
    run <id> adopts lab/staging/app
    [net] planned +0 ~1 -0
    [net] skipped (the plan was refused)
    error[needs-approval]: as `net` the state would not stay as it is: 1 resource would change
     --> app/tieline.yaml:6:3
      |
    6 |   net: {use: ../plugins/network, inputs: {cidr: 10.2.0.0/16}}
      |   ^^^
      |
      = note: update terraform_data.network
      = note: plan fingerprint: <fingerprint>
      = help: give the plugin the inputs that what is there was made with, or addresses that it was made under by `terraform.moved` in its document
      = help: if this is wanted, adopt with `--approved-plan <fingerprint>`
    ");
    assert!(!project.state_path("lab/staging/app/net").exists(), "nothing was copied");

    let fingerprint = ran.stderr.split("plan fingerprint: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    // Another change than the approved one.
    project.edit("app/tieline.yaml", "10.2.0.0", "10.3.0.0");
    adopt(&project, &["--state", "../old/old.tfstate", "--approved-plan", &fingerprint]).refused("needs-approval");
    project.edit("app/tieline.yaml", "10.3.0.0", "10.2.0.0");
    adopt(&project, &["--state", "../old/old.tfstate", "--approved-plan", &fingerprint]).succeeds();
    assert_eq!(ids(&project.state_path("lab/staging/app/net")), ids(&project.path("old/old.tfstate")));
    assert_eq!(tasks(&project.deploy_json("app", &[])), "net: skipped (unchanged)\n");
}

#[test]
fn tf_r40_what_cannot_be_adopted_is_refused() {
    needs_terraform!();
    let project = lab();
    let refused = |arguments: &[&str]| {
        let ran = adopt(&project, arguments).refused("invalid-input");
        ran.stderr.lines().find(|line| line.starts_with("error")).unwrap_or_default().to_owned()
    };
    project.write("old/none.tfstate", "{\"canary\": 1}");
    let state = project.read("old/old.tfstate");
    project.write("old/hostile.tfstate", &state.replace("\"name\": \"network\"", "\"name\": \"x\\\" ${file(1)}\""));
    let said = [
        refused(&["--state", "../old/missing.tfstate"]),
        refused(&["--state", "../old/none.tfstate"]),
        refused(&["--state", "../old/hostile.tfstate"]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    error[invalid-input]: cannot read the state `../old/missing.tfstate`: No such file or directory (os error 2)
    error[invalid-input]: the state for `net` cannot be read: it is no Terraform state: line 1, column 13
    error[invalid-input]: `terraform_data.x" ${file(1)}` is not the address of a resource or module
    "#);
    assert!(!project.state_path("lab/staging/app/net").exists());

    // The plugin's own state holds something else.
    std::fs::create_dir_all(project.state_path("lab/staging/app/net").parent().unwrap()).unwrap();
    let other = state.replace("\"lineage\": \"", "\"lineage\": \"other-").replace("\"id\": \"", "\"id\": \"other-");
    std::fs::write(project.state_path("lab/staging/app/net"), &other).unwrap();
    adopt(&project, &["--state", "../old/old.tfstate"]).refused("invalid-input").says("has a Terraform state already");
    assert_eq!(std::fs::read_to_string(project.state_path("lab/staging/app/net")).unwrap(), other);
}

/// Whoever applied it since knows better than the state that it came from.
#[test]
fn tf_r40_what_went_on_from_a_state_is_not_overwritten_by_it() {
    needs_terraform!();
    let project = lab();
    let text = project.read("old/old.tfstate");
    let mut newer: serde_json::Value = serde_json::from_str(&text).unwrap();
    newer["serial"] = (newer["serial"].as_u64().unwrap() + 1).into();
    let path = project.state_path("lab/staging/app/net");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, newer.to_string()).unwrap();
    adopt(&project, &["--state", "../old/old.tfstate"]).refused("invalid-input").says("newer than what would be taken over");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer.to_string());
}

/// The dead run's journal says that it is applied, which nobody could know before the claim.
#[test]
fn tf_r40_an_adoption_that_was_killed_is_not_begun_again_over_what_it_applied() {
    needs_terraform!();
    let mut project = lab();
    project.wrap_terraform("if [ \"$1\" = apply ]; then kill -9 $PPID; exit 1; fi\n");
    let killed = project.run(&["adopt", "net", "-C", "app", "-e", "staging", "--state", "../old/old.tfstate"]);
    assert_eq!(killed.code, -1, "it was not killed: {killed}");
    project.wrap_terraform("");
    let ran = adopt(&project, &["--state", "../old/old.tfstate"]).refused("invalid-input");
    ran.says("`lab/staging/app/net` is applied already").says("where it makes nothing anew, `tieline deploy` goes on");
    assert_eq!(ids(&project.state_path("lab/staging/app/net")), ids(&project.path("old/old.tfstate")));
}

/// A provider that the organization does not allow is no more welcome for having been used before.
#[test]
fn tf_r10_a_state_made_with_a_provider_that_is_not_allowed_is_refused() {
    needs_terraform!();
    let project = lab();
    project.edit_context(
        "context.yaml",
        "kind: Context\n",
        "kind: Context\nceilings: {providers: [\"terraform.io/builtin/*\"]}\n",
    );
    let state = project.read("old/old.tfstate").replace("terraform.io/builtin/terraform", "registry.terraform.io/evil/minds");
    project.write("old/evil.tfstate", &state);
    adopt(&project, &["--state", "../old/evil.tfstate"]).refused("module-denied").says("evil/minds");
}
