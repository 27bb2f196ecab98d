//! What is asked for: the command line, decoded into plain values.

pub mod cli;
mod examples;
pub mod variables;
