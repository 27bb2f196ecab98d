//! What the documents alone must get right: R4, R8.

use super::*;
use crate::resolve::{Seen, merged};

#[test]
fn r8_a_sound_manifest_has_no_problems() {
    let case = case("  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}, after: [db]}\n");
    assert_eq!(case.declared(), "");
}

#[test]
fn r8_unknown_names_come_with_the_nearest() {
    let mut case = case(
        "  db: {use: ./postgres, connections: {x: net/a.b}}\n  web: {use: ./web, connections: {database: bd.db}, after: [dbb]}\n  jobs: {use: ./web, connections: {database: db.bd, databse: db.db}}\n",
    );
    case.manifest += "environments: {production: {plugins: {wbe: {inputs: {a: 1}}}, references: {web.databas: a/b.c}, stand-ins: {db.d: a/b.c}}}\n";
    let declared = case.declared();
    assert_says(
        &declared,
        &[
            "`db` has no slot `x`\n  at tieline.yaml plugins.db.connections.x",
            "there is no applied plugin `bd`\n  at tieline.yaml plugins.web.connections.database\n  help: did you mean `db`?",
            "there is no applied plugin `dbb`\n  at tieline.yaml plugins.web.after[0]\n  help: did you mean `db`?",
            "`db` has no output `bd`\n  at tieline.yaml plugins.jobs.connections.database\n  help: did you mean `db`?",
            "`jobs` has no slot `databse`\n  at tieline.yaml plugins.jobs.connections.databse\n  help: did you mean `database`?",
            "there is no applied plugin `wbe`\n  at tieline.yaml environments.production.plugins.wbe\n  help: did you mean `web`?",
            "`web` has no slot `databas`\n  at tieline.yaml environments.production.references.web.databas\n  help: did you mean `database`?",
            "`db` has no output `d`\n  at tieline.yaml environments.production.stand-ins.db.d\n  help: did you mean `db`?",
        ],
    );
    assert_eq!(declared.matches("`jobs` has no slot `databse`").count(), 1, "told once for all environments");
}

#[test]
fn r8_types_must_exist() {
    let mut case = case("  app: {use: ./app}\n");
    case.add_plugin("app", "requires: {a: {type: postgres-con, optional: true}, b: {type: vpc-conn, version: ^9, optional: true}}\ngenerates: {c: {type: vpc-con, from: {}}, d: {type: vpc-conn@3, from: {}}, e: {}}");
    assert_says(
        &case.declared(),
        &[
            "slot `a` of the plugin `app`: there is no type `postgres-con`\n  at tieline.yaml plugins.app.use\n  note: in `app/plugin.yaml`, at `requires.a`\n  help: did you mean `postgres-conn`?",
            "slot `b` of the plugin `app`: `vpc-conn` has no version in `^9`",
            "output `c` of the plugin `app`: there is no type `vpc-con`",
            "output `d` of the plugin `app`: there is no type `vpc-conn@3`",
            "note: there are: 1.0.0",
            "output `e` of the plugin `app` has no type",
        ],
    );
}

#[test]
fn r8_an_unknown_type_is_told_once() {
    let mut case = case("  web: {use: ./web}\n");
    case.add_plugin("web", "requires: {database: {type: postgres-con}}");
    assert_eq!(case.refused().matches("error[").count(), 1);
}

#[test]
fn r8_from_names_only_attributes_and_all_required_ones() {
    let mut case = case("  vpc: {use: ./vpc}\n");
    case.add_plugin("vpc", "generates: {vpc: {type: vpc-conn, from: {regoin: r}}}");
    assert_says(
        &case.declared(),
        &[
            "`from` names `regoin`, which is no attribute of `vpc-conn` 1.0.0; it has `id`, `region`",
            "`from` lacks `id`, which `vpc-conn` 1.0.0 requires",
            "note: in `vpc/plugin.yaml`, at `generates.vpc.from`",
        ],
    );
}

#[test]
fn r8_a_slot_asks_only_for_sensitive_attributes_that_are() {
    let mut case = case("  web: {use: ./web}\n");
    case.add_plugin("web", "requires: {database: {type: postgres-conn, optional: true, sensitive: [host, pasword]}}");
    assert_says(
        &case.declared(),
        &["has no sensitive attribute `host`", "has no sensitive attribute `pasword`", "did you mean `password`?"],
    );
}

#[test]
fn r8_links_join_equal_types_with_intersecting_versions() {
    let mut case = case(
        "  vpc: {use: ./vpc}\n  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: vpc.vpc}}\n  jobs: {use: ./new, connections: {database: db.db}}\n",
    );
    case.add_plugin("new", "requires: {database: {type: postgres-conn, version: ^2}}");
    assert_says(
        &case.declared(),
        &[
            "error[contract-mismatch]: slot `web.database` cannot take `vpc.vpc`: it needs a `postgres-conn`, and that is a `vpc-conn` 1.0.0",
            "slot `jobs.database` cannot take `db.db`: it needs a `postgres-conn` in `^2`, and that is a `postgres-conn` 1.1.0",
        ],
    );
    case.add_plugin("postgres", "generates: {db: {types: [postgres-conn@1, postgres-conn@2], from: {host: h}}}");
    assert!(!case.declared().contains("jobs.database"));
}

