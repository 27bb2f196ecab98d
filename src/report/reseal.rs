//! What was sealed anew, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::{SCHEMA_VERSION, counted, to_json};
use crate::domain::address::Place;

/// How many values were sealed anew.
#[derive(Debug, Clone, Default)]
pub struct Resealed {
    /// By place.
    pub places: BTreeMap<Place, usize>,
    /// Those that were left since a run holds their place.
    pub claimed: BTreeMap<Place, usize>,
}

/// As text.
pub fn text(resealed: &Resealed) -> String {
    let values = |count: usize| counted(count, "value", "values");
    let mut text = String::new();
    for (place, count) in &resealed.places {
        let _ = writeln!(text, "sealed {} of {place} anew", values(*count));
    }
    for (place, count) in &resealed.claimed {
        let _ = writeln!(text, "left {} of {place}, which a run holds: seal anew once it has ended", values(*count));
    }
    if text.is_empty() {
        text.push_str("everything is sealed for today's recipients\n");
    }
    text
}

/// As JSON.
pub fn json(resealed: &Resealed) -> String {
    let by_place = |of: &BTreeMap<Place, usize>| -> BTreeMap<String, usize> {
        of.iter().map(|(place, count)| (place.to_string(), *count)).collect()
    };
    to_json(&json!({
        "schemaVersion": SCHEMA_VERSION,
        "resealed": resealed.places.values().sum::<usize>(),
        "places": by_place(&resealed.places),
        "claimed": by_place(&resealed.claimed),
    }))
}
