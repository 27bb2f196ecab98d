//! The static reading of Terraform modules, and the gates on what they may do. Pure: files in, findings out.
//!
//! Plugins are somebody else's text. They are read with an HCL parser before Terraform sees them, and what init fetched is read
//! the same way before anything is planned.

mod block;
mod contract;
mod gates;
mod json;
mod object_keys;
mod read;
mod references;
pub mod rules;
#[cfg(test)]
mod tests;

pub use contract::check_contract;
pub use gates::{Gates, allows_module, allows_provider, gate};
pub use read::{FetchedModule, fetched_modules, is_terraform, read, read_tree};
pub use references::provider_variables;
