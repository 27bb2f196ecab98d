//! Reading the records of the ledger, each as its type, in as few reads as it takes.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::layout::{self, LedgerFile};
use super::trust::Weighed;
use super::{Branch, CommitId, ContextStore, Doubt, ListedFile, StoreError};
use crate::domain::address::{Address, AliasMember, Place, Target};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::declared::Declaration;
use crate::domain::fleet::PartName;
use crate::domain::moving::Redirect;
use crate::domain::names::{Alias, Digest, OutputName, RunId, SlotName};
use crate::domain::record::{AppliedRecord, Claim, Release, RunRecord};

/// How many moves of one thing are followed: redirects may lead in a circle.
const MOST_HOPS: usize = 16;

/// The ledger as it stood at one commit, so that all that is read of it fits together. A ledger without a commit is empty.
#[derive(Clone)]
pub struct Snapshot<'a> {
    store: &'a dyn ContextStore,
    at: Option<CommitId>,
}

/// What is known of a deployable in an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlaceRecords {
    /// Its applied plugins.
    pub applied: BTreeMap<Alias, AppliedRecord>,
    /// Its connections.
    pub connections: BTreeMap<(Alias, OutputName), ConnectionRecord>,
}

/// A slot that consumes a connection: where, and which.
pub type Consumer = (Place, AliasMember<SlotName>);

/// Who needs a connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consumers {
    /// Who is bound to it.
    pub bound: BTreeMap<Consumer, ConsumerEntry>,
    /// Who declares it without being bound.
    pub declared: BTreeMap<Consumer, Declaration>,
}

impl Consumers {
    /// Takes an entry in.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is none.
    pub fn take(&mut self, consumer: Consumer, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let entry: serde_json::Value = parse_json(path, bytes)?;
        if entry.get("declared").is_some() {
            self.declared.insert(consumer, parse_json(path, bytes)?);
        } else {
            self.bound.insert(consumer, parse_json(path, bytes)?);
        }
        Ok(())
    }
}

/// A file of a plugin's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it is marked executable.
    pub executable: bool,
}

impl<'a> Snapshot<'a> {
    /// The ledger at a commit; none stands for a ledger that has none yet.
    pub fn new(store: &'a dyn ContextStore, at: Option<CommitId>) -> Self {
        Self { store, at }
    }

