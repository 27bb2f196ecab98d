//! A producer in one workspace, a consumer in another, and a secret between them that only Terraform's states hold.

use std::cell::RefCell;

use serde_json::Value;
use tieline::domain::names::Digest;

use crate::harness::{Project, Ran, tasks};

const CONTEXT: &str = "
apiVersion: tieline/v1
kind: Context
ceilings: {modules: [\"./\"], providers: [\"terraform.io/builtin/*\"]}
";

const PLATFORM: &str = "
apiVersion: tieline/v1
kind: Workspace
name: platform
grants: [{connection: \"*/data/database.db\", to: [\"retail/*/*\"], allow: [use, read-sensitive]}]
";

const RETAIL: &str = "
apiVersion: tieline/v1
kind: Workspace
name: retail
";

const DATABASE_TYPE: &str = "
apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: database-conn
version: 1.0.0
attributes:
  type: object
  required: [id, password]
  properties: {id: {type: string}, password: {type: string, x-sensitive: true}}
";

const PROOF_TYPE: &str = "
apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: proof-conn
version: 1.0.0
attributes: {type: object, required: [seen], properties: {seen: {type: string}}}
";

const DATABASE: &str = "
apiVersion: tieline/v1
kind: Plugin
name: database
version: 1.0.0
inputs: {type: object, properties: {edition: {type: integer, default: 1}}}
generates: {db: {type: database-conn, from: {id: id, password: password}}}
terraform: {}
";

/// Its password is known to whoever knows its id, so that the test can look for it.
const DATABASE_MODULE: &str = r#"
variable "edition" { type = number }
resource "terraform_data" "server" { triggers_replace = var.edition }
output "id" { value = terraform_data.server.id }
output "password" {
  value     = sha256(terraform_data.server.id)
  sensitive = true
}
"#;

const API: &str = "
apiVersion: tieline/v1
kind: Plugin
name: api
version: 1.0.0
requires: {database: {type: database-conn, sensitive: [password]}}
generates: {proof: {type: proof-conn, from: {seen: seen}}}
terraform: {}
";

/// It proves that it knows the password, without telling it.
const API_MODULE: &str = r#"
variable "database" { type = object({ id = string, password = string }) }
resource "terraform_data" "api" { input = sha256(var.database.password) }
output "seen" { value = nonsensitive(terraform_data.api.output) }
"#;

const PRODUCER: &str = "
apiVersion: tieline/v1
kind: SharedInfra
name: data
workspace: platform
environment: staging
plugins: {database: {use: ../plugins/database}}
";

const CONSUMER: &str = "
apiVersion: tieline/v1
kind: Application
name: shop
workspace: retail
environment: staging
plugins: {api: {use: ../plugins/api, connections: {database: platform/staging/data/database.db}}}
";

const PRODUCER_CONNECTION: &str = "platform/staging/data/database.db";
const CONSUMER_CONNECTION: &str = "retail/staging/shop/api.proof";

/// An organization whose environments keep their states in one backend.
pub(super) struct HandOver {
    project: Project,
    /// All that was ever printed.
    printed: RefCell<String>,
}

impl HandOver {
    /// With the `backend` of both environments' documents, in YAML, and what its users have in their environment.
    pub(super) fn new(backend: &str, variables: &[(&str, &str)]) -> Self {
        let mut project = Project::empty();
        for (name, value) in variables {
            project.set(name, value);
        }
        let environment = format!("apiVersion: tieline/v1\nkind: Environment\nname: staging\nbackend: {backend}\n");
        for (file, text) in [
            ("context/context.yaml", CONTEXT),
            ("context/types/database-conn/1.0.0.yaml", DATABASE_TYPE),
            ("context/types/proof-conn/1.0.0.yaml", PROOF_TYPE),
            ("context/workspaces/platform/workspace.yaml", PLATFORM),
            ("context/workspaces/platform/environments/staging.yaml", &environment),
            ("context/workspaces/retail/workspace.yaml", RETAIL),
            ("context/workspaces/retail/environments/staging.yaml", &environment),
            ("data/tieline.yaml", PRODUCER),
            ("shop/tieline.yaml", CONSUMER),
        ] {
            project.write(file, text);
        }
        project.plugin("plugins/database", DATABASE, DATABASE_MODULE);
        project.plugin("plugins/api", API, API_MODULE);
        project.init_context();
        Self { project, printed: RefCell::default() }
    }

    /// The secret arrives, again after it was rotated, and nothing of it or of the `canaries` is seen anywhere on the way.
    pub(super) fn proves(&self, canaries: &[&str]) {
        let passwords = [1, 2].map(|edition| {
            let inputs = format!("database, inputs: {{edition: {edition}}}}}");
            self.project.write("data/tieline.yaml", &PRODUCER.replace("database}", &inputs));
            let produced = self.deploy("data");
            let password = hashed(attribute(&produced, PRODUCER_CONNECTION, "id"));
            let consumed = self.deploy("shop");
            assert_eq!(attribute(&consumed, CONSUMER_CONNECTION, "seen"), hashed(&password), "another secret has arrived");
            assert!(are_unchanged(&self.deploy("data")) && are_unchanged(&self.deploy("shop")));
            password
        });
        assert_ne!(passwords[0], passwords[1], "it was not rotated");
        let recorded = self.project.git(".tieline/context.git", &["log", "--all", "-p"]);
        for canary in canaries.iter().copied().chain(passwords.iter().map(String::as_str)) {
            assert!(!self.printed.borrow().contains(canary), "`{canary}` was printed");
            assert!(!recorded.contains(canary), "`{canary}` was recorded");
        }
    }

    /// Producer and consumer get other names, and the secret goes on arriving: as it is, and after it was rotated.
    pub(super) fn proves_moves(&self, canaries: &[&str]) {
        let produced = self.deploy("data");
        let consumed = self.deploy("shop");
        let seen = attribute(&consumed, CONSUMER_CONNECTION, "seen").to_owned();
        for (from, to) in [("platform/staging/data/database", "orders"), ("retail/staging/shop", "retail/staging/store")] {
            let ran = self.project.run(&["move", from, to]).succeeds();
            self.printed.borrow_mut().push_str(&ran.to_string());
            self.project.verify();
        }
        let (orders, proof) = ("platform/staging/data/orders.db", "retail/staging/store/api.proof");
        self.project.write("data/tieline.yaml", &PRODUCER.replace("{database:", "{orders:"));
        self.project.write("shop/tieline.yaml", &CONSUMER.replace("name: shop", "name: store"));
        let (after, again) = (self.deploy("data"), self.deploy("shop"));
        assert_eq!(tasks(&after), "orders: succeeded (no changes)\n");
        assert_eq!(tasks(&again), "api: succeeded (no changes)\n");
        assert_eq!(attribute(&after, orders, "id"), attribute(&produced, PRODUCER_CONNECTION, "id"));
        assert_eq!(attribute(&again, proof, "seen"), seen);

        let rotated = "{orders: {use: ../plugins/database, inputs: {edition: 2}}}";
        self.project.write("data/tieline.yaml", &PRODUCER.replace("{database: {use: ../plugins/database}}", rotated));
        let password = hashed(attribute(&self.deploy("data"), orders, "id"));
        assert_eq!(attribute(&self.deploy("shop"), proof, "seen"), hashed(&password), "another secret has arrived");
        let recorded = self.project.git(".tieline/context.git", &["log", "--all", "-p"]);
        for canary in canaries.iter().copied().chain([password.as_str()]) {
            assert!(!self.printed.borrow().contains(canary), "`{canary}` was printed");
            assert!(!recorded.contains(canary), "`{canary}` was recorded");
        }
    }

    /// Two databases of one deployable, published with ids of their own, and both as they were afterwards.
    pub(super) fn deploy_two_databases(&self, aliases: &[String; 2]) {
        let plugins = aliases.each_ref().map(|alias| format!("  {alias}: {{use: ../plugins/database}}\n")).concat();
        let (head, _) = PRODUCER.split_once("plugins:").unwrap();
        self.project.write("data/tieline.yaml", &format!("{head}plugins:\n{plugins}"));
        let report = self.deploy("data");
        let [one, other] = aliases.each_ref().map(|alias| format!("platform/staging/data/{alias}.db"));
        assert_ne!(attribute(&report, &one, "id"), attribute(&report, &other, "id"));
        self.project.plan_with("data", &["--refresh"]).succeeds().says("0 to add, 0 to change, 0 to destroy");
    }

    /// The producer's deploy is refused as long as another holds the lock of its state.
    pub(super) fn is_refused_while_locked(&self) -> Ran {
        self.project.deploy_with("data", &["--lock-timeout", "0s"]).fails(2, "state-locked")
    }

    /// The report of a deploy, which must succeed.
    pub(super) fn deploy(&self, deployable: &str) -> Value {
        let ran = self.project.deploy_with(deployable, &["-o", "json", "--allow-destroy"]).succeeds();
        self.printed.borrow_mut().push_str(&ran.to_string());
        ran.json()
    }
}

/// Whether a run started no terraform.
pub(super) fn are_unchanged(report: &Value) -> bool {
    tasks(report).lines().all(|task| task.ends_with(": skipped (unchanged)"))
}

/// A public attribute in a report.
pub(super) fn attribute<'a>(report: &'a Value, connection: &str, name: &str) -> &'a str {
    let value = &report["connections"][connection]["attributes"][name];
    value.as_str().unwrap_or_else(|| panic!("no {connection} {name} in {report:#}"))
}

fn hashed(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}
