//! Letting go of what the ledger need not keep: run records beyond the retention, releases that neither a kept run nor a tag of use
//! names, those of previews that are gone, and plugin trees that nothing names any more.
//!
//! A run beside this one loses nothing: it publishes its trees together with the records that name them, on whatever head it finds. Previews
//! and fleets keep them sooner, so while one is at work all trees stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::layout::LedgerFile;
use super::ledger::{self, parse_json, read_listed};
use super::publish::publish;
use super::{Branch, Change, Changes, CommitId, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::names::{EnvironmentName, VersionTag, WorkspaceName};
use crate::domain::record::{AppliedRecord, Claim, Release, RunRecord, RunStatus, RunType};
use crate::world::World;

/// What goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Run records, by place.
    pub runs: BTreeMap<Place, BTreeSet<String>>,
    /// Releases with their tags, by place.
    pub releases: BTreeMap<Place, BTreeMap<String, VersionTag>>,
    /// Digests of plugin trees.
    pub plugins: BTreeSet<String>,
    changes: Changes,
}

/// Prunes the ledger in one commit, so that each place keeps its newest `retained` run records. Where somebody else was faster, all is
/// looked at again.
///
/// # Errors
/// When the context cannot be read or written, or holds a record that cannot be read: what it names is not known.
pub async fn prune(store: &dyn ContextStore, world: &World, retained: usize) -> Result<Pruned, Problems> {
    let found = Mutex::new(Pruned::default());
    let keep = |pruned: Pruned| *found.lock().unwrap_or_else(PoisonError::into_inner) = pruned;
    publish(store, world, Branch::Ledger, "Prune what need not be kept", |head| {
        let keep = &keep;
        async move {
            let pruned = look(store, head.as_ref(), retained).await?;
            let changes = pruned.changes.clone();
            keep(pruned);
            Ok::<_, StoreError>(changes)
        }
    })
    .await?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What would go at a commit of the ledger.
///
/// # Errors
/// As for [`prune`].
pub async fn look(store: &dyn ContextStore, head: Option<&CommitId>, retained: usize) -> Result<Pruned, StoreError> {
    let Some(head) = head else { return Ok(Pruned::default()) };
    let listed = store.list(head, &[String::new()]).await?.into_values().flatten();
    let paths: Vec<String> = listed.map(|file| file.path).collect();
    // Claims after the ledger: a run that ended between the two has moved its head.
    let claims = ledger::claims(store).await?;
    let mut kept = Kept { retained, claimed: claims.iter().map(|claim| claim.run.id.to_string()).collect(), ..Kept::default() };
    kept.name(claims.iter().flat_map(|claim| claim.applied.values()).map(|record| record.source.digest.to_string()));
    let mut pruned = Pruned::default();
    let files = Files::of(&paths);
    let records = read_listed(store, head, &files.read_first()).await?;
    for path in &files.applied {
        let record: AppliedRecord = parse_json(path, &records[path])?;
        kept.name([record.source.digest.to_string()]);
    }
    for (place, own) in &files.by_place {
        let destroyed = destroyed(store, head, own, retained).await?;
        // Nobody goes back to a release of a preview that is gone.
        kept.releases = files.is_standing(place);
        kept.place(place, own, &records, destroyed, &mut pruned)?;
    }
    if claims.iter().any(keeps_trees) {
        return Ok(pruned);
    }
    pruned.plugins = files.plugins.keys().filter(|digest| !kept.plugins.contains(*digest)).cloned().collect();
    let trees = pruned.plugins.iter().flat_map(|digest| files.plugins[digest].iter().cloned());
    pruned.changes.extend(trees.map(|path| (path, Change::Remove)));
    Ok(pruned)
}

/// Whether a run may count on trees that nothing names yet: a preview's are kept before the first of them is applied, and what the jobs of a
/// fleet applied stands in journals of their own.
fn keeps_trees(claim: &Claim) -> bool {
    claim.place.environment.is_preview() || claim.fleet.is_some()
}

/// The newest successful destroy beyond the retention that no release came after: it tells that nothing is deployed.
async fn destroyed(
    store: &dyn ContextStore,
    head: &CommitId,
    files: &PlaceFiles,
    retained: usize,
) -> Result<Option<String>, StoreError> {
    let release = files.releases.keys().next_back();
    let old = files.runs.iter().rev().skip(retained).filter(|(id, _)| Some(*id) > release);
    let old: Vec<(&String, &String)> = old.collect();
    let found = read_listed(store, head, &old.iter().map(|(_, path)| (*path).clone()).collect::<Vec<_>>()).await?;
    for (id, path) in old {
        let run: RunRecord = parse_json(path, &found[path])?;
        if run.run_type == RunType::Destroy && run.status == RunStatus::Succeeded {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// The files of the ledger that pruning is about.
#[derive(Default)]
struct Files {
    applied: Vec<String>,
    by_place: BTreeMap<Place, PlaceFiles>,
    /// The previews there are.
    previews: BTreeSet<(WorkspaceName, EnvironmentName)>,
    /// Paths of the files of each plugin tree.
    plugins: BTreeMap<String, Vec<String>>,
}

/// Paths by the ids of runs, which sort by time.
#[derive(Default)]
struct PlaceFiles {
    runs: BTreeMap<String, String>,
    releases: BTreeMap<String, String>,
}

impl Files {
    fn of(paths: &[String]) -> Self {
        let mut files = Self::default();
        for path in paths {
            let owned = || path.clone();
            match LedgerFile::parse(path) {
                Some(LedgerFile::Applied(..)) => files.applied.push(owned()),
                Some(LedgerFile::Preview(workspace, name)) => drop(files.previews.insert((workspace, name))),
                Some(LedgerFile::Plugin(digest)) => files.plugins.entry(digest.to_owned()).or_default().push(owned()),
                Some(LedgerFile::Run(place, id)) => {
                    files.by_place.entry(place).or_default().runs.insert(id.to_owned(), owned());
                }
                Some(LedgerFile::Release(place, id)) => {
                    files.by_place.entry(place).or_default().releases.insert(id.to_owned(), owned());
                }
                _ => {}
            }
        }
        files
    }

    /// Whether a place is in an environment, or in a preview that is there.
    fn is_standing(&self, place: &Place) -> bool {
        let name = (place.workspace.clone(), place.environment.clone());
        !place.environment.is_preview() || self.previews.contains(&name)
    }

    fn read_first(&self) -> Vec<String> {
        let releases = self.by_place.values().flat_map(|files| files.releases.values());
        self.applied.iter().chain(releases).cloned().collect()
    }
}

/// What stays, and why.
#[derive(Default)]
struct Kept {
    retained: usize,
    /// Whether releases of the place that is looked at are kept.
    releases: bool,
    /// Runs that hold a claim.
    claimed: BTreeSet<String>,
    /// Digests of plugin trees that something names.
    plugins: BTreeSet<String>,
}

impl Kept {
    fn name(&mut self, digests: impl IntoIterator<Item = String>) {
        self.plugins.extend(digests);
    }

    fn place(
        &mut self,
        place: &Place,
        files: &PlaceFiles,
        records: &BTreeMap<String, Vec<u8>>,
        destroyed: Option<String>,
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        let newest = files.runs.keys().rev().take(self.retained).cloned();
        let runs: BTreeSet<String> = newest.chain(destroyed).chain(self.claimed.iter().cloned()).collect();
        for (id, path) in files.runs.iter().filter(|(id, _)| !runs.contains(*id)) {
            pruned.runs.entry(place.clone()).or_default().insert(id.clone());
            pruned.changes.insert(path.clone(), Change::Remove);
        }
        let mut tags = BTreeSet::new();
        for (id, path) in files.releases.iter().rev() {
            let release: Release = parse_json(path, &records[path])?;
            // A tag means the newest release that has it; runs that failed take no release's place.
            let is_named = tags.len() < self.retained && tags.insert(release.version_tag.clone());
            if (self.releases && (is_named || runs.contains(id))) || self.claimed.contains(id) {
                self.name(release.plugins.values().map(|plugin| plugin.source.digest.to_string()));
            } else {
                pruned.releases.entry(place.clone()).or_default().insert(id.clone(), release.version_tag);
                pruned.changes.insert(path.clone(), Change::Remove);
            }
        }
        Ok(())
    }
}
