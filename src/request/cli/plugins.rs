//! `tieline plugins …`.

use clap::Subcommand;

use super::Target;
use crate::request::examples;

/// `tieline plugins …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Plugins {
    /// List the manifest's plugins with their versions and contracts.
    #[command(after_help = examples::PLUGINS_LIST)]
    List(Target),
    /// Look plugin sources up anew, and move their entries in tieline.lock.
    #[command(after_help = examples::PLUGINS_UPDATE)]
    Update {
        /// Only the plugins of these aliases [default: all].
        aliases: Vec<String>,
        /// What it is about.
        #[command(flatten)]
        target: Target,
    },
}
