//! What became of previews, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::page::{self, Medium};
use super::style::{Style, paint};
use super::{SCHEMA_VERSION, Surroundings, counted, one_line, problems, to_json};
use crate::domain::address::{Address, Place};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::Problems;
use crate::domain::preview::Outlook;
use crate::domain::removal::{Fate, Removal, Removed, Sweep};

/// What was removed of a pull request, as text.
pub fn removal(removal: &Removal, color: bool) -> String {
    if removal.is_skipped() {
        return format!("{} of {}: it is gone already\n", paint("nothing is left", Style::Good, color), one_line(&removal.asked));
    }
    let mut text = String::new();
    for removed in &removal.removed {
        for run in &removed.runs {
            text += &super::run::text(run, color);
        }
        let _ = match removed.is_gone {
            true => writeln!(text, "{} {}", removed.name, paint("is gone", Style::Good, color)),
            false => writeln!(text, "{} {}", removed.name, paint("is not gone yet", Style::Bad, color)),
        };
    }
    text
}

/// The same as JSON.
pub fn removal_json(removal: &Removal) -> String {
    let removed = removal.removed.iter().map(|removed| {
        let runs: Vec<Value> =
            removed.runs.iter().map(|run| json!({"place": run.place, "run": run.run, "retained": run.retained})).collect();
        json!({
            "workspace": removed.name.workspace, "environment": removed.name.environment, "gone": removed.is_gone, "runs": runs,
        })
    });
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "command": "preview down",
        "asked": removal.asked,
        "skipped": removal.is_skipped(),
        "removed": removed.collect::<Vec<_>>(),
        "problems": problems::list(&removal.problems),
    }))
}

/// What a sweep did, as text.
pub fn sweep(sweep: &Sweep, color: bool) -> String {
    let mut text = String::new();
    for swept in &sweep.swept {
        let style = match swept.fate {
            Fate::Failed | Fate::Waits => Style::Bad,
            Fate::Removed => Style::Good,
            Fate::Lives | Fate::Unknown => Style::Dim,
        };
        let fate = paint(swept.fate.as_str(), style, color);
        let _ = writeln!(text, "{}  {}  {fate}: {}", swept.name, one_line(&whose(swept)), one_line(&swept.because));
        swept.retained.iter().for_each(|kept| _ = writeln!(text, "    left behind on purpose: {}", one_line(kept)));
    }
    let _ = writeln!(text, "{}", counts(sweep));
    text
}

/// The same as JSON.
pub fn sweep_json(sweep: &Sweep) -> String {
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "command": "preview sweep",
        "previews": sweep.swept,
        "problems": problems::list(&sweep.problems),
    }))
}

/// The names of the previews that met with this, as compact JSON.
pub fn swept(sweep: &Sweep, fates: &[Fate]) -> String {
    let names: Vec<String> =
        sweep.swept.iter().filter(|swept| fates.contains(&swept.fate)).map(|swept| swept.name.to_string()).collect();
    json!(names).to_string()
}

/// Whose a preview is, in words.
pub(super) fn whose(swept: &crate::domain::removal::Swept) -> String {
    match swept.id {
        Some(id) => format!("{}#{}", swept.repository, id.pull_request),
        None => "nobody's".to_owned(),
    }
}

/// How many there are of each.
pub(super) fn counts(sweep: &Sweep) -> String {
    let fates = [Fate::Removed, Fate::Failed, Fate::Waits, Fate::Lives, Fate::Unknown];
    let told = fates.iter().filter_map(|fate| {
        let count = sweep.with(*fate).count();
        (count > 0).then(|| format!("{count} {}", fate.as_str()))
    });
    let told: Vec<String> = told.collect();
    let all = counted(sweep.swept.len(), "preview", "previews");
    if told.is_empty() { all } else { format!("{all}: {}", told.join(", ")) }
}

/// What was removed of a pull request, for the summary of a step.
pub fn removal_summary(removal: &Removal, surroundings: &Surroundings, limit: usize) -> String {
    page::removal(removal, surroundings, Medium::Summary, limit)
}

/// What a sweep did, for the summary of a step.
pub fn sweep_summary(sweep: &Sweep, surroundings: &Surroundings, limit: usize) -> String {
    page::sweep(sweep, surroundings, limit)
}

/// That nothing was done and why, for the summary of a step.
pub fn skipped_summary(why: &str, surroundings: &Surroundings) -> String {
    page::skipped(why, surroundings)
}

/// What a pull request's comment says of a deployable once its preview was to be removed.
pub fn gone(removed: &Removed, problems: &Problems, surroundings: &Surroundings, limit: usize) -> String {
    page::gone(removed, problems, surroundings, limit)
}

/// What a pull request's comment says of a deployable whose preview is there.
pub fn state(
    place: &Place,
    connections: &BTreeMap<Address, ConnectionRecord>,
    outlook: &Outlook,
    surroundings: &Surroundings,
    limit: usize,
) -> String {
    page::state(place, connections, outlook, surroundings, limit)
}
