//! One run, with all that is known of it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Detail;
use super::text::{Page, how, who};
use crate::domain::connection::Binding;
use crate::domain::names::SlotName;
use crate::domain::record::TaskRecord;
use crate::report::lines::heading;
use crate::report::run::status_word;
use crate::report::times::{moment, since, took};
use crate::report::to_json;

/// The run at each of its places, as text.
pub fn text(details: &[Detail], now: DateTime<Utc>, width: usize) -> String {
    let mut page = Page { text: String::new(), now, width };
    for (index, detail) in details.iter().enumerate() {
        if index > 0 {
            page.text.push('\n');
        }
        draw(&mut page, detail);
    }
    page.text
}

fn draw(page: &mut Page, detail: &Detail) {
    let Detail { place, run, release, held } = detail;
    page.line(0, &format!("run {}  {} {place}", run.id, run.run_type));
    page.line(2, &status_word(run.status, run.failure_reason));
    let took = run.ended.map(|ended| format!(", took {}", took(ended - run.started))).unwrap_or_default();
    page.line(2, &format!("{}{took}, by {}", since(run.started, page.now), who(run)));
    let facts = [
        ("version tag", Some(run.version_tag.to_string())),
        ("repository", run.repository.clone()),
        ("commit", run.commit.clone()),
        ("workflow", run.run_url.clone()),
        ("applied again", run.source.as_ref().map(|source| format!("the release of run {source}"))),
        ("approved in", run.approved_in.clone()),
        ("plan", run.plan_fingerprint.as_ref().map(ToString::to_string)),
    ];
    for (name, fact) in facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))) {
        page.line(2, &format!("{name}: {fact}"));
    }
    if let Some(held) = held {
        page.line(2, &format!("{}: {}", held.life.word(), held.life.because()));
    }
    page.section("Tasks", &run.tasks, task);
    if !run.overrides.is_empty() {
        heading(&mut page.text, "Set aside");
        page.overrides(run);
    }
    let bindings = bindings(detail);
    page.section("Bindings", &bindings, |page, (slot, binding)| {
        page.line(2, &format!("{slot}  {}, generation {}", binding.address, binding.generation));
    });
    if let Some(release) = release {
        heading(&mut page.text, "Release");
        page.line(2, &format!("{}, made {}", release.version_tag, moment(release.made)));
        for (alias, plugin) in &release.plugins {
            let version = plugin.plugin.as_ref().map(|plugin| format!("{} {}", plugin.name, plugin.version)).unwrap_or_default();
            page.line(4, &format!("{alias}  {version}  from {}", plugin.source.written));
        }
    }
}

fn task(page: &mut Page, task: &TaskRecord) {
    let took = task.started.zip(task.ended).map(|(from, to)| format!(", {}", took(to - from))).unwrap_or_default();
    let changes = if task.changes.is_empty() { String::new() } else { format!(", {}", task.changes) };
    page.line(2, &format!("{}  {}{changes}{took}", task.id, how(task)));
}

/// What the slots were bound to: in the release that the run made, else in its claim.
fn bindings(detail: &Detail) -> Vec<(String, &Binding)> {
    let of = |alias: &crate::domain::names::Alias, slot: &SlotName| format!("{alias}.{slot}");
    let released = detail.release.iter().flat_map(|release| &release.plugins);
    let released = released.flat_map(|(alias, plugin)| plugin.bindings.iter().map(move |(slot, bound)| (of(alias, slot), bound)));
    let claimed = detail.held.iter().flat_map(|held| &held.claim.applied);
    let claimed = claimed.flat_map(|(alias, record)| record.bindings.iter().map(move |(slot, bound)| (of(alias, slot), bound)));
    released.chain(claimed).collect()
}

/// The run at each of its places, as JSON.
pub fn json(details: &[Detail], now: DateTime<Utc>) -> String {
    let details = details.iter().map(|detail| {
        json!({
            "place": detail.place.to_string(), "run": detail.run, "release": detail.release,
            "bindings": bindings(detail).into_iter().map(|(slot, binding)| (slot, json!(binding))).collect::<serde_json::Map<_, _>>(),
            "holder": detail.held.as_ref().map(|held| &held.life),
        })
    });
    to_json(&json!({"schemaVersion": super::json::SCHEMA_VERSION, "now": now, "found": details.collect::<Vec<Value>>()}))
}
