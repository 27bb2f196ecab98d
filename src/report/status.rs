//! The state of an environment, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::run::{by_address, moment, status_word};
use super::table::table;
use super::{counted, one_line, to_json};
use crate::domain::address::{Address, Place};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::difference::Difference;
use crate::domain::names::{Alias, DeployableName};
use crate::domain::record::{Claim, Release, RunRecord};
use crate::domain::staleness::Stale;

/// What the ledger says of an environment.
pub struct Status {
    /// The environment; its deployable does not count.
    pub place: Place,
    /// The newest runs, by deployable, newest first.
    pub runs: BTreeMap<String, Vec<RunRecord>>,
    /// The newest releases, likewise.
    pub releases: BTreeMap<DeployableName, Vec<Candidate>>,
    /// Every connection.
    pub connections: Vec<ConnectionRecord>,
    /// Who is bound to them.
    pub consumers: BTreeMap<Address, Vec<ConsumerEntry>>,
    /// What its own slots are bound to and is not what it was, or will not stay so.
    pub stale: Vec<Stale>,
    /// Runs in progress.
    pub claims: Vec<Claim>,
}

/// A release that can be gone back to.
#[derive(Serialize)]
pub struct Candidate {
    /// The release.
    #[serde(flatten)]
    pub release: Release,
    /// In what it is not what is deployed now.
    #[serde(serialize_with = "in_words")]
    pub differs: BTreeMap<Alias, Difference>,
    /// The command that goes back to it.
    pub command: String,
}

fn in_words<S: serde::Serializer>(differs: &BTreeMap<Alias, Difference>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(differs.iter().map(|(alias, difference)| (alias, difference.to_string())))
}

impl Candidate {
    fn is_deployed(&self) -> bool {
        self.differs.is_empty()
    }

    fn difference(&self) -> String {
        if self.is_deployed() {
            return "deployed now".to_owned();
        }
        let words: Vec<String> = self.differs.iter().map(|(alias, difference)| format!("{alias} {difference}")).collect();
        format!("back: {}", words.join(", "))
    }
}

impl Status {
    /// Nothing known yet.
    pub fn default_for(place: &Place) -> Self {
        Self {
            place: place.clone(),
            runs: BTreeMap::new(),
            releases: BTreeMap::new(),
            connections: Vec::new(),
            consumers: BTreeMap::new(),
            stale: Vec::new(),
            claims: Vec::new(),
        }
    }

    fn behind(&self, record: &ConnectionRecord) -> usize {
        self.consumers.get(&record.address).into_iter().flatten().filter(|entry| entry.is_behind(record)).count()
    }
}

/// The state as text.
pub fn text(status: &Status, now: DateTime<Utc>) -> String {
    let mut text = format!("{}/{}\n", status.place.workspace, status.place.environment);
    if status.runs.is_empty() && status.claims.is_empty() {
        text.push_str("\nnothing was deployed here yet\n");
        return text;
    }
    if !status.claims.is_empty() {
        text.push_str("\nIn progress\n");
        for claim in &status.claims {
            let who = claim.run.actor.as_deref().unwrap_or("somebody");
            let _ = writeln!(
                text,
                "  {}  run {} by {who} on {}, process {}",
                claim.place.deployable, claim.run.id, claim.host, claim.process.id
            );
        }
    }
    text.push_str("\nRuns\n");
    text.push_str(&runs(status, now));
    text.push_str("\nReleases\n");
    text.push_str(&releases(status));
    text.push_str("\nConnections\n");
    text.push_str(&connections(status));
    if !status.stale.is_empty() {
        text.push_str("\nTo take in\n");
        text.push_str(&stale(status));
    }
    text
}

fn stale(status: &Status) -> String {
    let rows = status
        .stale
        .iter()
        .map(|stale| vec![format!("  {}", stale.consumer), stale.connection.to_string(), one_line(&stale.because.join("; "))]);
    table(&rows.collect::<Vec<_>>())
}

fn runs(status: &Status, now: DateTime<Utc>) -> String {
    let rows = status.runs.iter().flat_map(|(deployable, runs)| {
        runs.iter().map(move |run| {
            let done = run.main_tasks().filter(|task| task.ended.is_some()).count();
            vec![
                format!("  {deployable}"),
                run.id.to_string(),
                status_word(run.status, run.failure_reason),
                format!("{done}/{} tasks", run.main_tasks().count()),
                format!("{} ago", ago(now - run.started)),
                run.actor.clone().unwrap_or_default(),
            ]
        })
    });
    table(&rows.collect::<Vec<_>>())
}

/// What can be gone back to, with what that would change, and the command for the newest of each deployable.
fn releases(status: &Status) -> String {
    let rows = status.releases.iter().flat_map(|(deployable, candidates)| {
        candidates.iter().map(move |candidate| {
            let release = &candidate.release;
            vec![
                format!("  {deployable}"),
                release.version_tag.to_string(),
                moment(release.made),
                format!("run {}", release.run),
                candidate.difference(),
            ]
        })
    });
    let mut text = table(&rows.collect::<Vec<_>>());
    for candidate in status.releases.values().filter_map(|candidates| candidates.iter().find(|one| !one.is_deployed())) {
        let _ = writeln!(text, "  to go back: {}", one_line(&candidate.command));
    }
    text
}

fn connections(status: &Status) -> String {
    let rows = status.connections.iter().map(|record| {
        let consumers = status.consumers.get(&record.address).map_or(0, Vec::len);
        let stale = status.behind(record);
        let behind = if stale > 0 { format!(", {stale} stale") } else { String::new() };
        vec![
            format!("  {}", record.address),
            format!("{} {}", record.face.type_name, record.face.type_version),
            format!("generation {}", record.generation),
            format!("{:?}", record.status).to_lowercase(),
            format!("{}{behind}", counted(consumers, "consumer", "consumers")),
        ]
    });
    table(&rows.collect::<Vec<_>>())
}

fn ago(time: chrono::TimeDelta) -> String {
    match time.num_seconds() {
        seconds @ ..120 => format!("{}s", seconds.max(0)),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86400),
    }
}

/// The state as JSON.
pub fn json(status: &Status) -> String {
    to_json(&json!({
        "schemaVersion": 1,
        "workspace": status.place.workspace,
        "environment": status.place.environment,
        "runs": status.runs,
        "releases": status.releases,
        "connections": by_address(status.connections.iter()),
        "consumers": status.consumers.iter().map(|(address, consumers)| (address.to_string(), consumers.clone())).collect::<BTreeMap<_, _>>(),
        "stale": status.stale,
        "claims": status.claims,
    }))
}
