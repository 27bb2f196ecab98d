//! The documents of the context that people change by pull request: context, workspace, environment, imported connection.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Account;
use super::address::PartialAddress;
use super::names::{AttributeName, DeployableName, EnvironmentName, ImportedName, InputName, TypeName, WorkspaceName};
use super::proof::ProofKeys;

/// `context.yaml`: what holds for the whole organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContextDocument {
    /// `tieline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Context`.
    pub kind: ContextKind,
    /// What a workflow's inputs may narrow but never widen.
    #[serde(default)]
    pub ceilings: Ceilings,
    /// Sealing of step secrets.
    #[serde(default)]
    pub sealing: Sealing,
    /// Whether ledger commits must carry a proof of who wrote them.
    #[serde(default)]
    pub proofs: Proofs,
    /// Whose tokens are proofs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_keys: Option<ProofKeys>,
    /// What is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Another prefix for claim refs, for hosts that refuse `refs/tieline/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims_prefix: Option<String>,
    /// Organization-wide limits.
    #[serde(default)]
    pub limits: Limits,
}

impl Default for ContextDocument {
    /// The one that leaves everything as it is by itself.
    fn default() -> Self {
        Self {
            api_version: "tieline/v1".to_owned(),
            kind: ContextKind::Context,
            ceilings: Ceilings::default(),
            sealing: Sealing::default(),
            proofs: Proofs::default(),
            proof_keys: None,
            retention: Retention::default(),
            claims_prefix: None,
            limits: Limits::default(),
        }
    }
}

/// The kind of `context.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContextKind {
    /// The only one.
    Context,
}

/// What a workflow's inputs may narrow but never widen; an absent list does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ceilings {
    /// Whether plugins may use provisioners, the data sources `external` and `http`, and providers that start a program.
    #[serde(default)]
    pub local_exec: bool,
    /// Prefixes of permitted module sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<String>>,
    /// Permitted providers, `namespace/name` or with a host; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Permitted step runners; absent: only `docker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_runners: Option<Vec<StepRunner>>,
}

/// Where a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepRunner {
    /// A container.
    Docker,
    /// A process on the runner.
    Host,
    /// A pod.
    Kubernetes,
}

/// Who can open sealed step secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// age recipients.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// Whether ledger commits must carry a proof of their writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Proofs {
    /// No.
    #[default]
    Off,
    /// Records without one are not believed.
    Required,
}

/// What is kept of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// How many run records of a deployable in an environment.
    #[serde(default = "default_runs")]
    pub runs: u32,
}

fn default_runs() -> u32 {
    200
}

impl Default for Retention {
    fn default() -> Self {
        Self { runs: default_runs() }
    }
}

/// Limits of a workspace or the organization; absent: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Applied plugins in one deployable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_plugins: Option<u32>,
    /// Runs that may begin in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_hour: Option<u32>,
    /// Live previews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_previews: Option<u32>,
    /// Live previews that one deployable is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_previews_per_deployable: Option<u32>,
    /// How long a preview may live at most after its last deploy, such as `7d`, and what labels and comments may ask for; absent: as
    /// long as its manifest says, and nobody may ask for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_preview_ttl: Option<String>,
}

/// `workspaces/<ws>/workspace.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// `tieline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Workspace`.
    pub kind: WorkspaceKind,
    /// Its name.
    pub name: WorkspaceName,
    /// Inputs of the same name, for every plugin that has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<InputName, Value>,
    /// Its limits.
    #[serde(default)]
    pub limits: Limits,
    /// Deployable to the repository whose workflows may write it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owners: BTreeMap<DeployableName, Owner>,
    /// What others may do with its connections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// The kind of a workspace's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WorkspaceKind {
    /// The only one.
    Workspace,
}

/// The repository that may write a deployable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// `owner/name`, for people.
    pub repository: String,
    /// Its numeric id, which is what counts.
    pub id: u64,
    /// Whose it was before: what those proved while it was theirs still counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerOwner>,
}

/// A repository that a deployable belonged to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormerOwner {
    /// Its numeric id.
    pub id: u64,
    /// When it was handed over.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: DateTime<Utc>,
}

impl Owner {
    /// Who owns it when it is handed over at this time.
    #[must_use]
    pub fn handed_over(&self, repository: String, id: u64, at: DateTime<Utc>) -> Self {
        let before = FormerOwner { id: self.id, until: at };
        let former = self.former.iter().cloned().chain([before]).filter(|former| former.id != id);
        Self { repository, id, former: former.collect() }
    }

    /// Whether a repository is the owner, or was at that time.
    pub fn was(&self, id: u64, at: DateTime<Utc>) -> bool {
        self.id == id || self.former.iter().any(|former| former.id == id && at <= former.until)
    }
}

