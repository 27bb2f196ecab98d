//! `tieline context …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ContextArguments, Opening};
use crate::request::examples;

/// `tieline context …`.
#[derive(Debug, Clone, Subcommand)]
pub enum Context {
    /// Make a context repository, and commit a folder's documents to it.
    ///
    /// At a path one is made where there is none; elsewhere a repository must be there, be it empty, and gets its branches. What is
    /// there already is kept. With `--from`, the documents branch becomes the mirror of the folder, in one commit, after every document
    /// was checked: what the folder does not have is removed.
    #[command(after_help = examples::CONTEXT_INIT)]
    Init {
        /// A folder laid out as the documents branch is.
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Check a change of the documents, and show whom it would repoint, allow or break.
    ///
    /// Compares a folder, such as the checkout of a pull request, with the documents branch. Fails when the change must not be merged: a
    /// document is wrong, a published type version changes, or something goes or moves that is in use.
    #[command(after_help = examples::CONTEXT_REVIEW)]
    Review {
        /// The folder with the documents as they are to be [default: the current one].
        #[arg(long, env = "TIELINE_FROM", value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Check that all that runs recorded agrees with each other.
    ///
    /// With `--repair`, what the rest of the ledger tells how to mend is mended in one commit: entries of consumers are written as
    /// their bindings say, and those of nobody go, as do connections whose applied plugin is gone and that nobody uses. What a run
    /// in progress holds is left alone. What is left is listed, and is a failure.
    #[command(after_help = examples::CONTEXT_VERIFY)]
    Verify {
        /// Mend what can be mended.
        #[arg(long, env = "TIELINE_REPAIR")]
        repair: bool,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Let go of old run records, and of what only they named.
    ///
    /// Each deployable keeps, in each environment, its newest `retention.runs` run records of context.yaml. A release stays while its
    /// run's record does, and while its tag is one of the newest as many tags; so the newest release always stays. A plugin's tree
    /// stays while an applied plugin, a release or a run in progress names it. All goes in one commit; runs beside it lose nothing.
    #[command(after_help = examples::CONTEXT_PRUNE)]
    Prune {
        /// Only say what would go.
        #[arg(long, env = "TIELINE_DRY_RUN")]
        dry_run: bool,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
    /// Seal every secret of the ledger anew, for those who are to open it today.
    ///
    /// Opens what steps left and what connections publish of it with `--age-identity`, and seals it for the recipients that `sealing` of
    /// each environment, else of context.yaml, names now. All goes in one commit; what is sealed for them already is left as it is, and
    /// so is what a run in progress holds. Who was a recipient before can still open what the ledger's history has: after a key was
    /// lost, the secrets themselves have to be others.
    #[command(after_help = examples::CONTEXT_RESEAL)]
    Reseal {
        /// What opens it.
        #[command(flatten)]
        opening: Opening,
        /// Where it is.
        #[command(flatten)]
        target: ContextTarget,
    },
}

/// Which context repository a command is about.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where")]
pub struct ContextTarget {
    /// Look for folders and the context repository from this folder [default: the current one].
    #[arg(long, short = 'C', env = "TIELINE_WORKING_DIRECTORY", value_name = "FOLDER")]
    pub working_directory: Option<PathBuf>,
    /// Where it is.
    #[command(flatten)]
    pub context: ContextArguments,
}
