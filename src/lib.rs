//! Tieline deploys applications and shared infrastructure out of versioned plugins, wires what one plugin produces into what
//! another needs through typed connection interfaces, and drives the organization's own Terraform to make it real.
//!
//! ARCHITECTURE.md has the code map and the invariants.

pub mod app;
pub mod cloud;
pub mod context;
pub mod documents;
pub mod domain;
pub mod engine;
pub mod github;
pub mod policy;
pub mod render;
pub mod report;
pub mod request;
pub mod resolve;
pub mod review;
pub mod runner;
pub mod secrets;
pub mod sources;
pub mod steps;
pub mod terraform;
pub mod world;
