//! Plain types: what the product talks about. No I/O, no clock, no async, nothing of ours below.

pub mod account;
pub mod address;
pub mod canonical;
pub mod catalog;
pub mod change;
pub mod connection;
pub mod connection_type;
pub mod declared;
pub mod deployment;
pub mod diagnostic;
pub mod difference;
pub mod failure;
pub mod impact;
pub mod manifest;
pub mod module;
pub mod moving;
pub mod names;
pub mod nearest;
pub mod need;
pub mod organization;
pub mod outcome;
pub mod overlay;
pub mod plugin;
pub mod rebinding;
pub mod record;
pub mod visible;
