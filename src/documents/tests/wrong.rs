//! Wrong documents and what a person reads about each, one snapshot a group.

use std::fmt::Write as _;

use super::*;

/// Draws each case under its title. A case that has no problem would be a rule that nothing keeps.
fn report(kind: Kind, file: &str, cases: &[(&str, &str)]) -> String {
    let mut report = String::new();
    for (title, text) in cases {
        let shown = drawn(kind, file, text.as_bytes());
        assert!(!shown.is_empty(), "{title}: no problem was found");
        let _ = writeln!(report, "# {title}\n{shown}\n");
    }
    report
}

macro_rules! snapshot {
    ($name:literal, $report:expr) => {
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!($name, $report);
        });
    };
}

fn manifests(cases: &[(&str, &str)]) -> String {
    let cases: Vec<(&str, String)> = cases.iter().map(|(title, body)| (*title, manifest_text(body))).collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    report(Kind::Manifest, "tieline.yaml", &cases)
}

#[test]
fn yaml() {
    let cases = [
        ("empty", ""),
        ("only a comment", "# nothing\n"),
        ("unclosed bracket", "apiVersion: tieline/v1\nplugins: {a: {use: ./a}\n"),
        ("tab as indentation", "plugins:\n\ta: 1\n"),
        ("duplicate keys, each at the second", "name: a\nplugins:\n  api: {use: ./a}\n  db: {}\n  api: {use: ./b}\nname: b\n"),
        ("merge key", "base: &b {use: ./a}\nplugins:\n  api:\n    <<: *b\n"),
        ("custom tag", "plugins: !env {a: 1}\nname: !!binary aGk=\n"),
        ("keys that are no text", "1: a\nplugins: {true: {}, [a]: b}\n"),
        ("number as key", "plugins: {1: {}, null: {}}\n"),
        ("not a number", "plugins: {a: .nan}\n"),
        ("second document", "name: a\n---\nname: b\n"),
        ("unknown alias", "name: *nobody\n"),
        ("a list", "- a\n"),
        ("a text", "hello\n"),
    ];
    snapshot!("yaml", report(Kind::Manifest, "tieline.yaml", &cases));
    assert_eq!(
        drawn(Kind::Manifest, "tieline.yaml", b"name: a\nworkspace: \xff\n"),
        "error[invalid-document]: the document is not UTF-8: line 2 has other bytes\n--> tieline.yaml\n = help: save the file as UTF-8"
    );
}

#[test]
fn kinds() {
    let cases = [
        ("of another kind", "apiVersion: tieline/v1\nkind: Workspace\nname: retail\n"),
        ("of no kind", "apiVersion: tieline/v1\nkind: Aplication\nname: shop\nplugins: {}\n"),
        ("of another version", "apiVersion: tieline/v2\nkind: Application\nname: shop\nplugins: {}\n"),
        ("head missing", "plugins: {}\n"),
        ("StackSpot plugin", "schema-version: v3\nkind: plugin\nmetadata: {name: x}\n"),
        ("StackSpot manifest", "schema-version: v1\nkind: manifest\nspec: {}\n"),
        ("Massdriver bundle", "name: x\nparams: {}\nconnections: {}\nartifacts: {}\n"),
        ("Signadot resource plugin", "name: x\nspec: {create: [], delete: [], runner: {}}\n"),
    ];
    snapshot!("kinds", report(Kind::Manifest, "tieline.yaml", &cases));
}

