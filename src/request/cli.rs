//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::examples;

/// Deploy applications and shared infrastructure out of versioned plugins, wired by typed connections.
///
/// A manifest (`tieline.yaml`) names plugins and wires them. `tieline validate` checks it, `tieline plan` shows what would change,
/// `tieline deploy` makes it so with your own terraform and publishes its connections to the context repository, where the
/// deployables of others can take them.
#[derive(Debug, Parser)]
#[command(name = "tieline", version, max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = examples::TIELINE)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
    /// How others are reached.
    #[command(flatten)]
    pub network: Network,
}

/// How others are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Trust the root certificates in this PEM file beside the machine's: Tieline itself, Terraform, its providers and git.
    #[arg(long, global = true, env = "TIELINE_CA_CERT", value_name = "FILE", hide_short_help = true)]
    pub ca_cert: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the manifest, its plugins and their contracts against each other.
    ///
    /// Starts no terraform and needs no credentials. Everything that is wrong is reported at once, each at its line. The types are
    /// those of the context repository; where there is none, those that the plugins bring along.
    #[command(after_help = examples::VALIDATE)]
    Validate(Target),
    /// Show what a deploy would change; changes nothing.
    ///
    /// Prints each applied plugin's changes, what a deploy would refuse, and the fingerprint that `tieline deploy --approved-plan`
    /// takes. A plugin whose producer would change in the same run reads `deferred`: its plan can only be made after that.
    #[command(after_help = examples::PLAN)]
    Plan(Plan),
    /// Deploy a manifest into an environment and publish its connections.
    ///
    /// Plugins are applied one by one as their producers are done, independent ones at the same time. What did not change since
    /// its last apply is skipped without starting terraform. A plan that deletes or replaces resources is refused unless the
    /// environment or `--allow-destroy` allows it.
    #[command(after_help = examples::DEPLOY)]
    Deploy(Deploy),
    /// Show runs, releases, connections, consumers and claims of an environment.
    #[command(after_help = examples::STATUS)]
    Status(Target),
    /// Look at published connections.
    #[command(subcommand)]
    Connection(Connection),
    /// Make, fill and check a context repository.
    #[command(subcommand)]
    Context(Context),
    /// List a manifest's plugins, and move their locked versions.
    #[command(subcommand)]
    Plugins(Plugins),
    /// Print the JSON Schema of a kind of document, for editors.
    #[command(after_help = examples::SCHEMA)]
    Schema {
        /// The kind of document.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(crate::documents::Kind::ALL.iter().map(|kind| kind.as_str())))]
        kind: String,
    },
    /// Print completions for a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What a command is about.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What and where")]
pub struct Target {
    /// The manifest [default: tieline.yaml].
    #[arg(long, short = 'f', env = "TIELINE_MANIFEST", value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Look for the manifest and the context repository from this folder [default: the current one].
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
    /// The context repository: a path, any URL that git takes, or `github:<owner>/<repository>` on the server that the workflow runs
    /// on [default: the nearest .tieline/context.git upwards].
    #[arg(long, env = "TIELINE_CONTEXT", value_name = "REPOSITORY")]
    pub context: Option<String>,
    /// The context's branch that people change: types, environments, grants.
    #[arg(long, env = "TIELINE_DOCUMENTS_BRANCH", value_name = "BRANCH", default_value = "main", hide_short_help = true)]
    pub documents_branch: String,
    /// The context's branch that runs write: connections, applied records, releases.
    #[arg(long, env = "TIELINE_LEDGER_BRANCH", value_name = "BRANCH", default_value = "ledger", hide_short_help = true)]
    pub ledger_branch: String,
    /// A token that may write the contents of the context repository. Give it as the variable: a command line can be read by others
    /// on the machine [default: the app's, else the GitHub token].
    #[arg(long, env = "TIELINE_CONTEXT_TOKEN", value_name = "TOKEN", hide_env_values = true, hide_short_help = true)]
    pub context_token: Option<String>,
    /// The id of a GitHub App that may write the contents of the context repository.
    #[arg(long, env = "TIELINE_APP_ID", value_name = "ID", hide_short_help = true)]
    pub app_id: Option<String>,
    /// The app's private key, PEM. Give it as the variable.
    #[arg(long, env = "TIELINE_APP_PRIVATE_KEY", value_name = "KEY", hide_env_values = true, hide_short_help = true)]
    pub app_private_key: Option<String>,
    /// A token for what is read and written on the GitHub server. Give it as the variable.
    #[arg(long, env = "TIELINE_GITHUB_TOKEN", value_name = "TOKEN", hide_env_values = true, hide_short_help = true)]
    pub github_token: Option<String>,
}

/// What goes into a deployable beside its manifest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Inputs")]
pub struct Values {
    /// Inputs of this run, over all others, as a YAML mapping: `{alias.input: value}`.
    #[arg(long, env = "TIELINE_INPUTS", value_name = "YAML")]
    pub inputs: Option<String>,
    /// The same, from a file; `--inputs` is over it.
    #[arg(long, env = "TIELINE_INPUTS_FILE", value_name = "FILE")]
    pub inputs_file: Option<PathBuf>,
    /// Sensitive inputs, as a YAML mapping: `{alias.input: value}`. Give them as the variable: a command line can be read by others
    /// on the machine.
    #[arg(long, env = "TIELINE_SECRETS", value_name = "YAML", hide_env_values = true)]
    pub secrets: Option<String>,
}

