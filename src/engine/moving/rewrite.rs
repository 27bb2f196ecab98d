//! The ledger after a move, as the changes of one commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::affected::Affected;
use crate::context::{Change, Changes, layout};
use crate::domain::address::{Address, AliasMember, PartialAddress, Place};
use crate::domain::canonical;
use crate::domain::connection::ConsumerEntry;
use crate::domain::declared::Declaration;
use crate::domain::manifest::{AppliedPlugin, AppliedPluginOverlay, Manifest, Overlay};
use crate::domain::moving::{FullName, Redirect, Relocation};
use crate::domain::names::{Alias, SlotName};
use crate::domain::record::{AppliedRecord, Release, ReleasedPlugin, RunRecord, SCHEMA_VERSION};

/// Files that go, and files that are written: what is written stays, whatever went.
#[derive(Default)]
struct Rewritten {
    gone: BTreeSet<String>,
    written: BTreeMap<String, Vec<u8>>,
}

impl Rewritten {
    fn replace(&mut self, old: String, new: String, value: &impl Serialize) {
        self.gone.insert(old);
        self.write(new, value);
    }

    fn write(&mut self, path: String, value: &impl Serialize) {
        self.written.insert(path, canonical::to_bytes(value));
    }

    fn changes(self) -> Changes {
        let gone = self.gone.into_iter().map(|path| (path, Change::Remove));
        gone.chain(self.written.into_iter().map(|(path, bytes)| (path, Change::write(bytes)))).collect()
    }
}

impl Affected {
    /// Everything by its new name: applied records, connections, entries of consumers on both sides, releases, redirects. `moved` are
    /// the records of what moves, with where their states are now. The run is recorded at each of `places`, whose records it wrote.
    /// Earlier runs stay where they ran.
    pub(super) fn rewritten(
        &self,
        relocation: &Relocation,
        moved: &BTreeMap<Alias, AppliedRecord>,
        run: &RunRecord,
        places: &BTreeSet<Place>,
    ) -> Changes {
        let mut files = Rewritten::default();
        let from = &relocation.from;
        for (alias, record) in &self.applied {
            let (record, renamed) = match moved.get(alias) {
                Some(record) => (with_former_name(record, from, alias), relocation.name(from, alias)),
                None => (record.clone(), relocation.name(from, alias)),
            };
            let path = layout::applied(&renamed.place, &renamed.alias);
            files.replace(layout::applied(from, alias), path, &rebound(record, relocation));
        }
        for ((place, alias), record) in &self.elsewhere {
            files.write(layout::applied(place, alias), &rebound(record.clone(), relocation));
        }
        for record in self.moved_connections(relocation).into_values() {
            files.gone.extend(self.connections.keys().filter_map(layout::connection));
            if let Some(path) = layout::connection(&record.address) {
                files.write(path, &record);
            }
        }
        self.move_entries(relocation, &mut files);
        for release in &self.releases {
            let path = layout::release(&relocation.to, &release.run);
            files.replace(layout::release(from, &release.run), path, &released(release, from, relocation));
        }
        for (place, release) in &self.standing {
            files.write(layout::release(place, &release.run), &released(release, place, relocation));
        }
        self.redirect(relocation, run, &mut files);
        for place in places {
            files.write(layout::run(place, &run.id), run);
        }
        files.changes()
    }

    /// The entries beside the connections that move, and those of what moves beside others.
    fn move_entries(&self, relocation: &Relocation, files: &mut Rewritten) {
        let name = |place: &Place, of: &AliasMember<SlotName>| {
            let FullName { place, alias } = relocation.name(place, &of.alias);
            (place, AliasMember { alias, member: of.member.clone() })
        };
        let path = |address: &Address, place: &Place, of: &AliasMember<SlotName>| {
            layout::consumer_entry(address, place, &of.alias, &of.member)
        };
        let bound = self
            .consumers
            .iter()
            .flat_map(|(address, consumers)| consumers.bound.iter().map(move |((place, of), entry)| (address, place, of, entry)));
        let entries = self.entries.iter().map(|((address, of), entry)| (address, &relocation.from, of, entry));
        for (address, place, of, entry) in bound.chain(entries) {
            let (new_place, new) = name(place, of);
            let entry = ConsumerEntry { consumer: format!("{new_place}/{new}"), ..entry.clone() };
            files.replace(path(address, place, of), path(&relocation.address(address), &new_place, &new), &entry);
        }
        let declared = self.consumers.iter().flat_map(|(address, consumers)| {
            consumers.declared.iter().map(move |((place, of), entry)| (address, place, of, entry))
        });
        let entries = self.declared.iter().map(|((address, of), entry)| (address, &relocation.from, of, entry));
        for (address, place, of, entry) in declared.chain(entries) {
            let (new_place, new) = name(place, of);
            let entry = Declaration { consumer: format!("{new_place}/{new}"), ..entry.clone() };
            files.replace(path(address, place, of), path(&relocation.address(address), &new_place, &new), &entry);
        }
    }

