//! Whether the ledger agrees with itself: every file is what its path says, and every record has its counterparts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::layout::{self, LedgerFile};
use super::ledger::read_listed;
use super::proven::PROOF;
use super::{Change, CommitId, ContextStore, Doubt, StoreError};
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::canonical;
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::declared::{Declarations, declarations};
use crate::domain::moving::Redirect;
use crate::domain::names::{Alias, SlotName};
use crate::domain::preview::Preview;
use crate::domain::proof::Proof;
use crate::domain::record::{AppliedRecord, Release, RunRecord, RunStatus, RunType};

/// Something in the ledger that does not agree with the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// What is wrong: lower case, values in backticks, no final period.
    pub message: String,
    /// What mends it; none where the rest of the ledger does not tell.
    pub remedy: Option<Remedy>,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The file that changes.
    pub path: String,
    /// What becomes of it.
    pub change: Change,
    /// Whose runs write that file.
    pub writer: Place,
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
    records.check_declared(&mut findings);
    records.check_connections(&mut findings);
    records.check_consumers(&mut findings);
    findings.0.sort_by(|a, b| (&a.path, &a.message).cmp(&(&b.path, &b.message)));
    findings.0
}

/// The files without a valid proof, where the context asks for proofs (R41).
///
/// # Errors
/// When the context cannot be read.
pub async fn unproven(store: &dyn ContextStore, at: &CommitId, files: &LedgerFiles) -> Result<Vec<Finding>, StoreError> {
    let Some(trust) = store.trust() else { return Ok(Vec::new()) };
    let doubts = trust.doubts(store, at, &files.records).await?;
    Ok(doubts
        .into_values()
        .map(|Doubt { path, why }| Finding { path, message: format!("is not believed: {why}"), remedy: None })
        .collect())
}

/// A slot that may use a connection, or a slot or output that declares it: the connection, the consumer's place and slot.
type Consumption = (Address, Place, AliasMember<SlotName>);

/// The records that have counterparts. One that cannot be read is none, but nothing that depends on it is judged.
#[derive(Default)]
struct Records {
    applied: BTreeMap<(Place, Alias), Option<AppliedRecord>>,
    connections: BTreeMap<Address, ConnectionRecord>,
    consumers: BTreeMap<Consumption, Option<Value>>,
    /// The newest release of each place, with its run.
    releases: BTreeMap<Place, (String, Option<Release>)>,
    /// The newest run that destroyed everything at a place.
    destroyed: BTreeMap<Place, String>,
}

/// What the entry of a consumption should be.
enum Expected {
    /// This.
    Entry(Value),
    /// There may be one: what it says is not known.
    Some,
    /// There should be none.
    Nothing,
    /// There may be one of a declaration: the release that tells cannot be read.
    Unknown,
}

impl Records {
    /// Takes one file in and checks what can be checked of it alone.
    fn take(&mut self, path: &str, bytes: &[u8], findings: &mut Findings) {
        match LedgerFile::parse(path) {
            None => findings.add(path, "no run writes a file here", None),
            Some(LedgerFile::Plugin(_)) => {}
            Some(LedgerFile::Preview(_, name)) => {
                if let Some(preview) = findings.parse::<Preview>(path, bytes) {
                    findings.expect(path, "environment.name", &preview.environment.name, &name);
                }
            }
            Some(LedgerFile::Applied(place, alias)) => {
                self.applied.insert((place, alias), findings.parse(path, bytes));
            }
            Some(LedgerFile::Connection(address)) => {
                if let Some(record) = findings.parse::<ConnectionRecord>(path, bytes) {
                    findings.expect(path, "address", &record.address, &address);
                    self.connections.insert(address, record);
                }
            }
            // What is wrong with an entry is told with what it should be. Its proof is another matter.
            Some(LedgerFile::Consumer(address, place, slot)) => {
                let mut entry: Option<Value> = serde_json::from_slice(bytes).ok();
                entry.as_mut().and_then(Value::as_object_mut).map(|entry| entry.remove(PROOF));
                self.consumers.insert((address, place, slot), entry);
            }
            Some(LedgerFile::Proof(..)) => drop(findings.parse::<Proof>(path, bytes)),
            Some(LedgerFile::Release(place, run)) => {
                let release = findings.parse::<Release>(path, bytes);
                if let Some(release) = &release {
                    findings.expect(path, "run", &release.run, &run);
                }
                // Ids sort by time, and so do the paths.
                self.releases.insert(place, (run.to_owned(), release));
            }
            Some(LedgerFile::Run(place, run)) => {
                if let Some(record) = findings.parse::<RunRecord>(path, bytes) {
                    findings.expect(path, "id", &record.id, &run);
                    if record.run_type == RunType::Destroy && record.status == RunStatus::Succeeded {
                        self.destroyed.insert(place, run.to_owned());
                    }
                }
            }
            Some(LedgerFile::Moved(_, alias)) => {
                if let Some(redirect) = findings.parse::<Redirect>(path, bytes)
                    && redirect.alias.is_some() != alias.is_some()
                {
                    findings.add(path, "what it redirects is not what its path says", None);
                }
            }
        }
    }

