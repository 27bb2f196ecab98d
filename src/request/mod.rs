//! What is asked for: the command line, decoded into plain values.

pub mod cli;
pub mod variables;
