//! R7, R49, R51: one environment for each pull request, made from a copy of its base.

use serde_json::json;

use super::*;
use crate::harness::{needs_terraform, tasks};

#[test]
fn tf_r49_a_pull_request_has_one_preview_however_often_it_is_asked_for() {
    needs_terraform!();
    let project = shop();
    let first = up(&project, 12);
    assert_eq!(first["place"]["environment"], "pr-12");
    assert_eq!(tasks(&first), "database: succeeded\napi: succeeded\n");
    assert_eq!(first["preview"]["url"], "https://staging.acme.test");
    let made = made_from(&project, "retail/pr-12");
    assert_eq!(made["base"], "staging");
    assert_eq!((&made["repositoryId"], &made["pullRequest"]), (&json!(SHOP), &json!(12)));
    assert_eq!(made["environment"]["name"], "pr-12");
    assert_eq!((&made["environment"]["protected"], &made["environment"]["allow-destroy"]), (&json!(false), &json!(true)));

    let again = up(&project, 12);
    assert_eq!(tasks(&again), "database: skipped (unchanged)\napi: skipped (unchanged)\n");
    let converged = made_from(&project, "retail/pr-12");
    assert_eq!(converged["made"], made["made"]);
    assert!(converged["expires"].as_str() > made["expires"].as_str(), "each deploy moves the end");
    assert_eq!(converged["environment"], made["environment"]);

    up(&project, 13);
    let listed = project.run(&["preview", "list"]).succeeds();
    assert!(listed.stdout.contains("retail/pr-12  acme/shop#12  staging"), "{listed}");
    listed.says("retail/pr-13").says("https://staging.acme.test").says("1 day 23 hours");
    let listed = project.run(&["preview", "list", "-w", "platform", "-o", "json"]).succeeds().json();
    assert_eq!(listed["previews"], json!([]));
    let listed = project.run(&["preview", "list", "-w", "retail", "-o", "json"]).succeeds().json();
    assert_eq!(listed["previews"][0]["deployables"], json!({"shop": {"url": "https://staging.acme.test"}}));
    assert_eq!(listed["previews"][1]["over"], json!(false));
}

#[test]
fn tf_r5_a_preview_overlays_its_base() {
    needs_terraform!();
    let project = shop();
    let overlay = "environments:\n  staging: {plugins: {database: {inputs: {name: of-staging, size: large}}}}\n";
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + overlay));
    up(&project, 12);
    let record = project.ledger("retail/pr-12/shop/applied/database.json");
    assert_eq!((&record["inputs"]["name"], &record["inputs"]["size"]), (&json!("of-staging"), &json!("micro")));
    assert_eq!(project.bindings("retail/pr-12/shop/applied/database.json"), "network <- platform/staging/network/vpc.vpc\n");
    assert_eq!(project.state_resources("retail/pr-12/shop/api").len(), 1);
    let explained = project.run(&["plan", "-C", "shop", "-e", "pr-12", "--explain"]).succeeds();
    explained.says("size = \"micro\" (preview overlay)").says("environment overlay: \"large\"");
}

#[test]
fn tf_r7_a_preview_stays_on_the_copy_that_it_was_made_with_until_it_is_refreshed() {
    needs_terraform!();
    let project = shop();
    up(&project, 12);
    project.edit_context("workspaces/retail/environments/staging.yaml", "staging.acme.test", "new.acme.test");
    assert_eq!(up(&project, 12)["preview"]["url"], "https://staging.acme.test");
    let refreshed = preview(&project, "refresh", "shop", (SHOP, 12), &["-o", "json"]).succeeds().json();
    assert_eq!(refreshed["preview"]["url"], "https://new.acme.test");
    assert_eq!(up(&project, 13)["preview"]["url"], "https://new.acme.test");
    project.edit_context("workspaces/retail/environments/staging.yaml", "path: states", "path: elsewhere");
    let refused = preview(&project, "refresh", "shop", (SHOP, 12), &[]).refused("invalid-input");
    refused
        .says("the backend of `staging` is another one than when `retail/pr-12` was made")
        .says("preview down -w retail -e pr-12");
    assert_eq!(tasks(&up(&project, 12)), "database: skipped (unchanged)\napi: skipped (unchanged)\n");
}

#[test]
fn tf_r49_two_repositories_never_share_a_preview() {
    needs_terraform!();
    let project = shop();
    up(&project, 12);
    let other = preview(&project, "up", "shop", (456, 12), &["-o", "json"]).succeeds().json();
    assert_eq!(other["place"]["environment"], "pr-12-b3a8e0e1");
    assert_eq!(made_from(&project, "retail/pr-12")["repositoryId"], json!(SHOP));
    let again = preview(&project, "up", "shop", (456, 12), &["-o", "json"]).succeeds().json();
    assert_eq!(again["place"], other["place"]);
    // Where the workspace is known to be shared, names tell from the start.
    project.edit_context(
        "workspaces/retail/workspace.yaml",
        "name: retail",
        "name: retail\nowners: {billing: {repository: acme/billing, id: 9}}",
    );
    let third = preview(&project, "up", "shop", (SHOP, 14), &["-o", "json"]).succeeds().json();
    assert_eq!(third["place"]["environment"], "pr-14-a665a459");
    assert_eq!(up(&project, 12)["place"]["environment"], "pr-12", "a preview keeps its name");
}

#[test]
fn tf_r49_a_name_under_which_something_is_left_over_is_not_free() {
    needs_terraform!();
    let project = shop();
    up(&project, 12);
    project.unforge("retail/pr-12/environment.json");
    let report = preview(&project, "up", "shop", (SHOP, 12), &["-o", "json"]).succeeds().json();
    assert_eq!(report["place"]["environment"], "pr-12-a665a459");
}

#[test]
fn tf_r55_a_workspace_bounds_how_long_previews_live() {
    needs_terraform!();
    let project = shop();
    project.edit_context("workspaces/retail/workspace.yaml", "name: retail", "name: retail\nlimits: {max-preview-ttl: 2h}");
    up(&project, 12);
    project.run(&["preview", "list"]).succeeds().says("1 hour 59 minutes");
}

#[test]
fn tf_a_preview_knows_that_it_is_one_and_names_things_apart() {
    needs_terraform!();
    let project = shop();
    let module = project.read("plugins/web/main.tf");
    let told = "variable \"tieline\" { type = any }\nresource \"terraform_data\" \"told\" { input = var.tieline }\n";
    project.write("plugins/web/main.tf", &(module + told));
    up(&project, 12);
    let state = std::fs::read_to_string(project.state_path("retail/pr-12/shop/api")).unwrap();
    assert!(state.contains("\"preview\": true") && state.contains("\"environment\": \"pr-12\""), "{state}");
}

#[test]
fn tf_a_link_that_is_none_is_not_shown() {
    needs_terraform!();
    let project = shop();
    project.edit(
        "plugins/web/main.tf",
        "output \"url\" { value = \"https://",
        "output \"url\" { value = \"javascript:alert(1)//",
    );
    let report = up(&project, 12);
    assert_eq!(report["preview"]["url"], json!(null));
    let note = "no link to the preview is shown: the manifest names `api.web.url`, and it is not a plain `http` or `https` URL";
    assert_eq!(report["notes"], json!([note]));
}