    /// Each applied plugin's tree is stored, and each of its bindings is known beside the connection.
    fn check_applied(&self, plugins: &BTreeSet<String>, findings: &mut Findings) {
        for ((place, alias), record) in self.readable() {
            let path = layout::applied(place, alias);
            let digest = &record.source.digest;
            if !plugins.contains(digest.as_str()) {
                findings.add(&path, format!("the plugin's tree `{}` is not stored", layout::plugin_tree(digest)), None);
            }
            for (slot, address) in record.uses() {
                let member = AliasMember { alias: alias.clone(), member: slot.clone() };
                if self.consumers.contains_key(&(address.clone(), place.clone(), member.clone())) {
                    continue;
                }
                let entry = layout::consumer_entry(address, place, alias, slot);
                let bound = record.bindings.get(slot).filter(|binding| binding.address == *address);
                let remedy = bound.map(|binding| write_entry(&entry, place, &ConsumerEntry::of(binding, place, &member)));
                let what = if bound.is_some() { "is bound to" } else { "may still use" };
                findings.add(&path, format!("slot `{slot}` {what} `{address}`, but `{entry}` is missing"), remedy);
            }
        }
    }

    /// What the newest release of each place declares and is not bound to is known beside the connection.
    fn check_declared(&self, findings: &mut Findings) {
        for (place, declared) in self.declared() {
            for ((address, of), entry) in declared.iter().flatten() {
                if self.consumers.contains_key(&(address.clone(), place.clone(), of.clone())) {
                    continue;
                }
                let path = layout::consumer_entry(address, place, &of.alias, &of.member);
                let message = format!("`{}` declares it, but this is missing", entry.consumer);
                findings.add(&path, message, Some(write_entry(&path, place, entry)));
            }
        }
    }

