//! Whether the ledger agrees with itself: every file is what its path says, and every record has its counterparts.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::layout::{self, LedgerFile};
use super::ledger::read_listed;
use super::{CommitId, ContextStore, Doubt, StoreError};
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::connection::{Binding, ConnectionRecord, ConsumerEntry};
use crate::domain::names::{Alias, SlotName};
use crate::domain::proof::Proof;
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
        Ok(Self { records: read_listed(store, at, &paths).await?, plugins })
    }
}

/// Checks a whole ledger. The findings are sorted by path; none means that it agrees with itself.
pub fn verify(files: &LedgerFiles) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut records = Records::default();
    for (path, bytes) in &files.records {
        records.take(path, bytes, &mut findings);
    }
    records.check_applied(&files.plugins, &mut findings);
    records.check_connections(&mut findings);
    records.check_consumers(&mut findings);
    findings.0.sort();
    findings.0
}

/// The files without a valid proof, where the context asks for proofs (R41).
///
/// # Errors
/// When the context cannot be read.
pub async fn unproven(store: &dyn ContextStore, at: &CommitId, files: &LedgerFiles) -> Result<Vec<Finding>, StoreError> {
    let Some(trust) = store.trust() else { return Ok(Vec::new()) };
    let doubts = trust.doubts(store, at, &files.records).await?;
    Ok(doubts.into_values().map(|Doubt { path, why }| Finding { path, message: format!("is not believed: {why}") }).collect())
}

/// A slot bound to a connection: the connection, the consumer's place and slot.
type Consumption = (Address, Place, AliasMember<SlotName>);

/// The records that have counterparts.
#[derive(Default)]
struct Records {
    applied: BTreeMap<(Place, Alias), AppliedRecord>,
    connections: BTreeMap<Address, ConnectionRecord>,
    consumers: BTreeMap<Consumption, ConsumerEntry>,
}

impl Records {
    /// Takes one file in and checks what can be checked of it alone.
    fn take(&mut self, path: &str, bytes: &[u8], findings: &mut Findings) {
        match LedgerFile::parse(path) {
            None => findings.add(path, "no run writes a file here"),
            Some(LedgerFile::Plugin(_)) => {}
            Some(LedgerFile::Preview(..)) => drop(findings.parse::<serde_json::Map<String, serde_json::Value>>(path, bytes)),
            Some(LedgerFile::Applied(place, alias)) => {
                self.applied.extend(findings.parse(path, bytes).map(|record| ((place, alias), record)));
            }
            Some(LedgerFile::Connection(address)) => {
                if let Some(record) = findings.parse::<ConnectionRecord>(path, bytes) {
                    findings.expect(path, "address", &record.address, &address);
                    self.connections.insert(address, record);
                }
            }
            Some(LedgerFile::Consumer(address, place, slot)) => {
                if let Some(entry) = findings.parse::<ConsumerEntry>(path, bytes) {
                    findings.expect(path, "consumer", &entry.consumer, &format!("{place}/{slot}"));
                    self.consumers.insert((address, place, slot), entry);
                }
            }
            Some(LedgerFile::Proof(..)) => drop(findings.parse::<Proof>(path, bytes)),
            Some(LedgerFile::Release(_, run)) => {
                if let Some(release) = findings.parse::<Release>(path, bytes) {
                    findings.expect(path, "run", &release.run, &run);
                }
            }
            Some(LedgerFile::Run(_, run)) => {
                if let Some(record) = findings.parse::<RunRecord>(path, bytes) {
                    findings.expect(path, "id", &record.id, &run);
                }
            }
        }
    }

    /// Each applied plugin's tree is stored, and each of its bindings is known beside the connection.
    fn check_applied(&self, plugins: &BTreeSet<String>, findings: &mut Findings) {
        for ((place, alias), record) in &self.applied {
            let path = layout::applied(place, alias);
            let digest = &record.source.digest;
            if !plugins.contains(digest.as_str()) {
                findings.add(&path, format!("the plugin's tree `{}` is not stored", layout::plugin_tree(digest)));
            }
            for (slot, Binding { address, .. }) in &record.bindings {
                let member = AliasMember { alias: alias.clone(), member: slot.clone() };
                if !self.consumers.contains_key(&(address.clone(), place.clone(), member)) {
                    let entry = layout::consumer_entry(address, place, alias, slot);
                    findings.add(&path, format!("slot `{slot}` is bound to `{address}`, but `{entry}` is missing"));
                }
            }
        }
    }

    /// Each connection's digest is that of its values, and what made it is known.
    fn check_connections(&self, findings: &mut Findings) {
        for (address, record) in &self.connections {
            let (Some(path), Some(place), Target::Output { alias, .. }) =
                (layout::connection(address), address.producer(), &address.target)
            else {
                continue;
            };
            let faces: Vec<_> = record.faces().cloned().collect();
            let digest = ConnectionRecord::digest_of(&faces, record.sensitive_revision.as_deref());
            findings.expect(&path, "digest", &record.digest, &digest);
            let producer = layout::applied(&place, alias);
            if !self.applied.contains_key(&(place, alias.clone())) {
                findings.add(&path, format!("its producer `{producer}` is missing"));
            }
        }
    }

    /// Each consumer's entry says what the consumer's own record says.
    fn check_consumers(&self, findings: &mut Findings) {
        for ((address, place, slot), entry) in &self.consumers {
            let path = layout::consumer_entry(address, place, &slot.alias, &slot.member);
            let consumer = self.applied.get(&(place.clone(), slot.alias.clone()));
            match consumer.and_then(|record| record.bindings.get(&slot.member)).filter(|binding| binding.address == *address) {
                Some(binding) => {
                    findings.expect(&path, "uid", &entry.uid, &binding.uid);
                    findings.expect(&path, "generation", &entry.generation, &binding.generation);
                }
                None if consumer.is_some_and(|record| record.uses().any(|held| held == (&slot.member, address))) => {}
                None => findings.add(&path, format!("`{}` does not bind `{slot}` to it", layout::applied(place, &slot.alias))),
            }
        }
    }
}

/// What was found wrong so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), message: message.into() });
    }

    fn expect(&mut self, path: &str, field: &str, found: &impl ToString, expected: &impl ToString) {
        let (found, expected) = (found.to_string(), expected.to_string());
        if found != expected {
            self.add(path, format!("`{field}` is `{found}`, it should be `{expected}`"));
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &str, bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|problem| self.add(path, format!("cannot be read: {problem}"))).ok()
    }
}
