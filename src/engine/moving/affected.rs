//! Everything that the ledger says of what moves.

use std::collections::{BTreeMap, BTreeSet};

use super::unmarked;
use crate::context::ledger::{self, Consumer, Snapshot};
use crate::context::{ContextStore, StoreError, layout};
use crate::domain::address::{Address, Place};
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, ConsumerEntry};
use crate::domain::moving::Relocation;
use crate::domain::names::{Alias, SlotName};
use crate::domain::record::{AppliedRecord, Release};

/// The records that name what moves.
#[derive(Debug, Clone, Default)]
pub struct Affected {
    /// All that is applied at the old place, what stays there included.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// The connections that move, as they are once nobody retires them.
    pub connections: BTreeMap<Address, ConnectionRecord>,
    /// Who is bound to these, everywhere.
    pub consumers: BTreeMap<Address, BTreeMap<Consumer, ConsumerEntry>>,
    /// The consumers' own records, of other places.
    pub elsewhere: BTreeMap<(Place, Alias), AppliedRecord>,
    /// The entries of what moves beside connections that do not.
    pub entries: BTreeMap<(Address, Alias, SlotName), ConsumerEntry>,
    /// The releases of the old place.
    pub releases: Vec<Release>,
}

impl Affected {
    /// Reads them.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn read(store: &dyn ContextStore, relocation: &Relocation) -> Result<Self, StoreError> {
        let snapshot = Snapshot::newest(store).await?;
        let place = snapshot.place(&relocation.from).await?;
        let moving = place.connections.into_iter().filter(|((alias, _), _)| relocation.covers(alias));
        let connections: BTreeMap<_, _> = moving.map(|(_, record)| (record.address.clone(), unmarked(&record))).collect();
        let consumers = snapshot.consumers(connections.keys()).await?;
        let others: BTreeSet<&Place> = consumers.values().flat_map(BTreeMap::keys).map(|(place, _)| place).collect();
        let mut elsewhere = BTreeMap::new();
        for other in others.into_iter().filter(|place| **place != relocation.from) {
            let applied = snapshot.place(other).await?.applied;
            let bound =
                applied.into_iter().filter(|(_, record)| record.uses().any(|(_, address)| connections.contains_key(address)));
            elsewhere.extend(bound.map(|(alias, record)| ((other.clone(), alias), record)));
        }
        let entries = entries(store, &snapshot, relocation, &place.applied, &connections).await?;
        let releases = snapshot.releases(&relocation.from, usize::MAX).await?;
        Ok(Self { applied: place.applied, connections, consumers, elsewhere, entries, releases })
    }

    /// Every place whose records are written when these move, but for the two that the move is about.
    pub fn places(&self) -> BTreeSet<Place> {
        self.consumers.values().flat_map(BTreeMap::keys).map(|(place, _)| place.clone()).collect()
    }

    /// The connections that nobody may bind to meanwhile, as they are now. One that is deprecated takes no new binding anyway.
    pub(super) fn to_mark(&self) -> Vec<ConnectionRecord> {
        self.connections.values().filter(|record| record.status != ConnectionStatus::Deprecated).cloned().collect()
    }

    /// The connections under their new addresses.
    pub(super) fn moved_connections(&self, relocation: &Relocation) -> BTreeMap<Address, ConnectionRecord> {
        let moved = self.connections.values().map(|record| {
            let address = relocation.address(&record.address);
            (address.clone(), ConnectionRecord { address, ..record.clone() })
        });
        moved.collect()
    }
}

/// The entries of what moves beside connections that stay where they are.
async fn entries(
    store: &dyn ContextStore,
    snapshot: &Snapshot<'_>,
    relocation: &Relocation,
    applied: &BTreeMap<Alias, AppliedRecord>,
    moving: &BTreeMap<Address, ConnectionRecord>,
) -> Result<BTreeMap<(Address, Alias, SlotName), ConsumerEntry>, StoreError> {
    let movers = applied.iter().filter(|(alias, _)| relocation.covers(alias));
    let uses = movers
        .flat_map(|(alias, record)| record.uses().map(move |(slot, address)| (address.clone(), alias.clone(), slot.clone())));
    let wanted: BTreeMap<String, _> = uses
        .filter(|(address, ..)| !moving.contains_key(address))
        .map(|(address, alias, slot)| (layout::consumer_entry(&address, &relocation.from, &alias, &slot), (address, alias, slot)))
        .collect();
    let Some(at) = snapshot.at() else { return Ok(BTreeMap::new()) };
    let found = store.read(at, &wanted.keys().cloned().collect::<Vec<_>>()).await?;
    found.iter().map(|(path, bytes)| Ok((wanted[path].clone(), ledger::parse_json(path, bytes)?))).collect()
}
