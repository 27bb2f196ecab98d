//! What makes no preview, and what previews are not made for.

use super::*;
use crate::harness::needs_terraform;

#[test]
fn r49_a_manifest_without_a_preview_part_makes_none() {
    let project = Project::shop();
    let refused = preview(&project, "up", "shop", (SHOP, 12), &[]).refused("invalid-document");
    refused.says("`shop/tieline.yaml` has no `preview` part").says("  base: staging");
}

#[test]
fn r49_whose_a_preview_is_must_be_known() {
    let project = Project::shop();
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + PART));
    project.run(&["preview", "up", "-C", "shop"]).refused("invalid-input").says("`--pull-request`");
    project.run(&["preview", "up", "-C", "shop", "--pull-request", "7"]).refused("invalid-input").says("`--repository-id`");
    let another = preview(&project, "up", "shop", (SHOP, 7), &["-e", "staging"]).refused("invalid-input");
    another.says("the environment `staging` was asked for, and the preview is `pr-7`");
}

#[test]
fn r49_an_environment_never_becomes_a_preview_nor_a_preview_one() {
    let project = Project::shop();
    for command in [&["deploy"][..], &["rollback", "--to", "1.0"]] {
        let refused = project.run(&[command, &["-C", "shop", "-w", "retail", "-e", "pr-12"]].concat());
        refused.refused("invalid-input").says("`pr-12` is the name of a preview").says("`tieline preview up`");
    }
    let moving = ["move", "retail/pr-12/shop", "retail/pr-12/store"];
    project.run(&moving).refused("invalid-input").says("is the name of a preview");
    project.run(&["plan", "-C", "shop", "-e", "pr-12"]).refused("invalid-input").says("there is no preview `retail/pr-12`");
    project.write(
        "context/workspaces/retail/environments/pr-12.yaml",
        &project.read("context/workspaces/retail/environments/staging.yaml").replace("name: staging", "name: pr-12"),
    );
    project.run(&["context", "init", "--from", "context"]).refused("invalid-document").says("`pr-…` are previews");
}

#[test]
fn r49_a_preview_needs_its_base() {
    let project = Project::shop();
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + &PART.replace("staging", "qa")));
    let refused = preview(&project, "up", "shop", (SHOP, 12), &[]).refused("invalid-input");
    refused.says("there is no environment `retail/qa` for previews to be on top of").says("base: qa");
    assert!(project.ledger_paths().is_empty(), "nothing was made");
}

#[test]
fn r49_a_protected_environment_is_no_base() {
    let project = Project::shop();
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + PART));
    project.edit_context("workspaces/retail/environments/staging.yaml", "name: staging", "name: staging\nprotected: true");
    let refused = preview(&project, "up", "shop", (SHOP, 12), &[]).refused("protected");
    refused.says("the environment `retail/staging` is protected, so no preview is on top of it").says("base: staging");
    assert!(project.ledger_paths().is_empty(), "nothing was made");
}

#[test]
fn tf_r55_no_more_previews_than_the_limits_allow() {
    needs_terraform!();
    let project = shop();
    project.edit_context("workspaces/retail/workspace.yaml", "name: retail", "name: retail\nlimits: {max-previews: 1}");
    up(&project, 12);
    up(&project, 12);
    let refused = preview(&project, "up", "shop", (SHOP, 13), &[]).refused("limit-exceeded");
    refused
        .says("the oldest is `retail/pr-12` of pull request 12 of `acme/shop`")
        .says("tieline preview down -w retail -e pr-12");
    project.edit_context(
        "workspaces/retail/workspace.yaml",
        "max-previews: 1",
        "max-previews: 9, max-previews-per-deployable: 1",
    );
    preview(&project, "up", "shop", (SHOP, 13), &[]).refused("limit-exceeded").says("the deployable `retail/shop`");
    project.edit_context("workspaces/retail/workspace.yaml", "max-previews: 9, max-previews-per-deployable: 1", "");
    project.edit_context("context.yaml", "kind: Context", "kind: Context\nlimits: {max-previews: 1}");
    preview(&project, "up", "shop", (SHOP, 13), &[]).refused("limit-exceeded").says("the organization");
    assert!(!project.ledger_paths().iter().any(|path| path.starts_with("retail/pr-13")));
    project.verify();
}

#[test]
fn r56_sensitive_inputs_are_given_to_a_preview_like_to_any_other() {
    let project = Project::shop();
    project.write("shop/tieline.yaml", &(project.read("shop/tieline.yaml") + PART));
    project.edit("plugins/web/plugin.yaml", "required: [image]", "required: [image, token]");
    project.edit(
        "plugins/web/plugin.yaml",
        "    image: {type: string}",
        "    image: {type: string}\n    token: {type: string, x-sensitive: true}",
    );
    project.edit(
        "plugins/web/main.tf",
        "variable \"image\" { type = string }",
        "variable \"image\" { type = string }\nvariable \"token\" { type = string }",
    );
    let refused = preview(&project, "up", "shop", (SHOP, 12), &[]).refused("invalid-input");
    refused.says("`api` needs the sensitive input `token`").says("takes no sensitive values from its base `staging`");
    assert!(project.ledger_paths().is_empty(), "a preview that cannot be deployed is not made");
}
