//! What runs write to the ledger: applied records, run records, releases, claims.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Account;
use super::address::Address;
use super::connection::Binding;
use super::failure::FailureReason;
use super::moving::FullName;
use super::names::{Alias, Digest, InputName, OutputName, PluginName, RunId, SlotName, StepName, VersionTag};
use super::organization::{Backend, Override};
use super::outcome::PlanFingerprint;
use super::step_record::StepRecord;

pub use super::claim::{Claim, Process};

/// The format of the files written today.
pub const SCHEMA_VERSION: u32 = 1;

/// What is known of an applied plugin since its last apply: enough to destroy, compare and skip it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedRecord {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// The plugin's name.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
    /// Where it came from.
    pub source: ResolvedSource,
    /// The public inputs it was applied with.
    pub inputs: BTreeMap<InputName, Value>,
    /// The names of its sensitive inputs.
    pub sensitive_inputs: BTreeSet<InputName>,
    /// Its bindings, by slot.
    pub bindings: BTreeMap<SlotName, Binding>,
    /// Connections that may still be in use, though the slot is bound to another one by now: no apply has succeeded since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<SlotName, BTreeSet<Address>>,
    /// The aliases of the same deployable that it came after.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<Alias>,
    /// Where its Terraform state is.
    pub state: StateLocation,
    /// The text of `.terraform.lock.hcl` after init; none where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_lock: Option<String>,
    /// The terraform that applied it; [`TerraformBuild::NONE`] where it is made by steps alone.
    pub terraform: TerraformBuild,
    /// The account it was applied in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The version of what generates root modules.
    pub generator: u32,
    /// The last apply that was started.
    pub attempted: Attempt,
    /// The last apply that succeeded, and its fingerprint; none until one has.
    pub applied: Option<Attempt>,
    /// How many managed resources of the plugin its state holds.
    pub resources: u64,
    /// What its create steps left, by step, as far as they came to an end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<StepName, StepRecord>,
    /// What it was called before it was moved, the first name first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<FullName>,
}

impl AppliedRecord {
    /// Every connection that the applied plugin may use, by slot.
    pub fn uses(&self) -> impl Iterator<Item = (&SlotName, &Address)> {
        let bound = self.bindings.iter().map(|(slot, binding)| (slot, &binding.address));
        let held = self.held.iter().flat_map(|(slot, addresses)| addresses.iter().map(move |address| (slot, address)));
        bound.chain(held)
    }

    /// The name that its resources were made under, where it was moved since. Its root module is rendered with this one until it is
    /// destroyed, so that nothing is made anew because of a name (R40).
    pub fn origin(&self) -> Option<&FullName> {
        self.formerly.first()
    }
}

/// An apply: of which run, of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// Over all that decides what an apply does; see `engine`.
    pub fingerprint: Digest,
}

/// A plugin's source, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedSource {
    /// As written after `use:`.
    #[serde(rename = "use")]
    pub written: String,
    /// The commit, where the source is a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of the tree.
    pub digest: Digest,
}

/// Where a Terraform state is: the backend as in the environment's document, with the key that was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateLocation {
    /// The backend, without the key.
    pub backend: Backend,
    /// The key as it stands in the backend, after encoding.
    pub key: String,
}

/// A terraform binary: which one exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerraformBuild {
    /// Where it is.
    pub path: String,
    /// Its version, such as `1.11.4`.
    pub version: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since the Unix epoch.
    pub modified: i64,
}

impl TerraformBuild {
    /// What is recorded where no terraform was needed.
    pub const NONE: Self = Self { path: String::new(), version: String::new(), size: 0, modified: 0 };

    /// Whether there was none.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunType {
    /// Provisions and publishes.
    Deploy,
    /// Applies an earlier release.
    Rollback,
    /// Removes.
    Destroy,
    /// Renames or relocates what is deployed.
    Move,
    /// Takes over a Terraform state.
    Adopt,
    /// Marks a connection that will go.
    Deprecate,
    /// Takes a connection out of use.
    Retire,
    /// Frees what a dead run left held.
    Unlock,
}

impl RunType {
    /// What such a run does to a deployable, in a word that its name follows.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Deploy => "deploys",
            Self::Rollback => "rolls back",
            Self::Destroy => "destroys",
            Self::Move => "moves",
            Self::Adopt => "adopts",
            Self::Deprecate => "deprecates",
            Self::Retire => "retires",
            Self::Unlock => "unlocks",
        }
    }

    /// The command that shows what such a run would do.
    pub fn planned_by(self) -> &'static str {
        match self {
            Self::Rollback => "tieline plan --for rollback",
            Self::Destroy => "tieline plan --for destroy",
            _ => "tieline plan",
        }
    }
}

