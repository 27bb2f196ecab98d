//! The command line.

mod connection;
mod context;
mod drift;
mod fleet;
mod import;
mod moving;
mod plugins;
mod preview;
mod runs;
mod shared;
mod status;
mod transfer;

use clap::{Parser, Subcommand};

use super::examples;

pub use connection::{Allowed, Connection, Deprecate, GrantArguments, Import};
pub use context::{Context, ContextTarget};
pub use drift::Drift;
pub use fleet::{Fleet, FleetAction, FleetFinish};
pub use import::ImportDocument;
pub use moving::{Adopt, Move};
pub use plugins::Plugins;
pub use preview::{Preview, PreviewAction, PreviewDown, PreviewRun, PreviewSweep, PullRequestArguments, SweepBounds};
pub use runs::{Back, Deploy, Destroy, FleetPart, Plan, PlanFor, Rollback};
pub use shared::{
    Announcements, Color, ContextArguments, Display, LogLevel, Network, Opening, Output, Overrides, Sensitive, StepRunner,
    Target, Terraform, Values, Wish,
};
pub use status::{Outcome, RunKind, Status, Unlock};
pub use transfer::Transfer;

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
    /// Apply an earlier release again.
    ///
    /// The release is taken from the context repository as it was recorded: its plugins, inputs and bindings. The application's branch is
    /// not read. Sensitive inputs are today's. What was added since is destroyed, where that is allowed; data is not rolled back. `tieline
    /// plan --for rollback` shows it first, `tieline status` what there is to go back to.
    #[command(after_help = examples::ROLLBACK)]
    Rollback(Rollback),
    /// Destroy what is deployed, consumers first.
    ///
    /// It works from what was recorded when it was applied: neither the manifest nor the plugins' sources nor the producers are needed.
    /// What others still need is refused with the list of them. `tieline plan --for destroy` shows it first.
    #[command(after_help = examples::DESTROY)]
    Destroy(Destroy),
    /// Rename what is deployed, or take it to another workspace; nothing is made anew.
    ///
    /// The Terraform states are copied to where they will be, and a plan of each must be empty there; otherwise nothing is moved. Then one
    /// commit gives everything its new name, for consumers everywhere too, and leaves a redirect: addresses in documents go on
    /// resolving, with a warning, until they are changed. Should it be killed, the same move again brings it to its end.
    #[command(after_help = examples::MOVE)]
    Move(Move),
    /// Take over what an existing Terraform state holds, for an alias that is not applied yet.
    ///
    /// What is there must be what the plugin would have made: a plan with a private copy of the state, its resources moved into the
    /// plugin's module, must be empty, or be approved by its fingerprint. Then the state is copied to where the plugin's own is, and
    /// published like a deploy. The state that it came from is only read.
    #[command(after_help = examples::ADOPT)]
    Adopt(Adopt),
    /// Show what was changed outside of Terraform since it was applied; changes nothing.
    ///
    /// It works from what was recorded when it was applied, so that no manifest is needed: everything that is deployed in the environment
    /// is looked at, or one `--deployable`. That something changed is a finding and no failure: the exit code is 0, and the result says
    /// what. What could not be looked at is a failure.
    #[command(after_help = examples::DRIFT)]
    Drift(Drift),
    /// Spread a large deploy over many jobs; changes nothing itself.
    ///
    /// Prints the applied plugins in waves: each waits for nothing but the waves before it. In a workflow the waves are job matrices, in the
    /// output `matrix`. Each job deploys its part with `tieline deploy --only <alias> --fleet <id>`, and `tieline fleet finish` publishes
    /// what came of all of them, once.
    #[command(after_help = examples::FLEET)]
    Fleet(Box<Fleet>),
    /// Environments for pull requests, made and removed with them.
    ///
    /// With no word after it, in a workflow, the event decides: a pull request that is opened or changed makes its preview, one that is
    /// closed removes it, a comment or label is asked what it wants, a schedule sweeps.
    #[command(after_help = examples::PREVIEW)]
    Preview(Box<Preview>),
    /// Show what goes on and what is there: claims, runs, releases, applied plugins, connections, previews.
    ///
    /// Without an environment it is about the whole workspace. Of each claim it says whether its run lives, and how that is known. With
    /// `--html` it writes the activities page, with all of it over time and who feeds whom.
    #[command(after_help = examples::STATUS)]
    Status(Status),
    /// Free a claim or a Terraform state lock that a dead run left, by its exact id.
    ///
    /// Who did it and why is recorded as a run. A run that lives is never robbed of its claim: neither one whose process is seen on this
    /// machine, nor one whose lease or workflow run is not over. What a dead run had done is noted in the ledger first. A state lock is
    /// freed only while no run of the deployable goes on, and only where Terraform names this very id.
    #[command(after_help = examples::UNLOCK)]
    Unlock(Unlock),
    /// Look at connections and who needs them, say who may use them, end them in order.
    #[command(subcommand)]
    Connection(Connection),
    /// Change the repository whose workflows may write a deployable.
    ///
    /// In a context on GitHub this opens a pull request, elsewhere it is committed to the documents branch.
    #[command(after_help = examples::TRANSFER)]
    Transfer(Transfer),
    /// Make, fill and check a context repository.
    #[command(subcommand)]
    Context(Context),
    /// List a manifest's plugins, move their locked versions, and test one.
    #[command(subcommand)]
    Plugins(Plugins),
    /// Print the native form of a StackSpot, Massdriver or Signadot document.
    ///
    /// It deploys the same as what it was made from, which also deploys as it is: moving over is for a team that wants to. Comments in it
    /// say where a person must decide. Of a plugin's folder the whole plugin is made, its module included: `--to` writes it.
    #[command(after_help = examples::IMPORT)]
    Import(ImportDocument),
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
