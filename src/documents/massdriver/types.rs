//! The resource types that a bundle brings along.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::resource_type;
use crate::documents::finding::Finding;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::Pointer;

/// Reads those in `files`, by path.
pub(super) fn types(
    files: BTreeSet<&str>,
    lookup: &dyn Fn(&str) -> Option<Value>,
    findings: &mut Vec<Finding>,
    warnings: &mut Vec<Finding>,
) -> BTreeMap<String, ConnectionType> {
    let mut types = BTreeMap::new();
    for file in files {
        let Some(document) = lookup(file) else { continue };
        match resource_type(file, &document, lookup) {
            Ok((found, lost)) => {
                warnings.extend(lost.into_iter().map(|finding| in_file(finding, file)));
                types.insert(file.to_owned(), found);
            }
            Err(wrong) => findings.extend(wrong.into_iter().map(|finding| in_file(finding, file))),
        }
    }
    types
}

/// A problem of another file of the bundle, shown in the bundle's document.
fn in_file(finding: Finding, file: &str) -> Finding {
    let place = match finding.pointer.segments.is_empty() {
        true => String::new(),
        false => format!(", at `{}`", finding.pointer),
    };
    Finding { pointer: Pointer::default(), message: format!("`{file}`{place}: {}", finding.message), ..finding }
}
