//! `tieline transfer`.

use clap::Args;

use super::ContextTarget;

/// `tieline transfer`.
#[derive(Debug, Clone, Args)]
pub struct Transfer {
    /// The deployable.
    pub deployable: String,
    /// The repository whose workflows are to write it, as `<owner>/<repository>`.
    #[arg(long, env = "TIELINE_TO", value_name = "REPOSITORY", required = true)]
    pub to: String,
    /// The repository's numeric id, which is what counts [default: asked of the GitHub server].
    #[arg(long, env = "TIELINE_ID", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub id: Option<u64>,
    /// The workspace that the deployable is in.
    #[arg(long, short = 'w', env = "TIELINE_WORKSPACE", value_name = "NAME", required = true)]
    pub workspace: String,
    /// Where it is.
    #[command(flatten)]
    pub target: ContextTarget,
}
