//! Whether a connection may feed a slot: R6, R9, R15, R17.

use super::*;
use crate::domain::connection::ConnectionStatus;
use crate::domain::deployment::Secrets;

const PG: &str = "retail/staging/data/pg.main";

fn bound() -> Case {
    let mut case = case("  web: {use: ./web, connections: {database: data/pg.main}}\n");
    case.publish_db(PG);
    case
}

#[test]
fn r6_what_does_not_exist_yet_is_pending() {
    let mut case = case("  web: {use: ./web, connections: {database: data/pg.main}}\n");
    case.context.environments.insert("retail".parse().unwrap(), ["staging".parse().unwrap()].into());
    let resolved = case.resolved();
    assert_eq!(chosen(&resolved, "web", "database"), format!("reference {PG}, pending"));
    assert_says(
        &shown(&resolved.warnings),
        &["slot `web.database` waits for `retail/staging/data/pg.main`, which is not published yet"],
    );

    case.publish_db("retail/staging/data/pg.mian");
    assert_says(&shown(&case.resolved().warnings), &["did you mean `retail/staging/data/pg.mian`?"]);

    case.manifest = super::case("  web: {use: ./web, connections: {database: retail/stagin/data/pg.main}}\n").manifest;
    assert_says(&case.refused(), &["`retail/staging/shop` may not use `retail/stagin/data/pg.main`", "did you mean `staging`?"]);
}

#[test]
fn r9_the_version_must_be_in_range() {
    let mut case = bound();
    case.add_plugin("web", "requires: {database: {type: postgres-conn, version: \">=1, <2\"}}");
    assert!(case.resolve().is_ok());
    case.change(PG, |record| record.face.type_version = "2.0.0".parse().unwrap());
    assert_says(&case.refused(), &["it needs a `postgres-conn` in `>=1, <2`, and that is a `postgres-conn` 2.0.0"]);
}

#[test]
fn r9_the_newest_face_in_range_is_taken() {
    let mut case = bound();
    case.change(PG, |record| {
        for version in ["1.9.0", "2.0.0"] {
            let mut face = record.face.clone();
            face.type_version = version.parse().unwrap();
            record.also.push(face);
        }
    });
    let taken = |case: &Case| match &slot(&case.resolved(), "web", "database").choice {
        Choice::Connection(chosen) => (chosen.face, chosen.face().type_version.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(&case), (2, "2.0.0".to_owned()));
    case.add_plugin("web", "requires: {database: {type: postgres-conn, version: ^1}}");
    assert_eq!(taken(&case), (1, "1.9.0".to_owned()));
}

#[test]
fn r9_another_name_of_the_same_type_will_do() {
    let mut case = bound();
    case.type_aliases = vec![("massdriver/rds", "postgres-conn")];
    case.change(PG, |record| record.face.type_name = "massdriver/rds".parse().unwrap());
    assert!(case.resolve().is_ok());
}

#[test]
fn r9_public_attributes_must_satisfy_where() {
    let mut case = bound();
    case.add_plugin(
        "web",
        "requires: {database: {type: postgres-conn, where: {properties: {port: {const: 5432}}, required: [port]}}}",
    );
    assert_says(&case.refused(), &["it does not satisfy `where`: `port` is missing"]);
    case.change(PG, |record| drop(record.face.attributes.insert("port".parse().unwrap(), json!(1))));
    assert_says(&case.refused(), &["its attribute `port` does not satisfy `where`: 5432 was expected"]);
    case.change(PG, |record| drop(record.face.attributes.insert("port".parse().unwrap(), json!(5432))));
    assert!(case.resolve().is_ok());
}

#[test]
fn r9_sensitive_attributes_must_be_there_by_name() {
    let mut case = bound();
    case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    assert!(case.resolve().is_ok());
    case.change(PG, |record| record.face.sensitive.clear());
    assert_says(
        &case.refused(),
        &["cannot take `retail/staging/data/pg.main`: it needs the sensitive `password`, which is not published"],
    );
}

#[test]
fn r9_every_problem_of_a_connection_is_told_at_once() {
    let mut case = bound();
    case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password], where: {required: [port]}}}");
    case.change(PG, |record| {
        record.face.sensitive.clear();
        record.status = ConnectionStatus::Retiring;
    });
    assert_eq!(case.refused().matches("error[").count(), 3);
}

