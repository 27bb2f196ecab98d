//! What changed outside of Terraform, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::markdown::{Block, Inline, link, render};
use super::page::{self, Medium};
use super::style::{Style, paint};
use super::{SCHEMA_VERSION, Surroundings, counted, one_line, problems, to_json};
use crate::domain::change::{AttributeChange, PlannedResource};
use crate::domain::drift::{DriftReport, Look, PlaceDrift, Sight};
use crate::domain::names::Alias;
use crate::domain::record::ChangeCounts;

/// What was seen as text.
pub fn text(report: &DriftReport, color: bool) -> String {
    let environment = format!("{}/{}", report.workspace, report.environment);
    let mut text = format!("What changed outside of Terraform in {}\n\n", paint(&environment, Style::Strong, color));
    for place in &report.places {
        describe(&mut text, place, color);
    }
    if report.places.is_empty() {
        text.push_str("nothing is deployed here\n");
    }
    let _ = writeln!(text, "\n{}", outcome(report));
    for remedy in remedies(report.drifted().map(|(_, _, look)| look)) {
        let _ = writeln!(text, "{remedy}");
    }
    text
}

/// What to do about what was seen.
pub(super) fn remedies<'a>(looks: impl Iterator<Item = &'a Look>) -> BTreeSet<&'static str> {
    let remedy = |look: &Look| match look {
        Look::Unknown => None,
        Look::Looked { .. } => {
            Some("A deploy with `--refresh` takes changes back; what is to stay belongs in the manifest or the plugin.")
        }
        Look::StateMissing { .. } => Some("A state that is gone is restored from the versions of its backend, or from a backup."),
    };
    looks.filter(|look| look.is_drift()).filter_map(remedy).collect()
}

fn describe(text: &mut String, place: &PlaceDrift, color: bool) {
    let deployable = paint(place.place.deployable.as_str(), Style::Strong, color);
    let _ = match &place.sight {
        Sight::Busy => writeln!(text, "{deployable}: {BUSY}"),
        Sight::Unknown => writeln!(text, "{deployable}: {UNKNOWN}"),
        Sight::Looked(_) => writeln!(text, "{deployable}"),
    };
    place.notes.iter().for_each(|note| _ = writeln!(text, "  {}", one_line(note)));
    for (alias, look) in place.looks() {
        let _ = writeln!(text, "  {}: {}", paint(alias.as_str(), Style::Strong, color), words(look));
        look.resources().iter().for_each(|resource| describe_resource(text, resource, color));
    }
    place.issue.iter().for_each(|issue| _ = writeln!(text, "  {}", one_line(issue)));
}

fn describe_resource(text: &mut String, resource: &PlannedResource, color: bool) {
    let (sign, style) = if resource.action == "delete" { ("-", Style::Bad) } else { ("~", Style::Changed) };
    let _ = writeln!(text, "    {} {}", paint(sign, style, color), one_line(&resource.address));
    for AttributeChange { path, before, after, .. } in &resource.attributes {
        let change = format!("{path}: {} -> {}", before.as_str(), after.as_str());
        let _ = writeln!(text, "        {}", one_line(&change));
    }
    if resource.more > 0 {
        let _ = writeln!(text, "        and {} more", resource.more);
    }
}

const BUSY: &str = "a run works on it, so it was not looked at";
const UNKNOWN: &str = "it could not be looked at";

/// What was seen of an applied plugin, in a few words.
pub(super) fn words(look: &Look) -> String {
    match look {
        Look::Unknown => UNKNOWN.to_owned(),
        Look::Looked { drifted, .. } if !drifted.is_empty() => counts(look.counts()),
        Look::Looked { noticed, .. } if noticed.is_empty() => "as it was applied".to_owned(),
        Look::Looked { noticed, .. } => {
            let noticed = counted(noticed.len(), "resource has", "resources have");
            format!("as it was applied; {noticed} other values that the plugin does not set")
        }
        Look::StateMissing { resources, key } => {
            let held = counted(usize::try_from(*resources).unwrap_or(usize::MAX), "resource", "resources");
            format!("its Terraform state `{key}` is gone, which held {held}")
        }
    }
}

fn counts(counts: ChangeCounts) -> String {
    let told = [(counts.change, "changed"), (counts.remove, "gone")].into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// The outcome in a sentence.
pub(super) fn outcome(report: &DriftReport) -> String {
    let counts = report.counts();
    let seen = if counts.is_empty() {
        "Nothing changed outside of Terraform".to_owned()
    } else {
        format!("Outside of Terraform: {}", self::counts(counts))
    };
    let is_unknown = |place: &PlaceDrift| {
        matches!(place.sight, Sight::Busy | Sight::Unknown) || place.looks().any(|(_, look)| *look == Look::Unknown)
    };
    if report.places.iter().any(is_unknown) { format!("{seen}; not everything was looked at.") } else { format!("{seen}.") }
}

/// What was seen as JSON: each deployable with its applied plugins, and the resources that changed.
pub fn json(report: &DriftReport) -> String {
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "command": "drift",
        "workspace": report.workspace,
        "environment": report.environment,
        "drifted": report.drifted().map(|(place, alias, _)| address(place, alias)).collect::<Vec<_>>(),
        "counts": report.counts(),
        "deployables": report.places.iter().map(place_json).collect::<Vec<_>>(),
        "problems": problems::list(&report.problems),
    }))
}

fn place_json(place: &PlaceDrift) -> Value {
    let sight = match place.sight {
        Sight::Looked(_) => "looked",
        Sight::Busy => "busy",
        Sight::Unknown => "unknown",
    };
    let plugins: serde_json::Map<String, Value> = place.looks().map(|(alias, look)| (alias.to_string(), json!(look))).collect();
    json!({"place": place.place, "sight": sight, "plugins": plugins, "notes": place.notes, "issue": place.issue})
}

/// An applied plugin by its address.
fn address(place: &PlaceDrift, alias: &Alias) -> String {
    format!("{}/{alias}", place.place)
}

/// The output `drifted`: the addresses of the applied plugins that something changed of.
pub fn drifted(report: &DriftReport) -> String {
    super::outputs::compact(&report.drifted().map(|(place, alias, _)| address(place, alias)).collect::<Vec<_>>())
}

/// The step summary, in at most `limit` bytes.
pub fn summary(report: &DriftReport, surroundings: &Surroundings, limit: usize) -> String {
    page::drift(report, surroundings, Medium::Summary, limit)
}

/// The text of an issue about a deployable, in at most `limit` bytes.
pub fn issue(place: &PlaceDrift, surroundings: &Surroundings, limit: usize) -> String {
    page::drifted(place, surroundings, Medium::Comment, limit)
}

/// What an issue is closed with when nothing of it is left.
pub fn settled(run_url: Option<&str>) -> String {
    closing("All of it is as it was applied again.", run_url)
}

/// What an issue is closed with when its deployable is gone.
pub fn departed(run_url: Option<&str>) -> String {
    closing("Nothing of it is deployed any more.", run_url)
}

fn closing(why: &'static str, run_url: Option<&str>) -> String {
    let seen = run_url.map(|url| Inline::from(" Seen by this ") + link("workflow run", url) + ".").unwrap_or_default();
    render(&[Block::Paragraph(Inline::from(why) + seen)], usize::MAX).0
}