#[test]
fn r8_a_link_must_hand_over_the_sensitive_attributes() {
    let mut case = case("  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n");
    case.add_plugin("web", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    assert_eq!(case.declared(), "");
    case.add_plugin("postgres", "generates: {db: {type: postgres-conn@1, from: {host: endpoint}}}");
    assert_says(
        &case.declared(),
        &["slot `web.database` cannot take `db.db`: it needs the sensitive `password`, which is not published"],
    );
}

#[test]
fn r8_schemas_must_be_schemas() {
    let mut case = case("  app: {use: ./app}\n");
    case.add_plugin("app", "inputs: {type: strnig}\nrequires: {a: {type: vpc-conn, optional: true, where: {type: 1}}}");
    assert_says(
        &case.declared(),
        &["the inputs of the plugin `app` are not a JSON Schema", "slot `a` of the plugin `app`: `where` is not a JSON Schema"],
    );
}

#[test]
fn r8_a_sensitive_input_has_no_default() {
    let mut case = case("  app: {use: ./app}\n");
    case.add_plugin("app", "inputs: {properties: {password: {type: string, default: hunter2, x-sensitive: true}}}");
    let declared = case.declared();
    assert_says(&declared, &["the sensitive input `password` has a default in the plugin `app`"]);
    assert!(!declared.contains("hunter2"));
}

#[test]
fn r8_inputs_are_checked_in_every_environment() {
    let mut case = case("  app: {use: ./app}\n");
    case.add_plugin("app", "inputs: {additionalProperties: false, properties: {count: {type: integer}}}");
    case.manifest += "environments: {production: {plugins: {app: {inputs: {count: many}}}}}\n";
    assert_says(
        &case.declared(),
        &[
            "input `count` of `app`: \"many\" is not of type \"integer\"",
            "at tieline.yaml environments.production.plugins.app.inputs.count",
        ],
    );
}

#[test]
fn r4_a_cycle_is_printed_as_a_path() {
    let mut case = case(
        "  b: {use: ./both, connections: {in: c.out}}\n  c: {use: ./both, connections: {in: d.out}}\n  d: {use: ./both, connections: {in: c.out}}\n",
    );
    case.add_plugin("both", "requires: {in: {type: vpc-conn}}\ngenerates: {out: {type: vpc-conn, from: {id: id}}}");
    let told = "the applied plugins wait for one another: `c -> d -> c`";
    assert_says(&case.declared(), &[told, "at tieline.yaml plugins.c"]);
    assert_says(&case.refused(), &[told]);
}

#[test]
fn r4_after_counts_in_cycles() {
    let case = case("  a: {use: ./vpc, after: [b]}\n  b: {use: ./vpc, after: [a]}\n");
    assert_says(&case.declared(), &["`a -> b -> a`"]);
}

#[test]
fn a_link_asks_for_no_generation() {
    let case = case("  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db@2}}\n");
    assert_says(&case.declared(), &["`db.db@2` cannot ask for a generation", "write `db.db`"]);
}

#[test]
fn a_reference_names_a_connection_elsewhere() {
    let mut case = case("  db: {use: ./postgres}\n  web: {use: ./web}\n");
    case.manifest += "environments: {staging: {references: {web.database: db.db}}}\n";
    assert_says(&case.refused(), &["`db.db` is an output of this deployable, not a connection elsewhere"]);
}

#[test]
fn a_plugin_that_was_not_found_is_said() {
    let case = case("  app: {use: ./nowhere}\n");
    assert_says(
        &case.refused(),
        &["error[plugin-unavailable]: the plugin `./nowhere` was not found\n  at tieline.yaml plugins.app.use"],
    );
}

#[test]
fn an_overlay_brings_changes_and_takes_away_plugins() {
    let mut case = case("  a: {use: ./vpc, after: [b]}\n  b: {use: ./vpc}\n");
    case.manifest += "environments: {staging: {plugins: {a: {use: ./postgres, after: []}, b: null, c: {use: ./vpc}}}}\n";
    let resolved = case.resolved();
    let plugins: Vec<_> = resolved.deployment.plugins.iter().map(|(alias, one)| format!("{alias} {}", one.plugin.name)).collect();
    assert_eq!(plugins, ["a postgres", "c vpc"]);
}

#[test]
fn merging_twice_changes_nothing() {
    let mut case = case("  a: {use: ./vpc, inputs: {x: 1, y: 2}}\n");
    case.manifest += "environments: {staging: {plugins: {a: {inputs: {x: null, y: 3}}}, references: {a.s: b/c.d}}, production: {plugins: {a: null}}}\n";
    let staging = "staging".parse().unwrap();
    let once = merged(&yaml(&case.manifest), Seen::In(&staging));
    assert_eq!(once.plugins["a"].inputs.values().collect::<Vec<_>>(), [&json!(3)]);
    assert_eq!(merged(&once, Seen::In(&staging)), once);
}
