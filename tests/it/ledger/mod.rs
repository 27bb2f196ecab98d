//! What keeps the ledger right, and what it tells about who uses what.

mod cost;
mod declared;
mod marking;
mod prune;
mod repair;
mod shown;
