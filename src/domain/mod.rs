//! Plain types: what the product talks about. No I/O, no clock, no async, nothing of ours below.

pub mod account;
pub mod address;
pub mod blocker;
pub mod canonical;
pub mod catalog;
pub mod change;
pub mod connection;
pub mod connection_type;
pub mod deployment;
pub mod diagnostic;
pub mod failure;
pub mod manifest;
pub mod module;
pub mod names;
pub mod nearest;
pub mod organization;
pub mod outcome;
pub mod overlay;
pub mod plugin;
pub mod record;
pub mod visible;