#[test]
fn a_pinned_generation_must_be_the_one_that_is_there() {
    let mut case = case("  web: {use: ./web, connections: {database: data/pg.main@3}}\n");
    case.publish_db(PG);
    assert!(case.resolve().is_ok());
    case.change(PG, |record| record.generation = 4);
    assert_says(&case.refused(), &["generation 3 was asked for, and it is at 4"]);
}

#[test]
fn r17_new_bindings_to_a_degraded_record_need_allow_degraded() {
    let mut case = bound();
    case.change(PG, |record| record.status = ConnectionStatus::Degraded);
    assert_says(&case.refused(), &["the last apply of its producer failed", "allow-degraded"]);
    case.allow_degraded = true;
    assert_says(&shown(&case.resolved().warnings), &["the last apply of its producer failed"]);
    case.allow_degraded = false;
    case.applied("web", Some(("database", PG)));
    assert!(case.resolve().is_ok(), "it is bound already");
}

#[test]
fn r40_a_deprecated_connection_takes_no_new_bindings() {
    let mut case = bound();
    case.change(PG, |record| record.status = ConnectionStatus::Deprecated);
    assert_says(&case.refused(), &["it is deprecated", "it takes no new bindings"]);
    case.applied("web", Some(("database", PG)));
    assert_says(
        &shown(&case.resolved().warnings),
        &["slot `web.database` stays with `retail/staging/data/pg.main`: it is deprecated"],
    );
    case.change(PG, |record| record.uid = "made again".to_owned());
    assert_says(&case.refused(), &["takes no new bindings"]);
}

#[test]
fn r30_a_retiring_connection_takes_nobody() {
    let mut case = bound();
    case.applied("web", Some(("database", PG)));
    case.change(PG, |record| record.status = ConnectionStatus::Retiring);
    assert_says(&case.refused(), &["it is being taken out of use"]);
}

#[test]
fn r18_a_secret_in_a_state_needs_the_state_to_be_known() {
    let mut case = bound();
    case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    let resolved = case.resolved();
    let Choice::Connection(connection) = &slot(&resolved, "web", "database").choice else { panic!() };
    assert!(matches!(&connection.secrets, Secrets::Produced(state) if state.key == PG));
    case.context.states.clear();
    assert_says(&case.refused(), &["error[context-unavailable]", "where its producer's state is was not recorded"]);
}

#[test]
fn r18_a_forged_record_leads_to_no_other_state() {
    let mut case = bound();
    case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    case.publish_db("retail/staging/vault/root.main");
    case.change(PG, |record| record.address = "retail/staging/vault/root.main".parse().unwrap());
    assert_says(
        &case.refused(),
        &[
            "slot `web.database` cannot take `retail/staging/data/pg.main`: its record is that of `retail/staging/vault/root.main`",
        ],
    );
}

