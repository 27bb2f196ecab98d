//! What a plan tells of those who are bound elsewhere, before anything happens to them.

use serde_json::json;

use crate::harness::{Project, assert_shown, needs_terraform, verdicts};

/// A shared `d` of the lab with two consumers elsewhere: `plain` takes what is public, `reader` also its secret.
fn shared_thing(rest: &str) -> Project {
    let project = Project::lab();
    reader(&project);
    shared(&project, &format!("{{name: one}}}}\n{rest}"));
    project.deploy("shared").succeeds();
    project.app("plain", "  p: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.app("reader", "  r: {use: ../plugins/reader, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.deploy("plain").succeeds();
    project.deploy("reader").succeeds();
    project
}

/// Writes the manifest of the shared thing, from its inputs on.
fn shared(project: &Project, inputs: &str) {
    project.app("shared", &format!("  d: {{use: ../plugins/thing, inputs: {inputs}"));
    project.edit("shared/tieline.yaml", "kind: Application", "kind: SharedInfra");
}

/// A plugin that takes the secret of a thing.
fn reader(project: &Project) {
    project.plugin(
        "plugins/reader",
        r"apiVersion: tieline/v1
kind: Plugin
name: reader
version: 1.0.0
requires:
  upstream: {type: thing-conn, sensitive: [secret]}
terraform: {module: .}
",
        r#"variable "upstream" { type = object({ name = string, secret = string }) }
resource "terraform_data" "reader" {
  input = sha256(var.upstream.secret)
}
"#,
    );
}

#[test]
fn tf_r20_a_plan_names_the_consumers_in_other_workspaces() {
    needs_terraform!();
    let project = Project::deployed_shop();
    assert_eq!(project.plan_json("network")["impact"], json!({}), "nothing changes");
    project.edit("network/tieline.yaml", "plugins/network}", "plugins/network, inputs: {cidr: 10.1.0.0/16}}");

    assert_shown!(project.plan("network").succeeds().stdout, @r#"
    Plan for platform/staging/network

    vpc: +0 ~1 -0
      ~ update terraform_data.network

    0 to add, 1 to change, 0 to destroy.

    platform/staging/network/vpc.vpc may change
      cidr: "10.0.0.0/16" -> (known after apply)
      region: "sa-east-1" -> (known after apply)
      for retail/staging/shop/database.network, which uses cidr, region

    Fingerprint: <fingerprint>
    "#);

    assert_eq!(
        project.plan_json("network")["impact"],
        json!({"platform/staging/network/vpc.vpc": {
            "effect": "changes",
            "attributes": [
                {"path": "cidr", "before": {"json": "\"10.0.0.0/16\""}, "after": "unknown"},
                {"path": "region", "before": {"json": "\"sa-east-1\""}, "after": "unknown"},
            ],
            "lost": [],
            "consumers": [{"consumer": "retail/staging/shop/database.network", "attributes": ["cidr", "region"]}],
            "others": 0,
        }})
    );
}

#[test]
fn tf_r20_a_rotated_secret_concerns_those_who_take_it_and_is_not_shown() {
    needs_terraform!();
    let project = shared_thing("");
    shared(&project, "{name: one, seed: two}}\n");

    let ran = project.plan("shared").succeeds();

    // The digests of both seeds, which are the secrets.
    let ran = ran.never_says("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    let ran = ran.never_says("3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");
    assert_shown!(ran.stdout, @r"
    Plan for lab/staging/shared

    d: +0 ~0 -0
      only outputs

    0 to add, 0 to change, 0 to destroy.

    lab/staging/shared/d.out would change
      secret: (sensitive), rotated
      for lab/staging/reader/r.upstream, which uses secret
      1 more consumer uses nothing of what changes

    Fingerprint: <fingerprint>
    ");
}

#[test]
fn tf_r20_a_known_value_is_shown_and_a_secret_inside_it_is_not() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.edit("plugins/network/main.tf", "terraform_data.network.output.region", "var.region");
    project.deploy("network").succeeds();
    project.deploy("shop").succeeds();
    project.edit(
        "plugins/network/plugin.yaml",
        "region: {type: string, default: sa-east-1}",
        "region: {type: string, default: sa-east-1}\n    token: {type: string, x-sensitive: true}",
    );
    project.edit("plugins/network/main.tf", "variable \"cidr\"", "variable \"token\" { type = string }\nvariable \"cidr\"");
    project.set("TIELINE_SECRETS", "{vpc.token: canary-4711}");
    project.edit(
        "network/tieline.yaml",
        "plugins/network}",
        "plugins/network, inputs: {region: '::warning::of canary-4711 ##[x]'}}",
    );

    let ran = project.plan("network").succeeds().never_says("canary").never_says("##[x]");

    // Its own token counts among the secrets; what stands in another value is taken out of it.
    ran.says(r#"region: "sa-east-1" -> "::warning::of *** #\#[x]""#);
}

#[test]
fn tf_r29_what_is_replaced_or_goes_concerns_everybody() {
    needs_terraform!();
    let project = shared_thing("");
    shared(&project, "{name: one, shape: flat}}\n");
    assert_shown!(project.plan("shared").succeeds().stdout, @r#"
    Plan for lab/staging/shared

    d: +1 ~1 -1
      -/+ replace terraform_data.base
      ~ update terraform_data.top

    1 to add, 1 to change, 1 to destroy.

    lab/staging/shared/d.out would be replaced, or a part of it
      name: "one" -> (known after apply)
      behind it: replace terraform_data.base
      for lab/staging/plain/p.upstream, which uses name
      for lab/staging/reader/r.upstream, which uses name

    Fingerprint: <fingerprint>
    "#);

    shared(&project, "{name: one}}\n");
    project.edit("shared/tieline.yaml", "  d: ", "  other: ");
    assert_shown!(project.plan("shared").succeeds().stdout, @r"
    Plan for lab/staging/shared

    d (no longer in the manifest): +0 ~0 -2
      - delete terraform_data.base
      - delete terraform_data.top
    other: +2 ~0 -0
      + create terraform_data.base
      + create terraform_data.top

    2 to add, 0 to change, 2 to destroy.

    lab/staging/shared/d.out would go
      for lab/staging/plain/p.upstream, which uses name
      for lab/staging/reader/r.upstream, which uses name, secret

    Fingerprint: <fingerprint>
    ");
}

#[test]
fn tf_r25_what_waits_for_its_own_producer_is_not_known() {
    needs_terraform!();
    let second = "  e: {use: ../plugins/thing, connections: {upstream: d.out}}\n";
    let project = shared_thing(second);
    project.app("third", "  t: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/e.out}}\n");
    project.deploy("third").succeeds();
    shared(&project, &format!("{{name: two}}}}\n{second}"));

    let planned = project.plan_json("shared");

    assert_eq!(verdicts(&planned), "d: changes\ne: deferred\n");
    let impact = &planned["impact"]["lab/staging/shared/e.out"];
    assert_eq!(
        (&impact["effect"], &impact["consumers"][0]["consumer"]),
        (&json!("unknown"), &json!("lab/staging/third/t.upstream"))
    );
}
