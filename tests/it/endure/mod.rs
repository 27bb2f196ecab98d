//! What a run must outlive: cancels, crashes, other runs, hostile text, size; and what must not outlive it: secrets.
//!
//! Nothing here waits for time to pass: tests wait for a line of the log, or for a file that a provisioner writes, and let it go on
//! by writing another.

pub(crate) mod bench;
mod cancel;
mod concurrency;
mod container;
mod crash;
mod hostile;
mod leaks;
mod post;
mod repoint;
mod size;
pub(crate) mod states;
