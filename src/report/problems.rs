//! Problems, for programs.

use serde_json::{Value, json};

use super::{SCHEMA_VERSION, to_json};
use crate::domain::diagnostic::{Diagnostic, Problems, Spot};

/// A request that failed before anything began, as JSON.
pub fn json(problems: &Problems) -> String {
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "problems": list(problems)}))
}

/// What failed, where, why, and what to do, one by one.
pub(super) fn list(problems: &Problems) -> Vec<Value> {
    problems.0.iter().map(described).collect()
}

fn described(problem: &Diagnostic) -> Value {
    let place = problem.origin.as_ref().map(|origin| match &origin.at {
        Spot::File => json!({"file": origin.file}),
        Spot::Pointer(pointer) => json!({"file": origin.file, "pointer": pointer.to_string()}),
        Spot::Line { line, column } => json!({"file": origin.file, "line": line, "column": column}),
    });
    json!({
        "severity": problem.severity, "reason": problem.reason, "message": problem.message, "place": place,
        "notes": problem.notes, "help": problem.help,
    })
}
