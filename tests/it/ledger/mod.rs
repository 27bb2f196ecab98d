//! What keeps the ledger right, and what it tells about who uses what.

mod prune;
mod repair;
