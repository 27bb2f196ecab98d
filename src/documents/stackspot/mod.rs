//! Documents of StackSpot: what each of their fields is here, or why it cannot be.
//!
//! Shapes are taken as they come: the versions of a schema were never kept apart by those who wrote documents, so every form of a field is
//! read whatever version is written. Meanings are not stretched: what cannot be done here is refused by the name of its field.

mod answers;
mod case;
mod connection_type;
mod connections;
mod envelope;
mod fields;
mod generated;
mod inputs;
mod manifest;
mod plain;
mod plugin;
mod stored;
mod uses;
mod wiring;

#[cfg(test)]
mod tests;

pub(super) use case::test_case;
pub use case::{CaseConnection, CaseMode, StackSpotCase};
pub(super) use connection_type::connection_type;
pub(super) use manifest::manifest;
pub(super) use plugin::plugin;
