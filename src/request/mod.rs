//! What is asked for: the command line, or a workflow step's inputs and event, decoded into the same plain values.

pub mod cli;
pub mod event;
mod examples;
pub mod inputs;
pub mod variables;
