//! The commands that plan and change what is deployed.

use clap::{Args, ValueEnum};

use super::{Announcements, Overrides, Sensitive, Target, Terraform, Values};
use crate::domain::names::Alias;

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
    /// What is planned.
    #[arg(long = "for", env = "TIELINE_FOR", value_enum, default_value_t = PlanFor::Deploy, value_name = "RUN")]
    pub run: PlanFor,
    /// Which release a rollback would go back to.
    #[command(flatten)]
    pub back: Back,
    /// What the run would set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFor {
    /// `tieline deploy`.
    Deploy,
    /// `tieline rollback`.
    Rollback,
    /// `tieline destroy`.
    Destroy,
}

/// Which release, and what is wired anew.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Release")]
pub struct Back {
    /// The release to go back to: its version tag, whose newest release counts, or the id of the run that made it.
    #[arg(long, env = "TIELINE_TO", value_name = "RELEASE")]
    pub to: Option<String>,
    /// Connections for slots whose own is gone, as a YAML mapping: `{alias.slot: address}`.
    #[arg(long, env = "TIELINE_REBIND", value_name = "YAML", hide_short_help = true)]
    pub rebind: Option<String>,
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
    /// What is set aside.
    #[command(flatten)]
    pub overrides: Overrides,
    /// The part of a fleet that it is.
    #[command(flatten)]
    pub part: FleetPart,
}

/// Which part of a fleet a deploy is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Fleet")]
pub struct FleetPart {
    /// Deploy only these applied plugins, as one job of a fleet; separated by commas.
    #[arg(long, env = "TIELINE_ONLY", value_name = "ALIAS", value_delimiter = ',', requires = "fleet", hide_short_help = true)]
    pub only: Vec<Alias>,
    /// The fleet that it is a job of, by the id that `tieline fleet` printed.
    #[arg(long, env = "TIELINE_FLEET", value_name = "ID", requires = "only", hide_short_help = true)]
    pub fleet: Option<String>,
}

/// `tieline rollback`.
#[derive(Debug, Clone, Args)]
pub struct Rollback {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Which release.
    #[command(flatten)]
    pub back: Back,
    /// Today's values of sensitive inputs.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// The name of the release that it makes [default: that of the release it goes back to].
    #[arg(long, env = "TIELINE_VERSION_TAG", value_name = "TAG")]
    pub version_tag: Option<String>,
    /// Apply only if the plan is still the one with this fingerprint, which `tieline plan --for rollback` printed.
    #[arg(long, env = "TIELINE_APPROVED_PLAN", value_name = "FINGERPRINT")]
    pub approved_plan: Option<String>,
    /// Let plans delete and replace resources; a protected environment wants an approved plan instead.
    #[arg(long, env = "TIELINE_ALLOW_DESTROY")]
    pub allow_destroy: bool,
    /// What is set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `tieline destroy`.
#[derive(Debug, Clone, Args)]
pub struct Destroy {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Today's values of sensitive inputs, where a provider needs one to destroy.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// Destroy only if the plan is still the one with this fingerprint, which `tieline plan --for destroy` printed.
    #[arg(long, env = "TIELINE_APPROVED_PLAN", value_name = "FINGERPRINT")]
    pub approved_plan: Option<String>,
    /// What is set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}
