use super::*;
use crate::domain::names::{Alias, EnvironmentName, InputName};
use crate::domain::overlay::{Seen, merged};

const MANIFEST: &str = r#"
apiVersion: tieline/v1
kind: Application
name: ecommerce-api
workspace: retail
plugins:
  database:
    use: github:acme/plugins//postgres@1.4.0
    inputs: {size: small, name: orders}
    connections: {}
    after: []
  api:
    use: ./plugins/web
    inputs: {image: "registry.example/api:1.9"}
    connections:
      database: database.db
environments:
  production:
    plugins: {database: {inputs: {size: large, name: null}}, cache: {use: ./plugins/cache}}
    references: {api.cluster: platform/production/compute/eks.cluster}
    stand-ins: {database.db: retail/production/imported/legacy-orders}
  bare:
    plugins: {api: null}
preview:
  base: staging
  ttl: 72h
  url: api.web.url
  plugins: {database: {inputs: {size: micro}}}
  references: {}
  stand-ins: {}
"#;

const PLUGIN: &str = r#"
apiVersion: tieline/v1
kind: Plugin
name: postgres
version: 1.4.0
description: A PostgreSQL server in the shared network.
inputs:
  type: object
  additionalProperties: false
  required: [name]
  properties:
    name: {type: string, pattern: "^[a-z][a-z0-9_]*$"}
    size: {type: string, enum: [micro, small, large], default: small}
    admin-password: {type: string, x-sensitive: true}
requires:
  network:
    type: aws-vpc-conn
    version: ">=1, <2"
    optional: false
    sensitive: []
    where: {properties: {region: {const: sa-east-1}}}
generates:
  db:
    type: postgres-conn
    from:
      host: endpoint
      port: port
      password: admin_password
  moved:
    types: [postgres-conn@1, {type: postgres-conn@2, from: {url: url}}]
    from: {host: endpoint}
terraform:
  module: .
  variables:
    subnet_ids: {connection: network.subnet_ids}
    db_name: {input: name}
  required-version: ">= 1.5"
  moved: []
  keep-on-destroy: []
limits: {single-use: false}
"#;

const TYPE: &str = r"
apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: postgres-conn
version: 1.1.0
description: How to reach a PostgreSQL database.
orientation: link
attributes:
  type: object
  required: [host, port]
  properties:
    host: {type: string}
    port: {type: integer, minimum: 1, maximum: 65535}
    password: {type: string, x-sensitive: true}
";

const CONTEXT: &str = r#"
apiVersion: tieline/v1
kind: Context
ceilings:
  local-exec: false
  modules: ["./", "github.com/acme/"]
  providers: ["hashicorp/*", "terraform.io/builtin/*"]
  step-runners: [docker]
sealing: {recipients: []}
proofs: off
retention: {runs: 200}
claims-prefix: refs/heads/tieline-claims/
"#;

const CATALOG: &str = r"
apiVersion: tieline/v1
kind: Catalog
plugins:
  postgres:
    source: github:acme/plugins//postgres@{version}
    versions:
      1.4.0: {}
      1.3.0: {deprecated: use 1.4}
      1.2.0: {yanked: loses data, source: ./old}
type-aliases: {acme/postgres: postgres-conn}
type-mappings:
  - {from: massdriver/aws-vpc, to: aws-vpc-conn, attributes: {id: data.infrastructure.id, region: specs.aws.region}}
  - {from: aws-vpc-conn, to: massdriver/aws-vpc, attributes: {data: {infrastructure: {arn: arn}}, specs: {aws: {region: region}}}}
stackspot:
  plugins: {studio/stack/plugin: 'github:acme/plugins//x@{version}', studio/other: 'github:acme/plugins//y'}
  connections: {main-vpc: network/vpc.vpc}
";

const WORKSPACE: &str = r#"
apiVersion: tieline/v1
kind: Workspace
name: platform
values: {company: acme}
limits: {max-plugins: 50, runs-per-hour: 60, max-previews: 20}
owners: {network: {repository: acme/network, id: 123456}}
grants:
  - {connection: "*/network/vpc.vpc", to: ["retail/*/*"], allow: [use]}
  - {connection: "*/bus/queue.bus", to: ["retail/*/*"], allow: [use, read-sensitive], previews: false}
  - {connection: "*/imported/legacy", to: ["retail/production/shop"], allow: [use]}
