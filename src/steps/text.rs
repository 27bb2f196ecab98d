//! What goes into a step and comes out of it.

use serde_json::Value;

use crate::domain::canonical;
use crate::secrets::Secret;

/// A text that a step is handed or leaves.
#[derive(Debug, Clone)]
pub enum StepText {
    /// Everybody may read it.
    Plain(String),
    /// It is a secret.
    Secret(Secret),
}

impl StepText {
    /// A text, which is a secret where `sensitive`.
    pub fn new(text: impl Into<String>, sensitive: bool) -> Self {
        if sensitive { Self::Secret(Secret::new(text)) } else { Self::Plain(text.into()) }
    }

    /// The text itself. Each use must have a reason to hold a secret in clear.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }

    /// Whether it is a secret.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// The secret that it is; none where it is not.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

/// A value as a step sees it (R14): a text as it is, another scalar as its text, anything else as JSON; none for no value.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => Some(String::from_utf8_lossy(&canonical::to_bytes(value)).into_owned()),
    }
}
