//! `tieline plugins …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{ContextTarget, Target};
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
    /// Show who uses which versions of plugins and types, across the whole context.
    #[command(after_help = examples::PLUGINS_USAGE)]
    Usage {
        /// Only the plugins and types of this name, in a range of versions: `<name>[@<range>]` [default: all].
        name: Option<String>,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Compare what a StackSpot plugin's templates make with the files that its test cases expect.
    ///
    /// A case is a folder of `tests/` with a `test-case.yaml` and the files in `expected/`. Starts no terraform. A native plugin is
    /// checked, and has no cases.
    #[command(after_help = examples::PLUGINS_TEST)]
    Test {
        /// The plugin's folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
}
