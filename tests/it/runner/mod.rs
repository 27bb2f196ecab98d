//! A double of GitHub's runner: it starts a Docker container action as the runner does, with the same variables, mounts and signals,
//! and reads its log and its files as the runner does. What the action's tests assert is what people would see.
//!
//! Containers are namespaces of the kernel unless a test asks for Docker. A stage fails its test when the runner obeyed a command
//! that is not ours to give, or when a secret was seen; a job, when it leaves a file that is not the runner's.

mod action;
mod annotation;
mod commands;
mod container;
mod docker;
mod environment;
mod event;
mod files;
mod job;
mod log;
mod machine;
mod masks;
mod namespaces;
mod result;
mod stage;

mod site;

mod cancel;
mod drift;
mod failure;
mod flood;
mod github;
mod hostile;
mod inputs;
mod itself;
mod previews;
mod quickstart;
mod trust;

pub(crate) use action::Action;
pub(crate) use container::Engine;
pub(crate) use event::Event;
pub(crate) use job::Job;
pub(crate) use machine::Machine;
use result::Conclusion;

/// The machine that containers run on, if this one can have any; a test is to return where there is none.
pub(crate) fn machine() -> Option<Machine> {
    crate::acceptance::need("namespaces", namespaces::possible())?;
    Some(Machine::new())
}

/// The same, with a Docker engine.
pub(crate) fn machine_with_docker() -> Option<Machine> {
    crate::acceptance::need("docker", docker::Docker::here().map(drop))?;
    machine()
}
