//! R42, R50: what a preview may have of what is outside it, and that nothing outside leans on a preview.

use super::*;
use crate::harness::needs_terraform;

/// The shop with its database in shared infrastructure of its own workspace, `retail/staging/data`, whose password it is handed.
fn on_shared_data() -> Project {
    let project = shop();
    let data = "apiVersion: tieline/v1\nkind: SharedInfra\nname: data\nworkspace: retail\nplugins:\n  pg: {use: ../plugins/postgres, inputs: {name: shared}}\n";
    project.write("data/tieline.yaml", data);
    project.deploy("data").succeeds();
    let shop = "apiVersion: tieline/v1\nkind: Application\nname: shop\nworkspace: retail\nplugins:\n  api:\n    use: ../plugins/web\n    inputs: {image: 'registry.example/api:1'}\n    connections: {database: data/pg.db}\npreview: {base: staging, url: api.web.url}\n";
    project.write("shop/tieline.yaml", shop);
    project
}

#[test]
fn tf_r42_a_preview_reads_secrets_of_what_is_outside_only_where_a_grant_says_so() {
    needs_terraform!();
    let project = on_shared_data();
    project.deploy("shop").succeeds();
    let refused = preview(&project, "up", "shop", (SHOP, 12), &[]).refused("grant-denied");
    refused.says("`retail/pr-12/shop` may not read the sensitive attributes of `retail/staging/data/pg.db`").says(
        "{connection: \"staging/data/pg.db\", to: [\"retail/staging/shop\"], allow: [use, read-sensitive], previews: true}",
    );
    let grant = |previews: bool| {
        let grants = format!(
            "grants: [{{connection: staging/data/pg.db, to: [retail/staging/shop], allow: [use, read-sensitive], previews: {previews}}}]\n"
        );
        project.write_context(
            "workspaces/retail/workspace.yaml",
            &format!("apiVersion: tieline/v1\nkind: Workspace\nname: retail\n{grants}"),
        );
    };
    grant(false);
    preview(&project, "up", "shop", (SHOP, 12), &[]).refused("grant-denied");
    grant(true);
    up(&project, 12);
    assert_eq!(project.bindings("retail/pr-12/shop/applied/api.json"), "database <- retail/staging/data/pg.db\n");
    // The producer is guarded by the preview as by any other consumer.
    let destroying = ["destroy", "-w", "retail", "-e", "staging", "--deployable", "data"];
    project.run(&destroying).refused("consumers-exist").says("retail/pr-12/shop/api.database");
    let revoking =
        ["connection", "revoke", "retail/staging/data/pg.db", "--to", "retail/staging/shop", "--allow", "read-sensitive"];
    let revoked = project.run(&revoking).succeeds();
    revoked.says(
        "`retail/pr-12/shop/api.database` is bound to `retail/staging/data/pg.db` and would have no grant to `read-sensitive`",
    );
}

#[test]
fn tf_r50_nothing_outside_leans_on_a_preview() {
    needs_terraform!();
    let project = shop();
    up(&project, 12);
    let shop = project.read("shop/tieline.yaml");
    for wiring in [
        "environments: {staging: {references: {api.database: pr-12/shop/database.db}}}\n",
        "environments: {staging: {stand-ins: {database.db: retail/pr-12/shop/database.db}}}\n",
    ] {
        project.write("shop/tieline.yaml", &(shop.clone() + wiring));
        project.deploy("shop").refused("invalid-document").says("it is in a preview, which goes with its pull request");
    }
    project.write("shop/tieline.yaml", &shop.replace("    connections: {database: database.db}\n", ""));
    let defaults = "defaults:\n  postgres-conn: pr-12/shop/database.db";
    project.edit_context("workspaces/retail/environments/staging.yaml", "defaults:", defaults);
    project.deploy("shop").refused("invalid-document").says("`retail/pr-12/shop/database.db`: it is in a preview");
    // Another preview does not, either.
    preview(&project, "up", "shop", (SHOP, 13), &[]).refused("invalid-document");
}

#[test]
fn tf_r46_a_preview_can_use_the_database_of_its_base() {
    needs_terraform!();
    let project = shop();
    project.deploy("shop").succeeds();
    project.write(
        "shop/tieline.yaml",
        &project.read("shop/tieline.yaml").replace(
            "  plugins: {database: {inputs: {size: micro}}}\n",
            "  stand-ins: {database.db: staging/shop/database.db}\n",
        ),
    );
    let grants = "grants: [{connection: staging/shop/database.db, to: [retail/staging/shop], allow: [use, read-sensitive], previews: true}]\n";
    project.write_context(
        "workspaces/retail/workspace.yaml",
        &format!("apiVersion: tieline/v1\nkind: Workspace\nname: retail\n{grants}"),
    );
    up(&project, 12);
    assert_eq!(project.bindings("retail/pr-12/shop/applied/api.json"), "database <- retail/staging/shop/database.db\n");
    assert!(!project.ledger_paths().contains(&"retail/pr-12/shop/applied/database.json".to_owned()));
}
