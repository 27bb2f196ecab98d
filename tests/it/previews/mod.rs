//! Previews: how they are made, what they see of what they are on top of, and what they never touch.

mod example;
mod making;
mod outside;
mod refusing;
mod thirty;

use serde_json::Value;

use crate::harness::{Project, Ran};

/// What the shop's manifest says of previews.
const PART: &str = "preview:
  base: staging
  ttl: 48h
  url: api.web.url
  plugins: {database: {inputs: {size: micro}}}
";

/// The repository that most previews here are of, by its id.
const SHOP: u64 = 123;

/// A pull request: its repository's id, and its number.
type Of = (u64, u64);

/// The shop on its network, with a preview part in its manifest. It is not deployed anywhere.
fn shop() -> Project {
    let project = Project::shop_with_network();
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + PART));
    project
}

/// `preview <action>` of the manifest in `folder` for a pull request.
fn preview(project: &Project, action: &str, folder: &str, of: Of, arguments: &[&str]) -> Ran {
    let (repository, number) = (of.0.to_string(), of.1.to_string());
    let pull_request = ["--pull-request", &number, "--repository", "acme/shop", "--repository-id", &repository];
    project.run(&[&["preview", action, "-C", folder], &pull_request[..], arguments].concat())
}

/// `preview up` of the shop for a pull request of its repository, which must succeed; the report.
fn up(project: &Project, number: u64) -> Value {
    let ran = preview(project, "up", "shop", (SHOP, number), &["-o", "json"]).succeeds();
    project.verify();
    ran.json()
}

/// What a preview was made from.
fn made_from(project: &Project, name: &str) -> Value {
    project.ledger(&format!("{name}/environment.json"))
}
