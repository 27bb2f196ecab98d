//! What a run leaves on the ledger, as one set of changes (R16).

use std::collections::BTreeMap;

use super::previewing::{self, Prolonging};
use crate::context::publish::publish;
use crate::context::{Branch, Change, Changes, CommitId, ContextStore, StoreError, layout};
use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::canonical;
use crate::domain::connection::{Binding, ConnectionRecord, ConsumerEntry};
use crate::domain::declared::declarations;
use crate::domain::diagnostic::Problems;
use crate::domain::names::{Alias, Digest, SlotName};
use crate::domain::record::{AppliedRecord, Release, RunRecord};
use crate::sources::Tree;
use crate::world::World;

/// Collects the changes of one commit on the ledger.
pub(super) struct Publication<'a> {
    place: &'a Place,
    changes: Changes,
    prolonging: Option<&'a Prolonging>,
}

impl<'a> Publication<'a> {
    /// Nothing yet, for this place.
    pub(super) fn new(place: &'a Place) -> Self {
        Self { place, changes: Changes::new(), prolonging: None }
    }

    /// The run, as it ended or stands.
    pub(super) fn run(&mut self, run: &RunRecord) {
        self.write(layout::run(self.place, &run.id), run);
    }

    /// The release that the run made.
    pub(super) fn release(&mut self, release: &Release) {
        self.write(layout::release(self.place, &release.run), release);
    }

    /// A connection.
    pub(super) fn connection(&mut self, record: &ConnectionRecord) {
        if let Some(path) = layout::connection(&record.address) {
            self.write(path, record);
        }
    }

    /// That the preview which was deployed goes on.
    pub(super) fn prolong(&mut self, prolonging: Option<&'a Prolonging>) {
        self.prolonging = prolonging;
    }

    /// The tree of a plugin, for rollback and destroy.
    pub(super) fn tree(&mut self, digest: &Digest, tree: &Tree) {
        for (path, file) in &tree.files {
            let change = Change::Write { bytes: file.bytes.clone(), executable: file.executable };
            self.changes.insert(format!("{}/{path}", layout::plugin_tree(digest)), change);
        }
    }

    /// An applied record with its consumer entries. The entries of bindings that `before` had and `record` no longer has go, but
    /// only after a success: until then the old producer stays guarded (R47).
    pub(super) fn applied(&mut self, alias: &Alias, record: &AppliedRecord, before: Option<&AppliedRecord>, succeeded: bool) {
        if succeeded {
            for (slot, address) in before.into_iter().flat_map(AppliedRecord::uses) {
                self.remove_consumer(alias, slot, address);
            }
        }
        for (slot, binding) in &record.bindings {
            self.write_consumer(alias, slot, binding);
        }
        self.write(layout::applied(self.place, alias), record);
    }

    /// Takes away all that is recorded of a destroyed applied plugin (R34).
    pub(super) fn destroyed(&mut self, alias: &Alias, record: &AppliedRecord, connections: &BTreeMap<Address, ConnectionRecord>) {
        for (slot, address) in record.uses() {
            self.remove_consumer(alias, slot, address);
        }
        self.dropped(connections.keys().filter(|address| is_of(address, alias)));
        self.changes.insert(layout::applied(self.place, alias), Change::Remove);
    }

    /// What a release declares without being bound to it is known beside the connections; what the one before declared is not any
    /// more. Comes last: what is bound by now has an entry of its own under the same name.
    pub(super) fn declared(&mut self, before: Option<&Release>, now: Option<&Release>, applied: &BTreeMap<Alias, AppliedRecord>) {
        let of = |release: Option<&Release>| release.and_then(|release| declarations(self.place, release)).unwrap_or_default();
        let (before, now) = (of(before), of(now));
        let is_used = |(address, of): &(Address, AliasMember<SlotName>)| {
            applied.get(&of.alias).is_some_and(|record| record.uses().any(|used| used == (&of.member, address)))
        };
        for gone in before.keys().filter(|key| !now.contains_key(*key) && !is_used(key)) {
            let (address, of) = gone;
            self.changes.entry(layout::consumer_entry(address, self.place, &of.alias, &of.member)).or_insert(Change::Remove);
        }
        for ((address, of), entry) in &now {
            self.write(layout::consumer_entry(address, self.place, &of.alias, &of.member), entry);
        }
    }

    /// Takes connections away.
    pub(super) fn dropped<'b>(&mut self, addresses: impl IntoIterator<Item = &'b Address>) {
        let paths = addresses.into_iter().filter_map(layout::connection);
        self.changes.extend(paths.map(|path| (path, Change::Remove)));
    }

    /// Commits it all to the ledger. The changes are to files that only this run writes, so they are the same on every head; but when a
    /// preview ends, and whether it does with them, depends on what else is in it.
    pub(super) async fn commit(self, world: &World, store: &dyn ContextStore, message: &str) -> Result<(), Problems> {
        let (place, changes, prolonging) = (self.place, &self.changes, self.prolonging);
        let rebuild = |head: Option<CommitId>| async move {
            let ending = previewing::ending(store, head.as_ref(), place, changes).await?;
            let prolonged = match prolonging {
                Some(prolonging) => prolonging.change(store, head.as_ref(), place).await?,
                None => None,
            };
            Ok::<_, StoreError>(changes.clone().into_iter().chain(prolonged).chain(ending).collect())
        };
        publish(store, world, Branch::Ledger, message, rebuild).await?;
        Ok(())
    }

    fn write(&mut self, path: String, value: &impl serde::Serialize) {
        self.changes.insert(path, Change::Write { bytes: canonical::to_bytes(value), executable: false });
    }

    fn write_consumer(&mut self, alias: &Alias, slot: &SlotName, binding: &Binding) {
        let member = AliasMember { alias: alias.clone(), member: slot.clone() };
        let entry = ConsumerEntry::of(binding, self.place, &member);
        self.write(layout::consumer_entry(&binding.address, self.place, alias, slot), &entry);
    }

    fn remove_consumer(&mut self, alias: &Alias, slot: &SlotName, address: &Address) {
        self.changes.insert(layout::consumer_entry(address, self.place, alias, slot), Change::Remove);
    }
}

/// Whether an address is an output of this alias.
pub(super) fn is_of(address: &Address, alias: &Alias) -> bool {
    matches!(&address.target, crate::domain::address::Target::Output { alias: of, .. } if of == alias)
}
