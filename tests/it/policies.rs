//! The organization's rules in Rego: asked before anything is touched and after each plan; what they forbid is not done.

use std::collections::BTreeSet;

use serde_json::json;
use tieline::policy::rules::{Rules, Stage};

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
    assert_shown!(ran.stderr, @"
    error[policy-denied]: `a`: a policy forbids it: size 3 is more than 2
     --> app/tieline.yaml:6:3
      |
    6 |   a: {use: ../plugins/thing, inputs: {size: 3}}
      |   ^
      |
      = note: rule `deny` at context:policies/rules.rego:5
      = help: change what it forbids, or ask those who own the policy in the context repository

    warning[policy-denied]: a policy warns: this is the lab
     --> app/tieline.yaml:5:1
      |
    5 | plugins:
      | ^^^^^^^
      |
      = note: rule `warn` at context:policies/rules.rego:11
    ");
    assert!(project.ledger_paths().is_empty(), "nothing was begun");
    // A plan says what would be refused, and goes on.
    let plan = project.plan("app").succeeds();
    plan.says("warning[policy-denied]: `a`: a policy forbids it: size 3 is more than 2").says("2 to add");
    project.edit("app/tieline.yaml", "size: 3", "size: 2");
    project.deploy("app").succeeds().says("a policy warns: this is the lab");
}

#[test]
fn tf_what_a_rule_forbids_of_a_plan_is_not_applied() {
    needs_terraform!();
    let project = ruled_by(PLANNED);
    let plan = project.plan("app").succeeds();
    assert_shown!(plan.stderr, @"
    [a] planned +2 ~0 -0
    warning: the plan of `a`: a policy warns: it makes something
    warning[policy-denied]: the plan of `a`: a policy forbids it: module.plugin.terraform_data.base has size 3
     --> app/tieline.yaml:6:3
      |
    6 |   a: {use: ../plugins/thing, inputs: {size: 3}}
      |   ^
      |
      = note: rule `deny` at context:policies/rules.rego:3
      = help: change what it forbids, or ask those who own the policy in the context repository

    warning[policy-denied]: the plan of `a`: a policy forbids it: module.plugin.terraform_data.top has size 3
     --> app/tieline.yaml:6:3
      |
    6 |   a: {use: ../plugins/thing, inputs: {size: 3}}
      |   ^
      |
      = note: rule `deny` at context:policies/rules.rego:3
      = help: change what it forbids, or ask those who own the policy in the context repository
    ");
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
    assert_eq!(project.terraform_starts(), ["init", "plan", "apply"]);
    project.write_context("policies/plan.rego", "package tieline.plan\n\ndeny contains \"never\" if false\n");
    project.edit("app/tieline.yaml", "size: 3", "size: 4");
    project.deploy("app").succeeds();
    assert_eq!(project.terraform_starts(), ["init", "plan", "show", "apply"]);
    project.deploy("app").succeeds();
    assert_eq!(project.terraform_starts(), Vec::<String>::new());
}

#[test]
fn a_policy_that_cannot_be_asked_refuses_everything() {
    let project = ruled_by("package tieline.plan\n\ndeny contains \"x\" if { http.send({}) }\n");
    let ran = project.deploy("app").refused("invalid-document");
    assert_shown!(ran.stderr, @r#"
    error[invalid-document]: there is no function `http.send`
     --> context:policies/rules.rego:3:33
      |
    3 | deny contains "x" if { http.send({}) }
      |                                 ^^
      |
      = note: there is none that reaches a network, a clock, a random source or the surroundings of the run
      = help: docs/policies.md lists the functions that there are
    "#);
    project.plan("app").refused("invalid-document");
    // Who asks no rule goes on.
    project.run(&["drift", "-w", "lab", "-e", "staging"]).succeeds();
    project.run(&["status", "-w", "lab"]).succeeds();
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

#[test]
fn tf_runs_per_hour_hold_up_what_is_made_and_nothing_else() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context("workspaces/lab/workspace.yaml", "grants: []", "limits: {runs-per-hour: 2}");
    project.write_context("context.yaml", "apiVersion: tieline/v1\nkind: Context\nlimits: {runs-per-hour: 100}\n");
    for name in ["one", "two", "three"] {
        project.app(name, "  a: {use: ../plugins/thing}\n");
    }
    project.deploy("one").succeeds();
    project.deploy("two").succeeds();
    let ran = project.deploy("three").refused("limit-exceeded");
    assert_shown!(ran.stderr, @"
    error[limit-exceeded]: 2 runs began in the workspace `lab` in the last hour; `runs-per-hour` allows 2
     --> context:workspaces/lab/workspace.yaml:4:25
      |
    4 | limits: {runs-per-hour: 2}
      |                         ^
      |
      = note: it never holds up a destroy, a preview that goes down, a plan or a look at drift
      = help: start it after <time>, or ask for a higher limit
    ");
    // The strictest holds, and each that is reached is told.
    project.write_context("context.yaml", "apiVersion: tieline/v1\nkind: Context\nlimits: {runs-per-hour: 1}\n");
    project.deploy("three").refused("limit-exceeded").says("`runs-per-hour` allows 2").says("`runs-per-hour` allows 1");
    project.plan("three").succeeds();
    project.run(&["destroy", "-C", "one", "-e", "staging"]).succeeds();
}

#[test]
fn tf_runs_per_hour_count_runs_in_progress_and_not_those_of_long_ago() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context("workspaces/lab/workspace.yaml", "grants: []", "limits: {runs-per-hour: 1}");
    project.app("one", "  a: {use: ../plugins/thing}\n");
    project.app("two", "  a: {use: ../plugins/thing}\n");
    project.deploy("one").succeeds();
    project.deploy("two").refused("limit-exceeded");
    // As if it had been two hours ago: the time of a run stands in its id.
    let path = project.ledger_paths().into_iter().find(|path| path.contains("/one/runs/")).unwrap();
    let (folder, id) = path.rsplit_once('/').unwrap();
    let old = format!("01ARZ3NDEK{}", &id[10..]);
    project.forge(
        &format!("{folder}/{old}"),
        &project.ledger_text(&path).replace(id.trim_end_matches(".json"), old.trim_end_matches(".json")),
    );
    project.unforge(&path);
    let mut project = project;
    let inner = format!("{} >&2 || true\n", project.shell_line(&["deploy", "-C", "one", "-e", "staging"]).trim_end());
    project.meanwhile("apply", &inner);
    project.run(&["deploy", "-C", "two", "-e", "staging"]).succeeds();
    assert!(project.said_meanwhile().contains("1 run began in the workspace `lab`"), "{}", project.said_meanwhile());
}

#[test]
fn the_documentation_lists_the_functions_that_there_are() {
    let page = crate::generated::read("docs/policies.md");
    let listed = page.split_once("<!-- functions -->\n\n").unwrap().1.split_once("\n\n").unwrap().0;
    let listed: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    let hidden = |name: &&str| name.starts_with("__");
    assert_eq!(listed, regorus::unstable::BUILTINS.keys().copied().filter(|name| !hidden(name)).collect());
}

/// What the example's policies say of an input: `deny` and `warn` messages of a stage.
fn example(stage: Stage, input: &serde_json::Value) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/context-repository/policies");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
    });
    let found = Rules::parse(&files.collect()).unwrap().judge(stage, input);
    found.into_iter().map(|finding| finding.message).collect()
}

