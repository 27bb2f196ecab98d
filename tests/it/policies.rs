//! The organization's rules in Rego: asked before anything is touched and after each plan; what they forbid is not done.

use crate::harness::{Project, assert_shown, needs_terraform, tasks};

/// A deployable `app` with one thing, `a`, and this policy.
fn ruled_by(policy: &str) -> Project {
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 3}}\n");
    project.write_context("policies/rules.rego", policy);
    project
}

const SMALL: &str = r#"package tieline.deployment

import rego.v1

deny contains {"msg": msg, "alias": alias} if {
	some alias, plugin in input.deployment.plugins
	plugin.inputs.size > 2
	msg := sprintf("size %v is more than 2", [plugin.inputs.size])
}

warn contains "this is the lab" if input.deployment.workspace == "lab"
"#;

const PLANNED: &str = r#"package tieline.plan

deny contains msg if {
	some resource in input.plan.resource_changes
	resource.change.after.input.size > 2
	msg := sprintf("%s has size %v", [resource.address, resource.change.after.input.size])
}

deny contains "what is in the lab stays there" if {
	input.task == "destroy"
	input.run.actor != "root"
}

warn contains "it makes something" if {
	some resource in input.plan.resource_changes
	"create" in resource.change.actions
}
"#;

#[test]
fn tf_what_a_rule_forbids_of_a_deployment_is_not_begun() {
    needs_terraform!();
    let project = ruled_by(SMALL);
    let ran = project.deploy("app").refused("policy-denied");
    assert_shown!(ran.stderr, @r#""#);
    assert!(project.ledger_paths().is_empty(), "nothing was begun");
    // A plan says what would be refused, and goes on.
    let plan = project.plan("app").succeeds();
    plan.says("warning[policy-denied]: `a`: a policy forbids it: size 3 is more than 2").says("3 to add");
    project.edit("app/tieline.yaml", "size: 3", "size: 2");
    project.deploy("app").succeeds().says("a policy warns: this is the lab");
}

#[test]
fn tf_what_a_rule_forbids_of_a_plan_is_not_applied() {
    needs_terraform!();
    let project = ruled_by(PLANNED);
    let plan = project.plan("app").succeeds();
    assert_shown!(plan.stderr, @r#""#);
    let ran = project.deploy("app").refused("policy-denied").says("has size 3");
    ran.says("it makes something");
    assert!(project.state_resources("lab/staging/app/a").is_empty());
    // What a person approved is not above the rules.
    let fingerprint = project.plan_json("app")["fingerprint"].as_str().unwrap().to_owned();
    project.deploy_with("app", &["--approved-plan", &fingerprint]).refused("policy-denied");
    project.edit("app/tieline.yaml", "size: 3", "size: 2");
    project.deploy("app").succeeds();
    // What goes is judged as well, whichever way it goes.
    let destroy = ["destroy", "-C", "app", "-e", "staging"];
    project.run(&destroy).refused("policy-denied").says("what is in the lab stays there");
    project.run(&["plan", "-C", "app", "-e", "staging", "--for", "destroy"]).succeeds().says("what is in the lab stays there");
    project.app("app", "  b: {use: ../plugins/thing}\n");
    let report = project.deploy_with("app", &["-o", "json", "--allow-destroy"]).refused("policy-denied").json();
    assert_eq!(
        tasks(&report).lines().next().unwrap(),
        "a: failed (the destroy of `a`: a policy forbids it: what is in the lab stays there)"
    );
    let mut project = project;
    project.set("USER", "root");
    project.run(&destroy).succeeds();
}

#[test]
fn tf_rules_see_no_secret() {
    needs_terraform!();
    let mut project = ruled_by(
        "package tieline.plan\n\nwarn contains substring(json.marshal(input), 900 * i, 900) if some i in numbers.range(0, 30)\n",
    );
    project.edit("plugins/thing/plugin.yaml", "    broken:", "    token: {type: string, x-sensitive: true}\n    broken:");
    let module = "variable \"token\" {\n  type = string\n  default = \"none\"\n}\nresource \"terraform_data\" \"token\" { input = { token = var.token, again = nonsensitive(\"a ${var.token}\") } }\n";
    project.write("plugins/thing/token.tf", module);
    project.set("TIELINE_SECRETS", "{a.token: canary-1}");
    let ran = project.deploy("app").succeeds().never_says("canary-1");
    ran.says("(sensitive)").says("terraform_data.token");
}

#[test]
fn tf_without_rules_about_plans_terraform_is_not_asked_more() {
    needs_terraform!();
    let mut project = ruled_by("package tieline.deployment\n\ndeny contains \"never\" if false\n");
    project.count_terraform();
    project.deploy("app").succeeds();
    assert_eq!(project.terraform_starts(), ["init", "plan", "apply", "output"]);
    project.write_context("policies/plan.rego", "package tieline.plan\n\ndeny contains \"never\" if false\n");
    project.edit("app/tieline.yaml", "size: 3", "size: 4");
    project.deploy("app").succeeds();
    assert_eq!(project.terraform_starts(), ["init", "plan", "show", "apply", "output"]);
    project.deploy("app").succeeds();
    assert_eq!(project.terraform_starts(), Vec::<String>::new());
}

#[test]
fn a_policy_that_cannot_be_asked_refuses_everything() {
    let project = ruled_by("package tieline.plan\n\ndeny contains \"x\" if { http.send({}) }\n");
    let ran = project.deploy("app").refused("invalid-document");
    assert_shown!(ran.stderr, @r#""#);
    project.plan("app").refused("invalid-document");
    project.write_context(
        "policies/rules.rego",
        "package tieline.deployment\n\ndeny contains \"x\" if to_number(input.deployment.workspace) > 1\n",
    );
    let ran = project.deploy("app").refused("policy-denied");
    ran.says("the policy `context:policies/rules.rego` cannot be asked").says("rules.rego:3");
}

#[test]
fn a_review_reads_the_policies() {
    let project = ruled_by(SMALL);
    let review = || project.run(&["context", "review", "--from", "context"]);
    project.write(
        "context/policies/more.rego",
        "package tieline.plan\n\nimport data.lib.bucket\n\ndeny contains \"x\" if bucket.is_public(input)\n",
    );
    let ran = review().refused("invalid-document");
    ran.says("there is no function `lib.bucket.is_public`").says("context/policies/more.rego:5");
    project.write("context/policies/lib/bucket.rego", "package lib.bucket\n\nis_public(x) if x.acl == \"public\"\n");
    project.write("context/policies/lib/bucket_test.rego", "package lib.bucket_test\n\ntest_it if data.lib.nowhere(1)\n");
    project.write("context/policies/README.md", "For people.\n");
    review().succeeds().says("the policy `policies/more.rego` is new");
}