#[test]
fn manifest_shape() {
    snapshot!(
        "manifest_shape",
        manifests(&[
            (
                "unknown fields at several depths",
                "plugins:\n  api:\n    use: ./web\n    conections: {db: db.main}\n    zebra: 1\nenvironment-s: {}\n"
            ),
            ("missing use", "plugins:\n  api:\n    inputs: {}\n"),
            ("wrong types", "plugins:\n  api: ./web\n  db: {use: 3, after: cache, inputs: [a]}\nworkspace: true\n"),
            ("bad names", "workspace: Retail\nplugins:\n  My_API: {use: ./web, inputs: {9lives: 1}, connections: {Db: a.b}}\n"),
            (
                "bad references",
                "plugins: {api: {use: ./web}}\nenvironments:\n  production: {references: {api: a/b/c/d.e}, stand-ins: {api.web: nowhere}}\n"
            ),
            ("bad address", "plugins: {api: {use: ./web, connections: {db: database, cache: a/b/c/d/e.f, bus: bus.main@0}}}\n"),
            (
                "overlay of a wrong shape",
                "plugins: {api: {use: ./web}}\nenvironments:\n  production: {plugins: {api: large}}\n  staging: {plugins: {api: {input: {}}}}\n"
            ),
            (
                "one wrong thing hides no other",
                "workspace: X\nplugins:\n  Bad: {use: 1, conections: {}}\n  api: {use: ./web, after: [7, bd, api]}\n  db: {use: ./db, connections: {up: nobody.x, down: '?'}}\n"
            ),
            (
                "schema and rules together",
                "plugins:\n  api: {use: ./web, conections: {}, connections: {db: datbase.main}}\n  database: {inputs: {}}\n  cache: {use: ./c, after: [api, api]}\n"
            ),
        ])
    );
}

#[test]
fn manifest_rules() {
    snapshot!(
        "manifest_rules",
        manifests(&[
            ("link to nobody", "plugins:\n  api: {use: ./web, connections: {db: databse.main}}\n  database: {use: ./db}\n"),
            ("link to itself", "plugins: {api: {use: ./web, connections: {db: api.main}}}\n"),
            (
                "after nobody, itself, twice",
                "plugins:\n  api: {use: ./web, after: [api, db, db, cach]}\n  db: {use: ./db}\n  cache: {use: ./cache}\n"
            ),
            (
                "overlay for nobody",
                "plugins: {api: {use: ./web}}\nenvironments:\n  production:\n    plugins: {apo: {inputs: {size: large}}, cache: null}\n    references: {apj.db: a/b/c/d.e}\n    stand-ins: {dp.main: a/b/c/d.e}\n"
            ),
            (
                "overlay takes away what is linked to",
                "plugins:\n  api: {use: ./web, connections: {db: db.main}}\n  db: {use: ./db}\nenvironments: {production: {plugins: {db: null}}}\n"
            ),
            (
                "overlay links to nobody",
                "plugins: {api: {use: ./web}}\nenvironments: {production: {plugins: {api: {connections: {db: bd.main}, after: [x]}}}}\n"
            ),
            (
                "overlay of an overlay",
                "plugins: {api: {use: ./web, connections: {db: db.main}}, db: {use: ./db}}\nenvironments: {staging: {plugins: {cache: {use: ./cache}}, references: {api.db: shared/db.main}}}\npreview: {base: staging, plugins: {cache: {inputs: {a: 1}}, db: null, chache: null}}\n"
            ),
            ("no source", "plugins: {api: {use: \"\"}}\n"),
            (
                "preview names",
                "environment: pr-1\nplugins: {api: {use: ./web}}\nenvironments: {pr-7: {}}\npreview: {base: pr-3, ttl: soon, url: api.web}\n"
            ),
            (
                "preview of nobody",
                "plugins: {api: {use: ./web}}\npreview: {base: staging, url: app.web.url, plugins: {db: {inputs: {}}}}\n"
            ),
        ])
    );
    let imported = "apiVersion: tieline/v1\nkind: SharedInfra\nname: imported\nplugins: {}\n";
    assert!(drawn(Kind::Manifest, "tieline.yaml", imported.as_bytes()).contains("`imported` cannot be the name of a deployable"));
}

