//! Everything that the ledger says of what moves.

use std::collections::{BTreeMap, BTreeSet};

use super::unmarked;
use crate::context::ledger::{Consumers, Snapshot};
use crate::context::{ContextStore, StoreError, layout};
use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, ConsumerEntry};
use crate::domain::declared::{Declaration, declarations};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::moving::Relocation;
use crate::domain::names::{Alias, SlotName};
use crate::domain::record::{AppliedRecord, Release};

/// The records that name what moves.
#[derive(Debug, Clone, Default)]
pub struct Affected {
    /// All that is applied at the old place, what stays there included.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// What is applied at the new place, by which name.
    pub there: BTreeSet<Alias>,
    /// The connections that move, as they are once nobody retires them.
    pub connections: BTreeMap<Address, ConnectionRecord>,
    /// Who is bound to these or declares them, everywhere.
    pub consumers: BTreeMap<Address, Consumers>,
    /// The consumers' own records, of other places.
    pub elsewhere: BTreeMap<(Place, Alias), AppliedRecord>,
    /// The newest releases of those places: what they declare is derived from these.
    pub standing: BTreeMap<Place, Release>,
    /// The entries of what moves beside connections that do not.
    pub entries: BTreeMap<Entry, ConsumerEntry>,
    /// The same for what is declared and not bound.
    pub declared: BTreeMap<Entry, Declaration>,
    /// The releases of the old place, the newest first.
    pub releases: Vec<Release>,
}

/// An entry of the old place: beside which connection, of which slot or output.
type Entry = (Address, AliasMember<SlotName>);

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
        let releases = snapshot.releases(&relocation.from, usize::MAX).await?;
        let there = snapshot.place(&relocation.to).await?.applied.into_keys().collect();
        let mut affected = Self { applied: place.applied, there, connections, consumers, releases, ..Self::default() };
        for other in affected.places().into_iter().filter(|place| *place != relocation.from) {
            let applied = snapshot.place(&other).await?.applied;
            let bound = applied.into_iter().filter(|(_, record)| affected.is_used_by(record));
            let bound: Vec<_> = bound.map(|(alias, record)| ((other.clone(), alias), record)).collect();
            affected.elsewhere.extend(bound);
            affected.standing.extend(snapshot.releases(&other, 1).await?.pop().map(|release| (other, release)));
        }
        affected.read_entries(store, &snapshot, relocation).await?;
        Ok(affected)
    }

    /// Nothing may be where it goes.
    ///
    /// # Errors
    /// `invalid-input` where something is.
    pub fn refuse_taken(&self, relocation: &Relocation) -> Result<(), Problems> {
        let is_taken = match &relocation.alias {
            Some((_, to)) => self.there.contains(to),
            None => !self.there.is_empty(),
        };
        if !is_taken {
            return Ok(());
        }
        Err(Diagnostic::error(FailureReason::InvalidInput, format!("`{}` is deployed already", relocation.goal()))
            .help("choose another name, or destroy what is there first")
            .into())
    }

    /// Every place that is bound to what moves, or declares it.
    pub fn places(&self) -> BTreeSet<Place> {
        let consumers = self.consumers.values().flat_map(|consumers| consumers.bound.keys().chain(consumers.declared.keys()));
        consumers.map(|(place, _)| place.clone()).collect()
    }

    fn is_used_by(&self, record: &AppliedRecord) -> bool {
        record.uses().any(|(_, address)| self.connections.contains_key(address))
    }

    /// Reads the entries of what moves beside connections that stay where they are.
    async fn read_entries(
        &mut self,
        store: &dyn ContextStore,
        snapshot: &Snapshot<'_>,
        relocation: &Relocation,
    ) -> Result<(), StoreError> {
        let Some(at) = snapshot.at() else { return Ok(()) };
        let from = &relocation.from;
        let uses = self.applied.iter().flat_map(|(alias, record)| {
            record.uses().map(|(slot, address)| (address.clone(), AliasMember { alias: alias.clone(), member: slot.clone() }))
        });
        let declared = self.releases.first().and_then(|release| declarations(from, release)).unwrap_or_default().into_keys();
        let moving =
            uses.chain(declared).filter(|(address, of)| relocation.covers(&of.alias) && !self.connections.contains_key(address));
        let paths: BTreeMap<String, Entry> =
            moving.map(|(address, of)| (layout::consumer_entry(&address, from, &of.alias, &of.member), (address, of))).collect();
        for (path, bytes) in store.read(at, &paths.keys().cloned().collect::<Vec<_>>()).await? {
            let entry = paths[&path].clone();
            let mut found = Consumers::default();
            found.take((from.clone(), entry.1.clone()), &path, &bytes)?;
            self.entries.extend(found.bound.into_values().map(|bound| (entry.clone(), bound)));
            self.declared.extend(found.declared.into_values().map(|declared| (entry.clone(), declared)));
        }
        Ok(())
    }

    /// The connections that nobody may bind to meanwhile, as they are now. One that is deprecated or retired takes no new binding
    /// anyway.
    pub(super) fn to_mark(&self) -> Vec<ConnectionRecord> {
        let is_closed = |status| matches!(status, ConnectionStatus::Deprecated | ConnectionStatus::Retiring);
        self.connections.values().filter(|record| !is_closed(record.status)).cloned().collect()
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
