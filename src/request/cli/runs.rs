//! The commands that plan and change what is deployed.

use clap::Args;

use super::{Announcements, Target, Terraform, Values};

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
