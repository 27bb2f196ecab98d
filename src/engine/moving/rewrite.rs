//! The ledger after a move, as the changes of one commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::affected::Affected;
use crate::context::{Change, Changes, layout};
use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::canonical;
use crate::domain::connection::ConsumerEntry;
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
            files.replace(layout::release(from, &release.run), path, &released(release, relocation));
        }
        self.redirect(relocation, run, &mut files);
        for place in places {
            files.write(layout::run(place, &run.id), run);
        }
        files.changes()
    }

    /// The entries beside the connections that move, and those of what moves beside others.
    fn move_entries(&self, relocation: &Relocation, files: &mut Rewritten) {
        let mut move_entry = |address: &Address, place: &Place, slot: &AliasMember<SlotName>, entry: &ConsumerEntry| {
            let FullName { place: new_place, alias } = relocation.name(place, &slot.alias);
            let path = layout::consumer_entry(&relocation.address(address), &new_place, &alias, &slot.member);
            let entry = ConsumerEntry { consumer: format!("{new_place}/{alias}.{}", slot.member), ..entry.clone() };
            files.replace(layout::consumer_entry(address, place, &slot.alias, &slot.member), path, &entry);
        };
        for (address, entries) in &self.consumers {
            entries.iter().for_each(|((place, slot), entry)| move_entry(address, place, slot, entry));
        }
        for ((address, alias, slot), entry) in &self.entries {
            let slot = AliasMember { alias: alias.clone(), member: slot.clone() };
            move_entry(address, &relocation.from, &slot, entry);
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

fn released(release: &Release, relocation: &Relocation) -> Release {
    let plugins = release.plugins.iter().map(|(alias, plugin)| {
        let mut plugin: ReleasedPlugin = plugin.clone();
        for binding in plugin.bindings.values_mut() {
            binding.address = relocation.address(&binding.address);
        }
        (relocation.renamed(alias), plugin)
    });
    let manifest = serde_json::from_value::<Manifest>(release.manifest.clone())
        .ok()
        .and_then(|manifest| serde_json::to_value(renamed(manifest, relocation)).ok());
    Release { plugins: plugins.collect(), manifest: manifest.unwrap_or_else(|| release.manifest.clone()), ..release.clone() }
}

/// The deployable's manifest, with everything in it by its new name.
fn renamed(mut manifest: Manifest, relocation: &Relocation) -> Manifest {
    manifest.name = relocation.to.deployable.clone();
    manifest.workspace = manifest.workspace.map(|_| relocation.to.workspace.clone());
    manifest.plugins =
        manifest.plugins.into_iter().map(|(alias, plugin)| (relocation.renamed(&alias), rewired(plugin, relocation))).collect();
    for overlay in manifest.environments.values_mut() {
        *overlay = overlaid(std::mem::take(overlay), relocation);
    }
    manifest
}

fn rewired(mut plugin: AppliedPlugin, relocation: &Relocation) -> AppliedPlugin {
    plugin.connections.values_mut().for_each(|address| *address = relocation.written(address));
    plugin.after.iter_mut().for_each(|alias| *alias = relocation.renamed(alias));
    plugin
}

fn overlaid(overlay: Overlay, relocation: &Relocation) -> Overlay {
    let plugin = |mut plugin: AppliedPluginOverlay| {
        plugin.connections.values_mut().flatten().for_each(|address| *address = relocation.written(address));
        plugin.after.iter_mut().flatten().for_each(|alias| *alias = relocation.renamed(alias));
        plugin
    };
    let plugins = overlay.plugins.into_iter().map(|(alias, patch)| (relocation.renamed(&alias), patch.map(plugin)));
    Overlay {
        plugins: plugins.collect(),
        references: overlay
            .references
            .iter()
            .map(|(of, address)| (member(of, relocation), relocation.written(address)))
            .collect(),
        stand_ins: overlay.stand_ins.iter().map(|(of, address)| (member(of, relocation), relocation.written(address))).collect(),
    }
}

fn member<M: Clone>(of: &AliasMember<M>, relocation: &Relocation) -> AliasMember<M> {
    AliasMember { alias: relocation.renamed(&of.alias), member: of.member.clone() }
}
