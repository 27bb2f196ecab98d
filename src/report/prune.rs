//! What a ledger was pruned of, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::{SCHEMA_VERSION, counted, to_json};
use crate::domain::address::Place;
use crate::domain::names::VersionTag;

/// What goes, or would go.
pub struct Gone {
    /// Whether it was only looked at.
    pub dry: bool,
    /// How many run records each place keeps.
    pub retained: usize,
    /// Run records, by place.
    pub runs: BTreeMap<Place, BTreeSet<String>>,
    /// Releases with their tags, by place.
    pub releases: BTreeMap<Place, BTreeMap<String, VersionTag>>,
    /// Digests of plugin trees.
    pub plugins: BTreeSet<String>,
}

/// As text.
pub fn text(gone: &Gone) -> String {
    let (runs, releases) = (&gone.runs, &gone.releases);
    if runs.is_empty() && releases.is_empty() && gone.plugins.is_empty() {
        return format!("nothing to prune: each deployable keeps its newest {}\n", counted(gone.retained, "run", "runs"));
    }
    let mut text = String::new();
    let word = if gone.dry { "would remove" } else { "removed" };
    for place in runs.keys().chain(releases.keys()).collect::<BTreeSet<_>>() {
        let of_runs = counted(runs.get(place).map_or(0, BTreeSet::len), "run record", "run records");
        let of_releases = releases.get(place).into_iter().flatten();
        let _ = writeln!(text, "{word} {of_runs} of {place}");
        of_releases.for_each(|(run, tag)| _ = writeln!(text, "{word} release {tag} of {place}, made by run {run}"));
    }
    for digest in &gone.plugins {
        let _ = writeln!(text, "{word} the plugin tree {digest}");
    }
    text
}

/// As JSON.
pub fn json(gone: &Gone) -> String {
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "dryRun": gone.dry,
        "retained": gone.retained,
        "runs": by_place(&gone.runs),
        "releases": by_place(&gone.releases),
        "plugins": gone.plugins,
    }))
}

fn by_place<T>(of: &BTreeMap<Place, T>) -> BTreeMap<String, &T> {
    of.iter().map(|(place, what)| (place.to_string(), what)).collect()
}