#[test]
fn r4_cycles_are_printed_as_paths() {
    snapshot!(
        "r4_cycles",
        manifests(&[
            (
                "links and after",
                "plugins:\n  a: {use: ./a, connections: {in: b.out}}\n  b: {use: ./b, after: [c]}\n  c: {use: ./c, connections: {x: a.out}}\n  d: {use: ./d, after: [a]}\n"
            ),
            (
                "only in one environment",
                "plugins:\n  a: {use: ./a, connections: {in: b.out}}\n  b: {use: ./b}\nenvironments: {production: {plugins: {b: {after: [a]}}}}\n"
            ),
            (
                "only in previews",
                "plugins:\n  a: {use: ./a, connections: {in: b.out}}\n  b: {use: ./b}\npreview: {base: staging, plugins: {b: {after: [a]}}}\n"
            ),
        ])
    );
    let broken_by_a_stand_in = manifest_text(
        "plugins:\n  a: {use: ./a, connections: {in: b.out}}\n  b: {use: ./b}\nenvironments: {production: {plugins: {b: {after: [a]}}, stand-ins: {b.out: production/imported/b}}}\n",
    );
    assert_eq!(drawn(Kind::Manifest, "tieline.yaml", broken_by_a_stand_in.as_bytes()), "");
}

#[test]
fn plugins() {
    let plugin = |body: &str| format!("apiVersion: tieline/v1\nkind: Plugin\nname: db\nversion: 1.0.0\n{body}");
    let cases = [
        ("steps", plugin("steps: {create: []}\n")),
        ("no terraform", plugin("")),
        ("inputs are no object", plugin("inputs: {type: string}\nterraform: {}\n")),
        (
            "inputs are no schema",
            plugin(
                "inputs:\n  type: object\n  properties:\n    a: {type: txt}\n    b: {pattern: '('}\n    c: {$ref: 'https://example.com/c.json'}\n    0d: {type: string}\nterraform: {}\n",
            ),
        ),
        (
            "secret default",
            plugin(
                "inputs:\n  type: object\n  properties:\n    password: {type: string, x-sensitive: true, default: hunter2}\nterraform: {}\n",
            ),
        ),
        (
            "bad slots",
            plugin(
                "requires:\n  network: {type: VPC, version: one, where: {type: maybe}}\n  peer: {version: '1'}\n  key: {type: key-conn, sensitive: [pem], where: {properties: {pem: {const: a}}}}\nterraform: {}\n",
            ),
        ),
        (
            "bad outputs",
            plugin(
                "generates:\n  a: {from: {host: h}}\n  b: {type: t, types: [t@1], from: {host: h}}\n  c: {type: t}\n  d: {types: [t@1, t@1, {type: 'T@2'}, 7, {typ: t}], from: {host: output.h}}\n  e: {type: t@x, from: {h: h}}\n  f: {types: [t@1, {type: t@2, from: {}, form: {}}], from: {h: 'output.h'}}\nterraform: {}\n",
            ),
        ),
        (
            "bad variables",
            plugin(
                "inputs: {type: object, properties: {name: {type: string}}}\nrequires: {network: {type: vpc}}\nterraform:\n  module: ../other\n  variables:\n    a: {input: nam}\n    b: {connection: netwrk.id}\n    c: {connection: network.subnet.id}\n    d: {imput: name}\n    e: {input: name, connection: network}\n    f.g: {input: name}\n    h: name\n",
            ),
        ),
        ("bad version", plugin("terraform: {}\n").replace("1.0.0", "1.4.x")),
        ("number as version", plugin("terraform: {}\n").replace("1.0.0", "1")),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!("plugins", report(Kind::Plugin, "plugin.yaml", &cases));
}

#[test]
fn connection_types() {
    let cases = [
        (
            "required but not there",
            "apiVersion: tieline/v1\nkind: ConnectionInterfaceType\nname: t\nversion: 1.0.0\nattributes: {type: object, required: [host, prot], properties: {host: {type: string}, port: {type: integer}}}\n",
        ),
        ("no attributes", "apiVersion: tieline/v1\nkind: ConnectionInterfaceType\nname: t\nversion: 1.0.0\n"),
        (
            "bad names and orientation",
            "apiVersion: tieline/v1\nkind: ConnectionInterfaceType\nname: a/b/c\nversion: 1.0.0\norientation: links\nattributes: {type: object, properties: {a.b: {type: string}}}\n",
        ),
    ];
    snapshot!("connection_types", report(Kind::ConnectionInterfaceType, "type.yaml", &cases));
}

#[test]
fn environments() {
    let environment = |body: &str| format!("apiVersion: tieline/v1\nkind: Environment\nname: staging\n{body}");
    let cases = [
        ("keys that are ours", environment("backend: {type: s3, config: {bucket: b, key: k, workspace_key_prefix: p}}\n")),
        (
            "secrets",
            environment(
                "backend: {type: s3, config: {bucket: b, access_key: AKIA, secret_key: hunter2, assume_role: {web_identity_token: t}}}\n",
            ),
        ),
        (
            "connection string with password",
            environment("backend: {type: pg, config: {conn_str: 'postgres://me:hunter2@db/x', schema_name: s}}\n"),
        ),
        ("another connection string", environment("backend: {type: pg, config: {conn_str: 'host=db password = hunter2'}}\n")),
        ("local without path", environment("backend: {type: local}\n")),
        ("unknown backend", environment("backend: {type: gsc, config: {bucket: b}}\n")),
        ("no backend", environment("values: {a: 1}\n")),
        ("preview's name", environment("backend: {type: local, config: {path: states}}\n").replace("staging", "pr-12")),
        (
            "defaults",
            environment(
                "backend: {type: local, config: {path: s}}\ndefaults: {vpc-conn: network.vpc, 'Vpc:x': a/b.c, queue-conn: nowhere}\n",
            ),
        ),
        (
            "roles of another account and without a meaning",
            environment(
                "backend: {type: s3, config: {bucket: b, assume_role_with_web_identity: {role_arn: a}}}\naccount:\n  provider: aws\n  id: '123456789012'\n  role: arn:aws:iam::999999999999:role/deploy\n  plan-role: deploy\n  state-role: arn:aws:iam::999999999999:role/states\n",
            ),
        ),
        (
            "roles that nobody takes",
            environment(
                "backend: {type: gcs, config: {bucket: b}}\naccount: {provider: google, id: acme-1, state-role: deployer@acme-1}\n",
            ),
        ),
        (
            "account and overrides",
            environment(
                "backend: {type: local, config: {path: s}}\naccount: {provider: amazon, id: 123456789012}\noverrides: {force: boss}\nprotected: yes\n",
            ),
        ),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!("environments", report(Kind::Environment, "environment.yaml", &cases));
    let good = environment("backend: {type: local, config: {path: s}}\n");
    let file = "context:workspaces/retail/environments/production.yaml";
    assert!(
        drawn(Kind::Environment, file, good.as_bytes()).contains("the name `staging` is not that of the file `production.yaml`")
    );
    assert_eq!(drawn(Kind::Environment, "context:workspaces/retail/environments/staging.yaml", good.as_bytes()), "");
}

#[test]
fn r66_what_looks_like_a_secret_is_not_drawn() {
    let cases = [
        (
            Kind::Environment,
            "backend: {type: s3, config: {bucket: 1, secret_key: hunter2}}\nvalues: {Db-Password: hunter2, nested: {tokens: [hunter2]}}\nzebra: 1\n",
        ),
        (Kind::Environment, "backend: {type: pg, config: {conn_str: 'postgres://me:hunter2@db/x', schema_name: s}}\n"),
        (Kind::ImportedConnection, "sensitive: {key: hunter2, other: {sealed: hunter2}}\n"),
        (
            Kind::Plugin,
            "inputs: {type: objct, properties: {a: {x-sensitive: true, default: hunter2}, password: {default: hunter2}}}\n",
        ),
        (Kind::Manifest, "plugins: {api: {use: 1, inputs: {api_token: hunter2}}}\n"),
        (Kind::Manifest, "plugins: {api: {use: 1, inputs: {api_token: hunter2}\n"),
        (Kind::Manifest, "password: 'hunter2\n"),
        (Kind::Context, "sealing: {recipients: [AGE-SECRET-KEY-hunter2]}\n"),
    ];
    for (kind, text) in cases {
        let shown = drawn(kind, "x.yaml", text.as_bytes());
        assert!(!shown.is_empty() && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn workspaces() {
    let cases = [
        (
            "grants",
            "apiVersion: tieline/v1\nkind: Workspace\nname: platform\ngrants:\n  - {connection: network/vpc.vpc, to: [retail], allow: [use]}\n  - {connection: '*/network/vpc', to: ['retail/*/shop/x'], allow: [read-sensitive]}\n  - {connection: '*/network/vpc.vpc', to: [], allow: []}\n  - {connection: '*/network/vpc.vpc', to: ['a/*/*'], allow: [read]}\n  - {connection: 'Any/x/y.z', to: 'a/*/*', allow: [use]}\n",
        ),
        (
            "owners and limits",
            "apiVersion: tieline/v1\nkind: Workspace\nname: platform\nowners: {network: {repository: network, id: 0}, imported: {repository: a/b, id: 1}, bus: {repository: a/b, id: '7'}, mail: {repository: a/b, id: 7, former: [{id: 7, until: '2026-01-01T00:00:00Z'}, {id: 8, until: once}]}}\nlimits: {max-plugins: -1, max-preview: 3}\n",
        ),
    ];
    snapshot!("workspaces", report(Kind::Workspace, "workspace.yaml", &cases));
}

#[test]
fn rest_of_the_context() {
    let context = [
        (
            "context",
            "apiVersion: tieline/v1\nkind: Context\nceilings: {step-runners: [dokcer], local_exec: true}\nsealing: {recipients: [hunter2]}\nproofs: always\nretention: {runs: 0}\nclaims-prefix: tieline\n",
        ),
        ("proofs without keys", "apiVersion: tieline/v1\nkind: Context\nproofs: required\n"),
        (
            "keys that prove nothing",
            "apiVersion: tieline/v1\nkind: Context\nproof-keys:\n  issuer: https://issuer.example\n  audience: ' '\n  keys: [{kid: a, n: 'no+base64url', e: AQAB}, {kid: b, n: AQAB, e: AQAB, alg: none}]\n  baseline: main\n",
        ),
        ("no keys", "apiVersion: tieline/v1\nkind: Context\nproof-keys: {issuer: a, audience: b, keys: []}\n"),
    ];
    snapshot!("context", report(Kind::Context, "context.yaml", &context));
    let catalog = [
        ("number as a version", "apiVersion: tieline/v1\nkind: Catalog\nplugins: {postgres: {versions: {1.4: {}}}}\n"),
        (
            "catalog",
            "apiVersion: tieline/v1\nkind: Catalog\nplugins:\n  postgres: {versions: {'1.4': {}, 1.4.0: {}, '2.0.0': {yank: bad}}}\n  Redis: {versions: {}}\ntype-aliases: {a: b, b: c}\n",
        ),
        (
            "mappings",
            "apiVersion: tieline/v1\nkind: Catalog\ntype-aliases: {b: a}\ntype-mappings:\n  - {from: a, to: b, attributes: {}}\n  - {from: a, to: c, attributes: {x: y, z: {}}}\n  - {from: b, to: c, attributes: {x: y}}\nstackspot:\n  plugins: {plugin: x, a/b@1: x}\n  connections: {My VPC: network/vpc.vpc}\n",
        ),
        (
            "shape of mappings",
            "apiVersion: tieline/v1\nkind: Catalog\ntype-mappings:\n  - {from: A, to: c}\n  - {from: a, to: c, attributes: {x: 1, y: '${z}', w: a..b, v: {'$x': a}, u: [a]}}\n",
        ),
    ];
    snapshot!("catalog", report(Kind::Catalog, "catalog.yaml", &catalog));
    let imported = [(
        "imported connection",
        "apiVersion: tieline/v1\nkind: ImportedConnection\nname: legacy\ntype: postgres-conn\nversion: 1.0.0\nattributes: {password: x}\nsensitive:\n  password: {env: my password}\n  token: {sealed: hunter2}\n  key: hunter2\n  both: {env: A, sealed: age}\n  none: {vault: x}\n  state: {state: {backend: {type: s3, config: {secret_key: x}}, output: o}}\n",
    )];
    snapshot!(
        "imported",
        report(Kind::ImportedConnection, "context:workspaces/retail/imported/production/orders.yaml", &imported)
    );
}
