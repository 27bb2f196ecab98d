//! Fleets: one deploy that is spread over many jobs, each of which works on some of its applied plugins.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::address::{Address, Place};
use super::blocker::Blocker;
use super::change::PlannedResource;
use super::connection::ConnectionRecord;
use super::deployment::{Choice, Deployment, InputValue, ResolvedPlugin};
use super::diagnostic::Problems;
use super::names::{Alias, Digest, RunId};

/// What a claim says that is a fleet's: it is held by no process, but by all jobs that know its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// What every job must come to.
    pub deployment: Outline,
    /// Whether it is being finished: no job of it applies anything any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closing: bool,
}

/// What is deployed, as far as two resolutions of it are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// What the environment's document decides.
    pub environment: Digest,
    /// The applied plugins.
    pub plugins: BTreeMap<Alias, PluginOutline>,
}

/// An applied plugin of an [`Outline`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginOutline {
    /// Plugin, inputs, outputs and order.
    pub applied: Digest,
    /// What its slots take, and with which values.
    pub slots: Digest,
}

impl Outline {
    /// The outline of a deployment.
    pub fn of(deployment: &Deployment) -> Self {
        let environment = &deployment.environment;
        let stand_ins: BTreeMap<String, &Address> =
            deployment.stand_ins.iter().map(|((alias, output), address)| (format!("{alias}.{output}"), address)).collect();
        let decides = (&environment.account, &environment.backend, environment.protected, environment.allow_destroy, stand_ins);
        let plugins = deployment.plugins.iter().map(|(alias, plugin)| (alias.clone(), PluginOutline::of(plugin)));
        Self { environment: Digest::of_json(&decides), plugins: plugins.collect() }
    }

    /// In what another outline of the same differs, each as a noun. What slots take is looked at only of these aliases: what others are
    /// bound to is for their jobs to judge.
    pub fn differences(&self, now: &Self, aliases: &BTreeSet<Alias>) -> Vec<String> {
        let mut found = Vec::new();
        if self.environment != now.environment {
            found.push("the environment".to_owned());
        }
        for alias in self.plugins.keys().chain(now.plugins.keys().filter(|alias| !self.plugins.contains_key(*alias))) {
            match (self.plugins.get(alias), now.plugins.get(alias)) {
                (Some(then), Some(now)) if then.applied != now.applied => found.push(format!("`{alias}`")),
                (Some(then), Some(now)) if aliases.contains(alias) && then.slots != now.slots => {
                    found.push(format!("what the slots of `{alias}` take"));
                }
                (Some(_), Some(_)) => {}
                _ => found.push(format!("whether `{alias}` is deployed")),
            }
        }
        found
    }
}

impl PluginOutline {
    fn of(plugin: &ResolvedPlugin) -> Self {
        let inputs: BTreeMap<_, _> = plugin
            .inputs
            .iter()
            .map(|(name, input)| match &input.value {
                InputValue::Plain(value) => (name, Some(value)),
                InputValue::Sensitive => (name, None),
            })
            .collect();
        let outputs: BTreeMap<_, Vec<_>> = plugin
            .outputs
            .iter()
            .map(|(output, faces)| {
                let types = faces.iter().map(|face| (&face.connection_type.name, &face.connection_type.version, &face.from));
                (output, types.collect())
            })
            .collect();
        let slots: BTreeMap<_, _> = plugin
            .slots
            .iter()
            .map(|(slot, resolved)| {
                let taken = match &resolved.choice {
                    Choice::Link { alias, output } => serde_json::json!([alias, output]),
                    Choice::Connection(chosen) => {
                        let record = &chosen.record;
                        serde_json::json!([record.address, record.uid, record.digest, chosen.face])
                    }
                    Choice::Pending { address, .. } => serde_json::json!(address),
                    Choice::Unset => serde_json::Value::Null,
                };
                let taken = match &resolved.conversion {
                    Some(conversion) => serde_json::json!([taken, conversion.mapping, conversion.into]),
                    None => taken,
                };
                (slot, taken)
            })
            .collect();
        Self {
            applied: Digest::of_json(&(&plugin.source.digest, inputs, outputs, &plugin.depends_on)),
            slots: Digest::of_json(&slots),
        }
    }
}

/// Names the journal of one job of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartName {
    /// What is deployed.
    pub place: Place,
    /// The fleet's run.
    pub fleet: RunId,
    /// The first of the job's aliases. No other job has it, so the name is free.
    pub alias: Alias,
}

/// What a job's journal says beside what every journal does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What the job works on.
    pub aliases: BTreeSet<Alias>,
    /// What it left; none while it works, or where it ended without a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
}

/// What a job of a fleet left, beside the applied records in its journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// How its tasks ended.
    pub ends: BTreeMap<Alias, End>,
    /// The applied records that are of an apply that succeeded.
    pub succeeded: BTreeSet<Alias>,
    /// What is gone.
    pub destroyed: BTreeSet<Alias>,
    /// What a destroy left on purpose.
    pub retained: Vec<String>,
    /// What happened to resources; what changed inside them is not kept.
    pub changes: BTreeMap<Alias, Vec<PlannedResource>>,
    /// What kept things from being taken away.
    pub blockers: Vec<Blocker>,
    /// What went wrong.
    pub problems: Problems,
    /// The connections that are others than before.
    pub connections: Vec<ConnectionRecord>,
    /// What is worth saying.
    pub notes: Vec<String>,
}

/// How a task of a graph ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// What depends on it may start.
    Done,
    /// What depends on it is skipped.
    Failed,
    /// It was never started: this one, which it needs, did not succeed.
    Skipped {
        /// The name of the failed task.
        because: String,
    },
    /// It was never started: the run was cancelled.
    Cancelled,
}

/// The waves of a fleet: what is in one waits for nothing but what is in those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waves {
    /// What is deployed.
    pub place: Place,
    /// The fleet's run, which its jobs are to know.
    pub fleet: RunId,
    /// The jobs of each wave, each with the aliases that it works on.
    pub waves: Vec<Vec<Vec<Alias>>>,
}
