//! A deploy that is spread over many jobs, on as many machines: a fleet.
//!
//! The first job takes the claim on the place, the others join it: all know the fleet's run. Each job works on its own applied plugins
//! and keeps a journal of its own, in which it leaves what came of them. Nothing is published before the fleet is finished, once: so
//! what a job needs of another's plugins it takes from that one's journal.

mod finish;
mod job;
mod join;
mod parts;

pub use finish::{finish_fleet, take_fleet};
pub use job::{deploy_part, give_up};
pub use join::join;
pub use parts::bury;
pub(super) use parts::{forget_parts, has_jobs_at_work, merged};