#[test]
fn the_rules_of_the_example_say_what_they_mean() {
    let deployment = |source: &str, protected: bool| {
        let plugins = json!({"a": {"source": source}});
        example(Stage::Deployment, &json!({"deployment": {"protected": protected, "plugins": plugins}}))
    };
    for ours in ["github:acme/plugins//web@1.0.0", "./plugins/web", "../plugins/web", "web@^1"] {
        assert_eq!(deployment(ours, false), Vec::<String>::new(), "{ours}");
    }
    for others in ["github:acme-evil/plugins//web@1.0.0", "git::https://example.test/x", "github:other/x@1"] {
        assert!(deployment(others, false)[0].contains("is not one of ours"), "{others}");
    }
    assert!(deployment("./plugins/web", true)[0].contains("is a folder"));

    let plan = |actor: &str, kind: &str, actions: &[&str], after: serde_json::Value| {
        let change = json!({"address": "module.plugin.x.y", "mode": "managed", "type": kind, "change": {"actions": actions, "after": after}});
        let input = json!({
            "run": {"actor": actor}, "deployment": {"preview": false}, "plan": {"resource_changes": [change]},
        });
        example(Stage::Plan, &input)
    };
    let block = |on: bool| json!({"block_public_acls": true, "block_public_policy": on, "ignore_public_acls": true, "restrict_public_buckets": true});
    assert!(plan("eve", "aws_s3_bucket_public_access_block", &["create"], block(true)).is_empty());
    assert_eq!(
        plan("eve", "aws_s3_bucket_public_access_block", &["update"], block(false)),
        ["module.plugin.x.y: `block_public_policy` has to be on, buckets are not public here"]
    );
    assert_eq!(plan("eve", "aws_db_instance", &["create"], json!({"backup_retention_period": 1})).len(), 2);
    assert!(plan("eve", "aws_db_instance", &["delete"], json!(null))[0].contains("ask the platform team"));
    assert!(plan("ana", "aws_db_instance", &["delete"], json!(null)).is_empty());
    assert!(plan("eve", "aws_instance", &["delete"], json!(null)).is_empty());
}
