//! A step of a Massdriver bundle, read without running anything: how its Terraform module publishes the bundle's fields, and what of it
//! is for Massdriver alone.
//!
//! The reader of bundles takes from it where attributes come from, and the adaption of the module which outputs are added: both have
//! to say the same.

mod alarms;
mod module;
mod payload;
pub mod program;
mod published;
mod reading;
mod references;
mod removal;
mod text;
mod translate;

pub use reading::{Added, Field, Reading, read};
pub use references::Used;
pub use removal::{Removal, is_vendor_provider};

/// What of a step cannot be honoured, or can but is worth a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The published field that it is about.
    pub field: Option<String>,
    /// The file that it is in.
    pub file: String,
    /// What is wrong: lower case, names in backticks, no final period.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Trouble {
    fn new(file: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { field: None, file: file.to_owned(), message: message.into(), help: help.into() }
    }

    fn of(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}
