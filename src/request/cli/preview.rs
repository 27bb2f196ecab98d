//! `tieline preview`.

use clap::{Args, Subcommand};

use super::{Announcements, Overrides, Sensitive, Target, Terraform, Values};
use crate::request::examples;

/// `tieline preview`: with no word after it, what the event of the workflow asks for.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Preview {
    /// What to do with it.
    #[command(subcommand)]
    pub action: Option<PreviewAction>,
    /// What the event may ask for.
    #[command(flatten)]
    pub run: PreviewRun,
    /// How much a sweep removes.
    #[command(flatten)]
    pub bounds: SweepBounds,
}

impl Preview {
    /// What it is about.
    pub fn target(&self) -> &Target {
        match &self.action {
            None => &self.run.target,
            Some(PreviewAction::Up(run) | PreviewAction::Refresh(run)) => &run.target,
            Some(PreviewAction::Down(down)) => &down.target,
            Some(PreviewAction::Sweep(sweep)) => &sweep.target,
            Some(PreviewAction::List(target)) => target,
        }
    }
}

/// What to do with a preview.
#[derive(Debug, Clone, Subcommand)]
pub enum PreviewAction {
    /// Make the preview of a pull request, or bring it up to date.
    ///
    /// The preview is an environment of its own on top of the one that the manifest's `preview` part names as its base. Running it again
    /// converges on the same environment, which keeps the copy of the base that it was made from.
    #[command(after_help = examples::PREVIEW_UP)]
    Up(PreviewRun),
    /// Bring a preview up to date on its base as it is today.
    ///
    /// The base's document is copied anew; then it deploys as `up` does.
    #[command(after_help = examples::PREVIEW_REFRESH)]
    Refresh(PreviewRun),
    /// Remove a preview and all that was made in it.
    ///
    /// It works from what was recorded: neither the manifest nor anything else of the pull request is read.
    #[command(after_help = examples::PREVIEW_DOWN)]
    Down(PreviewDown),
    /// Remove the previews whose pull request is closed or whose time is over.
    ///
    /// Without `--workspace` those of all workspaces. Says what it removed, what it could not and why, and fails if anything is left.
    #[command(after_help = examples::PREVIEW_SWEEP)]
    Sweep(PreviewSweep),
    /// List the previews there are, with their pull requests and the time they have left.
    ///
    /// Without `--workspace` those of all workspaces.
    #[command(after_help = examples::PREVIEW_LIST)]
    List(Target),
}

/// `tieline preview up` and `refresh`.
#[derive(Debug, Clone, Args)]
pub struct PreviewRun {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// Whose it is.
    #[command(flatten)]
    pub pull_request: PullRequestArguments,
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
    /// What is set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `tieline preview down`.
#[derive(Debug, Clone, Args)]
pub struct PreviewDown {
    /// What it is about; `--environment` names a preview that is not this pull request's.
    #[command(flatten)]
    pub target: Target,
    /// Whose it is.
    #[command(flatten)]
    pub pull_request: PullRequestArguments,
    /// Today's values of sensitive inputs, where a provider needs one to destroy.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// When its time was over, as the sweeper saw it; it stays if that is another time by now.
    #[arg(long, value_name = "TIME", hide = true)]
    pub seen_expires: Option<chrono::DateTime<chrono::Utc>>,
    /// What is set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `tieline preview sweep`.
#[derive(Debug, Clone, Args)]
pub struct PreviewSweep {
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// How much it removes.
    #[command(flatten)]
    pub bounds: SweepBounds,
    /// Today's values of sensitive inputs, where a provider needs one to destroy.
    #[command(flatten)]
    pub sensitive: Sensitive,
    /// How Terraform is run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
}

/// How much a sweep removes.
#[derive(Debug, Clone, Copy, Args)]
pub struct SweepBounds {
    /// How many previews a sweep removes at most; the others wait for the next.
    #[arg(long, env = "TIELINE_LIMIT", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// Which pull request a preview is for; in a workflow the event and the runner say so.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Pull request")]
pub struct PullRequestArguments {
    /// Its number [default: that of the workflow's event].
    #[arg(long, env = "TIELINE_PULL_REQUEST", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub pull_request: Option<u64>,
    /// The repository that it is in [default: the workflow's].
    #[arg(long, env = "TIELINE_REPOSITORY", value_name = "OWNER/NAME")]
    pub repository: Option<String>,
    /// The numeric id of that repository, which it keeps when it is renamed [default: the workflow's].
    #[arg(long, env = "TIELINE_REPOSITORY_ID", value_name = "ID")]
    pub repository_id: Option<u64>,
}
