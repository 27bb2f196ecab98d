//! The module of a Massdriver bundle's step, made one that any Terraform runs: what it publishes through Massdriver's provider or through
//! jq programs becomes its outputs, and that provider goes.
//!
//! Nothing here depends on values: a step is adapted once, whatever it is applied with, and what it makes of secrets Terraform makes.

pub mod jq;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hcl_edit::structure::Body;

use crate::domain::bundle::{Added, Reading, Trouble, read};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::foreign::Bundle;

/// The file of the outputs that are added.
const OUTPUTS: &str = "tieline_outputs.tf";
/// The file of the variables that are added.
const VARIABLES: &str = "tieline_variables.tf";

/// A bundle's tree with one step's module adapted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapted {
    /// Every file, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What is lost.
    pub warnings: Problems,
}

/// Adapts the module of the step `bundle.step`.
///
/// # Errors
/// What of it can only be had inside Massdriver. Places are paths in the bundle.
pub fn adapt(bundle: &Bundle, files: &BTreeMap<&str, &[u8]>) -> Result<Adapted, Problems> {
    let reading = read(bundle, files);
    if !reading.troubles.is_empty() {
        return Err(Problems(reading.troubles.iter().map(diagnostic).collect()));
    }
    let mut adapted: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, bytes) in files {
        let changed = if path.ends_with(".tf") { without_vendor(&reading, path, bytes) } else { None };
        adapted.insert((*path).to_owned(), changed.unwrap_or_else(|| bytes.to_vec()));
    }
    let outputs: String = reading.fields.values().flat_map(|field| &field.added).map(output).collect();
    let variables: String = reading.undeclared.iter().map(|name| variable(name)).collect();
    for (name, text) in [(OUTPUTS, outputs), (VARIABLES, variables)] {
        let path = format!("{}/{name}", bundle.step);
        if text.is_empty() {
            continue;
        }
        if adapted.contains_key(&path) {
            return Err(Diagnostic::error(InvalidDocument, format!("`{path}` is the name of a file that is added"))
                .in_file(path)
                .help("call it otherwise")
                .into());
        }
        adapted.insert(path, text.into_bytes());
    }
    let warnings = Problems(reading.notes.iter().map(|note| diagnostic(note).as_warning()).collect());
    Ok(Adapted { files: adapted, warnings })
}

fn without_vendor(reading: &Reading, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body: Body = hcl_edit::parser::parse_body(std::str::from_utf8(bytes).ok()?).ok()?;
    reading.removal.apply(path, &mut body).then(|| body.to_string().into_bytes())
}

fn output(added: &Added) -> String {
    let sensitive = if added.sensitive { "  sensitive = true\n" } else { "" };
    let after = added.after.as_ref().map(|after| format!("  depends_on = {after}\n")).unwrap_or_default();
    format!("output \"{}\" {{\n  value = (\n{}\n  )\n{sensitive}{after}}}\n", added.name, added.value)
}

/// Massdriver's tools would have declared it with its type; the value was checked against the bundle's schema.
fn variable(name: &str) -> String {
    format!("variable \"{name}\" {{\n  type    = any\n  default = null\n}}\n")
}

fn diagnostic(trouble: &Trouble) -> Diagnostic {
    Diagnostic::error(InvalidDocument, trouble.message.clone()).in_file(trouble.file.clone()).help(trouble.help.clone())
}
