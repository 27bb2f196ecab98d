//! A producer in one workspace, a consumer in another, and a secret between them that only Terraform's states hold.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

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
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// All that was ever printed.
    printed: RefCell<String>,
}

impl HandOver {
    /// With the `backend` of both environments' documents, in YAML.
    pub(super) fn new(backend: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organization = Self { folder, variables: Vec::new(), printed: RefCell::default() };
        let environment = format!("apiVersion: tieline/v1\nkind: Environment\nname: staging\nbackend: {backend}\n");
        for (file, text) in [
            ("documents/context.yaml", CONTEXT),
            ("documents/types/database-conn/1.0.0.yaml", DATABASE_TYPE),
            ("documents/types/proof-conn/1.0.0.yaml", PROOF_TYPE),
            ("documents/workspaces/platform/workspace.yaml", PLATFORM),
            ("documents/workspaces/platform/environments/staging.yaml", &environment),
            ("documents/workspaces/retail/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: retail\n"),
            ("documents/workspaces/retail/environments/staging.yaml", &environment),
            ("plugins/database/plugin.yaml", DATABASE),
            ("plugins/database/main.tf", DATABASE_MODULE),
            ("plugins/api/plugin.yaml", API),
            ("plugins/api/main.tf", API_MODULE),
            ("data/tieline.yaml", PRODUCER),
            ("shop/tieline.yaml", CONSUMER),
        ] {
            organization.write(file, text);
        }
        organization
    }

    /// With a variable in the environment of every command.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The secret arrives, again after it was rotated, and nothing of it or of the `canaries` is seen anywhere on the way.
    pub(super) fn proves(&self, canaries: &[&str]) {
        self.init();
        let mut passwords = Vec::new();
        for edition in [1, 2] {
            self.write(
                "data/tieline.yaml",
                &PRODUCER.replace("database}", &format!("database, inputs: {{edition: {edition}}}}}")),
            );
            let produced = self.deploy("data");
            let password = hashed(attribute(&produced, PRODUCER_CONNECTION, "id"));
            let consumed = self.deploy("shop");
            assert_eq!(attribute(&consumed, CONSUMER_CONNECTION, "seen"), hashed(&password), "another secret has arrived");
            for deployable in ["data", "shop"] {
                assert_eq!(endings(&self.deploy(deployable)), ["skipped: unchanged"], "{deployable}");
            }
            passwords.push(password);
        }
        assert_ne!(passwords[0], passwords[1], "it was not rotated");
        let seen = self.printed.borrow().clone() + &self.ledger();
        for canary in canaries.iter().copied().chain(passwords.iter().map(String::as_str)) {
            assert!(!seen.contains(canary), "`{canary}` was printed or recorded");
        }
    }

    /// Two databases of one deployable, each published with an id of its own, and both still there afterwards.
    pub(super) fn deploy_two_databases(&self, aliases: &[String; 2]) {
        let plugins = aliases.iter().map(|alias| format!("  {alias}: {{use: ../plugins/database}}\n")).collect::<String>();
        let manifest = PRODUCER.split("plugins:").next().unwrap().to_owned() + "plugins:\n" + &plugins;
        self.write("data/tieline.yaml", &manifest);
        self.init();
        let report = self.deploy("data");
        let ids =
            aliases.each_ref().map(|alias| attribute(&report, &format!("platform/staging/data/{alias}.db"), "id").to_owned());
        assert_ne!(ids[0], ids[1]);
        let planned = self.succeed(&["plan", "-f", "data/tieline.yaml", "--refresh"]);
        assert!(planned.contains("no changes"), "one state lost what the other took: {planned}");
    }

    /// The producer's deploy is refused, and says who holds the lock of its state.
    pub(super) fn is_refused_while_locked(&self, holder: &str) {
        let refused = self.tieline(&["deploy", "-f", "data/tieline.yaml", "--lock-timeout", "0s"]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains("state-locked") && said.contains(holder), "{said}");
    }

    pub(super) fn init(&self) {
        self.succeed(&["context", "init", "--from", "documents"]);
    }

    /// The report of a deploy.
    pub(super) fn deploy(&self, deployable: &str) -> Value {
        let report =
            self.succeed(&["deploy", "--output", "json", "-f", &format!("{deployable}/tieline.yaml"), "--allow-destroy"]);
        serde_json::from_str(&report).unwrap()
    }

    /// Runs a command that is to succeed, and gives back its result.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.tieline(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "tieline {}: {errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command in an environment that holds nothing but what it needs.
    pub(super) fn tieline(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_tieline"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        for stream in [&output.stdout, &output.stderr] {
            self.printed.borrow_mut().push_str(&String::from_utf8_lossy(stream));
        }
        output
    }

    /// Every change of every branch of the context repository.
    fn ledger(&self) -> String {
        let git = Command::new("git")
            .args(["-C", ".tieline/context.git", "log", "--all", "-p"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .output()
            .unwrap();
        assert!(git.status.success() && !git.stdout.is_empty());
        String::from_utf8_lossy(&git.stdout).into_owned()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A public attribute in a report.
pub(super) fn attribute<'a>(report: &'a Value, connection: &str, name: &str) -> &'a str {
    report["connections"][connection]["attributes"][name]
        .as_str()
        .unwrap_or_else(|| panic!("no {connection} {name} in {report:#}"))
}

/// How each task of a run ended, and why.
pub(super) fn endings(report: &Value) -> Vec<String> {
    let ending = |task: &Value| {
        let because = task["because"].as_str().map(|because| format!(": {because}"));
        task["status"].as_str().unwrap().to_owned() + &because.unwrap_or_default()
    };
    report["run"]["tasks"].as_array().unwrap().iter().map(ending).collect()
}

fn hashed(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
