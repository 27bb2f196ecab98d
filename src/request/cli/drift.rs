//! `tieline drift`.

use clap::Args;

use super::{Sensitive, Target, Terraform};

/// `tieline drift`.
#[derive(Debug, Clone, Args)]
pub struct Drift {
    /// What it is about; without a deployable, all that is deployed in the environment.
    #[command(flatten)]
    pub target: Target,
    /// Today's values of sensitive inputs, where a provider needs one to look.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// Keep one GitHub issue for each deployable: opened when something changed outside, closed when that is gone. It is in the
    /// deployable's own repository where the token may write there, else in the one that the workflow runs in.
    #[arg(long, env = "TIELINE_ISSUE", help_heading = "On GitHub")]
    pub issue: bool,
}
