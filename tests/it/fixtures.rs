//! The files that tests start from.

/// The files of [`crate::harness::Project::shop`]: documents of the context, plugins, manifests.
pub(crate) const SHOP: &[(&str, &str)] = &[
    ("context/context.yaml", "apiVersion: tieline/v1\nkind: Context\n"),
    (
        "context/workspaces/platform/workspace.yaml",
        r#"apiVersion: tieline/v1
kind: Workspace
name: platform
grants:
  - {connection: "*/network/vpc.vpc", to: ["retail/*/*"], allow: [use]}
"#,
    ),
    (
        "context/workspaces/platform/environments/staging.yaml",
        "apiVersion: tieline/v1\nkind: Environment\nname: staging\nbackend: {type: local, config: {path: states}}\n",
    ),
    ("context/workspaces/retail/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: retail\n"),
    (
        "context/workspaces/retail/environments/staging.yaml",
        r"apiVersion: tieline/v1
kind: Environment
name: staging
backend: {type: local, config: {path: states}}
values: {domain: staging.acme.test}
defaults:
  network-conn: platform/staging/network/vpc.vpc
",
    ),
    (
        "context/types/network-conn/1.0.0.yaml",
        r"apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: network-conn
version: 1.0.0
attributes:
  type: object
  required: [cidr]
  properties:
    cidr: {type: string, pattern: '^[0-9./]+$'}
    region: {type: string}
",
    ),
    (
        "context/types/postgres-conn/1.1.0.yaml",
        r"apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: postgres-conn
version: 1.1.0
attributes:
  type: object
  required: [host, port]
  properties:
    host: {type: string}
    port: {type: integer, minimum: 1, maximum: 65535}
    password: {type: string, x-sensitive: true}
",
    ),
    (
        "context/types/web-conn/1.0.0.yaml",
        r"apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: web-conn
version: 1.0.0
attributes:
  type: object
  required: [url]
  properties:
    url: {type: string}
",
    ),
    (
        "plugins/network/plugin.yaml",
        r"apiVersion: tieline/v1
kind: Plugin
name: network
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties:
    cidr: {type: string, default: 10.0.0.0/16}
    region: {type: string, default: sa-east-1}
generates:
  vpc: {type: network-conn, from: {cidr: cidr, region: region}}
terraform: {module: .}
",
    ),
    (
        "plugins/network/main.tf",
        r#"variable "cidr" { type = string }
variable "region" { type = string }

resource "terraform_data" "network" {
  input = { cidr = var.cidr, region = var.region }
}

output "cidr" { value = terraform_data.network.output.cidr }
output "region" { value = terraform_data.network.output.region }
"#,
    ),
    (
        "plugins/postgres/plugin.yaml",
        r"apiVersion: tieline/v1
kind: Plugin
name: postgres
version: 1.4.0
inputs:
  type: object
  additionalProperties: false
  required: [name]
  properties:
    name: {type: string}
    size: {type: string, enum: [micro, small, large], default: small}
    seed: {type: string, default: one}
requires:
  network: {type: network-conn, version: '>=1, <2'}
generates:
  db:
    type: postgres-conn
    from: {host: host, port: port, password: password}
terraform: {module: .}
",
    ),
    (
        "plugins/postgres/main.tf",
        r#"variable "name" { type = string }
variable "size" { type = string }
variable "seed" { type = string }
variable "network" { type = object({ cidr = string, region = string }) }

resource "terraform_data" "server" {
  input = { name = var.name, size = var.size, cidr = var.network.cidr }
}

resource "terraform_data" "password" {
  input      = sha256("${var.name}-${var.seed}")
  depends_on = [terraform_data.server]
}

output "host" { value = "${terraform_data.server.output.name}.db.internal" }
output "port" { value = 5432 }
output "password" {
  value     = terraform_data.password.output
  sensitive = true
}
"#,
    ),
    (
        "plugins/web/plugin.yaml",
        r"apiVersion: tieline/v1
kind: Plugin
name: web
version: 2.0.0
inputs:
  type: object
  additionalProperties: false
  required: [image]
  properties:
    image: {type: string}
    domain: {type: string, default: example.test}
requires:
  database: {type: postgres-conn, sensitive: [password]}
generates:
  web: {type: web-conn, from: {url: url}}
terraform: {module: .}
",
    ),
    (
        "plugins/web/main.tf",
        r#"variable "image" { type = string }
variable "domain" { type = string }
variable "database" {
  type = object({ host = string, port = number, password = string })
}

resource "terraform_data" "service" {
  input = {
    image = var.image
    url   = "https://${var.domain}"
    dsn   = "postgres://app:${var.database.password}@${var.database.host}:${var.database.port}"
  }
}

output "url" { value = "https://${var.domain}" }
"#,
    ),
    (
        "network/tieline.yaml",
        r"apiVersion: tieline/v1
kind: SharedInfra
name: network
workspace: platform
plugins:
  vpc: {use: ../plugins/network}
",
    ),
    (
        "shop/tieline.yaml",
        r"apiVersion: tieline/v1
kind: Application
name: shop
workspace: retail
plugins:
  database:
    use: ../plugins/postgres
    inputs: {name: orders}
  api:
    use: ../plugins/web
    inputs: {image: 'registry.example/api:1'}
    connections: {database: database.db}
",
    ),
];

/// The files of [`crate::harness::Project::lab`].
pub(crate) const LAB: &[(&str, &str)] = &[
    ("context/context.yaml", "apiVersion: tieline/v1\nkind: Context\n"),
    ("context/workspaces/lab/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: lab\ngrants: []\n"),
    (
        "context/workspaces/lab/environments/staging.yaml",
        r"apiVersion: tieline/v1
kind: Environment
name: staging
backend: {type: local, config: {path: states}}
defaults: {}
protected: false
allow-destroy: false
",
    ),
    (
        "context/types/thing-conn/1.0.0.yaml",
        r"apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: thing-conn
version: 1.0.0
attributes:
  type: object
  required: [name]
  properties:
    name: {type: string, pattern: '^[a-z-]+$'}
    secret: {type: string, x-sensitive: true}
",
    ),
    (
        "plugins/thing/plugin.yaml",
        r"apiVersion: tieline/v1
kind: Plugin
name: thing
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties:
    name: {type: string, default: thing}
    size: {type: integer, default: 1}
    shape: {type: string, default: round}
    seed: {type: string, default: one}
    broken: {type: boolean, default: false}
requires:
  upstream: {type: thing-conn, optional: true}
generates:
  out: {type: thing-conn, from: {name: name, secret: secret}}
terraform: {module: .}
",
    ),
    (
        "plugins/thing/main.tf",
        r#"variable "name" { type = string }
variable "size" { type = number }
variable "shape" { type = string }
variable "seed" { type = string }
variable "broken" { type = bool }
variable "upstream" {
  type    = object({ name = string })
  default = null
}

resource "terraform_data" "base" {
  input            = { name = var.name, size = var.size, upstream = try(var.upstream.name, null) }
  triggers_replace = var.shape
}

# Fails when it is applied, after the base is there.
resource "terraform_data" "top" {
  input = { base = terraform_data.base.output.name, broken = var.broken, size = var.size }
  lifecycle {
    postcondition {
      condition     = !self.output.broken
      error_message = "the top fell off"
    }
  }
}

output "name" { value = terraform_data.base.output.name }
output "secret" {
  value     = sha256(var.seed)
  sensitive = true
}
"#,
    ),
];
