//! `tieline move` and `tieline adopt`.

use clap::Args;

use super::{Sensitive, Target, Terraform};

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
