//! What is seen, and what cannot be.

use serde_json::json;

use crate::harness::{Project, assert_shown, needs_terraform};

#[test]
fn tf_drift_of_what_is_as_it_was_applied_is_nothing() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let states = ["api", "database"].map(|alias| project.state_path(&format!("retail/staging/shop/{alias}")));
    let before = states.each_ref().map(|state| std::fs::read(state).unwrap());
    for folder in ["shop", "network", "plugins"] {
        std::fs::remove_dir_all(project.path(folder)).unwrap();
    }
    project.count_terraform();
    let ran = project.drift(&[]).succeeds();
    assert_shown!(ran.stdout, @"
    What changed outside of Terraform in retail/staging

    shop
      api: as it was applied
      database: as it was applied

    Nothing changed outside of Terraform.
    ");
    let mut starts = project.terraform_starts();
    starts.sort();
    assert_eq!(starts, ["init", "init", "plan", "plan"], "neither an apply nor anything else that writes");
    assert_eq!(before, states.map(|state| std::fs::read(state).unwrap()));
}

#[test]
fn tf_drift_is_what_changed_and_what_is_gone_without_secrets() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let change = json!({
        "actions": ["update"],
        "before": {"size": "small", "password": "canary-old", "tags": {"a": "1"}},
        "after": {"size": "::error::large", "password": "canary-new", "copy": "canary-new", "tags": {}},
        "before_sensitive": {"password": true}, "after_sensitive": {"password": true},
    });
    let gone = json!({"actions": ["delete"], "before": {"size": "small"}, "after": null});
    project.has_drifted("database", &[("terraform_data.a", "update", change), ("terraform_data.b", "delete", gone)]);
    let ran = project.drift(&[]).succeeds();
    assert_shown!(ran.stdout, @r#"
    What changed outside of Terraform in retail/staging

    shop
      api: as it was applied
      database: 1 changed, 1 gone
        ~ terraform_data.a
            copy: null -> "***"
            password: (sensitive) -> (sensitive)
            size: "small" -> "::error::large"
            tags.a: "1" -> null
        - terraform_data.b

    Outside of Terraform: 1 changed, 1 gone.
    A deploy with `--refresh` takes changes back; what is to stay belongs in the manifest or the plugin.
    "#);
    let json = project.drift(&["-o", "json"]).succeeds().never_says("canary").json();
    assert_eq!(json["drifted"], json!(["retail/staging/shop/database"]));
    assert_eq!(json["counts"], json!({"add": 0, "change": 1, "remove": 1}));
    let [shop] = json["deployables"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    assert_eq!(shop["plugins"]["api"], json!({"look": "looked", "drifted": [], "noticed": []}));
    assert_eq!(shop["plugins"]["database"]["drifted"][1]["address"], "terraform_data.b");
}

#[test]
fn tf_drift_is_not_what_a_deploy_would_leave_as_it_is() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let filled_in = json!({"actions": ["update"], "before": {"tags": null}, "after": {"tags": {}}});
    project.has_drifted("database", &[("terraform_data.a", "notice", filled_in)]);
    let ran = project.drift(&[]).succeeds();
    ran.says("  database: as it was applied; 1 resource has other values that the plugin does not set\n")
        .says("Nothing changed outside of Terraform.");
    let json = project.drift(&["-o", "json"]).succeeds().json();
    assert_eq!(json["drifted"], json!([]));
    assert_eq!(json["deployables"][0]["plugins"]["database"]["noticed"][0]["address"], "terraform_data.a");
}

#[test]
fn tf_drift_shows_a_state_that_is_gone() {
    needs_terraform!();
    let project = Project::deployed_shop();
    std::fs::remove_file(project.state_path("retail/staging/shop/api")).unwrap();
    let ran = project.drift(&[]).succeeds();
    assert_shown!(ran.stdout, @"
    What changed outside of Terraform in retail/staging

    shop
      api: its Terraform state `retail/staging/shop/api` is gone, which held 1 resource
      database: as it was applied

    Outside of Terraform: 1 gone.
    A state that is gone is restored from the versions of its backend, or from a backup.
    ");
    assert!(!project.state_path("retail/staging/shop/api").exists());
}

#[test]
fn tf_drift_looks_at_everything_in_the_environment_or_at_one_deployable() {
    needs_terraform!();
    let project = Project::lab();
    for name in ["one", "two", "three"] {
        project.app(name, "  a: {use: ../plugins/thing}\n");
        project.deploy(name).succeeds();
    }
    let of = |arguments: &[&str]| {
        let ran = project.run(&[&["drift", "-w", "lab", "-e", "staging", "-o", "json"], arguments].concat()).succeeds();
        let json = ran.json();
        let names = json["deployables"].as_array().unwrap().iter().map(|seen| seen["place"]["deployable"].to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(&[]), r#""one" "three" "two""#);
    assert_eq!(of(&["--deployable", "two"]), r#""two""#);
    let nothing = project.run(&["drift", "-w", "lab", "-e", "staging", "--deployable", "four"]);
    nothing.refused("invalid-input").says("nothing is deployed of `four` there");
}

#[test]
fn a_wrong_name_is_no_environment_without_drift() {
    let project = Project::shop();
    let nothing = project.drift(&[]).succeeds();
    nothing.says("nothing is deployed here");
    project.run(&["drift", "-w", "retail", "-e", "stagign"]).refused("invalid-input").says("stagign");
}

#[test]
fn tf_drift_leaves_out_what_a_run_works_on() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.edit("shop/tieline.yaml", "image: ", "image: other-");
    let deploy = project.shell_line(&["deploy", "-C", "shop", "-e", "staging"]);
    project.meanwhile("plan", &deploy);
    let ran = project.run(&["drift", "-w", "retail", "-e", "staging"]).succeeds();
    assert!(project.said_meanwhile().contains("succeeded"), "{}", project.said_meanwhile());
    ran.says("shop: a run works on it, so it was not looked at").says("not everything was looked at");
}

#[test]
fn tf_drift_that_cannot_be_looked_at_fails_and_the_others_are_seen() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.wrap_terraform("case \"$1 $PWD\" in \"plan \"*/database) echo 'Error: no way in' >&2; exit 1;; esac\n");
    let ran = project.drift(&[]).fails(2, "plan-failed");
    ran.says("no way in")
        .says("what changed outside of `retail/staging/shop/database` could not be looked at")
        .says("  database: it could not be looked at")
        .says("  api: as it was applied")
        .says("Nothing changed outside of Terraform; not everything was looked at.");
}

#[test]
fn tf_r32_drift_stands_in_for_a_secret_unless_a_provider_takes_it() {
    needs_terraform!();
    let mut project = Project::lab();
    let seed = "    seed: {type: string, default: one}";
    project.edit("plugins/thing/plugin.yaml", seed, "    seed: {type: string, x-sensitive: true}");
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.set("TIELINE_SECRETS", "{a.seed: canary-of-a, b.seed: canary-of-b}");
    project.deploy("app").succeeds();
    project.set("TIELINE_SECRETS", "");
    let drift = ["drift", "-w", "lab", "-e", "staging"];
    project.run(&drift).succeeds().says("`a` is looked at with something that stands in for `a.seed`");

    project.forge_module("lab/staging/app/applied/a.json", "plugins/thing", "provider \"terraform\" {\n  token = var.seed\n}\n");
    let refused = project.run(&drift).refused("invalid-input");
    refused
        .says("a look for drift at `a` needs the real `a.seed`, which is not there")
        .says("  a: it could not be looked at")
        .says("  b: as it was applied");
}
