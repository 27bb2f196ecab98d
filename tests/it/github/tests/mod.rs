//! The double itself: what those who talk to it rely on.

mod access;
mod apps;
mod caller;
mod data;
mod failing;
mod history;
mod shown;
