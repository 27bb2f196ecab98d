//! Documents: text to domain types, strictly, with every problem at its place.
//!
//! A text becomes a value (`yaml`); the value is checked against the JSON Schema of its kind (`schema`, `explain`) and against
//! what no schema can say (`native`); all that is found is reported together, and drawn with its lines (`draw`). `edit` changes a
//! text and keeps the rest of it.

mod draw;
mod edit;
mod explain;
mod finding;
mod foreign;
mod hidden;
mod kind;
mod locate;
mod massdriver;
mod native;
mod outline;
mod prune;
mod read;
mod rules;
mod schema;
mod signadot;
mod stackspot;
mod tree;
mod values;
mod yaml;

pub use draw::draw;
pub use edit::{Edit, edit_workspace, granting, revoking, write_imported};
pub use finding::Finding;
pub use foreign::ForeignKind;
pub use kind::Kind;
pub use locate::{Span, locate};
pub use read::{
    catalog, connection_type, connection_type_among, context, environment, imported, manifest, manifest_with_warnings,
    massdriver_preview, plugin, stackspot_case, workspace,
};
pub use schema::schema;
pub use stackspot::{CaseConnection, CaseMode, StackSpotCase};
pub use tree::{Files, PluginFolder, document_of, foreign_kind, plugin_folder};
pub use values::{check_schema, defaults, validate_value};

#[cfg(test)]
mod tests;
