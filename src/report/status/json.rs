//! The state for programs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Applied, Candidate, Held, Locked, Published, Ran, Status, Unproven};
use crate::report::run::by_address;
use crate::report::to_json;

/// The format of what is printed, from 1. Fields may be added without a new one.
pub(super) const SCHEMA_VERSION: u32 = 2;

/// The state as JSON.
pub fn json(status: &Status, now: DateTime<Utc>) -> String {
    let consumers = status.connections.iter().map(|published| (published.record.address.to_string(), consumers(published)));
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "now": now,
        "workspace": status.workspace,
        "environment": status.environment,
        "deployable": status.deployable,
        "claims": all(&status.held, held),
        "runs": all(&status.runs.shown, ran),
        "releases": all(&status.releases, release),
        "applied": all(&status.applied.shown, applied),
        "connections": by_address(status.connections.iter().map(|published| &published.record)),
        "consumers": consumers.collect::<BTreeMap<_, _>>(),
        "stale": status.stale,
        "previews": all(&status.previews.shown, |(name, preview)| with("environment", json!(name), json!(preview))),
        "locks": status.locks.as_ref().map(|locks| all(locks, locked)),
        "unproven": all(&status.unproven, |Unproven { path, because }| json!({"path": path, "because": because})),
        "more": {"runs": status.runs.more, "deployables": status.applied.more, "previews": status.previews.more},
    }))
}

fn all<T>(items: &[T], of: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(of).collect()
}

fn with(name: &str, value: Value, mut object: Value) -> Value {
    object[name] = value;
    object
}

fn held(Held { claim, life, jobs }: &Held) -> Value {
    let jobs = jobs.iter().map(|job| {
        json!({
            "aliases": job.part.as_ref().map(|part| &part.aliases), "ended": job.part.as_ref().is_some_and(|part| part.left.is_some()),
            "host": job.host, "process": job.process, "lease": job.lease, "tasks": job.run.tasks,
        })
    });
    json!({
        "place": claim.place.to_string(), "run": claim.run, "host": claim.host, "process": claim.process, "lease": claim.lease,
        "binds": claim.binds, "holder": life,
        "fleet": claim.fleet.as_ref().map(|_| jobs.collect::<Vec<_>>()),
    })
}

fn ran(Ran { place, run }: &Ran) -> Value {
    with("place", json!(place.to_string()), json!(run))
}

fn release(candidate: &Candidate) -> Value {
    let differs = candidate.differs.iter().map(|(alias, difference)| (alias, difference.to_string()));
    let release = with("place", json!(candidate.place.to_string()), json!(candidate.release));
    let release = with("differs", json!(differs.collect::<BTreeMap<_, _>>()), release);
    with("command", json!(candidate.command), release)
}

fn applied(Applied { place, alias, record }: &Applied) -> Value {
    json!({
        "place": place.to_string(), "alias": alias, "plugin": record.plugin, "version": record.version, "source": record.source,
        "resources": record.resources, "attempted": record.attempted.run, "attemptedAt": record.attempted.run.started(),
        "applied": record.applied.as_ref().map(|applied| &applied.run),
        "bindings": record.bindings.iter().map(|(slot, binding)| (slot, binding.address.to_string())).collect::<BTreeMap<_, _>>(),
    })
}

fn consumers(published: &Published) -> Value {
    let bound = published.consumers.iter().map(|entry| with("behind", json!(entry.is_behind(&published.record)), json!(entry)));
    json!({"count": published.count(), "shown": bound.collect::<Vec<_>>()})
}

fn locked(locked: &Locked) -> Value {
    let Locked { place, alias, backend, state } = locked;
    json!({"place": place.to_string(), "alias": alias, "backend": backend, "lock": state})
}
