//! `tieline fleet`.

use clap::{Args, Subcommand};

use super::{Announcements, Overrides, Target, Terraform, Values};
use crate::request::examples;

/// `tieline fleet`: with no word after it, the waves of a deploy.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Fleet {
    /// What to do with it.
    #[command(subcommand)]
    pub action: Option<FleetAction>,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// What goes in.
    #[command(flatten)]
    pub values: Values,
    /// How Terraform will be run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What will be set aside.
    #[command(flatten)]
    pub overrides: Overrides,
    /// How many jobs a wave has at most; where there are more applied plugins, a job has several.
    #[arg(long, env = "TIELINE_JOBS", value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: u32,
    /// How many waves there are at most; what is deeper is done in the last one, what waits for each other in one job [default: as many as
    /// it takes].
    #[arg(long, env = "TIELINE_WAVES", value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub waves: Option<u32>,
}

impl Fleet {
    /// The end of a fleet, if it is that.
    pub fn finish(&self) -> Option<&FleetFinish> {
        self.action.as_ref().map(|FleetAction::Finish(finish)| &**finish)
    }
}

/// What to do with a fleet.
#[derive(Debug, Clone, Subcommand)]
pub enum FleetAction {
    /// Publish what the jobs of a fleet did, and give its claim back.
    ///
    /// To be run once all jobs have ended, however they did: with the same commit and inputs as they. Running it again does no harm.
    #[command(after_help = examples::FLEET_FINISH)]
    Finish(Box<FleetFinish>),
}

/// `tieline fleet finish`.
#[derive(Debug, Clone, Args)]
pub struct FleetFinish {
    /// The fleet, by the id that `tieline fleet` printed.
    #[arg(long, env = "TIELINE_FLEET", value_name = "ID")]
    pub fleet: String,
    /// What it is about.
    #[command(flatten)]
    pub target: Target,
    /// What went in.
    #[command(flatten)]
    pub values: Values,
    /// How Terraform was run.
    #[command(flatten)]
    pub terraform: Terraform,
    /// What is written to GitHub.
    #[command(flatten)]
    pub announcements: Announcements,
    /// What was set aside.
    #[command(flatten)]
    pub overrides: Overrides,
}
