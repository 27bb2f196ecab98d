//! `tieline move` and `tieline adopt`.

use clap::Args;

use super::{Sensitive, Target, Terraform, Values};

/// `tieline move`.
#[derive(Debug, Clone, Args)]
pub struct Move {
    /// What moves: an alias of the manifest's deployable, `<workspace>/<environment>/<deployable>/<alias>`, or a whole
    /// `<workspace>/<environment>/<deployable>`.
    pub from: String,
    /// What it is called from then on: another alias, or another `<workspace>/<environment>/<deployable>`.
    pub to: String,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Today's values of sensitive inputs, which the plan needs.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
}

/// `tieline adopt`.
#[derive(Debug, Clone, Args)]
#[group(id = "taken-over", required = true, multiple = false, args = ["state", "state_backend"])]
pub struct Adopt {
    /// The alias in the manifest; nothing of it may be applied yet.
    pub alias: String,
    /// The state, in a file that `terraform state pull` wrote.
    #[arg(long, env = "TIELINE_STATE", value_name = "FILE")]
    pub state: Option<std::path::PathBuf>,
    /// The state, in the backend that it is in, as YAML: `{type: s3, config: {bucket: ..., key: ...}}`.
    #[arg(long, env = "TIELINE_STATE_BACKEND", value_name = "YAML")]
    pub state_backend: Option<String>,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// What goes in.
    #[command(flatten)]
    pub values: Values,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// Take it over although resources would change, if the plan is the one with this fingerprint, which a refusal printed.
    #[arg(long, env = "TIELINE_APPROVED_PLAN", value_name = "FINGERPRINT")]
    pub approved_plan: Option<String>,
}
