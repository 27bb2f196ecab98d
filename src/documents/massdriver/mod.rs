//! Documents of Massdriver: bundles, resource types (which were artifact definitions) and previews, read into ours.

mod annotations;
mod app;
mod artifacts;
mod bundle;
mod connections;
mod helm;
mod params;
mod preview;
mod references;
mod resource_type;
mod schema;
mod steps;
mod types;

#[cfg(test)]
mod tests;

pub(super) use bundle::bundle;
pub(super) use preview::preview;
use resource_type::resource_type;
pub(super) use resource_type::resource_type_among;

use serde_json::{Map, Value};

/// The entries of a mapping that may not be there, or may be something else.
fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The texts of a list that may not be there.
fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A text that may not be there, short enough to be shown.
fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// What an annotation says: `$md.<name>`, or `<name>` under `$md`.
fn annotation<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    schema.get(&format!("$md.{name}")).or_else(|| schema.get("$md").and_then(|md| md.get(name)))
}
