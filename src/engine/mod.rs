//! A run: from a resolved deployment to real infrastructure and published connections.
//!
//! [`deploy()`] takes the claim, runs the task graph, publishes once and releases the claim; [`plan()`] makes the same plans and
//! changes nothing. [`drift()`] only looks at what is there. A task is prepared (bound, rendered, initialized, gated, planned) and then applied.

mod abandon;
mod adopting;
mod apply;
mod attributes;
mod bind;
mod blame;
mod blockers;
mod changes;
mod claim;
mod collect;
mod deploy;
mod drift;
mod event;
mod fingerprint;
mod fleet;
mod graph;
mod identity;
mod impact;
mod journal;
mod mark;
mod module;
mod moving;
mod out_of_reach;
mod plan;
mod prepare;
mod previewing;
mod publication;
mod rebinding;
mod recorded;
mod recovery;
mod removal;
mod retiring;
mod root;
mod rules;
mod schedule;
mod state_locks;
mod steps;
mod stop;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cloud::WebIdentity;
use crate::context::{CommitId, ContextStore};
use crate::domain::address::{Address, AliasMember};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry, Handle};
use crate::domain::declared::Declaration;
use crate::domain::deployment::{Deployment, Secrets};
use crate::domain::diagnostic::Problems;
use crate::domain::module::{BUILTIN_PROVIDER, Module};
use crate::domain::names::{Alias, AttributeName, InputName, RunId, SlotName, VersionTag};
use crate::domain::organization::{Environment, Override, StepRunner};
use crate::domain::outcome::PlanFingerprint;
use crate::domain::preview::Life;
use crate::domain::record::{AppliedRecord, Overridden, Release, RunType};
use crate::policy::Gates;
use crate::policy::rules::{Rules, Run};
use crate::secrets::{Opener, Redactor, Secret};
use crate::sources::Tree;
use crate::terraform::Terraform;
use crate::world::World;

pub use adopting::{Adoption, Source};
pub use claim::{Held, Start, Wanted, claim, claim_all, claim_place, release_all, take_over};
pub use deploy::deploy;
pub use drift::drift;
pub use event::{Event, Phase, Sink};
pub use fleet::{bury, deploy_part, finish_fleet, give_up, join, take_fleet};
pub use graph::{Graph, Node, graph, jobs};
pub use mark::{end_alone, end_marking, mark};
pub use module::made;
pub use moving::{Affected, empty_what_is_left, relocate};
pub use plan::plan;
pub use recovery::clear_up;
pub use state_locks::StateLocks;
pub use steps::{check_steps, unopenable};

/// What a run is asked to do beyond its documents.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What kind of run it is.
    pub run_type: RunType,
    /// The run whose release is applied again, for a rollback.
    pub source: Option<RunId>,
    /// What is set aside, each with its reason.
    pub overrides: Vec<Overridden>,
    /// How long the preview lives that it is a deploy of; none where it is none.
    pub life: Option<Life>,
    /// How many tasks run at a time.
    pub parallelism: usize,
    /// Plan even what is unchanged.
    pub refresh: bool,
    /// Plans may delete and replace.
    pub allow_destroy: bool,
    /// The plan that a person approved.
    pub approved_plan: Option<PlanFingerprint>,
    /// What modules may contain.
    pub gates: Gates,
    /// Where scripts may run.
    pub step_runners: StepRunners,
    /// The name of the release.
    pub version_tag: VersionTag,
    /// Who started it.
    pub actor: Option<String>,
    /// The application's repository.
    pub repository: Option<String>,
    /// That repository's numeric id.
    pub repository_id: Option<u64>,
    /// The GitHub environment that the job runs under, where that is known and matters.
    pub approved_in: Option<String>,
    /// The application's commit.
    pub commit: Option<String>,
    /// Where the run can be watched.
    pub run_url: Option<String>,
    /// Whether a deploy also reads what changes inside resources, for its report: one more Terraform command for each plan that has
    /// changes. A plan reads it anyway.
    pub attribute_changes: bool,
    /// What this process works on, where it is one of a fleet's jobs: the rest is for others.
    pub only: Option<BTreeSet<Alias>>,
}

