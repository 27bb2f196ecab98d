//! The double itself: what those who talk to it rely on.

mod access;
mod apps;
mod caller;
mod data;
mod description;
mod failing;
mod history;
mod product;
mod shown;
