//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Deploy applications and shared infrastructure out of versioned plugins, wired by typed connections.
///
/// A manifest (`tieline.yaml`) names plugins and wires them. `tieline validate` checks it, `tieline plan` shows what would change,
/// `tieline deploy` makes it so with your own terraform and publishes its connections to the context repository.
#[derive(Debug, Parser)]
#[command(name = "tieline", version, propagate_version = true, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the manifest, its plugins and their contracts, offline.
    Validate(Target),
    /// Show what a deploy would change, and the fingerprint to approve it by; changes nothing.
    Plan(Plan),
    /// Provision a deployable into an environment and publish its connections.
    Deploy(Deploy),
    /// Show runs, releases, connections, consumers and claims of an environment.
    Status(Target),
    /// Look at published connections.
    #[command(subcommand)]
    Connection(Connection),
    /// Make, fill and check a context repository.
    #[command(subcommand)]
    Context(Context),
    /// Look at the manifest's plugins and move their locked versions.
    #[command(subcommand)]
    Plugins(Plugins),
    /// Print the JSON Schema of a kind of document, for editors.
    Schema {
        /// The kind of document.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(crate::documents::Kind::ALL.iter().map(|kind| kind.as_str())))]
        kind: String,
    },
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What a command is about.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The manifest [default: tieline.yaml].
    #[arg(long, short = 'f', env = "TIELINE_MANIFEST", value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The folder that paths are read from.
    #[arg(long, short = 'C', env = "TIELINE_WORKING_DIRECTORY", value_name = "FOLDER")]
    pub working_directory: Option<PathBuf>,
    /// The workspace [default: the manifest's].
    #[arg(long, short = 'w', env = "TIELINE_WORKSPACE", value_name = "NAME")]
    pub workspace: Option<String>,
    /// The environment [default: the manifest's].
    #[arg(long, short = 'e', env = "TIELINE_ENVIRONMENT", value_name = "NAME")]
    pub environment: Option<String>,
    /// Where the context repository is.
    #[command(flatten)]
    pub context: ContextArguments,
}

/// Where the context repository is.
#[derive(Debug, Clone, Args)]
pub struct ContextArguments {
    /// The context repository: a path or any git URL [default: the nearest .tieline/context.git upwards].
    #[arg(long, env = "TIELINE_CONTEXT", value_name = "REPOSITORY")]
    pub context: Option<String>,
    /// The branch that people change.
    #[arg(long, env = "TIELINE_DOCUMENTS_BRANCH", value_name = "BRANCH", default_value = "main", hide_short_help = true)]
    pub documents_branch: String,
    /// The branch that runs write.
    #[arg(long, env = "TIELINE_LEDGER_BRANCH", value_name = "BRANCH", default_value = "ledger", hide_short_help = true)]
    pub ledger_branch: String,
}

/// What goes into a deployable beside its manifest.
#[derive(Debug, Clone, Args)]
pub struct Values {
    /// Inputs of this run, a YAML mapping: `{alias.input: value}`.
    #[arg(long, env = "TIELINE_INPUTS", value_name = "YAML")]
    pub inputs: Option<String>,
    /// The same, from a file.
    #[arg(long, env = "TIELINE_INPUTS_FILE", value_name = "FILE")]
    pub inputs_file: Option<PathBuf>,
    /// Sensitive inputs, a YAML mapping: `{alias.input: value}`. Best given as the variable, which other users cannot see.
    #[arg(long, env = "TIELINE_SECRETS", value_name = "YAML", hide_env_values = true)]
    pub secrets: Option<String>,
}

/// How Terraform is run.
#[derive(Debug, Clone, Args)]
pub struct Terraform {
    /// Path or name of the terraform binary [default: found].
    #[arg(long, env = "TIELINE_TERRAFORM", value_name = "BINARY")]
    pub terraform: Option<String>,
    /// How many applied plugins are worked on at a time.
    #[arg(long, env = "TIELINE_PARALLELISM", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub parallelism: u32,
    /// How many resources each terraform works on at a time.
    #[arg(long, env = "TIELINE_TERRAFORM_PARALLELISM", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=256), hide_short_help = true)]
    pub terraform_parallelism: u32,
    /// How long to wait for a Terraform state lock, such as `30s` or `5m`.
    #[arg(long, env = "TIELINE_LOCK_TIMEOUT", value_name = "TIME", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub lock_timeout: std::time::Duration,
    /// How long the run may take, such as `30m` [default: no limit].
    #[arg(long, env = "TIELINE_TIMEOUT", value_name = "TIME", value_parser = duration)]
    pub timeout: Option<std::time::Duration>,
    /// Plan what is unchanged as well, to find what changed outside.
    #[arg(long, env = "TIELINE_REFRESH")]
    pub refresh: bool,
    /// Let plugins run provisioners and `external` and `http` data sources, where the context's ceiling allows it.
    #[arg(long, env = "TIELINE_ALLOW_LOCAL_EXEC", hide_short_help = true)]
    pub allow_local_exec: bool,
    /// Prefixes of permitted module sources; narrows the context's ceiling.
    #[arg(long, env = "TIELINE_ALLOWED_MODULES", value_name = "PREFIX", value_delimiter = ',', hide_short_help = true)]
    pub allowed_modules: Option<Vec<String>>,
    /// Further root certificates, for every child process.
    #[arg(long, env = "TIELINE_CA_CERT", value_name = "FILE", hide_short_help = true)]
    pub ca_cert: Option<PathBuf>,
    /// Bind to connections whose producer's last apply failed.
    #[arg(long, env = "TIELINE_ALLOW_DEGRADED", hide_short_help = true)]
    pub allow_degraded: bool,
}

