//! The GitHub server that the workflow runs on, or another: one client for everything that is asked of it, and the few things
//! that a run writes there.

mod app;
pub mod check;
mod claims;
mod client;
pub mod comment;
pub mod deployment;
mod error;
pub mod issue;
mod oidc;
pub mod pull;
mod rate;
pub mod standing;
mod wire;
mod workflow_run;

pub use claims::JobClaims;
pub use client::{Client, Identity, Repository, Server, part};
pub use error::{ApiError, Bearer};
pub use oidc::IdentityTokens;
pub use workflow_run::{Standing, WorkflowAttempt};

#[cfg(test)]
mod tests;
