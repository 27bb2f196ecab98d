//! Documents of StackSpot.

use serde_json::Value;

use super::finding::Finding;
use super::tree::{Files, Translated};
use crate::domain::diagnostic::Pointer;

/// Reads the plugin of a folder.
pub(super) fn plugin(_value: &Value, _files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    Err(vec![Finding::new(Pointer::default(), "this cannot be read yet")])
}
