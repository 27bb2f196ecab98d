//! What there is, told from the names of files alone: one listing, and nothing is read yet. Which of it is read follows from that.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::scope::Scope;
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::Snapshot;
use crate::context::{ContextStore, StoreError};
use crate::domain::address::{Address, Place};
use crate::domain::names::{EnvironmentName, RunId};

/// The paths of what there is.
#[derive(Default)]
pub(super) struct Index {
    /// Runs, the newest first.
    pub(super) runs: Vec<(RunId, Place)>,
    /// What there is of each deployable.
    pub(super) places: BTreeMap<Place, Contents>,
    /// Previews.
    pub(super) previews: BTreeMap<EnvironmentName, String>,
}

/// The paths of what there is of a deployable in an environment.
#[derive(Default)]
pub(super) struct Contents {
    newest_run: Option<RunId>,
    /// The runs that made its releases, the newest first.
    pub(super) releases: Vec<RunId>,
    pub(super) applied: Vec<String>,
    pub(super) connections: BTreeMap<Address, String>,
    pub(super) consumers: BTreeMap<Address, Vec<String>>,
}

impl Index {
    /// Lists what there is.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub(super) async fn of(store: &dyn ContextStore, snapshot: &Snapshot<'_>, scope: &Scope) -> Result<Self, StoreError> {
        let Some(head) = snapshot.at() else { return Ok(Self::default()) };
        let listed = store.list(head, &[scope.folder()]).await?;
        let mut index = Self::default();
        for file in listed.into_values().flatten() {
            index.take(&file.path, scope);
        }
        index.runs.sort_unstable_by(|a, b| b.cmp(a));
        for contents in index.places.values_mut() {
            contents.releases.sort_unstable_by(|a, b| b.cmp(a));
        }
        Ok(index)
    }

    fn take(&mut self, path: &str, scope: &Scope) {
        let owned = || path.to_owned();
        match LedgerFile::parse(path) {
            Some(LedgerFile::Preview(_, environment)) => _ = self.previews.insert(environment, owned()),
            Some(LedgerFile::Run(place, run)) if scope.has(&place) => {
                let Some(run) = RunId::parse(run) else { return };
                let newest = &mut self.of_place(&place).newest_run;
                *newest = newest.take().max(Some(run.clone()));
                self.runs.push((run, place));
            }
            Some(LedgerFile::Release(place, run)) if scope.has(&place) => {
                self.of_place(&place).releases.extend(RunId::parse(run));
            }
            Some(LedgerFile::Applied(place, _)) if scope.has(&place) => self.of_place(&place).applied.push(owned()),
            Some(LedgerFile::Connection(address)) => {
                if let Some(place) = address.producer().filter(|place| scope.has(place)) {
                    self.of_place(&place).connections.insert(address, owned());
                }
            }
            Some(LedgerFile::Consumer(address, ..)) => {
                if let Some(place) = address.producer().filter(|place| scope.has(place)) {
                    self.of_place(&place).consumers.entry(address).or_default().push(owned());
                }
            }
            _ => {}
        }
    }

    fn of_place(&mut self, place: &Place) -> &mut Contents {
        self.places.entry(place.clone()).or_default()
    }

    /// The deployables that something is there of, where there was a run last first; at most so many, and how many more there are.
    pub(super) fn deployables(&self, most: usize) -> (BTreeSet<&Place>, usize) {
        let is_there = |contents: &Contents| {
            !contents.applied.is_empty() || !contents.connections.is_empty() || !contents.releases.is_empty()
        };
        let mut places: Vec<(&Place, &Contents)> = self.places.iter().filter(|(_, contents)| is_there(contents)).collect();
        places.sort_by_key(|(place, contents)| (Reverse(&contents.newest_run), *place));
        let more = places.len().saturating_sub(most);
        (places.into_iter().take(most).map(|(place, _)| place).collect(), more)
    }

    /// The paths of the records of these runs.
    pub(super) fn records(runs: &[(RunId, Place)]) -> Vec<String> {
        runs.iter().map(|(run, place)| layout::run(place, run)).collect()
    }
}
