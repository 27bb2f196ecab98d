//! Workflows on a scripted executor.

mod docker;
mod host;
mod kubernetes;
mod outputs;
mod stage;
mod workflows;
