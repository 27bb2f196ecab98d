//! What a workflow asks for narrows what the organization allows, and never widens it (R71).

use crate::harness::Project;

fn project(ceilings: &str) -> Project {
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.write_context("context.yaml", &format!("apiVersion: tieline/v1\nkind: Context\nceilings: {ceilings}\n"));
    project
}

#[test]
fn r71_local_exec_is_allowed_by_both_or_not_at_all() {
    let project = project("{}");
    project.write("plugins/thing/more.tf", "data \"external\" \"x\" {\n  program = [\"id\"]\n}\n");
    project.plan_with("app", &["--allow-local-exec"]).refused("ceiling").says("`ceilings.local-exec`");
    project.write_context("context.yaml", "apiVersion: tieline/v1\nkind: Context\nceilings: {local-exec: true}\n");
    project.plan("app").refused("local-exec-denied").says("the input `allow-local-exec`");
}

#[test]
fn r71_a_provider_that_starts_a_program_is_one() {
    let project = project("{}");
    project.write("plugins/thing/more.tf", "provider \"kubernetes\" {\n  exec {\n    command = \"id\"\n  }\n}\n");
    project.plan("app").refused("local-exec-denied").says("`exec` of the provider `kubernetes`").says("plugins/thing/more.tf:1");
}

#[test]
fn r71_allowed_modules_lie_within_the_ceiling() {
    let project = project("{modules: [\"./\", \"github.com/acme\"]}");
    project.write("plugins/thing/more.tf", "module \"x\" {\n  source = \"github.com/acmeevil/x\"\n}\n");
    project.plan("app").refused("module-denied");
    for outside in ["github.com/", "github.com/acmeevil/", "github.com/acme/../acmeevil/", "git::https://github.com/acme/", "*"] {
        project.plan_with("app", &["--allowed-modules", outside]).refused("ceiling").says("the context's ceiling does not allow");
    }
    // Fewer than the ceiling allows.
    project.write("plugins/thing/more.tf", "module \"x\" {\n  source = \"github.com/acme/x\"\n}\n");
    project.plan_with("app", &["--allowed-modules", "github.com/acme/y"]).refused("module-denied");
    project.plan_with("app", &["--allowed-modules", "./"]).refused("module-denied");
}

#[test]
fn r71_no_input_says_which_providers_there_may_be() {
    let project = project("{providers: [\"hashicorp/aws\"]}");
    project.write("plugins/thing/more.tf", "provider \"random\" {}\n");
    project.plan("app").refused("module-denied").says("the provider `hashicorp/random`");
    let help = project.run(&["plan", "--help"]).succeeds().stdout;
    assert!(!help.contains("--allow-providers") && !help.contains("--allowed-providers"), "{help}");
}

#[test]
fn r71_no_limit_and_no_rule_has_a_switch() {
    let project = project("{}");
    project.write_context("policies/a.rego", "package tieline.deployment\n\ndeny contains \"no\"\n");
    let all = ["--allow-destroy", "--allow-degraded", "--refresh", "--reason", "because", "--approved-plan", "x"];
    project.deploy_with("app", &all).refused("policy-denied");
}
