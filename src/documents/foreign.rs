//! Documents of other systems, recognised by what only they have.

use serde_json::Value;

use super::finding::Finding;
use crate::domain::diagnostic::Pointer;

/// What a document of another system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKind {
    /// A StackSpot `plugin.yaml`.
    StackSpotPlugin,
    /// A StackSpot `.stk/stk.yaml`.
    StackSpotManifest,
    /// A StackSpot connection interface type.
    StackSpotType,
    /// A Massdriver `massdriver.yaml`.
    MassdriverBundle,
    /// A Massdriver artifact definition or resource type.
    MassdriverType,
    /// A Massdriver `preview.json` or `preview.yaml`.
    MassdriverPreview,
    /// A Signadot resource plugin.
    SignadotPlugin,
}

impl std::fmt::Display for ForeignKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::StackSpotPlugin => "a StackSpot plugin",
            Self::StackSpotManifest => "a StackSpot manifest",
            Self::StackSpotType => "a StackSpot connection interface type",
            Self::MassdriverBundle => "a Massdriver bundle",
            Self::MassdriverType => "a Massdriver resource type",
            Self::MassdriverPreview => "a Massdriver preview",
            Self::SignadotPlugin => "a Signadot resource plugin",
        })
    }
}

/// What a document of another system is; none for one of ours.
pub(super) fn recognise(value: &Value) -> Option<ForeignKind> {
    let has = |field: &str| value.get(field).is_some();
    let has_mapping = |field: &str| value.get(field).is_some_and(Value::is_object);
    if value.get("apiVersion").and_then(Value::as_str).is_some_and(|text| text.starts_with("tieline/")) {
        return None;
    }
    let has_any = |fields: [&str; 3]| fields.into_iter().any(has);
    let spec = |field: &str| value.get("spec").is_some_and(|spec| spec.get(field).is_some());
    match value.get("kind").and_then(Value::as_str) {
        Some("plugin" | "app-plugin" | "runtime-plugin") if has("schema-version") || has("spec") => {
            Some(ForeignKind::StackSpotPlugin)
        }
        Some("manifest") if has("schema-version") || has("spec") => Some(ForeignKind::StackSpotManifest),
        Some("connection-interface") => Some(ForeignKind::StackSpotType),
        _ if has("params") && has_any(["connections", "artifacts", "steps"]) => Some(ForeignKind::MassdriverBundle),
        _ if has("$md") || (has_mapping("schema") && (has("ui") || has("label"))) => Some(ForeignKind::MassdriverType),
        _ if has("baseEnvironment") && (has("project") || has("projectSlug")) => Some(ForeignKind::MassdriverPreview),
        // Before there were kinds: such plugins are recognised so that they can be told what they are.
        None if has("name") && has("types") && has_any(["inputs", "hooks", "display-name"]) => Some(ForeignKind::StackSpotPlugin),
        _ if spec("runner") && (spec("create") || spec("delete")) => Some(ForeignKind::SignadotPlugin),
        _ => None,
    }
}

/// The refusal of a document of another system where one of another kind is expected.
pub(super) fn refusal(what: ForeignKind, expected: impl std::fmt::Display) -> Finding {
    Finding::new(Pointer::default(), format!("this is {what}, where a {expected} is expected")).label("another kind of document")
}
