//! Workflows on a scripted executor.

mod choosing;
mod docker;
mod fake;
mod host;
mod kubernetes;
mod outputs;
mod stage;
mod workflows;