impl Settings {
    /// Who does what, for rules.
    pub fn who(&self) -> Run<'_> {
        let (actor, repository) = (self.actor.as_deref(), self.repository.as_deref());
        Run { run_type: self.run_type, actor, repository, repository_id: self.repository_id }
    }

    /// What a run is asked to do that was asked for nothing in particular.
    pub fn plain(run_type: RunType, version_tag: VersionTag) -> Self {
        Self {
            run_type,
            source: None,
            overrides: Vec::new(),
            life: None,
            parallelism: 1,
            refresh: false,
            allow_destroy: false,
            approved_plan: None,
            gates: Gates::default(),
            step_runners: StepRunners::default(),
            version_tag,
            actor: None,
            repository: None,
            repository_id: None,
            approved_in: None,
            commit: None,
            run_url: None,
            attribute_changes: false,
            only: None,
        }
    }
}

/// Takes note of secrets.
pub type Learner = Arc<dyn Fn(&Secret) + Send + Sync>;

/// What secrets are sealed for and opened with.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Whom they are sealed for.
    pub recipients: Vec<String>,
    /// What opens them; none where no identity is given.
    pub opener: Option<Opener>,
}

/// Where the scripts of plugins may run.
#[derive(Debug, Clone, Default)]
pub struct StepRunners {
    /// What is asked for; none where each plugin decides.
    pub asked: Option<StepRunner>,
    /// What is permitted.
    pub permitted: Vec<StepRunner>,
}

/// A plugin's tree with the static reading of its module.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its files, as they were fetched.
    pub tree: Arc<Tree>,
    /// What is put beside the root module: the same files, or what those of another system's plugin were made into.
    pub files: Arc<Tree>,
    /// Its module, and those of its files that the module calls, each with its folder; its own comes first. Nothing where the module
    /// has yet to be rendered.
    pub modules: Arc<Vec<(String, Module)>>,
}

/// The module of what has none yet.
static NO_MODULE: std::sync::LazyLock<Module> = std::sync::LazyLock::new(Module::default);

impl Content {
    /// The content of a plugin whose module is rendered for each apply.
    pub fn to_be_rendered(tree: Arc<Tree>) -> Self {
        Self { files: tree.clone(), tree, modules: Arc::default() }
    }

    /// Whether its module is there.
    pub fn is_rendered(&self) -> bool {
        !self.modules.is_empty()
    }

    /// Its own module.
    pub fn module(&self) -> &Module {
        self.modules.first().map_or(&NO_MODULE, |(_, module)| module)
    }

    /// The modules of its tree that its own calls.
    fn nested(&self) -> Vec<Module> {
        self.modules.iter().skip(1).map(|(_, module)| module.clone()).collect()
    }

    /// The providers that its modules need beside the one that is part of Terraform.
    fn providers(&self) -> BTreeSet<String> {
        let sources =
            self.modules.iter().flat_map(|(_, module)| module.providers.keys().map(|local| module.provider_source(local)));
        sources.filter(|source| source != BUILTIN_PROVIDER).collect()
    }
}

/// An applied plugin that is no longer in the manifest.
#[derive(Debug, Clone)]
pub struct Removed {
    /// What was applied.
    pub record: AppliedRecord,
    /// Its plugin, read again out of the tree that the context kept.
    pub plugin: Arc<crate::domain::plugin::Plugin>,
    /// Its tree.
    pub content: Content,
    /// How the secrets of its bindings are reached.
    pub secrets: BTreeMap<Address, Secrets>,
    /// The position of the face that each binding used.
    pub faces: BTreeMap<Address, usize>,
    /// The handles of the sensitive attributes that each binding used, as they are now.
    pub handles: BTreeMap<Address, BTreeMap<AttributeName, Handle>>,
    /// The schemas of the attributes of what the slots are bound to, where they are still known.
    pub schemas: BTreeMap<SlotName, Value>,
}

