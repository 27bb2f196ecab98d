//! Which source feeds a slot: R1 to R4, R46.

use super::*;

const WEB: &str = "  web: {use: ./web}\n";
const LINKED: &str = "  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n";
const ELSEWHERE: &str = "retail/staging/data/pg.main";

#[test]
fn r1_reference_beats_link_beats_default() {
    let mut case = case(LINKED);
    case.publish_db(ELSEWHERE);
    case.publish_db("retail/staging/data/other.main");
    case.environment += "defaults: {postgres-conn: data/other.main}\n";
    let linked = case.resolved();
    assert_eq!(chosen(&linked, "web", "database"), "link db.db");
    assert_eq!(linked.deployment.plugins["web"].depends_on.iter().map(Alias::as_str).collect::<Vec<_>>(), ["db"]);

    case.manifest += "environments: {staging: {references: {web.database: data/pg.main}}}\n";
    let referenced = case.resolved();
    assert_eq!(chosen(&referenced, "web", "database"), format!("reference {ELSEWHERE}"));
    assert!(referenced.deployment.plugins["web"].depends_on.is_empty());

    case.manifest = super::case(WEB).manifest;
    assert_eq!(chosen(&case.resolved(), "web", "database"), "environment default retail/staging/data/other.main");
}

#[test]
fn r1_a_default_for_the_slot_beats_one_for_the_type() {
    let mut case = case(WEB);
    case.publish_db(ELSEWHERE);
    case.publish_db("retail/staging/data/other.main");
    case.environment += "defaults: {postgres-conn: data/other.main, \"postgres-conn:database\": data/pg.main}\n";
    assert_eq!(chosen(&case.resolved(), "web", "database"), format!("environment default for this slot {ELSEWHERE}"));
}

#[test]
fn r1_an_address_of_elsewhere_in_connections_is_a_reference() {
    let mut case = case("  web: {use: ./web, connections: {database: data/pg.main}}\n");
    case.publish_db(ELSEWHERE);
    assert_eq!(chosen(&case.resolved(), "web", "database"), format!("reference {ELSEWHERE}"));
}

#[test]
fn r1_references_of_other_environments_do_not_count() {
    let mut case = case(LINKED);
    case.manifest += "environments: {production: {references: {web.database: data/pg.main}}}\n";
    assert_eq!(chosen(&case.resolved(), "web", "database"), "link db.db");
}

#[test]
fn r1_an_optional_slot_stays_unset() {
    let mut case = case(WEB);
    case.add_plugin("web", "requires: {database: {type: postgres-conn, optional: true}}");
    assert_eq!(chosen(&case.resolved(), "web", "database"), "unset");
}

#[test]
fn r1_a_slot_with_nothing_to_take_lists_every_candidate() {
    let mut case = case("  db: {use: ./postgres}\n  web: {use: ./web}\n");
    case.publish("retail/staging/stock/pg.main", DeployableKind::Application, ("postgres-conn", "1.0.0"), &json!({"host": "h"}));
    assert_eq!(
        case.refused(),
        r#"error[unresolved-slot]: slot `web.database` has nothing to take: it needs a `postgres-conn`
  at tieline.yaml plugins.web
  note: reference: no `web.database` under `environments.staging.references`
  note: link: no `database` under `plugins.web.connections`
  note: environment default for this slot: no `postgres-conn:database` under `defaults` of environment `staging`
  note: environment default: no `postgres-conn` under `defaults` of environment `staging`
  note: `retail/staging/stock/pg.main` is a `postgres-conn`, but nothing names it for this slot
  help: to link it, add `database: db.db` under `plugins.web.connections`
  help: ask for this grant in the context's `workspaces/retail/workspace.yaml`:
grants:
  - {connection: "staging/stock/pg.main", to: ["retail/staging/shop"], allow: [use]}
"#
    );
}

#[test]
fn r1_a_default_that_names_our_own_output_is_a_link() {
    let mut case = case("  db: {use: ./postgres}\n  web: {use: ./web}\n");
    case.environment += "defaults: {postgres-conn: shop/db.db}\n";
    let resolved = case.resolved();
    assert_eq!(chosen(&resolved, "web", "database"), "link db.db");
    assert_eq!(resolved.graph.order().iter().map(Alias::as_str).collect::<Vec<_>>(), ["db", "web"]);
}

#[test]
fn r2_a_broken_reference_does_not_fall_through() {
    let mut case = case(LINKED);
    case.publish_vpc("retail/staging/net/vpc.vpc");
    case.publish_db(ELSEWHERE);
    case.environment += "defaults: {postgres-conn: data/pg.main}\n";
    case.manifest += "environments: {staging: {references: {web.database: net/vpc.vpc}}}\n";
    let refused = case.refused();
    assert_says(
        &refused,
        &[
            "error[contract-mismatch]: slot `web.database` cannot take `retail/staging/net/vpc.vpc`: it needs a `postgres-conn`, and that is a `vpc-conn` 1.0.0",
            "at tieline.yaml environments.staging.references.web.database",
        ],
    );
    assert_eq!(refused.matches("error[").count(), 1);
}