#[test]
fn r48_the_digest_of_an_imported_connection_follows_its_document() {
    let digest = |host: &str, variable: &str| {
        let mut case = case("  web: {use: ./web, connections: {database: imported/old}}\n");
        let rest = format!(
            "type: postgres-conn, version: 1.0.0, attributes: {{host: {host}}}, sensitive: {{password: {{env: {variable}}}}}"
        );
        case.import("retail/staging/imported/old", &rest);
        match &slot(&case.resolved(), "web", "database").choice {
            Choice::Connection(chosen) => chosen.record.digest.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(digest("a", "X"), digest("a", "X"));
    assert_ne!(digest("a", "X"), digest("b", "X"));
    assert_ne!(digest("a", "X"), digest("a", "Y"));
}

#[test]
fn r48_an_imported_connection_must_be_what_its_type_says() {
    let mut case = case("  web: {use: ./web, connections: {database: imported/old}}\n");
    case.add_type("postgres-conn", "1.2.0", "additionalProperties: false, required: [host, password], properties: {host: {type: string}, password: {x-sensitive: true}}");
    let mut refused = |rest: &str| {
        case.import("retail/staging/imported/old", &format!("type: postgres-conn, {rest}"));
        case.refused()
    };
    assert_says(
        &refused("version: 7.0.0"),
        &["slot `web.database` cannot take `retail/staging/imported/old`: there is no type `postgres-conn` 7.0.0"],
    );
    assert_says(
        &refused("version: 1.2.0, attributes: {host: 1, hots: h}"),
        &[
            "it lacks the sensitive `password`",
            "its attribute `host` is not what its type says: 1 is not of type \"string\"",
            "it is not what its type says: there is no `hots`",
        ],
    );
}

const DB: &str = "  db: {use: ./postgres}\n";
const OURS: &str = "retail/staging/shop/db.db";

#[test]
fn r15_dropping_what_a_consumer_uses_is_refused_with_the_list() {
    let mut case = case(DB);
    case.consumer(OURS, "billing/staging/api/web.database", "1.1.0", &["host", "port"]);
    case.consumer(OURS, "billing/staging/jobs/run.database", "1.1.0", &["host"]);
    assert!(case.resolve().is_ok());
    case.add_plugin("postgres", "generates: {db: {type: postgres-conn@1, from: {host: endpoint}}}");
    assert_eq!(
        case.refused(),
        "error[breaks-consumers]: `postgres 1.0.0` breaks a consumer of `retail/staging/shop/db.db`
  at tieline.yaml plugins.db.use
  note: `billing/staging/api/web.database`: it uses `port`, which is no longer published
  help: publish the old and the new version side by side with `types`, move the consumers, then drop the old one
"
    );
}

#[test]
fn r15_a_new_major_alone_breaks_consumers_and_both_side_by_side_do_not() {
    let mut case = case(DB);
    case.consumer(OURS, "billing/staging/api/web.database", "1.1.0", &["host"]);
    case.add_plugin("postgres", "generates: {db: {type: postgres-conn, from: {host: endpoint}}}");
    assert_says(&case.refused(), &["`postgres-conn` 1.1.0 is no longer published"]);
    case.add_plugin("postgres", "generates: {db: {types: [postgres-conn@1, postgres-conn@2], from: {host: endpoint}}}");
    assert!(case.resolve().is_ok());
}

#[test]
fn r15_retyping_an_attribute_breaks_its_users_only() {
    let mut case = case(DB);
    case.add_type(
        "postgres-conn",
        "1.2.0",
        "required: [host], properties: {host: {type: string}, port: {type: string}, password: {type: string}}",
    );
    case.consumer(OURS, "billing/staging/api/web.database", "1.1.0", &["host"]);
    assert!(case.resolve().is_ok());
    case.consumer(OURS, "billing/staging/jobs/run.database", "1.1.0", &["port"]);
    case.consumer(OURS, "billing/staging/late/run.database", "1.1.0", &["password"]);
    assert_says(
        &case.refused(),
        &[
            "breaks 2 consumers",
            "`billing/staging/jobs/run.database`: it uses `port`, whose type changes between 1.1.0 and 1.2.0",
            "`billing/staging/late/run.database`: it uses `password`, which is sensitive in only one of 1.1.0 and 1.2.0",
        ],
    );
}

#[test]
fn r15_our_own_consumers_move_with_us() {
    let mut case = case(DB);
    case.consumer(OURS, "retail/staging/shop/web.database", "2.0.0", &["host"]);
    assert!(case.resolve().is_ok());
}

#[test]
fn r15_dropping_the_output_breaks_its_consumers() {
    let mut case = case(DB);
    case.consumer(OURS, "billing/staging/api/web.database", "1.1.0", &["host"]);
    case.add_plugin("postgres", "generates: {main: {type: postgres-conn@1, from: {host: endpoint}}}");
    assert_says(&case.refused(), &["breaks a consumer of `retail/staging/shop/db.db`"]);
}
