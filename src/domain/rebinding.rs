//! Slots that an apply would bind to something else than what was recorded at the last one (R47).

use semver::Version;
use serde::Serialize;

use super::address::Address;
use super::connection::Binding;
use super::names::{SlotName, TypeName};

/// What becomes of a recorded binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebinding {
    /// The slot.
    pub slot: SlotName,
    /// What it was bound to.
    pub from: End,
    /// What it is to be bound to; none where it becomes unset.
    pub to: Option<End>,
    /// What is another one.
    pub change: Rebound,
}

/// In what the two ends of a rebinding differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rebound {
    /// The slot takes another connection, or none: the old one stays guarded until an apply has succeeded.
    Repointed,
    /// The connection is taken as another type, or another version of it.
    Retyped,
    /// The connection was destroyed and created again.
    Recreated,
    /// The connection has another generation.
    Moved,
}

/// One end of a rebinding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// The connection.
    pub address: Address,
    /// What of it; none where that is not recorded, or not known yet.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
}

/// How a connection is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// The type it is taken as.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The version of that type.
    pub type_version: Version,
    /// The generation.
    pub generation: u64,
}

impl Rebinding {
    /// What becomes of a recorded binding where the slot is to have this address, and this binding where one can be made already;
    /// none where all stays as it is.
    pub fn of(slot: &SlotName, recorded: &Binding, address: Option<&Address>, now: Option<&Binding>) -> Option<Self> {
        let change = if address == Some(&recorded.address) { changed(recorded, now?)? } else { Rebound::Repointed };
        let to = address.map(|address| End { address: address.clone(), taken: now.map(Taken::of) });
        Some(Self {
            slot: slot.clone(),
            from: End { address: recorded.address.clone(), taken: Some(Taken::of(recorded)) },
            to,
            change,
        })
    }
}

impl Taken {
    fn of(binding: &Binding) -> Self {
        Self { type_name: binding.type_name.clone(), type_version: binding.type_version.clone(), generation: binding.generation }
    }
}

/// In what a binding to the same address differs.
fn changed(recorded: &Binding, now: &Binding) -> Option<Rebound> {
    let taken = |binding: &Binding| (binding.type_name.clone(), binding.type_version.clone());
    if now.uid != recorded.uid {
        Some(Rebound::Recreated)
    } else if taken(now) != taken(recorded) {
        Some(Rebound::Retyped)
    } else {
        (now.generation != recorded.generation).then_some(Rebound::Moved)
    }
}