/// `tieline plan`.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// What goes in.
    #[command(flatten)]
    pub values: Values,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// Show per input and slot where its value came from and what else was considered; runs no terraform.
    #[arg(long)]
    pub explain: bool,
}

/// `tieline deploy`.
#[derive(Debug, Clone, Args)]
pub struct Deploy {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// What goes in.
    #[command(flatten)]
    pub values: Values,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// The name of the release [default: the commit's short id].
    #[arg(long, env = "TIELINE_VERSION_TAG", value_name = "TAG")]
    pub version_tag: Option<String>,
    /// Apply only if the plan is this one, by the fingerprint that `tieline plan` printed.
    #[arg(long, env = "TIELINE_APPROVED_PLAN", value_name = "FINGERPRINT")]
    pub approved_plan: Option<String>,
    /// Let the plan delete and replace resources.
    #[arg(long, env = "TIELINE_ALLOW_DESTROY")]
    pub allow_destroy: bool,
}

/// `tieline connection …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Connection {
    /// List the connections of an environment.
    List(Target),
    /// Show a connection, its attributes and its consumers.
    Show {
        /// Its address: `<workspace>/<environment>/<deployable>/<alias>.<output>`.
        address: String,
        /// What it is about.
        #[command(flatten)]
        target: Target,
    },
}

/// `tieline context …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Context {
    /// Make a local context repository, and commit a folder's documents to it.
    Init {
        /// A folder laid out as the documents branch; committed as it is.
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// The folder that paths are read from.
        #[arg(long, short = 'C', env = "TIELINE_WORKING_DIRECTORY", value_name = "FOLDER")]
        working_directory: Option<PathBuf>,
        /// Where it is.
        #[command(flatten)]
        context: ContextArguments,
    },
    /// Check that everything in the ledger agrees with everything else.
    Verify {
        /// The folder that paths are read from.
        #[arg(long, short = 'C', env = "TIELINE_WORKING_DIRECTORY", value_name = "FOLDER")]
        working_directory: Option<PathBuf>,
        /// Where it is.
        #[command(flatten)]
        context: ContextArguments,
    },
}

/// `tieline plugins …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Plugins {
    /// List the manifest's plugins with their versions and contracts.
    List(Target),
    /// Resolve plugin sources anew and move their entries in tieline.lock.
    Update {
        /// Only these aliases [default: all].
        aliases: Vec<String>,
        /// What it is about.
        #[command(flatten)]
        target: Target,
    },
}

/// How things are shown.
#[derive(Debug, Clone, Args)]
pub struct Display {
    /// Text for people, or JSON for programs.
    #[arg(long, short = 'o', global = true, env = "TIELINE_OUTPUT", value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub output: Output,
    /// When to use colors.
    #[arg(long, global = true, env = "TIELINE_COLOR", value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// How much to log.
    #[arg(long, global = true, env = "TIELINE_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info, value_name = "LEVEL", hide_short_help = true)]
    pub log_level: LogLevel,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Only results and problems.
    Error,
    /// Also warnings.
    Warn,
    /// Also what happens.
    Info,
    /// Also every process that is started.
    Debug,
}

/// Reads `90s`, `5m`, `2h`, `3d`, or a plain number of seconds.
///
/// # Errors
/// When the text is none of these.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err(format!("`{unit}` is no unit of time: use `s`, `m`, `h` or `d`")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a time: write it as `90s`, `5m` or `2h`"))?;
    number.checked_mul(seconds).map(std::time::Duration::from_secs).ok_or_else(|| format!("`{text}` is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("5m").unwrap().as_secs(), 300);
        assert_eq!(duration("90").unwrap().as_secs(), 90);
        assert!(duration("5x").is_err() && duration("m").is_err());
    }
}
