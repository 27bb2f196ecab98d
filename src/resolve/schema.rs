//! JSON Schema, compiled once and asked often.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use crate::domain::diagnostic::Segment;

/// A schema, compiled.
pub struct Schema(jsonschema::Validator);

/// One way in which a value breaks a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The way to the part of the value that is meant.
    pub path: Vec<Segment>,
    /// The property that is missing there, where that is what is wrong.
    pub missing: Option<String>,
    /// What is wrong, in words.
    pub message: String,
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What is wrong with the schema, in words.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        jsonschema::validator_for(schema).map(Self).map_err(|problem| problem.to_string())
    }

    /// Every way in which `value` breaks the schema.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.0.iter_errors(value).map(|error| violation(&error)).collect()
    }
}

/// The schema without asking for the properties in `names`: the sensitive ones, whose values are never here to be checked.
pub(super) fn without_required<N: Ord + Borrow<str>>(schema: &Value, names: &BTreeSet<N>) -> Value {
    let mut schema = schema.clone();
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name.as_str().is_none_or(|name| !names.contains(name)));
    }
    schema
}

fn violation(error: &jsonschema::ValidationError<'_>) -> Violation {
    let path = error.instance_path().iter().map(|segment| match segment {
        LocationSegment::Property(name) => Segment::Key(name.into_owned()),
        LocationSegment::Index(index) => Segment::Index(index),
    });
    let (missing, message) = match error.kind() {
        ValidationErrorKind::Required { property: Value::String(name) } => (Some(name.clone()), format!("`{name}` is missing")),
        ValidationErrorKind::AdditionalProperties { unexpected } => (None, format!("there is no `{}`", unexpected.join("`, `"))),
        _ => (None, error.to_string()),
    };
    Violation { path: path.collect(), missing, message }
}
