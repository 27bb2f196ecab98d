//! Workflows on a scripted executor.
#![allow(clippy::disallowed_methods, reason = "the effects of a test are its own, not the program's")]

mod choosing;
mod docker;
mod fake;
mod host;
mod kubernetes;
mod outputs;
mod stage;
mod workflows;
