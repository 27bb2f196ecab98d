//! What disagreed in a ledger and what became of it, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use super::{SCHEMA_VERSION, counted, one_line, problems, to_json};
use crate::domain::diagnostic::Problems;

/// A file of the ledger that was mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mended {
    /// Whether it is gone; otherwise it was written.
    pub removed: bool,
    /// What disagreed, each with the file that it was noticed in.
    pub because: Vec<String>,
}

/// Files that were mended, by path.
pub type MendedFiles = BTreeMap<String, Mended>;

/// As text. What is left is told as problems are.
pub fn text(mended: &MendedFiles, left: &Problems) -> String {
    let mut text = String::new();
    for (path, file) in mended {
        let _ = writeln!(text, "{} {path}", if file.removed { "removed" } else { "wrote" });
        file.because.iter().for_each(|because| _ = writeln!(text, "  {}", one_line(because)));
    }
    if left.any_error() {
        let _ = writeln!(text, "{} left", counted(left.0.len(), "disagreement is", "disagreements are"));
    } else {
        text.push_str("everything in the ledger agrees\n");
    }
    text
}

/// As JSON.
pub fn json(mended: &MendedFiles, left: &Problems) -> String {
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "mended": mended, "left": problems::list(left)}))
}