/// The owner's permission for others to use a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Pattern of `<env>/<deployable>/<alias>.<output>`; `*` stands for any text without `/`.
    pub connection: String,
    /// Patterns of `<ws>/<env>/<deployable>`.
    pub to: Vec<String>,
    /// What is allowed.
    pub allow: Vec<Permission>,
    /// Whether previews count too, for sensitive attributes.
    #[serde(default)]
    pub previews: bool,
}

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Bind to it.
    Use,
    /// Have its sensitive attributes handed over.
    ReadSensitive,
}

impl Permission {
    /// As documents have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::ReadSensitive => "read-sensitive",
        }
    }
}

/// `workspaces/<ws>/environments/<env>.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Environment {
    /// `tieline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Environment`.
    pub kind: EnvironmentKind,
    /// Its name.
    pub name: EnvironmentName,
    /// The cloud account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Terraform's own backend block; the key is Tieline's to fill.
    pub backend: Backend,
    /// Inputs of the same name, for every plugin that has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<InputName, Value>,
    /// Connection interface type, or `type:slot`, to the connection that supplies it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<DefaultKey, PartialAddress>,
    /// Destroy is refused, and deploys that delete or replace need approval.
    #[serde(default)]
    pub protected: bool,
    /// May a deploy delete or replace things without the input `allow-destroy`?
    #[serde(default)]
    pub allow_destroy: bool,
    /// Override to the GitHub environment whose approval it needs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<Override, String>,
    /// Sealing of its step secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<Sealing>,
}

/// The kind of an environment's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EnvironmentKind {
    /// The only one.
    Environment,
}

/// An override that an environment may put under approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Override {
    /// Destroy what is consumed.
    BreakConsumers,
    /// Forget what is deployed.
    Abandon,
    /// Free a lock or claim.
    Unlock,
    /// Mend the ledger.
    Repair,
    /// Destroy what belonged to a repository that is gone.
    Orphaned,
}

impl Override {
    /// As documents name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BreakConsumers => "break-consumers",
            Self::Abandon => "abandon",
            Self::Unlock => "unlock",
            Self::Repair => "repair",
            Self::Orphaned => "orphaned",
        }
    }
}

impl std::fmt::Display for Override {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key of an environment default: a type, or a type for slots of one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DefaultKey {
    /// The type it supplies.
    pub type_name: TypeName,
    /// Only for slots of this name.
    pub slot: Option<super::names::SlotName>,
}

impl std::fmt::Display for DefaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.slot {
            Some(slot) => write!(f, "{}:{slot}", self.type_name),
            None => write!(f, "{}", self.type_name),
        }
    }
}

impl TryFrom<String> for DefaultKey {
    type Error = super::names::InvalidName;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            Some((type_name, slot)) => {
                Ok(Self { type_name: TypeName::new(type_name)?, slot: Some(super::names::SlotName::new(slot)?) })
            }
            None => Ok(Self { type_name: TypeName::new(text)?, slot: None }),
        }
    }
}

impl From<DefaultKey> for String {
    fn from(key: DefaultKey) -> Self {
        key.to_string()
    }
}

impl JsonSchema for DefaultKey {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DefaultKey".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9-]{0,62}(/[a-z][a-z0-9-]{0,62})?(:[a-z][a-z0-9-]{0,62})?$"})
    }
}

/// Terraform's own backend block, but for the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: BackendKind,
    /// Its settings.
    #[serde(default)]
    pub config: serde_json::Map<String, Value>,
}

/// The backends that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// Files in a folder.
    Local,
    /// Amazon S3.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azurerm,
    /// `PostgreSQL`.
    Pg,
    /// A REST endpoint.
    Http,
    /// Kubernetes secrets.
    Kubernetes,
    /// Consul's key-value store.
    Consul,
    /// HCP Terraform's older block, with local execution.
    Remote,
    /// HCP Terraform, with local execution.
    Cloud,
}

impl BackendKind {
    /// The name in Terraform's own words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azurerm => "azurerm",
            Self::Pg => "pg",
            Self::Http => "http",
            Self::Kubernetes => "kubernetes",
            Self::Consul => "consul",
            Self::Remote => "remote",
            Self::Cloud => "cloud",
        }
    }
}

/// `workspaces/<ws>/imported/<env>/<name>.yaml`: a connection written by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedConnection {
    /// `tieline/v1`.
    pub api_version: String,
    /// `ImportedConnection`.
    pub kind: ImportedKind,
    /// Its name.
    pub name: ImportedName,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The version of its type.
    #[schemars(with = "String", extend("format" = "version"))]
    pub version: semver::Version,
    /// Its public attributes.
    #[serde(default)]
    pub attributes: BTreeMap<AttributeName, Value>,
    /// Its sensitive attributes: where each is, never its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sensitive: BTreeMap<AttributeName, SecretReference>,
}

/// The kind of an imported connection's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ImportedKind {
    /// The only one.
    ImportedConnection,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretReference {
    /// An output of a Terraform state.
    State(StateReference),
    /// An age-sealed value.
    Sealed(String),
    /// An environment variable of the run.
    Env(String),
}

/// An output of a Terraform state that is not ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateReference {
    /// The backend, with its key.
    pub backend: Backend,
    /// The state's output.
    pub output: String,
}