    /// What the old name leads to. What the new name led to is here now.
    fn redirect(&self, relocation: &Relocation, run: &RunRecord, files: &mut Rewritten) {
        let left = self.applied.iter().filter(|(alias, _)| relocation.covers(alias));
        let redirect = Redirect {
            schema_version: SCHEMA_VERSION,
            place: relocation.to.clone(),
            alias: relocation.alias.as_ref().map(|(_, to)| to.clone()),
            run: run.id.clone(),
            moved: run.ended.unwrap_or(run.started),
            left: left.map(|(alias, record)| (alias.clone(), record.state.clone())).collect(),
        };
        let (here, there) = match &relocation.alias {
            Some((from, to)) => (layout::moved_alias(&relocation.from, from), layout::moved_alias(&relocation.to, to)),
            None => (layout::moved(&relocation.from), layout::moved(&relocation.to)),
        };
        files.replace(there, here, &redirect);
    }
}

fn with_former_name(record: &AppliedRecord, place: &Place, alias: &Alias) -> AppliedRecord {
    let mut record = record.clone();
    record.formerly.push(FullName { place: place.clone(), alias: alias.clone() });
    record
}

/// A record whose bindings may be to what moves, or which comes after it.
fn rebound(mut record: AppliedRecord, relocation: &Relocation) -> AppliedRecord {
    for binding in record.bindings.values_mut() {
        binding.address = relocation.address(&binding.address);
    }
    for addresses in record.held.values_mut() {
        *addresses = addresses.iter().map(|address| relocation.address(address)).collect();
    }
    record.after = record.after.iter().map(|alias| relocation.renamed(alias)).collect();
    record
}

/// A release of a place, with everything in it by its new name.
fn released(release: &Release, place: &Place, relocation: &Relocation) -> Release {
    let plugins = release.plugins.iter().map(|(alias, plugin)| {
        let mut plugin: ReleasedPlugin = plugin.clone();
        for binding in plugin.bindings.values_mut() {
            binding.address = relocation.address(&binding.address);
        }
        (relocation.name(place, alias).alias, plugin)
    });
    let manifest = serde_json::from_value::<Manifest>(release.manifest.clone())
        .ok()
        .and_then(|manifest| serde_json::to_value(Renamed { place, relocation }.manifest(manifest)).ok());
    Release { plugins: plugins.collect(), manifest: manifest.unwrap_or_else(|| release.manifest.clone()), ..release.clone() }
}

/// The manifest of a place, with everything in it by its new name.
struct Renamed<'a> {
    place: &'a Place,
    relocation: &'a Relocation,
}

impl Renamed<'_> {
    fn manifest(&self, mut manifest: Manifest) -> Manifest {
        if *self.place == self.relocation.from {
            manifest.name = self.relocation.to.deployable.clone();
            manifest.workspace = manifest.workspace.map(|_| self.relocation.to.workspace.clone());
        }
        let plugins = std::mem::take(&mut manifest.plugins).into_iter();
        manifest.plugins = plugins.map(|(alias, plugin)| (self.alias(&alias), self.plugin(plugin))).collect();
        for overlay in manifest.environments.values_mut() {
            *overlay = self.overlay(std::mem::take(overlay));
        }
        manifest
    }

    fn plugin(&self, mut plugin: AppliedPlugin) -> AppliedPlugin {
        plugin.connections.values_mut().for_each(|address| *address = self.address(address));
        plugin.after.iter_mut().for_each(|alias| *alias = self.alias(alias));
        plugin
    }

    fn overlay(&self, overlay: Overlay) -> Overlay {
        let plugin = |mut plugin: AppliedPluginOverlay| {
            plugin.connections.values_mut().flatten().for_each(|address| *address = self.address(address));
            plugin.after.iter_mut().flatten().for_each(|alias| *alias = self.alias(alias));
            plugin
        };
        let plugins = overlay.plugins.into_iter().map(|(alias, patch)| (self.alias(&alias), patch.map(plugin)));
        let references = overlay.references.iter().map(|(of, address)| (self.member(of), self.address(address)));
        let stand_ins = overlay.stand_ins.iter().map(|(of, address)| (self.member(of), self.address(address)));
        Overlay { plugins: plugins.collect(), references: references.collect(), stand_ins: stand_ins.collect() }
    }

    fn address(&self, written: &PartialAddress) -> PartialAddress {
        self.relocation.written(self.place, written)
    }

    fn alias(&self, alias: &Alias) -> Alias {
        self.relocation.name(self.place, alias).alias
    }

    fn member<M: Clone>(&self, of: &AliasMember<M>) -> AliasMember<M> {
        AliasMember { alias: self.alias(&of.alias), member: of.member.clone() }
    }
}
