//! Reads what is shown, and no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::index::{Contents, Index};
use super::scope::Scope;
use crate::app::connection::imported_at;
use crate::app::session::Session;
use crate::app::{back, holder};
use crate::context::layout::LedgerFile;
use crate::context::ledger::{self, Snapshot};
use crate::context::{ContextStore, layout};
use crate::domain::address::{Address, Place};
use crate::domain::connection::{Binding, ConnectionRecord, ConsumerEntry};
use crate::domain::diagnostic::Problems;
use crate::domain::difference::differences;
use crate::domain::names::{Alias, RunId};
use crate::domain::preview::Preview;
use crate::domain::record::{AppliedRecord, Release, RunRecord};
use crate::domain::staleness::{self, Stale};
use crate::report::status::{Applied, Candidate, Held, Part, Published, Ran, Status, Unproven};
use crate::request::cli;

/// How many releases of a deployable are shown.
const RELEASES: usize = 5;

/// So many times as many runs as are shown are looked at for those that are asked for: nothing but their records says what they were.
const LOOKS: usize = 10;

/// What is read from, and what for.
pub(super) struct Reading<'a> {
    pub(super) session: &'a Session,
    pub(super) arguments: &'a cli::Status,
    pub(super) store: &'a dyn ContextStore,
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) scope: &'a Scope,
    pub(super) index: &'a Index,
}

/// What was not believed on the way: files, and why.
pub(super) type Doubts = BTreeMap<String, String>;