impl std::fmt::Display for RunType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Destroy => "destroy",
            Self::Move => "move",
            Self::Adopt => "adopt",
            Self::Deprecate => "deprecate",
            Self::Retire => "retire",
            Self::Unlock => "unlock",
        })
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// In progress, or dead without having said so.
    Running,
    /// Everything was done or needed no doing.
    Succeeded,
    /// A person must change something.
    UserError,
    /// Terraform, cloud, git or network failed.
    RuntimeError,
    /// Cancelled, timed out or found dead.
    Aborted,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskType {
    /// Renders the root module.
    Iac,
    /// Plans and applies it.
    Deploy,
    /// Destroys what was applied.
    Destroy,
}

impl std::fmt::Display for TaskType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Iac => "iac",
            Self::Deploy => "deploy",
            Self::Destroy => "destroy",
        })
    }
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// Waits for others.
    Pending,
    /// Waits for a free place.
    ReadyToRun,
    /// Runs.
    Running,
    /// Done.
    Succeeded,
    /// Did not succeed.
    Failed,
    /// A bug of ours stopped it.
    InternalError,
    /// Cancelled.
    Aborted,
    /// Needed no doing, or could not be done; `because` says which.
    Skipped,
}

/// Resource changes, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// Created.
    pub add: u64,
    /// Changed in place.
    pub change: u64,
    /// Destroyed.
    pub remove: u64,
}

impl ChangeCounts {
    /// Whether nothing changes.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for ChangeCounts {
    fn add_assign(&mut self, other: Self) {
        self.add += other.add;
        self.change += other.change;
        self.remove += other.remove;
    }
}

impl std::iter::Sum for ChangeCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

impl std::fmt::Display for ChangeCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "+{} ~{} -{}", self.add, self.change, self.remove)
    }
}

/// A task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRecord {
    /// `<type>:<alias>`.
    pub id: String,
    /// The applied plugin.
    pub alias: Alias,
    /// What it does.
    #[serde(rename = "type")]
    pub task_type: TaskType,
    /// How it stands.
    pub status: TaskStatus,
    /// Why it was skipped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
    /// What it changed.
    #[serde(default)]
    pub changes: ChangeCounts,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Its id.
    pub id: RunId,
    /// What it does.
    #[serde(rename = "type")]
    pub run_type: RunType,
    /// How it stands.
    pub status: RunStatus,
    /// The first cause of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<FailureReason>,
    /// Its tasks, in the order of the graph.
    pub tasks: Vec<TaskRecord>,
    /// The name of the release it makes.
    pub version_tag: VersionTag,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The application's repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// That repository's numeric id, which it keeps when it is renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<u64>,
    /// The application's commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where it can be watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    /// The run whose release it applied again, for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RunId>,
    /// What was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Overridden>,
    /// The fingerprint of its plan, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_fingerprint: Option<PlanFingerprint>,
    /// The GitHub environment that its job ran under, as the job's token says: who approved is in that environment's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_in: Option<String>,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
}

impl RunRecord {
    /// The tasks that touch infrastructure: one for each applied plugin.
    pub fn main_tasks(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(|task| task.task_type != TaskType::Iac)
    }
}

/// A safeguard that a person set aside for a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overridden {
    /// Which one.
    #[serde(rename = "override")]
    pub what: Override,
    /// For what: consumers, aliases, ids.
    pub subjects: BTreeSet<String>,
    /// Why, in the person's words.
    pub reason: String,
    /// Where the Terraform states are that no record leads to any more, by alias.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<Alias, StateLocation>,
}

/// What a successful deploy applied, under a version tag: enough to apply it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Its name. The newest with a tag is what the tag means.
    pub version_tag: VersionTag,
    /// The run that made it.
    pub run: RunId,
    /// When.
    pub made: DateTime<Utc>,
    /// The run whose release was applied again, where a rollback made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RunId>,
    /// The application's commit, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The merged manifest for that environment.
    pub manifest: Value,
    /// The applied plugins.
    pub plugins: BTreeMap<Alias, ReleasedPlugin>,
}

/// An applied plugin of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedPlugin {
    /// Its name and version; none in releases of before they were recorded.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<ReleasedVersion>,
    /// Where it came from.
    pub source: ResolvedSource,
    /// The public inputs.
    pub inputs: BTreeMap<InputName, Value>,
    /// The names of the sensitive inputs.
    pub sensitive_inputs: BTreeSet<InputName>,
    /// The bindings.
    pub bindings: BTreeMap<SlotName, Binding>,
    /// The types that each output was published as, `name@version`.
    #[serde(default)]
    pub outputs: BTreeMap<OutputName, Vec<String>>,
    /// The terraform's version.
    pub terraform: String,
    /// The text of `.terraform.lock.hcl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_lock: Option<String>,
}

/// Which plugin it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedVersion {
    /// The plugin's name.
    #[serde(rename = "plugin")]
    pub name: PluginName,
    /// Its version.
    pub version: Version,
}
