//! `tieline connection …`.

use clap::{Args, Subcommand, ValueEnum};

use super::{ContextTarget, Target};
use crate::domain::organization::Permission;
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
    /// Let others use a connection: adds a grant to the document of the workspace that owns it.
    ///
    /// In a context on GitHub this opens a pull request, elsewhere it is committed to the documents branch. What is granted already is
    /// left as it is.
    #[command(after_help = examples::CONNECTION_GRANT)]
    Grant {
        /// What is granted.
        #[command(flatten)]
        grant: GrantArguments,
        /// Whether previews may have the sensitive attributes too.
        #[arg(long, env = "TIELINE_PREVIEWS", requires = "allow")]
        previews: bool,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Take a grant back, and show who is affected.
    ///
    /// It is allowed whoever is bound: their next plan is refused, what they deployed stays, and they can be destroyed. Without `--to`
    /// it is taken from everybody, without `--allow` altogether.
    #[command(after_help = examples::CONNECTION_REVOKE)]
    Revoke {
        /// What was granted.
        #[command(flatten)]
        grant: GrantArguments,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Write down a connection to something that Tieline does not manage.
    ///
    /// It is checked against its type. Secrets are references to where they are, never values: `{password: {env: LEGACY_PASSWORD}}`, or
    /// `state` or `sealed` for `env`.
    #[command(after_help = examples::CONNECTION_IMPORT)]
    Import(Import),
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

/// Whose grant of what.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Grant")]
pub struct GrantArguments {
    /// `<workspace>/<environment>/<deployable>/<alias>.<output>` or `<workspace>/<environment>/imported/<name>`; after the workspace `*`
    /// stands for any text without `/`.
    pub connection: String,
    /// To which deployables, as `<workspace>/<environment>/<deployable>`, with `*` likewise; several with commas between.
    #[arg(long, env = "TIELINE_TO", value_name = "PATTERN", value_delimiter = ',', num_args = 1..)]
    pub to: Vec<String>,
    /// What is allowed; both with a comma between.
    #[arg(long, env = "TIELINE_ALLOW", value_enum, value_name = "WHAT", value_delimiter = ',', num_args = 1..)]
    pub allow: Vec<Allowed>,
}

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// Bind to it.
    Use,
    /// Have its sensitive attributes handed over.
    ReadSensitive,
}

impl From<Allowed> for Permission {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Use => Self::Use,
            Allowed::ReadSensitive => Self::ReadSensitive,
        }
    }
}

/// `tieline connection import`.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Its name: its address is `<workspace>/<environment>/imported/<name>`.
    pub name: String,
    /// The workspace that owns it.
    #[arg(long, short = 'w', env = "TIELINE_WORKSPACE", value_name = "NAME", required = true)]
    pub workspace: String,
    /// The environment it is in.
    #[arg(long, short = 'e', env = "TIELINE_ENVIRONMENT", value_name = "NAME", required = true)]
    pub environment: String,
    /// Its type with the version, such as `postgres-conn@1`.
    #[arg(long = "type", env = "TIELINE_TYPE", value_name = "TYPE", required = true)]
    pub type_ref: String,
    /// Its public attributes, as a YAML mapping.
    #[arg(long, env = "TIELINE_ATTRIBUTES", value_name = "YAML", default_value = "{}")]
    pub attributes: String,
    /// Where its sensitive attributes are, as a YAML mapping of references.
    #[arg(long, env = "TIELINE_SENSITIVE", value_name = "YAML", default_value = "{}")]
    pub sensitive: String,
    /// Where it is.
    #[command(flatten)]
    pub target: ContextTarget,
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
