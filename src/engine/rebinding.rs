//! What a run would bind to something else than what was recorded (R47).

use std::collections::BTreeMap;

use super::{Engine, bind};
use crate::domain::address::Address;
use crate::domain::names::{Alias, SlotName};
use crate::domain::rebinding::{End, Rebinding, Rebound};

impl Engine {
    /// The slots of an applied plugin that take another connection than at its last apply, or another generation of it.
    pub(super) fn rebindings(&self, alias: &Alias) -> Vec<Rebinding> {
        let (Some(before), Some(plugin)) = (self.own.applied.get(alias), self.deployment.plugins.get(alias)) else {
            return Vec::new();
        };
        let wiring = self.deployment.wiring().into_iter().filter(|wire| wire.alias == *alias);
        let addresses: BTreeMap<SlotName, Address> = wiring.map(|wire| (wire.slot, wire.source)).collect();
        let bound = bind::bind(&self.deployment.place, &self.deployment.environment.backend, &plugin.slots, &self.records());
        let recorded = before.bindings.iter().filter_map(|(slot, recorded)| {
            Rebinding::of(slot, recorded, addresses.get(slot), bound.get(slot).map(|bound| &bound.binding))
        });
        // An apply that failed has left it open which of them is in use.
        let held = before.held.iter().flat_map(|(slot, held)| held.iter().map(move |address| (slot, address)));
        let held = held.filter(|(slot, address)| addresses.get(*slot) != Some(*address)).map(|(slot, address)| Rebinding {
            slot: slot.clone(),
            from: End { address: address.clone(), taken: None },
            to: addresses.get(slot).map(|address| End { address: address.clone(), taken: None }),
            change: Rebound::Repointed,
        });
        recorded.chain(held).collect()
    }
}
