//! Who may bind to what: R42, R43.

use super::*;

fn asking(address: &str, kind: DeployableKind, sensitive: bool) -> Case {
    let mut case = case(&format!("  web: {{use: ./web, connections: {{database: {address}}}}}\n"));
    case.publish(address, kind, ("postgres-conn", "1.1.0"), &json!({"host": "h"}));
    if sensitive {
        case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    }
    case
}

fn granting(mut case: Case, grant: &str) -> Case {
    let workspace = format!("{{apiVersion: tieline/v1, kind: Workspace, name: platform, grants: [{grant}]}}");
    case.context.workspaces.insert("platform".parse().unwrap(), yaml(&workspace));
    case
}

#[test]
fn r42_shared_infra_of_the_environment_is_seen_by_all_its_deployables() {
    assert!(asking("retail/staging/data/pg.main", DeployableKind::SharedInfra, true).resolve().is_ok());
}

#[test]
fn r42_an_applications_context_is_not_visible_to_others() {
    let mut case = asking("retail/staging/stock/pg.main", DeployableKind::Application, false);
    assert_says(&case.refused(), &["`retail/staging/shop` may not use `retail/staging/stock/pg.main`"]);
    case.context.kinds.clear();
    assert_says(&case.refused(), &["may not use"]);
    case.workspace += "grants: [{connection: staging/stock/pg.main, to: [retail/staging/shop], allow: [use]}]\n";
    assert!(case.resolve().is_ok());
}

#[test]
fn r42_another_environment_of_the_workspace_needs_a_grant() {
    let case = asking("retail/production/data/pg.main", DeployableKind::SharedInfra, false);
    assert_says(&case.refused(), &["error[grant-denied]"]);
}

#[test]
fn r43_a_denied_grant_is_printed_as_it_would_be_written() {
    let case = asking("platform/staging/data/pg.main", DeployableKind::SharedInfra, true);
    assert_eq!(
        case.refused(),
        r#"error[grant-denied]: `retail/staging/shop` may not use `platform/staging/data/pg.main`
  at tieline.yaml plugins.web.connections.database
  note: slot `web.database` takes it through the reference
  help: ask for this grant in the context's `workspaces/platform/workspace.yaml`:
grants:
  - {connection: "staging/data/pg.main", to: ["retail/staging/shop"], allow: [use, read-sensitive]}
"#
    );
}

#[test]
fn r43_sensitive_attributes_need_read_sensitive() {
    let grant = "{connection: staging/data/pg.main, to: [retail/staging/shop], allow: [use]}";
    let address = "platform/staging/data/pg.main";
    assert!(granting(asking(address, DeployableKind::SharedInfra, false), grant).resolve().is_ok());
    let withheld = |grant: &str| {
        granting(asking(address, DeployableKind::SharedInfra, true), grant).resolve().unwrap().deployment.withheld()
    };
    assert!(withheld(grant).0[0].help[0].ends_with("allow: [use, read-sensitive]}"), "what is missing can be planned around");
    let both = "{connection: staging/data/pg.main, to: [retail/staging/shop], allow: [use, read-sensitive]}";
    assert!(!withheld(both).any_error());
}

#[test]
fn r43_the_printed_grant_is_enough() {
    let refused = asking("platform/staging/data/pg.main", DeployableKind::SharedInfra, true).refused();
    let grant = refused.lines().find_map(|line| line.trim().strip_prefix("- ")).unwrap();
    let resolved = granting(asking("platform/staging/data/pg.main", DeployableKind::SharedInfra, true), grant).resolve().unwrap();
    assert!(!resolved.deployment.withheld().any_error());
}

#[test]
fn r43_a_star_stands_for_any_text_without_a_slash() {
    let address = "platform/staging/data/pg.main";
    let resolves = |connection: &str, to: &str| {
        let grant = format!("{{connection: \"{connection}\", to: [\"{to}\"], allow: [use]}}");
        granting(asking(address, DeployableKind::Application, false), &grant).resolve().is_ok()
    };
    for (connection, to) in [
        ("*/data/pg.main", "retail/*/*"),
        ("*/*/*", "*/*/*"),
        ("st*ng/*a*a/pg.*", "ret*/staging/s*p"),
        ("staging/data/**", "retail/staging/shop"),
    ] {
        assert!(resolves(connection, to), "{connection} {to}");
    }
    for (connection, to) in [
        ("*", "*"),
        ("*/data/pg.main", "retail/*"),
        ("*/*/pg.other", "*/*/*"),
        ("production/*/*", "*/*/*"),
        ("*/*/*", "billing/*/*"),
        ("stagingstaging*/*/*", "*/*/*"),
        ("s*gg*/*/*", "*/*/*"),
    ] {
        assert!(!resolves(connection, to), "{connection} {to}");
    }
}

#[test]
fn r43_a_missing_grant_does_not_fall_through_to_the_default() {
    let mut case = asking("platform/staging/data/pg.main", DeployableKind::SharedInfra, false);
    case.publish_db("retail/staging/data/pg.main");
    case.environment += "defaults: {postgres-conn: data/pg.main}\n";
    assert_says(&case.refused(), &["error[grant-denied]"]);
}

#[test]
fn r42_an_imported_connection_belongs_to_the_workspace_context() {
    let mut case = case("  web: {use: ./web, connections: {database: imported/old}}\n");
    case.import("retail/staging/imported/old", "type: postgres-conn, version: 1.0.0, attributes: {host: h}");
    assert!(case.resolve().is_ok());
    case.import("retail/production/imported/old", "type: postgres-conn, version: 1.0.0, attributes: {host: h}");
    case.manifest = super::case("  web: {use: ./web, connections: {database: production/imported/old}}\n").manifest;
    assert_says(&case.refused(), &["connection: \"production/imported/old\""]);
}
