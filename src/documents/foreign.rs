//! Documents of other systems, recognised by what only they have. This is where their readers go in.

use serde_json::Value;

use super::finding::Finding;
use crate::domain::diagnostic::Pointer;

/// What a document of another system is; none for one of ours.
pub(super) fn recognise(value: &Value) -> Option<&'static str> {
    let has = |field: &str| value.get(field).is_some();
    if has("apiVersion") && value.get("apiVersion").and_then(Value::as_str).is_some_and(|text| text.starts_with("tieline/")) {
        return None;
    }
    let spec = |field: &str| value.get("spec").is_some_and(|spec| spec.get(field).is_some());
    match value.get("kind").and_then(Value::as_str) {
        Some("plugin") if has("schema-version") => Some("a StackSpot plugin"),
        Some("manifest") if has("schema-version") || has("spec") => Some("a StackSpot manifest"),
        Some("connection-interface") => Some("a StackSpot connection interface type"),
        _ if has("params") && has("connections") && has("artifacts") => Some("a Massdriver bundle"),
        _ if has("$md") || (has("schema") && has("ui")) => Some("a Massdriver resource type"),
        _ if spec("create") && spec("runner") => Some("a Signadot resource plugin"),
        _ => None,
    }
}

/// The refusal of such a document.
pub(super) fn refusal(what: &str) -> Finding {
    Finding::new(Pointer::default(), format!("this is {what}, which this version cannot read yet"))
        .label("not a document of Tieline")
        .help("write it in Tieline's own format; `tieline schema <kind>` prints what a document may say")
}
