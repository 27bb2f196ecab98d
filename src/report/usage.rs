//! Who uses which version of which plugin, and who consumes which version of which type, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::table::table;
use super::{SCHEMA_VERSION, to_json};

/// A plugin or a type at one version: `(name, version)`.
pub type Versioned = (String, semver::Version);

/// What is used across a context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Where each plugin is applied: `<ws>/<env>/<deployable>/<alias>`.
    pub plugins: BTreeMap<Versioned, BTreeSet<String>>,
    /// Who is handed each type.
    pub types: BTreeMap<Versioned, BTreeSet<Use>>,
}

/// A slot that is bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    /// `<ws>/<env>/<deployable>/<alias>.<slot>`.
    pub consumer: String,
    /// The connection.
    pub connection: String,
}

/// As text.
pub fn text(usage: &Usage) -> String {
    let mut text = String::new();
    if usage.plugins.is_empty() && usage.types.is_empty() {
        return "nothing applied uses it\n".to_owned();
    }
    for ((name, version), places) in &usage.plugins {
        let _ = writeln!(text, "plugin {name} {version}");
        for place in places {
            let _ = writeln!(text, "  {place}");
        }
    }
    for ((name, version), uses) in &usage.types {
        let _ = writeln!(text, "type {name} {version}");
        let rows: Vec<Vec<String>> = uses.iter().map(|one| vec![format!("  {}", one.consumer), one.connection.clone()]).collect();
        text.push_str(&table(&rows));
    }
    text
}

/// As JSON.
pub fn json(usage: &Usage) -> String {
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "plugins": listed(&usage.plugins), "types": listed(&usage.types)}))
}

fn listed<T: Serialize>(of: &BTreeMap<Versioned, BTreeSet<T>>) -> Vec<Value> {
    of.iter().map(|((name, version), used_by)| json!({"name": name, "version": version, "usedBy": used_by})).collect()
}