/// What the ledger says of this place at the start.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// The head that was read; none where there is no ledger yet.
    pub head: Option<CommitId>,
    /// Applied records.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// Connections.
    pub connections: BTreeMap<Address, ConnectionRecord>,
    /// Consumers of those connections, everywhere.
    pub consumers: BTreeMap<Address, Vec<ConsumerEntry>>,
    /// What those connections were called before they were moved, as far as nothing else is called that now.
    pub former: BTreeMap<Address, Address>,
    /// Who declares them without being bound to them.
    pub declared: BTreeMap<Address, Vec<Declaration>>,
    /// The newest release.
    pub release: Option<Release>,
    /// Every environment's document, by workspace: read only where something is to be destroyed.
    pub environments: Vec<(String, Environment)>,
}

/// Everything a run works with. It is shared by its tasks.
pub struct Engine {
    /// The effects.
    pub world: World,
    /// The context repository.
    pub store: Arc<dyn ContextStore>,
    /// The terraform.
    pub terraform: Terraform,
    /// What is deployed.
    pub deployment: Deployment,
    /// The organization's rules, or why they cannot be asked.
    pub rules: Result<Rules, Problems>,
    /// The plugins' trees and modules.
    pub contents: BTreeMap<Alias, Content>,
    /// What goes because the manifest no longer has it.
    pub removed: BTreeMap<Alias, Removed>,
    /// The ledger at the start.
    pub own: Own,
    /// The provider locks of the release that is applied again.
    pub locks: BTreeMap<Alias, String>,
    /// The state that the run takes over; nothing else is done then.
    pub adoption: Option<Adoption>,
    /// What is worth saying of the run in every report.
    pub notes: Mutex<Vec<String>>,
    /// Takes secrets out of what is recorded.
    pub redactor: Redactor,
    /// Takes note of a secret, before anything can show it.
    pub learn: Learner,
    /// What secrets are sealed for and opened with.
    pub keys: Keys,
    /// Who the run is in its cloud account; none where Terraform is whoever the variables say.
    pub identity: Option<WebIdentity>,
    /// Values of sensitive inputs.
    pub secrets: BTreeMap<AliasMember<InputName>, Secret>,
    /// Values of sensitive attributes of connections that a person gives for a destroy, because they cannot be read any more.
    pub attributes: BTreeMap<(Alias, SlotName, AttributeName), Secret>,
    /// The folder that relative paths of `local` backends are made absolute against.
    pub local_base: Option<PathBuf>,
    /// The run's private folder, outside the workspace.
    pub folder: PathBuf,
    /// What was asked for.
    pub settings: Settings,
    /// Takes what happens.
    pub sink: Sink,
    /// Set once, by a signal or the time limit.
    pub cancel: CancellationToken,
    /// How long the tasks may take; none means as long as they do.
    pub time_limit: Option<Duration>,
    /// Whether it was the time limit that cancelled.
    pub out_of_time: AtomicBool,
    /// Held by the one init that may use a backend whose inits must not run side by side.
    pub alone: tokio::sync::Mutex<()>,
    /// The connections of this place, as the run leaves them.
    pub records: Mutex<BTreeMap<Address, ConnectionRecord>>,
}

/// Locks what tasks share. A task that panicked while it held the lock left it as it was.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Engine {
    fn emit(&self, event: Event) {
        (self.sink)(event);
    }

    /// Takes note of something that is worth saying in every report, once.
    fn add_note(&self, note: String) {
        let mut notes = locked(&self.notes);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What is worth saying of the run, so far.
    fn notes(&self) -> Vec<String> {
        locked(&self.notes).clone()
    }

    /// The connections of this place, as they stand.
    fn records(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, ConnectionRecord>> {
        locked(&self.records)
    }

    /// Whether plans may delete and replace without further approval. A destroy is asked for by its name.
    fn may_destroy(&self) -> bool {
        if self.settings.run_type == RunType::Destroy {
            return true;
        }
        (self.settings.allow_destroy || self.deployment.environment.allow_destroy) && !self.deployment.environment.protected
    }

    /// Whether an override of this run names the subject.
    fn is_overridden(&self, what: Override, subject: &str) -> bool {
        self.settings.overrides.iter().any(|set_aside| set_aside.what == what && set_aside.subjects.contains(subject))
    }

    fn is_own(&self, address: &Address) -> bool {
        address.producer().as_ref() == Some(&self.deployment.place)
    }
}