"#;

const ENVIRONMENT: &str = r#"
apiVersion: tieline/v1
kind: Environment
name: staging
account: {provider: aws, id: "123456789012", region: sa-east-1, role: "arn:aws:iam::123456789012:role/deploy", plan-role: null, state-role: null}
backend:
  type: s3
  config: {bucket: acme-tfstate, region: sa-east-1, use_lockfile: true}
values: {domain: staging.acme.test}
defaults:
  aws-vpc-conn: platform/staging/network/vpc.vpc
  aws-vpc-conn:peer: network/other.vpc
protected: false
allow-destroy: false
overrides: {break-consumers: approvers}
"#;

const IMPORTED: &str = r"
apiVersion: tieline/v1
kind: ImportedConnection
name: legacy-orders
type: postgres-conn
version: 1.0.0
attributes: {host: db.legacy.test, port: 5432}
sensitive:
  password: {env: LEGACY_PASSWORD}
  token: {state: {backend: {type: s3, config: {bucket: b, key: legacy.tfstate}}, output: token}}
";

const ALL: [(Kind, &str); 8] = [
    (Kind::Manifest, MANIFEST),
    (Kind::Plugin, PLUGIN),
    (Kind::ConnectionInterfaceType, TYPE),
    (Kind::Context, CONTEXT),
    (Kind::Catalog, CATALOG),
    (Kind::Workspace, WORKSPACE),
    (Kind::Environment, ENVIRONMENT),
    (Kind::ImportedConnection, IMPORTED),
];

#[test]
fn good_documents_of_every_kind_are_read() {
    for (kind, text) in ALL {
        assert_eq!(drawn(kind, "document.yaml", text.as_bytes()), "", "{kind}");
    }
}

#[test]
fn a_byte_order_mark_json_and_aliases_are_fine() {
    let marked = format!("\u{feff}{TYPE}");
    assert_eq!(drawn(Kind::ConnectionInterfaceType, "t.yaml", marked.as_bytes()), "");
    let json = br#"{"apiVersion": "tieline/v1", "kind": "Workspace", "name": "retail"}"#;
    assert_eq!(drawn(Kind::Workspace, "w.yaml", json), "");
    let aliased = manifest_text("plugins: {a: {use: ./a, inputs: &same {x: 1}}, b: {use: ./b, inputs: *same}}\n");
    let read = manifest("m.yaml", aliased.as_bytes()).unwrap();
    let alias = |name| Alias::new(name).unwrap();
    assert_eq!(read.plugins[&alias("a")].inputs, read.plugins[&alias("b")].inputs);
}

#[test]
fn a_large_manifest_is_read() {
    use std::fmt::Write as _;
    let mut body = "plugins:\n".to_owned();
    for number in 0..200 {
        let _ = write!(body, "  p{number}:\n    use: ./web\n    inputs: {{size: small, count: 3}}\n");
        if number > 0 {
            let _ = writeln!(body, "    connections: {{up: p{}.out}}", number - 1);
        }
    }
    assert_eq!(manifest("m.yaml", manifest_text(&body).as_bytes()).unwrap().plugins.len(), 200);
}

#[test]
fn overlays_merge_by_key_and_null_takes_away() {
    let base = manifest("m.yaml", MANIFEST.as_bytes()).unwrap();
    let environment = |name| EnvironmentName::new(name).unwrap();
    let alias = |name| Alias::new(name).unwrap();

    let production = merged(&base, Seen::In(&environment("production")));
    assert_eq!(production.plugins[&alias("database")].inputs[&InputName::new("size").unwrap()], "large");
    assert!(!production.plugins[&alias("database")].inputs.contains_key("name"));
    assert_eq!(production.plugins[&alias("cache")].source, "./plugins/cache");
    assert_eq!(production.plugins[&alias("api")], base.plugins[&alias("api")]);
    let kept = &production.environments[&environment("production")];
    assert!(kept.plugins.is_empty() && kept.references.len() == 1 && kept.stand_ins.len() == 1);

    assert!(!merged(&base, Seen::In(&environment("bare"))).plugins.contains_key("api"));
    assert_eq!(merged(&base, Seen::Plain).plugins, base.plugins);
    assert_eq!(merged(&base, Seen::In(&environment("elsewhere"))).plugins, base.plugins);
}