    /// Each connection's digest is that of its values, and what made it is known.
    fn check_connections(&self, findings: &mut Findings) {
        let used: BTreeSet<&Address> = self.uses().collect();
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
            if !self.applied.contains_key(&(place.clone(), alias.clone())) {
                // A consumer's destroy may need what the record says: it stays while there is one.
                let remedy =
                    (!used.contains(address)).then(|| Remedy { path: path.clone(), change: Change::Remove, writer: place });
                findings.add(
                    &path,
                    format!("its producer `{producer}` is missing: unless that was destroyed, its infrastructure is still there"),
                    remedy,
                );
            }
        }
    }

    /// Each consumer's entry says what the consumer's own record says.
    fn check_consumers(&self, findings: &mut Findings) {
        let declared: BTreeMap<&Place, Option<Declarations>> = self.declared().collect();
        for (consumption, entry) in &self.consumers {
            let (address, place, slot) = consumption;
            let path = layout::consumer_entry(address, place, &slot.alias, &slot.member);
            if let Some(lost) = self.lost(address) {
                findings.add(&path, format!("`{lost}` is missing, though what published it is applied"), None);
            }
            let may_be_declared = entry.as_ref().is_none_or(|entry| entry.get("declared").is_some());
            match self.expected(consumption, &declared) {
                Expected::Unknown if may_be_declared => {}
                Expected::Some if entry.is_some() => {}
                Expected::Some => findings.add(&path, "cannot be read", None),
                Expected::Entry(expected) => {
                    for message in disagreements(entry.as_ref(), &expected) {
                        findings.add(&path, message, Some(write_entry(&path, place, &expected)));
                    }
                }
                Expected::Nothing | Expected::Unknown => {
                    let message = format!("`{}` does not bind `{slot}` to it", layout::applied(place, &slot.alias));
                    let remedy = Remedy { path: path.clone(), change: Change::Remove, writer: place.clone() };
                    findings.add(&path, message, Some(remedy));
                }
            }
        }
    }

    /// The record of a connection that is not there, though its applied plugin is.
    fn lost(&self, address: &Address) -> Option<String> {
        let (Some(path), Some(place), Target::Output { alias, .. }) =
            (layout::connection(address), address.producer(), &address.target)
        else {
            return None;
        };
        let is_applied = matches!(self.applied.get(&(place, alias.clone())), Some(Some(record)) if record.applied.is_some());
        (is_applied && !self.connections.contains_key(address)).then_some(path)
    }

    fn expected(&self, (address, place, slot): &Consumption, declared: &BTreeMap<&Place, Option<Declarations>>) -> Expected {
        let record = match self.applied.get(&(place.clone(), slot.alias.clone())) {
            Some(None) => return Expected::Unknown,
            record => record.and_then(Option::as_ref),
        };
        let binding = record.and_then(|record| record.bindings.get(&slot.member)).filter(|binding| binding.address == *address);
        if let Some(binding) = binding {
            return Expected::Entry(json!(ConsumerEntry::of(binding, place, slot)));
        }
        if record.is_some_and(|record| record.uses().any(|held| held == (&slot.member, address))) {
            return Expected::Some;
        }
        match declared.get(place) {
            None => Expected::Nothing,
            Some(None) => Expected::Unknown,
            Some(Some(declared)) => match declared.get(&(address.clone(), slot.clone())) {
                Some(entry) => Expected::Entry(json!(entry)),
                None => Expected::Nothing,
            },
        }
    }

    /// What is declared at each place that something is deployed at; none where that cannot be read.
    fn declared(&self) -> impl Iterator<Item = (&Place, Option<Declarations>)> {
        let standing =
            self.releases.iter().filter(|(place, (run, _))| self.destroyed.get(*place).is_none_or(|destroyed| destroyed < run));
        standing.map(|(place, (_, release))| (place, release.as_ref().and_then(|release| declarations(place, release))))
    }

    fn readable(&self) -> impl Iterator<Item = (&(Place, Alias), &AppliedRecord)> {
        self.applied.iter().filter_map(|(of, record)| Some((of, record.as_ref()?)))
    }

    /// What somebody uses, or may use: whose record cannot be read is believed by the entry.
    fn uses(&self) -> impl Iterator<Item = &Address> {
        let recorded = self.readable().flat_map(|(_, record)| record.uses().map(|(_, address)| address));
        let unknown = self
            .consumers
            .keys()
            .filter(|(_, place, slot)| matches!(self.applied.get(&(place.clone(), slot.alias.clone())), Some(None)));
        recorded.chain(unknown.map(|(address, ..)| address))
    }
}

fn write_entry(path: &str, writer: &Place, entry: &impl Serialize) -> Remedy {
    Remedy { path: path.to_owned(), change: Change::write(canonical::to_bytes(entry)), writer: writer.clone() }
}

/// In what an entry is not what it should be.
fn disagreements(entry: Option<&Value>, expected: &Value) -> Vec<String> {
    let (Some(found), Some(expected)) = (entry.and_then(Value::as_object), expected.as_object()) else {
        return vec!["cannot be read".to_owned()];
    };
    let differing = found.keys().chain(expected.keys()).filter(|field| found.get(*field) != expected.get(*field));
    let shown = |value: Option<&Value>| match value {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
        None => "missing".to_owned(),
    };
    let told = differing.collect::<BTreeSet<_>>().into_iter().map(|field| {
        let expected = expected
            .get(field)
            .map_or("it should not be there".to_owned(), |value| format!("it should be {}", shown(Some(value))));
        format!("`{field}` is {}, {expected}", shown(found.get(field)))
    });
    told.collect()
}

/// What was found wrong so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, message: impl Into<String>, remedy: Option<Remedy>) {
        self.0.push(Finding { path: path.to_owned(), message: message.into(), remedy });
    }

    fn expect(&mut self, path: &str, field: &str, found: &impl ToString, expected: &impl ToString) {
        let (found, expected) = (found.to_string(), expected.to_string());
        if found != expected {
            self.add(path, format!("`{field}` is `{found}`, it should be `{expected}`"), None);
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &str, bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|problem| self.add(path, format!("cannot be read: {problem}"), None)).ok()
    }
}