/// What is written to GitHub about a run of a workflow; elsewhere nothing is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "On GitHub")]
pub struct Announcements {
    /// One comment on the pull request, kept up to date; `auto`: wherever there is one, but not from a fork, which may not write.
    #[arg(long, env = "TIELINE_COMMENT", value_enum, default_value_t = Wish::Auto, value_name = "WHETHER", hide_short_help = true)]
    pub comment: Wish,
    /// A deployment whose status follows the run; `auto`: for a deploy.
    #[arg(long, env = "TIELINE_DEPLOYMENT", value_enum, default_value_t = Wish::Auto, value_name = "WHETHER", hide_short_help = true)]
    pub deployment: Wish,
    /// A check on the commit; `auto`: none, since the workflow's own job is one.
    #[arg(long, env = "TIELINE_CHECK", value_enum, default_value_t = Wish::Auto, value_name = "WHETHER", hide_short_help = true)]
    pub check: Wish,
}

/// Whether something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wish {
    /// Where it makes sense.
    Auto,
    /// Yes.
    True,
    /// No.
    False,
}

impl Wish {
    /// Whether it is wanted, where `auto` means `otherwise`.
    pub fn or(self, otherwise: bool) -> bool {
        match self {
            Self::Auto => otherwise,
            Self::True => true,
            Self::False => false,
        }
    }
}

/// How Terraform is run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Terraform")]
pub struct Terraform {
    /// Path or name of the binary [default: `terraform`, else `tofu`, on PATH].
    #[arg(long, env = "TIELINE_TERRAFORM", value_name = "BINARY")]
    pub terraform: Option<String>,
    /// How many plugins are worked on at a time.
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
    /// Plan unchanged plugins as well, to find what was changed by others.
    #[arg(long, env = "TIELINE_REFRESH")]
    pub refresh: bool,
    /// Let plugins use provisioners and `external` and `http` data sources, where the context's ceiling allows it.
    #[arg(long, env = "TIELINE_ALLOW_LOCAL_EXEC", hide_short_help = true)]
    pub allow_local_exec: bool,
    /// Prefixes of permitted module sources, separated by commas; narrows the context's ceiling.
    #[arg(long, env = "TIELINE_ALLOWED_MODULES", value_name = "PREFIX", value_delimiter = ',', hide_short_help = true)]
    pub allowed_modules: Option<Vec<String>>,
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
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// Show where the value of each input and slot comes from, and what else was considered; starts no terraform.
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
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// The name of the release [default: the manifest's git commit, shortened; else the run's id].
    #[arg(long, env = "TIELINE_VERSION_TAG", value_name = "TAG")]
    pub version_tag: Option<String>,
    /// Apply only if the plan is still the one with this fingerprint, which `tieline plan` printed.
    #[arg(long, env = "TIELINE_APPROVED_PLAN", value_name = "FINGERPRINT")]
    pub approved_plan: Option<String>,
    /// Let plans delete and replace resources; a protected environment wants an approved plan instead.
    #[arg(long, env = "TIELINE_ALLOW_DESTROY")]
    pub allow_destroy: bool,
}

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

/// `tieline context …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Context {
    /// Make a context repository, and commit a folder's documents to it.
    ///
    /// At a path one is made where there is none; elsewhere a repository must be there, be it empty, and gets its branches. What is
    /// there already is kept. With `--from`, the documents branch becomes the mirror of the folder, in one commit, after every document
    /// was checked: what the folder does not have is removed.
    #[command(after_help = examples::CONTEXT_INIT)]
    Init {
        /// A folder laid out as the documents branch is.
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// Look for folders and the context repository from this folder [default: the current one].
        #[arg(long, short = 'C', env = "TIELINE_WORKING_DIRECTORY", value_name = "FOLDER")]
        working_directory: Option<PathBuf>,
        /// Where it is.
        #[command(flatten)]
        context: ContextArguments,
    },
    /// Check that all that runs recorded agrees with each other.
    #[command(after_help = examples::CONTEXT_VERIFY)]
    Verify {
        /// Look for folders and the context repository from this folder [default: the current one].
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

/// How things are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Display")]
pub struct Display {
    /// The form of the result on the standard output.
    #[arg(long, short = 'o', global = true, env = "TIELINE_OUTPUT", value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub output: Output,
    /// When to use colors.
    #[arg(long, global = true, env = "TIELINE_COLOR", value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// How much to tell on the standard error.
    #[arg(long, global = true, env = "TIELINE_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info, value_name = "LEVEL", hide_short_help = true)]
    pub log_level: LogLevel,
}

impl Default for Display {
    fn default() -> Self {
        Self { output: Output::Text, color: Color::Auto, log_level: LogLevel::Info }
    }
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
