//! The integration tests, in one binary. They run the real program; those that need the real terraform start with `tf_`, fail where
//! it is missing in automation (`CI` is set), and say that they are skipped elsewhere.
#![allow(clippy::disallowed_methods, reason = "the effects of a test are its own, not the program's")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod abandoning;
mod acceptance;
mod approvals;
mod architecture;
mod ceilings;
mod cloud;
mod commands;
mod context;
mod destroy;
mod documentation;
mod drift;
mod endure;
mod failures;
mod fixtures;
mod fleet;
mod gates;
mod generated;
mod github;
mod github_client;
mod harness;
mod impact;
mod importing;
mod ledger;
mod mixed;
mod mixing;
mod moving;
mod owners;
mod planning;
mod policies;
mod previews;
mod proofs;
mod proposals;
mod publication;
mod quickstart;
mod removal;
mod repointing;
mod review;
mod rollback;
mod runner;
mod settled;
mod sharing;
mod sharing_examples;
mod sources;
mod status;
mod steps;
mod values;
mod withheld;
mod workflows;
