//! Documents of Massdriver.

use serde_json::Value;

use super::finding::Finding;
use super::tree::{Files, Translated};
use crate::domain::diagnostic::Pointer;

/// Reads the bundle of a folder.
pub(super) fn bundle(_value: &Value, _files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    Err(vec![Finding::new(Pointer::default(), "this cannot be read yet")])
}