    /// The ledger as it stands now.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn newest(store: &'a dyn ContextStore) -> Result<Self, StoreError> {
        Ok(Self::new(store, store.head(Branch::Ledger).await?))
    }

    /// The commit it is read at.
    pub fn at(&self) -> Option<&CommitId> {
        self.at.as_ref()
    }

    /// What is known of a place.
    ///
    /// # Errors
    /// When the context cannot be read, or a record is not one.
    pub async fn place(&self, place: &Place) -> Result<PlaceRecords, StoreError> {
        let mut records = PlaceRecords::default();
        let found = self.below(&[layout::applied_folder(place), layout::connections_folder(place)]).await?;
        let acted_upon = |weighed: &Weighed| matches!(LedgerFile::parse(&weighed.doubt.path), Some(LedgerFile::Applied(..)));
        for (path, bytes) in self.believed(found, acted_upon).await? {
            match LedgerFile::parse(&path) {
                Some(LedgerFile::Applied(_, alias)) => drop(records.applied.insert(alias, parse_json(&path, &bytes)?)),
                Some(LedgerFile::Connection(address)) => {
                    let connection: ConnectionRecord = parse_connection(&path, &bytes, &address)?;
                    if let Target::Output { alias, output, .. } = address.target {
                        records.connections.insert((alias, output), connection);
                    }
                }
                _ => return Err(StoreError::Corrupt { path, why: "no such file belongs here".to_owned() }),
            }
        }
        Ok(records)
    }

    /// The connections at these addresses; those that are not there, and imported ones, are left out.
    ///
    /// # Errors
    /// When the context cannot be read, or a record is not one.
    pub async fn connections(
        &self,
        addresses: impl IntoIterator<Item = &Address>,
    ) -> Result<BTreeMap<Address, ConnectionRecord>, StoreError> {
        let wanted: BTreeMap<_, _> =
            addresses.into_iter().filter_map(|address| Some((layout::connection(address)?, address))).collect();
        let found = self.read(&wanted.keys().cloned().collect::<Vec<_>>()).await?;
        let parsed = found.iter().filter_map(|(path, bytes)| {
            let address = *wanted.get(path)?;
            Some(parse_connection(path, bytes, address).map(|connection| (address.clone(), connection)))
        });
        parsed.collect()
    }

    /// The connection at an address.
    ///
    /// # Errors
    /// When the context cannot be read, or the record is not one.
    pub async fn connection(&self, address: &Address) -> Result<Option<ConnectionRecord>, StoreError> {
        Ok(self.connections([address]).await?.remove(address))
    }

    /// Who needs these connections, at any place; an address that nobody needs has an empty entry.
    ///
    /// # Errors
    /// When the context cannot be read, or an entry is not one.
    pub async fn consumers(
        &self,
        addresses: impl IntoIterator<Item = &Address>,
    ) -> Result<BTreeMap<Address, Consumers>, StoreError> {
        let mut consumers: BTreeMap<_, Consumers> =
            addresses.into_iter().map(|address| (address.clone(), Consumers::default())).collect();
        let folders: Vec<_> = consumers.keys().map(layout::consumers_folder).collect();
        // Who may well consume it must not be taken for nobody.
        for (path, bytes) in self.believed(self.below(&folders).await?, |weighed| weighed.may_be_true).await? {
            let Some(LedgerFile::Consumer(address, place, slot)) = LedgerFile::parse(&path) else {
                return Err(StoreError::Corrupt { path, why: "it is not named after a consumer".to_owned() });
            };
            consumers.entry(address).or_default().take((place, slot), &path, &bytes)?;
        }
        Ok(consumers)
    }

    /// What a place, or an applied plugin of it, left behind when it moved.
    ///
    /// # Errors
    /// When the context cannot be read, or the record is not one.
    pub async fn redirect(&self, place: &Place, alias: Option<&Alias>) -> Result<Option<Redirect>, StoreError> {
        let path = alias.map_or_else(|| layout::moved(place), |alias| layout::moved_alias(place, alias));
        let found = self.read(std::slice::from_ref(&path)).await?;
        found.get(&path).map(|bytes| parse_json(&path, bytes)).transpose()
    }

    /// What applied plugins of a place left behind when they were renamed.
    ///
    /// # Errors
    /// When the context cannot be read, or a record is not one.
    pub async fn redirects<'b>(
        &self,
        place: &Place,
        aliases: impl IntoIterator<Item = &'b Alias>,
    ) -> Result<BTreeMap<Alias, Redirect>, StoreError> {
        let wanted: BTreeMap<String, &Alias> =
            aliases.into_iter().map(|alias| (layout::moved_alias(place, alias), alias)).collect();
        let found = self.read(&wanted.keys().cloned().collect::<Vec<_>>()).await?;
        found.iter().map(|(path, bytes)| Ok((wanted[path].clone(), parse_json(path, bytes)?))).collect()
    }

    /// What redirects lead to from addresses that nothing is published at. Both sides must say so: what is there, that it was called
    /// that once.
    ///
    /// # Errors
    /// When the context cannot be read, or a record is not one.
    pub async fn followed(
        &self,
        missing: impl IntoIterator<Item = &Address>,
    ) -> Result<BTreeMap<Address, ConnectionRecord>, StoreError> {
        let mut followed = BTreeMap::new();
        let mut open: BTreeMap<Address, Address> = missing.into_iter().map(|old| (old.clone(), old.clone())).collect();
        for _ in 0..MOST_HOPS {
            open = self.hop(open).await?;
            if open.is_empty() {
                break;
            }
            let found = self.connections(open.values()).await?;
            for (old, now) in &open {
                if let Some(record) = found.get(now)
                    && self.was_called(now, old).await?
                {
                    followed.insert(old.clone(), record.clone());
                }
            }
            open.retain(|_, now| !found.contains_key(now));
        }
        Ok(followed)
    }

    /// Whether the producer of `now` says that `old` was its connection once.
    async fn was_called(&self, now: &Address, old: &Address) -> Result<bool, StoreError> {
        let (Some(now), Some(old)) = (now.produced_by(), old.produced_by()) else { return Ok(false) };
        let path = layout::applied(&now.place, &now.alias);
        let found = self.read(std::slice::from_ref(&path)).await?;
        let record = found.get(&path).map(|bytes| parse_json::<AppliedRecord>(&path, bytes)).transpose()?;
        Ok(record.is_some_and(|record| record.formerly.contains(&old)))
    }

    /// Where each of these leads next; those that lead nowhere are left out.
    async fn hop(&self, open: BTreeMap<Address, Address>) -> Result<BTreeMap<Address, Address>, StoreError> {
        let paths = |address: &Address| {
            let name = address.produced_by();
            name.map(|name| [layout::moved_alias(&name.place, &name.alias), layout::moved(&name.place)]).into_iter().flatten()
        };
        let wanted: BTreeSet<String> = open.values().flat_map(paths).collect();
        let found = self.read(&wanted.into_iter().collect::<Vec<_>>()).await?;
        let mut next = BTreeMap::new();
        for (old, now) in open {
            let Some((path, bytes)) = paths(&now).find_map(|path| Some((path.clone(), found.get(&path)?))) else {
                continue;
            };
            let redirect: Redirect = parse_json(&path, bytes)?;
            next.extend(redirect.follow(&now).map(|to| (old, to)));
        }
        Ok(next)
    }

    /// The newest runs of a place, newest first, at most so many.
    ///
    /// # Errors
    /// When the context cannot be read, or a record is not one.
    pub async fn runs(&self, place: &Place, most: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.newest_below(layout::runs_folder(place), most).await
    }

    /// The record of a run; none where the run did not come to its end yet.
    ///
    /// # Errors
    /// When the context cannot be read, or the record is not one.
    pub async fn run(&self, place: &Place, run: &RunId) -> Result<Option<RunRecord>, StoreError> {
        let path = layout::run(place, run);
        let found = self.read(std::slice::from_ref(&path)).await?;
        found.get(&path).map(|bytes| parse_json(&path, bytes)).transpose()
    }

    /// The newest releases of a place, newest first, at most so many.
    ///
    /// # Errors
    /// When the context cannot be read, or a release is not one.
    pub async fn releases(&self, place: &Place, most: usize) -> Result<Vec<Release>, StoreError> {
        self.newest_below(layout::releases_folder(place), most).await
    }

    /// The runs that made the releases of a place, newest first.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn released(&self, place: &Place) -> Result<Vec<RunId>, StoreError> {
        let listed = self.list(&[layout::releases_folder(place)]).await?;
        let runs = listed.iter().rev().filter_map(|file| match LedgerFile::parse(&file.path) {
            Some(LedgerFile::Release(_, run)) => RunId::parse(run),
            _ => None,
        });
        Ok(runs.collect())
    }

    /// The releases that these runs made, in the same order.
    ///
    /// # Errors
    /// When the context cannot be read, or a release is not one.
    pub async fn releases_of(&self, place: &Place, runs: &[RunId]) -> Result<Vec<Release>, StoreError> {
        let paths: Vec<_> = runs.iter().map(|run| layout::release(place, run)).collect();
        let found = self.believed(self.read_listed(&paths).await?, |_| true).await?;
        paths.iter().filter_map(|path| Some(parse_json(path, found.get(path)?))).collect()
    }

    /// The tree of an applied plugin, by path inside it; empty where the ledger has none with this digest.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn plugin_tree(&self, digest: &Digest) -> Result<BTreeMap<String, TreeFile>, StoreError> {
        let prefix = format!("{}/", layout::plugin_tree(digest));
        let listed = self.list(&[layout::plugin_tree(digest)]).await?;
        let paths: Vec<_> = listed.iter().map(|file| file.path.clone()).collect();
        let executable: BTreeSet<_> = listed.into_iter().filter(|file| file.executable).map(|file| file.path).collect();
        let files = self.read_listed(&paths).await?.into_iter();
        Ok(files
            .map(|(path, bytes)| {
                let executable = executable.contains(&path);
                (path[prefix.len()..].to_owned(), TreeFile { bytes, executable })
            })
            .collect())
    }

    /// The paths of all files below a folder.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn paths_below(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.list(&[folder.to_owned()]).await?.into_iter().map(|file| file.path).collect())
    }

    /// Files that a listing of this commit named.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn files(&self, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        self.read_listed(paths).await
    }

    /// Those of these files, which a listing of this commit named, that are believed, and what speaks against the others (R41).
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn weighed(&self, paths: &[String]) -> Result<(BTreeMap<String, Vec<u8>>, Vec<Doubt>), StoreError> {
        let mut files = self.read_listed(paths).await?;
        let (Some(trust), Some(at)) = (self.store.trust(), &self.at) else { return Ok((files, Vec::new())) };
        let doubts = trust.doubts(self.store, at, &files).await?;
        files.retain(|path, _| !doubts.contains_key(path));
        Ok((files, doubts.into_values().collect()))
    }

    /// The files with ids for names in a folder, the newest first: ids sort by time.
    async fn newest_below<T: DeserializeOwned>(&self, folder: String, most: usize) -> Result<Vec<T>, StoreError> {
        let paths: Vec<_> = self.list(&[folder]).await?.into_iter().rev().take(most).map(|file| file.path).collect();
        let found = self.believed(self.read_listed(&paths).await?, |_| false).await?;
        found.iter().rev().map(|(path, bytes)| parse_json(path, bytes)).collect()
    }

    /// Those of these files that are believed (R41). The others are told and left out, as if they were not there; but one that would be
    /// acted upon, which must not be guessed at, is an error.
    pub(super) async fn believed(
        &self,
        mut files: BTreeMap<String, Vec<u8>>,
        is_acted_upon: impl Fn(&Weighed) -> bool,
    ) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let (Some(trust), Some(at)) = (self.store.trust(), &self.at) else { return Ok(files) };
        let doubts = trust.weighed(self.store, at, &files).await?;
        if let Some(Weighed { doubt, .. }) = doubts.values().find(|weighed| is_acted_upon(weighed)) {
            let why = format!("it is not believed: {}", doubt.why);
            return Err(StoreError::Corrupt { path: doubt.path.clone(), why });
        }
        trust.tell(doubts.values().map(|weighed| &weighed.doubt));
        files.retain(|path, _| !doubts.contains_key(path));
        Ok(files)
    }

    async fn below(&self, folders: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let paths: Vec<_> = self.list(folders).await?.into_iter().map(|file| file.path).collect();
        self.read_listed(&paths).await
    }

    pub(super) async fn list(&self, folders: &[String]) -> Result<Vec<ListedFile>, StoreError> {
        match &self.at {
            Some(at) => Ok(self.store.list(at, folders).await?.into_values().flatten().collect()),
            None => Ok(Vec::new()),
        }
    }

    pub(super) async fn read_listed(&self, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        match &self.at {
            Some(at) => read_listed(self.store, at, paths).await,
            None => Ok(BTreeMap::new()),
        }
    }

    pub(super) async fn read(&self, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        match &self.at {
            Some(at) => self.believed(self.store.read(at, paths).await?, |_| false).await,
            None => Ok(BTreeMap::new()),
        }
    }
}

