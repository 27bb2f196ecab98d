//! All that is read of a step.

use std::collections::{BTreeMap, BTreeSet};

use super::module::{Folder, folders};
use super::published::{Publisher, published};
use super::references::{References, Used};
use super::removal::Removal;
use super::{Trouble, alarms};
use crate::domain::foreign::Bundle;

/// A step as its files say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it publishes, by field of the bundle.
    pub fields: BTreeMap<String, Field>,
    /// What of its module is taken out.
    pub removal: Removal,
    /// The variables that it uses, with what of each.
    pub variables: BTreeMap<String, Used>,
    /// Those of them that it does not declare, and that Massdriver's tools would have declared for it.
    pub undeclared: BTreeSet<String>,
    /// What keeps it from being used.
    pub troubles: Vec<Trouble>,
    /// What is lost.
    pub notes: Vec<Trouble>,
}

/// A published field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The file that says so.
    pub file: String,
    /// The output that is, or would be, the whole payload.
    pub whole: String,
    /// The payload's attributes to what the module puts out for each: an output, or a member of one; none where the text does not say
    /// which there are, and then each is a member of `whole`.
    pub from: Option<BTreeMap<String, String>>,
    /// Outputs that the module has to be given.
    pub added: Vec<Added>,
}

/// An output that a module is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Its value, an expression.
    pub value: String,
    /// Whether Terraform is told that it is a secret.
    pub sensitive: bool,
    /// What it waits for, an expression.
    pub after: Option<String>,
}

/// Reads the step of a bundle that runs Terraform.
pub fn read(bundle: &Bundle, files: &BTreeMap<&str, &[u8]>) -> Reading {
    let step = bundle.step.as_str();
    let mut reading = Reading::default();
    let folders = folders(step, &bundle.steps, files, &mut reading.troubles);
    for (at, folder) in &folders {
        reading.removal.find(at, folder, at == step, &mut reading.troubles, &mut reading.notes);
    }
    let none = Folder::default();
    let own = folders.get(step).unwrap_or(&none);
    let mut publisher = Publisher::new(own, &bundle.envs);
    published(step, files, &mut publisher);
    let (fields, troubles) = (publisher.fields, publisher.troubles);
    reading.fields = fields;
    reading.troubles.extend(troubles);
    name(&mut reading, step, own, bundle);
    reading
}

/// Notes which variables the step uses.
fn name(reading: &mut Reading, step: &str, own: &Folder, bundle: &Bundle) {
    let mut references = References::default();
    for (_, block) in own.blocks().filter(|(_, block)| !reading.removal.takes(step, block)) {
        references.add_block(block);
    }
    for added in reading.fields.values().flat_map(|field| &field.added) {
        references.add_text(&added.value);
    }
    let declared = own.variables();
    let unknown = references.variables.keys().filter(|name| !declared.contains(name.as_str()));
    reading.undeclared = unknown.filter(|name| bundle.variables.contains(*name)).cloned().collect();
    for file in &references.files {
        if let Some(name) = alarms::PROVISIONER_FILES.iter().find(|name| file.contains(*name)) {
            reading.troubles.push(Trouble::new(
                step,
                format!("the module in `{step}` reads `{name}`, which only Massdriver's provisioner writes"),
                "declare a variable for each value that it takes from there",
            ));
        }
    }
    reading.variables = references.variables;
}
