//! `tieline connection …`.

use clap::{Args, Subcommand};

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
    /// Say that a connection will go, and when; or take that back.
    ///
    /// Nothing new binds to it from then on. Who is bound is told with every plan and in `tieline status`, with the day and your words.
    /// Deploys of its producer leave the mark as it is.
    #[command(after_help = examples::CONNECTION_DEPRECATE)]
    Deprecate(Deprecate),
    /// Take a connection out of use that nobody needs any more.
    ///
    /// Refused with the list of all who need it, in every workspace: applied plugins, references and stand-ins, defaults of environments,
    /// runs in progress. From then on nobody can bind to a published connection, and the command that destroys it is told; the document
    /// of an imported one is removed.
    #[command(after_help = examples::CONNECTION_RETIRE)]
    Retire {
        /// `<workspace>/<environment>/<deployable>/<alias>.<output>`; what is left out from the left is the manifest's.
        address: String,
        /// What it is about.
        #[command(flatten)]
        target: Target,
    },
}

/// `tieline connection deprecate`.
#[derive(Debug, Clone, Args)]
pub struct Deprecate {
    /// `<workspace>/<environment>/<deployable>/<alias>.<output>`; what is left out from the left is the manifest's.
    pub address: String,
    /// The last day on which it may be relied on, such as `2027-03-31`.
    #[arg(long, env = "TIELINE_UNTIL", value_name = "DATE", required_unless_present = "lift", conflicts_with = "lift")]
    pub until: Option<chrono::NaiveDate>,
    /// What its consumers are to do instead.
    #[arg(long, env = "TIELINE_MESSAGE", value_name = "TEXT", required_unless_present = "lift", conflicts_with = "lift")]
    pub message: Option<String>,
    /// Take the mark back.
    #[arg(long, env = "TIELINE_LIFT")]
    pub lift: bool,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
}
