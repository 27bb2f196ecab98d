//! Claims: who holds a deployable, and the journal of what it does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::address::{Address, Place};
use super::connection::ConnectionStatus;
use super::fleet::{Fleet, Part};
use super::names::Alias;
use super::record::{AppliedRecord, RunRecord};

/// The exclusive hold of a deployable in an environment by one run, and the run's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// What is held.
    pub place: Place,
    /// The run as it stands: its tasks are the journal.
    pub run: RunRecord,
    /// The machine it runs on.
    pub host: String,
    /// Its process there.
    pub process: Process,
    /// Until when it is believed to live.
    pub lease: DateTime<Utc>,
    /// What it binds to: `<address>`.
    pub binds: BTreeSet<String>,
    /// Applied records of what was attempted, as they stand.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// The connections that it marked `retiring`, each with what it was before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retiring: BTreeMap<Address, ConnectionStatus>,
    /// What a fleet's claim says beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Fleet>,
    /// What the journal of one of a fleet's jobs says beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A process on its host, told apart from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// When it started, in clock ticks since the host did.
    pub started: u64,
    /// Which boot of the host.
    pub boot: String,
    /// The namespace that its number counts in.
    #[serde(default)]
    pub namespace: String,
    /// The host's machine id; empty where it has none.
    #[serde(default)]
    pub machine: String,
}
