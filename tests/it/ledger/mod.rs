//! What keeps the ledger right, and what it tells about who uses what.

pub(crate) mod cost;
mod declared;
mod marking;
mod prune;
mod repair;
mod shown;
