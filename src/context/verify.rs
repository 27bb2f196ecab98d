//! Whether the ledger agrees with itself: every file is what its path says, and every record has its counterparts.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::layout::{self, LedgerFile};
use super::{CommitId, ContextStore, StoreError};
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::connection::{Binding, ConnectionRecord, ConsumerEntry};
use crate::domain::names::{Alias, SlotName};
use crate::domain::record::{AppliedRecord, Release, RunRecord};

/// Something in the ledger that does not agree with the rest of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// What is wrong: lower case, values in backticks, no final period.
    pub message: String,
}

/// The whole ledger at one commit. Of plugin trees only the paths are known.
#[derive(Debug, Clone, Default)]
pub struct LedgerFiles {
    /// Every other file's content, by path.
    pub records: BTreeMap<String, Vec<u8>>,
    /// The digests that there are trees of.
    pub plugins: BTreeSet<String>,
}

impl LedgerFiles {
    /// Reads the whole ledger at a commit.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn read(store: &dyn ContextStore, at: &CommitId) -> Result<Self, StoreError> {
        let mut plugins = BTreeSet::new();
        let mut paths = Vec::new();
        for file in store.list(at, &[String::new()]).await?.into_values().flatten() {
            match LedgerFile::parse(&file.path) {
                Some(LedgerFile::Plugin(digest)) => drop(plugins.insert(digest.to_owned())),
                _ => paths.push(file.path),
            }
        }
        Ok(Self { records: store.read(at, &paths).await?, plugins })
    }
}

/// Checks a whole ledger. The findings are sorted by path; none means that it agrees with itself.
pub fn verify(files: &LedgerFiles) -> Vec<Finding> {
    let mut ledger = Ledger::default();
    for (path, bytes) in &files.records {
        ledger.take(path, bytes);
    }
    ledger.check_applied(&files.plugins);
    ledger.check_connections();
    ledger.check_consumers();
    ledger.findings.sort();
    ledger.findings
}

/// A slot bound to a connection: the connection, the consumer's place and slot.
type Consumption = (Address, Place, AliasMember<SlotName>);

/// The records that have counterparts, and what was found wrong so far.
#[derive(Default)]
struct Ledger {
    applied: BTreeMap<(Place, Alias), AppliedRecord>,
    connections: BTreeMap<Address, ConnectionRecord>,
    consumers: BTreeMap<Consumption, ConsumerEntry>,
    findings: Vec<Finding>,
}

impl Ledger {
    /// Parses one file and checks what can be checked of it alone.
    fn take(&mut self, path: &str, bytes: &[u8]) {
        match LedgerFile::parse(path) {
            None => self.find(path, "no run writes a file here"),
            Some(LedgerFile::Plugin(_)) => {}
            Some(LedgerFile::Preview(..)) => drop(self.parse::<serde_json::Map<String, serde_json::Value>>(path, bytes)),
            Some(LedgerFile::Applied(place, alias)) => {
                if let Some(record) = self.parse(path, bytes) {
                    self.applied.insert((place, alias), record);
                }
            }
            Some(LedgerFile::Connection(address)) => {
                if let Some(record) = self.parse::<ConnectionRecord>(path, bytes) {
                    self.expect(path, "address", &record.address.to_string(), &address.to_string());
                    self.connections.insert(address, record);
                }
            }
            Some(LedgerFile::Consumer(address, place, slot)) => {
                if let Some(entry) = self.parse::<ConsumerEntry>(path, bytes) {
                    self.expect(path, "consumer", &entry.consumer, &format!("{place}/{slot}"));
                    self.consumers.insert((address, place, slot), entry);
                }
            }
            Some(LedgerFile::Release(_, run)) => {
                if let Some(release) = self.parse::<Release>(path, bytes) {
                    self.expect(path, "run", release.run.as_str(), run);
                }
            }
            Some(LedgerFile::Run(_, run)) => {
                if let Some(record) = self.parse::<RunRecord>(path, bytes) {
                    self.expect(path, "id", record.id.as_str(), run);
                }
            }
        }
    }

    fn check_applied(&mut self, plugins: &BTreeSet<String>) {
        let applied = std::mem::take(&mut self.applied);
        for ((place, alias), record) in &applied {
            let path = layout::applied(place, alias);
            let digest = &record.source.digest;
            if !plugins.contains(digest.as_str()) {
                self.find(&path, &format!("the plugin's tree `{}` is not stored", layout::plugin_tree(digest)));
            }
            for (slot, binding) in &record.bindings {
                let slot = AliasMember { alias: alias.clone(), member: slot.clone() };
                if !self.consumers.contains_key(&(binding.address.clone(), place.clone(), slot.clone())) {
                    let entry = layout::consumer_entry(&binding.address, place, alias, &slot.member);
                    self.find(
                        &path,
                        &format!("slot `{}` is bound to `{}`, but `{entry}` is missing", slot.member, binding.address),
                    );
                }
            }
        }
        self.applied = applied;
    }

    fn check_connections(&mut self) {
        for (address, record) in std::mem::take(&mut self.connections) {
            let Some(path) = layout::connection(&address) else { continue };
            let faces: Vec<_> = record.faces().cloned().collect();
            let digest = ConnectionRecord::digest_of(&faces, record.sensitive_revision.as_deref());
            self.expect(&path, "digest", record.digest.as_str(), digest.as_str());
            if let (Some(place), Target::Output { alias, .. }) = (address.producer(), &address.target)
                && !self.applied.contains_key(&(place.clone(), alias.clone()))
            {
                self.find(&path, &format!("its producer `{}` is missing", layout::applied(&place, alias)));
            }
        }
    }

    fn check_consumers(&mut self) {
        for ((address, place, slot), entry) in std::mem::take(&mut self.consumers) {
            let path = layout::consumer_entry(&address, &place, &slot.alias, &slot.member);
            match self.binding(&place, &slot).filter(|binding| binding.address == address) {
                Some(binding) => {
                    let (uid, generation) = (binding.uid.clone(), binding.generation.to_string());
                    self.expect(&path, "uid", &entry.uid, &uid);
                    self.expect(&path, "generation", &entry.generation.to_string(), &generation);
                }
                None => self.find(&path, &format!("`{}` does not bind `{slot}` to it", layout::applied(&place, &slot.alias))),
            }
        }
    }

    fn binding(&self, place: &Place, slot: &AliasMember<SlotName>) -> Option<&Binding> {
        self.applied.get(&(place.clone(), slot.alias.clone()))?.bindings.get(&slot.member)
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &str, bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|problem| self.find(path, &format!("cannot be read: {problem}"))).ok()
    }

    fn expect(&mut self, path: &str, field: &str, found: &str, expected: &str) {
        if found != expected {
            self.find(path, &format!("`{field}` is `{found}`, it should be `{expected}`"));
        }
    }

    fn find(&mut self, path: &str, message: &str) {
        self.findings.push(Finding { path: path.to_owned(), message: message.to_owned() });
    }
}
