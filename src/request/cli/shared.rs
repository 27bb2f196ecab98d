//! What several commands take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::address::Place;
use crate::domain::duration::duration;
use crate::domain::names::Alias;
use crate::domain::organization;

/// How others are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Trust the root certificates in this PEM file beside the machine's: Tieline itself, Terraform, its providers and git.
    #[arg(long, global = true, env = "TIELINE_CA_CERT", value_name = "FILE", hide_short_help = true)]
    pub ca_cert: Option<PathBuf>,
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
    /// The deployable, where its manifest is not at hand [default: the manifest's].
    #[arg(long, env = "TIELINE_DEPLOYABLE", value_name = "NAME", hide_short_help = true)]
    pub deployable: Option<String>,
    /// Where the context repository is.
    #[command(flatten)]
    pub context: ContextArguments,
}

impl Target {
    /// The same about another place.
    #[must_use]
    pub fn at(&self, place: &Place) -> Self {
        Self {
            workspace: Some(place.workspace.to_string()),
            environment: Some(place.environment.to_string()),
            deployable: Some(place.deployable.to_string()),
            ..self.clone()
        }
    }
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
    /// The sensitive ones.
    #[command(flatten)]
    pub sensitive: Sensitive,
}

/// Values of sensitive inputs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub struct Sensitive {
    /// Sensitive inputs, as a YAML mapping: `{alias.input: value}`. Give them as the variable: a command line can be read by others
    /// on the machine. A destroy and a look for drift also take what they cannot read any more, as
    /// `alias.slot.attribute`.
    #[arg(long, env = "TIELINE_SECRETS", value_name = "YAML", hide_env_values = true)]
    pub secrets: Option<String>,
    /// What opens sealed values.
    #[command(flatten)]
    pub opening: Opening,
}

/// What opens sealed values.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub struct Opening {
    /// What opens sealed values: age identities (`AGE-SECRET-KEY-1…`), one a line. Give them as the variable.
    #[arg(long, env = "TIELINE_AGE_IDENTITY", value_name = "KEYS", hide_env_values = true, hide_short_help = true)]
    pub age_identity: Option<String>,
}

/// Safeguards that are set aside for this run; each needs a reason, and is recorded with it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Overrides")]
pub struct Overrides {
    /// Go on although these still need what goes: each consumer by its address, `<workspace>/<environment>/<deployable>/<alias>.<slot>`,
    /// separated by commas.
    #[arg(long, env = "TIELINE_BREAK_CONSUMERS", value_name = "ADDRESS", value_delimiter = ',', hide_short_help = true)]
    pub break_consumers: Vec<String>,
    /// Give these applied plugins up instead of destroying them: each alias, separated by commas, that the manifest no longer deploys.
    /// What is recorded of them goes; their infrastructure and Terraform state stay.
    #[arg(long, env = "TIELINE_ABANDON", value_name = "ALIAS", value_delimiter = ',', hide_short_help = true)]
    pub abandon: Vec<Alias>,
    /// Why: it is recorded.
    #[arg(long, env = "TIELINE_REASON", value_name = "TEXT", hide_short_help = true)]
    pub reason: Option<String>,
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
    /// Where the scripts of plugins run, as far as the context's ceiling allows it; `auto`: in a container where the plugin names an
    /// image, in a pod where it speaks of Kubernetes, else on this machine.
    #[arg(long, env = "TIELINE_STEP_RUNNER", value_enum, default_value_t = StepRunner::Auto, value_name = "WHERE", help_heading = "Steps", hide_short_help = true)]
    pub step_runner: StepRunner,
}

/// Where the scripts of plugins run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StepRunner {
    /// Where their plugin says.
    Auto,
    /// In containers.
    Docker,
    /// On this machine.
    Host,
    /// In pods.
    Kubernetes,
}

impl StepRunner {
    /// What is asked for; none where the plugin decides.
    pub fn asked(self) -> Option<organization::StepRunner> {
        match self {
            Self::Auto => None,
            Self::Docker => Some(organization::StepRunner::Docker),
            Self::Host => Some(organization::StepRunner::Host),
            Self::Kubernetes => Some(organization::StepRunner::Kubernetes),
        }
    }
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