#[test]
fn r3_one_default_must_not_feed_two_slots_of_a_plugin() {
    let mut case = case("  peer: {use: ./peering}\n");
    case.publish_vpc("retail/staging/net/a.vpc");
    case.environment += "defaults: {vpc-conn: net/a.vpc}\n";
    assert_says(
        &case.refused(),
        &[
            "one default must not feed several slots of one plugin: `peer.far` and `peer.near`",
            "at tieline.yaml plugins.peer",
            "give the environment the defaults `vpc-conn:far` and `vpc-conn:near`",
        ],
    );
}

#[test]
fn r3_peering_takes_two_connections_of_one_type() {
    let mut case = case("  peer: {use: ./peering, connections: {far: net/b.vpc}}\n");
    case.publish_vpc("retail/staging/net/a.vpc");
    case.publish_vpc("retail/staging/net/b.vpc");
    case.environment += "defaults: {vpc-conn: net/a.vpc}\n";
    let resolved = case.resolved();
    assert_eq!(chosen(&resolved, "peer", "near"), "environment default retail/staging/net/a.vpc");
    assert_eq!(chosen(&resolved, "peer", "far"), "reference retail/staging/net/b.vpc");

    case.manifest = super::case("  peer: {use: ./peering}\n").manifest;
    case.environment = super::case("").environment + "defaults: {\"vpc-conn:near\": net/a.vpc, \"vpc-conn:far\": net/b.vpc}\n";
    assert_eq!(chosen(&case.resolved(), "peer", "far"), "environment default for this slot retail/staging/net/b.vpc");
}

#[test]
fn r4_two_defaults_for_one_type_are_refused() {
    let mut case = case(WEB);
    case.type_aliases = vec![("aws-rds-conn", "postgres-conn")];
    case.environment += "defaults: {postgres-conn: data/a.main, aws-rds-conn: data/b.main}\n";
    assert_says(
        &case.refused(),
        &[
            "the defaults `aws-rds-conn` and `postgres-conn` are for the same type",
            "at context:workspaces/retail/environments/staging.yaml defaults.postgres-conn",
        ],
    );
}

#[test]
fn r46_a_stand_in_feeds_two_consumers_and_its_producer_is_not_deployed() {
    let mut case = case(
        "  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n  jobs: {use: ./web, connections: {database: db.db}}\n",
    );
    case.import("retail/staging/imported/legacy", "type: postgres-conn, version: 1.0.0, attributes: {host: old}");
    case.manifest += "environments: {staging: {stand-ins: {db.db: imported/legacy}}}\n";
    let resolved = case.resolved();
    for consumer in ["web", "jobs"] {
        assert_eq!(chosen(&resolved, consumer, "database"), "stand-in retail/staging/imported/legacy");
    }
    assert!(!resolved.deployment.plugins.contains_key("db"));
    assert_eq!(
        resolved.deployment.stand_ins.values().map(ToString::to_string).collect::<Vec<_>>(),
        ["retail/staging/imported/legacy"]
    );
    let verdicts: Vec<_> = slot(&resolved, "web", "database").considered.iter().map(|one| one.verdict.as_str()).collect();
    assert_eq!(verdicts[1..3], ["replaced by the stand-in", "taken"]);
}

#[test]
fn r46_a_stand_in_covers_all_used_outputs_or_none() {
    let mut case = case(
        "  db: {use: ./pair}\n  web: {use: ./web, connections: {database: db.main}}\n  jobs: {use: ./web, connections: {database: db.replica}}\n",
    );
    let output = "{type: postgres-conn, from: {host: h}}";
    case.add_plugin("pair", &format!("generates: {{main: {output}, replica: {output}}}"));
    case.publish_db(ELSEWHERE);
    case.manifest += "environments: {staging: {stand-ins: {db.main: data/pg.main}}}\n";
    assert_says(
        &case.refused(),
        &[
            "`db` is stood in for, but slot `jobs.database` takes its output `replica`",
            "add `db.replica` under `environments.staging.stand-ins`",
        ],
    );
}

#[test]
fn r46_what_is_deployed_needs_its_destroy_first() {
    let mut case = case(LINKED);
    case.publish_db(ELSEWHERE);
    case.applied("db", None);
    case.manifest += "environments: {staging: {stand-ins: {db.db: data/pg.main}}}\n";
    assert_says(
        &case.refused(),
        &[
            "`db` is deployed in `retail/staging/shop`: nothing can stand in for it",
            "at tieline.yaml environments.staging.stand-ins.db.db",
        ],
    );
}

#[test]
fn managed_in_staging_imported_in_production() {
    let mut case = case("  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n");
    case.manifest += "environments: {staging: {plugins: {db: null}, references: {web.database: imported/legacy}}}\n";
    case.import("retail/staging/imported/legacy", "type: postgres-conn, version: 1.0.0, attributes: {host: old}");
    let resolved = case.resolved();
    assert_eq!(chosen(&resolved, "web", "database"), "reference retail/staging/imported/legacy");
    assert_eq!(resolved.deployment.plugins.len(), 1);
}

#[test]
fn an_overlay_for_an_environment_that_does_not_exist_is_warned_of() {
    let mut case = case("  db: {use: ./postgres}\n");
    case.context.environments.insert("retail".parse().unwrap(), ["staging".parse().unwrap()].into());
    case.manifest += "environments: {stagin: {plugins: {db: null}}}\n";
    let warnings = shown(&case.resolved().warnings);
    assert_says(
        &warnings,
        &[
            "workspace `retail` has no environment `stagin`\n  at tieline.yaml environments.stagin\n  help: did you mean `staging`?",
        ],
    );
}
