//! The double itself: what those who talk to it rely on.

mod access;
mod caller;
mod data;
mod failing;
