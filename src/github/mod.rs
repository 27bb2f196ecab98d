//! The GitHub server that the workflow runs on, or another: one client for everything that is asked of it.

mod app;
mod client;
mod error;
mod rate;
mod wire;

pub use client::{Client, Identity, Repository, Server, part};
pub use error::{ApiError, Bearer};