/// The claim of a place, with the commit that moving or deleting it must name. One that is not believed still holds the place, and
/// nothing that its journal says counts: what was applied, retired, worked on or set aside.
///
/// # Errors
/// When the context cannot be read, or the claim is not one.
pub async fn read_claim(store: &dyn ContextStore, place: &Place) -> Result<Option<(CommitId, Claim)>, StoreError> {
    let Some((commit, bytes)) = store.read_claim(place).await? else { return Ok(None) };
    let mut claim: Claim = parse_json(layout::CLAIM, &bytes)?;
    if let Some(trust) = store.trust()
        && let Some(why) = trust.doubt_of_claim(store, place, &bytes).await?
    {
        trust.tell([&Doubt { path: format!("the claim of {place}"), why }]);
        claim.applied.clear();
        claim.retiring.clear();
        claim.run.tasks.clear();
        claim.run.overrides.clear();
    }
    Ok(Some((commit, claim)))
}

/// The journal of a fleet's job, as it stood at this commit of its ref. None where it is not believed, or is not what the ref says.
///
/// # Errors
/// When the context cannot be read, or the journal is not one.
pub async fn read_part(store: &dyn ContextStore, name: &PartName, at: &CommitId) -> Result<Option<Claim>, StoreError> {
    let bytes = store.read_part(at).await?;
    let journal: Claim = parse_json(layout::CLAIM, &bytes)?;
    let is_named_so = journal.part.as_ref().is_some_and(|part| part.aliases.first() == Some(&name.alias));
    let mut why = (!is_named_so || journal.place != name.place || journal.run.id != name.fleet)
        .then(|| "it is the journal of something else".to_owned());
    if let (None, Some(trust)) = (&why, store.trust()) {
        why = trust.doubt_of_claim(store, &name.place, &bytes).await?;
    }
    let Some(why) = why else { return Ok(Some(journal)) };
    let doubt = Doubt { path: format!("the journal of {} in fleet {}", name.alias, name.fleet), why };
    match store.trust() {
        Some(trust) => trust.tell([&doubt]),
        None => return Err(StoreError::Corrupt { path: doubt.path, why: doubt.why }),
    }
    Ok(None)
}

