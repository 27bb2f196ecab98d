//! The plugins of a manifest, for people and for programs.

use serde_json::json;

use super::table::table;
use super::to_json;
use crate::domain::names::Alias;
use crate::domain::plugin::Plugin;
use crate::domain::record::ResolvedSource;

/// An applied plugin.
pub struct Row<'a> {
    /// Its alias.
    pub alias: &'a Alias,
    /// The plugin.
    pub plugin: &'a Plugin,
    /// Where it came from.
    pub source: &'a ResolvedSource,
}

/// The plugins as text.
pub fn text(rows: &[Row<'_>]) -> String {
    let header = ["ALIAS", "PLUGIN", "VERSION", "REQUIRES", "GENERATES", "SOURCE", "DIGEST"].map(str::to_owned).to_vec();
    let described = rows.iter().map(|row| {
        vec![
            row.alias.to_string(),
            row.plugin.name.to_string(),
            row.plugin.version.to_string(),
            joined(row.plugin.requires.values().map(|slot| slot.type_name.to_string())),
            joined(
                row.plugin
                    .generates
                    .values()
                    .flat_map(|output| output.published().into_iter().map(|(found, _)| found.to_string())),
            ),
            row.source.written.clone(),
            row.source.digest.short().to_owned(),
        ]
    });
    table(&std::iter::once(header).chain(described).collect::<Vec<_>>())
}

fn joined(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

/// The same as JSON.
pub fn json(rows: &[Row<'_>]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| json!({"alias": row.alias, "plugin": row.plugin.name, "version": row.plugin.version, "source": row.source}))
        .collect();
    to_json(&json!({"schemaVersion": 1, "plugins": rows}))
}
