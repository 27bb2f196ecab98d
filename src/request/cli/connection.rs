//! `tieline connection …`.

use clap::Subcommand;

use super::Target;
use crate::request::examples;

/// `tieline connection …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Connection {
    /// List the connections of an environment.
    #[command(after_help = examples::CONNECTION_LIST)]
    List(Target),
    /// Show a connection, its attributes and its consumers.
    #[command(after_help = examples::CONNECTION_SHOW)]
    Show {
        /// `<workspace>/<environment>/<deployable>/<alias>.<output>`; what is left out from the left is the manifest's.
        address: String,
        /// What it is about.
        #[command(flatten)]
        target: Target,
    },
}