/// The claims of all runs in progress.
///
/// # Errors
/// When the context cannot be read, or a claim is not one.
pub async fn claims(store: &dyn ContextStore) -> Result<Vec<Claim>, StoreError> {
    let mut claims = Vec::new();
    for place in store.claims().await?.into_keys() {
        claims.extend(read_claim(store, &place).await?.map(|(_, claim)| claim));
    }
    Ok(claims)
}

/// Reads files that a listing named. One without content is lost, not absent: a consumer that cannot be seen must not be taken for
/// none.
pub(super) async fn read_listed(
    store: &dyn ContextStore,
    at: &CommitId,
    paths: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let found = store.read(at, paths).await?;
    match paths.iter().find(|path| !found.contains_key(*path)) {
        None => Ok(found),
        Some(lost) => Err(StoreError::Corrupt { path: lost.clone(), why: "its content is lost".to_owned() }),
    }
}

/// Reads a file of the ledger as what it should be.
///
/// # Errors
/// [`StoreError::Corrupt`] when it is something else.
pub fn parse_json<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|problem| StoreError::Corrupt { path: path.to_owned(), why: problem.to_string() })
}

/// Reads a connection record, which must be the one of its path: a record that was moved could pass for another.
fn parse_connection(path: &str, bytes: &[u8], address: &Address) -> Result<ConnectionRecord, StoreError> {
    let connection: ConnectionRecord = parse_json(path, bytes)?;
    if connection.address == *address {
        return Ok(connection);
    }
    Err(StoreError::Corrupt { path: path.to_owned(), why: format!("it is the record of `{}`", connection.address) })
}