impl Reading<'_> {
    /// All of it.
    pub(super) async fn status(&self) -> Result<Status, Problems> {
        let limit = self.limit();
        let mut doubts = Doubts::default();
        let (places, more) = self.index.deployables(limit);
        let contents: Vec<(&Place, &Contents)> = places.iter().map(|place| (*place, &self.index.places[*place])).collect();
        let runs = self.runs(limit, &mut doubts).await?;
        let applied = self.applied(&contents, &mut doubts).await?;
        let releases = self.releases(&contents, &applied, &mut doubts).await?;
        let connections = self.connections(&contents, limit, &mut doubts).await?;
        let stale = self.stale(&applied, &connections, &mut doubts).await?;
        let held = self.held().await?;
        let previews = self.previews(limit, &mut doubts).await?;
        Ok(Status {
            workspace: self.scope.workspace.clone(),
            environment: self.scope.environment.clone(),
            deployable: self.scope.deployable.clone(),
            held,
            runs,
            releases,
            applied: Part { shown: applied, more },
            connections,
            stale,
            previews,
            locks: None,
            unproven: doubts.into_iter().map(|(path, because)| Unproven { path, because }).collect(),
        })
    }

    fn limit(&self) -> usize {
        self.arguments.limit as usize
    }

    /// The newest runs that are asked for. Their ids sort by time, so those of before `since` need not be read.
    async fn runs(&self, limit: usize, doubts: &mut Doubts) -> Result<Part<Ran>, Problems> {
        let since = self.arguments.since.and_then(|since| {
            let since = chrono::TimeDelta::from_std(since).ok()?;
            self.session.world.clock.now().checked_sub_signed(since)
        });
        let candidates: Vec<(RunId, Place)> =
            self.index.runs.iter().take_while(|(run, _)| since.is_none_or(|since| run.started() >= since)).cloned().collect();
        let (mut shown, mut looked_at) = (Vec::new(), 0);
        for some in candidates.chunks(limit).take(LOOKS) {
            looked_at += some.len();
            let mut records: BTreeMap<String, RunRecord> = self.records(&Index::records(some), doubts).await?;
            let found = some.iter().filter_map(|(run, place)| Some((place, records.remove(&layout::run(place, run))?)));
            shown
                .extend(found.filter(|(_, run)| self.arguments.wants(run)).map(|(place, run)| Ran { place: place.clone(), run }));
            if shown.len() >= limit {
                break;
            }
        }
        let left_out = shown.len().saturating_sub(limit);
        shown.truncate(limit);
        Ok(Part { shown, more: candidates.len() - looked_at + left_out })
    }

    async fn applied(&self, contents: &[(&Place, &Contents)], doubts: &mut Doubts) -> Result<Vec<Applied>, Problems> {
        let paths: Vec<String> = contents.iter().flat_map(|(_, contents)| contents.applied.clone()).collect();
        let records: BTreeMap<String, AppliedRecord> = self.records(&paths, doubts).await?;
        let applied = records.into_iter().filter_map(|(path, record)| match LedgerFile::parse(&path) {
            Some(LedgerFile::Applied(place, alias)) => Some(Applied { place, alias, record }),
            _ => None,
        });
        Ok(applied.collect())
    }

    /// The newest releases of each deployable, beside what is applied of it now and how to go back.
    async fn releases(
        &self,
        contents: &[(&Place, &Contents)],
        applied: &[Applied],
        doubts: &mut Doubts,
    ) -> Result<Vec<Candidate>, Problems> {
        let wanted = contents.iter().flat_map(|(place, contents)| {
            contents.releases.iter().take(RELEASES).map(|run| (*place, layout::release(place, run)))
        });
        let wanted: Vec<(&Place, String)> = wanted.collect();
        let paths: Vec<String> = wanted.iter().map(|(_, path)| path.clone()).collect();
        let mut records: BTreeMap<String, Release> = self.records(&paths, doubts).await?;
        let mut now: BTreeMap<&Place, BTreeMap<Alias, AppliedRecord>> = BTreeMap::new();
        for Applied { place, alias, record } in applied {
            now.entry(place).or_default().insert(alias.clone(), record.clone());
        }
        let nothing = BTreeMap::new();
        let found = wanted.into_iter().filter_map(|(place, path)| {
            let release = records.remove(&path)?;
            Some(Candidate {
                place: place.clone(),
                differs: differences(&release, now.get(place).unwrap_or(&nothing)),
                command: back::command(self.session, &self.arguments.target, place, &release.run),
                release,
            })
        });
        Ok(found.collect())
    }

    /// The connections, each with the first of its consumers.
    async fn connections(
        &self,
        contents: &[(&Place, &Contents)],
        limit: usize,
        doubts: &mut Doubts,
    ) -> Result<Vec<Published>, Problems> {
        let paths: Vec<String> = contents.iter().flat_map(|(_, contents)| contents.connections.values().cloned()).collect();
        let mut records: BTreeMap<String, ConnectionRecord> = self.records(&paths, doubts).await?;
        let of_shown = |contents: &&Contents| {
            let folders = contents.consumers.iter().filter(|(address, _)| contents.connections.contains_key(*address));
            folders.flat_map(|(_, paths)| paths.iter().take(limit).cloned()).collect::<Vec<_>>()
        };
        let entries: Vec<String> = contents.iter().flat_map(|(_, contents)| of_shown(contents)).collect();
        // What is declared without being bound has another form, and is nothing that would be served.
        let mut entries: BTreeMap<String, Option<ConsumerEntry>> = self
            .records::<serde_json::Value>(&entries, doubts)
            .await?
            .into_iter()
            .map(|(path, entry)| (path, serde_json::from_value(entry).ok()))
            .collect();
        let none = Vec::new();
        let mut published = Vec::new();
        for (address, path) in contents.iter().flat_map(|(place, _)| &self.index.places[*place].connections) {
            let Some(record) = records.remove(path).filter(|record| record.address == *address) else { continue };
            let producer = address.producer().and_then(|place| self.index.places.get(&place));
            let all = producer.and_then(|contents| contents.consumers.get(address)).unwrap_or(&none);
            let consumers = all.iter().filter_map(|path| entries.remove(path)?).collect();
            published.push(Published { record, consumers, more: all.len().saturating_sub(limit) });
        }
        Ok(published)
    }

    /// What the applied plugins are bound to and is not what it was, or will not stay so (R20).
    async fn stale(&self, applied: &[Applied], connections: &[Published], doubts: &mut Doubts) -> Result<Vec<Stale>, Problems> {
        let bindings: Vec<(String, &Binding)> = applied
            .iter()
            .flat_map(|Applied { place, alias, record }| {
                record.bindings.iter().map(move |(slot, binding)| (format!("{place}/{alias}.{slot}"), binding))
            })
            .collect();
        let mut now: BTreeMap<Address, ConnectionRecord> =
            connections.iter().map(|shown| (shown.record.address.clone(), shown.record.clone())).collect();
        let elsewhere: BTreeSet<&Address> =
            bindings.iter().map(|(_, binding)| &binding.address).filter(|address| !now.contains_key(*address)).collect();
        let there: BTreeMap<Address, ConnectionRecord> = self.elsewhere(&elsewhere, doubts).await?;
        let imported = imported_at(self.session, self.store, elsewhere).await?;
        now.extend(there);
        now.extend(imported.into_iter().map(|record| (record.address.clone(), record)));
        let stale = bindings.into_iter().filter_map(|(consumer, binding)| {
            let because = staleness::because(binding, now.get(&binding.address));
            (!because.is_empty()).then(|| Stale { consumer, connection: binding.address.clone(), because })
        });
        Ok(stale.collect())
    }

    /// Connections that others published.
    async fn elsewhere(
        &self,
        addresses: &BTreeSet<&Address>,
        doubts: &mut Doubts,
    ) -> Result<BTreeMap<Address, ConnectionRecord>, Problems> {
        let Some(at) = self.snapshot.at() else { return Ok(BTreeMap::new()) };
        let paths: Vec<String> = addresses.iter().filter_map(|address| layout::connection(address)).collect();
        // Any of them may be gone, so they are looked for before they are weighed.
        let there: Vec<String> = self.store.read(at, &paths).await?.into_keys().collect();
        let records: BTreeMap<String, ConnectionRecord> = self.records(&there, doubts).await?;
        Ok(records.into_values().map(|record| (record.address.clone(), record)).collect())
    }

    /// The claims, each with whether its run lives.
    pub(super) async fn held(&self) -> Result<Vec<Held>, Problems> {
        let mut held = Vec::new();
        for place in self.store.claims().await?.into_keys().filter(|place| self.scope.has(place)) {
            let Some((_, claim)) = ledger::read_claim(self.store, &place).await? else { continue };
            let access = &self.arguments.target.context;
            let holder = holder::of(self.session, access, (self.store, self.snapshot), &claim).await?;
            held.push(Held { claim, life: holder.life, jobs: holder.jobs });
        }
        Ok(held)
    }

    async fn previews(&self, limit: usize, doubts: &mut Doubts) -> Result<Part<(String, Preview)>, Problems> {
        let some: Vec<(&crate::domain::names::EnvironmentName, &String)> = self.index.previews.iter().take(limit).collect();
        let paths: Vec<String> = some.iter().map(|(_, path)| (*path).clone()).collect();
        let mut records: BTreeMap<String, Preview> = self.records(&paths, doubts).await?;
        let shown = some.into_iter().filter_map(|(name, path)| Some((name.to_string(), records.remove(path)?))).collect();
        Ok(Part { shown, more: self.index.previews.len().saturating_sub(limit) })
    }

    /// Files as what they should be. One that is not believed, or is something else, is noted and left out: what can be shown is shown.
    pub(super) async fn records<T: DeserializeOwned>(
        &self,
        paths: &[String],
        doubts: &mut Doubts,
    ) -> Result<BTreeMap<String, T>, Problems> {
        let (files, doubted) = self.snapshot.weighed(paths).await?;
        doubts.extend(doubted.into_iter().map(|doubt| (doubt.path, doubt.why)));
        let mut records = BTreeMap::new();
        for (path, bytes) in files {
            match serde_json::from_slice(&bytes) {
                Ok(record) => _ = records.insert(path, record),
                Err(problem) => _ = doubts.insert(path, format!("it cannot be read: {problem}")),
            }
        }
        Ok(records)
    }
}
