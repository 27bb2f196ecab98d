//! `tieline status`: runs, releases, connections, consumers and claims of an environment.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{connections_of, imported_at, place};
use super::session::Session;
use super::{back, view};
use crate::context::layout::LedgerFile;
use crate::context::ledger::{self, Snapshot};
use crate::context::{Branch, CommitId, ContextStore, layout};
use crate::domain::address::{Address, Place};
use crate::domain::diagnostic::Problems;
use crate::domain::difference::differences;
use crate::domain::names::{Alias, DeployableName};
use crate::domain::record::{AppliedRecord, Claim, Release, RunRecord};
use crate::domain::staleness::{self, Stale};
use crate::report;
use crate::report::status::Candidate;
use crate::request::cli::Target;

/// How many runs and releases are shown of each deployable.
const SHOWN: usize = 5;

/// Reads an environment's part of the ledger and shows it.
pub(super) async fn run(session: &Session, target: &Target) -> Result<(), Problems> {
    let place = place(session, target)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let store = &*opened.store;
    let connections = connections_of(store, &place).await?;
    let mut status = report::status::Status { connections, ..report::status::Status::default_for(&place) };
    if let Some(head) = store.head(Branch::Ledger).await? {
        let folder = layout::environment_folder(&place.workspace, &place.environment);
        let listed: Vec<String> = store.list(&head, &[folder]).await?.into_values().flatten().map(|file| file.path).collect();
        status.runs = newest::<RunRecord>(store, &head, &listed, "runs").await?;
        let releases = newest::<Release>(store, &head, &listed, "releases").await?;
        let applied = applied(store, &head, &listed).await?;
        status.releases = compared(session, target, &place, releases, &applied);
        let addresses: BTreeSet<Address> = status.connections.iter().map(|record| record.address.clone()).collect();
        let snapshot = Snapshot::new(store, Some(head));
        status.consumers = view::entries(&snapshot.consumers(&addresses).await?);
        status.stale = stale(session, store, &snapshot, &listed).await?;
    }
    status.claims = claims(store, &place).await?;
    session.print(&if session.is_json() {
        report::status::json(&status)
    } else {
        report::status::text(&status, session.world.clock.now())
    });
    Ok(())
}

/// The newest few records of a kind, by deployable, newest first. Their ids sort by time.
async fn newest<T: serde::de::DeserializeOwned>(
    store: &dyn ContextStore,
    head: &CommitId,
    listed: &[String],
    kind: &str,
) -> Result<BTreeMap<String, Vec<T>>, Problems> {
    let mut by_deployable: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in listed {
        if let [_, _, deployable, found, _] = path.split('/').collect::<Vec<_>>()[..]
            && found == kind
        {
            by_deployable.entry(deployable.to_owned()).or_default().push(path.clone());
        }
    }
    for paths in by_deployable.values_mut() {
        paths.sort_unstable_by(|a, b| b.cmp(a));
        paths.truncate(SHOWN);
    }
    let all: Vec<String> = by_deployable.values().flatten().cloned().collect();
    let files = store.read(head, &all).await?;
    let parsed = by_deployable.into_iter().map(|(deployable, paths)| {
        let records = paths.iter().filter_map(|path| serde_json::from_slice(files.get(path)?).ok());
        (deployable, records.collect())
    });
    Ok(parsed.collect())
}

/// What the environment's own slots are bound to and is not what it was, or will not stay so (R20).
async fn stale(
    session: &Session,
    store: &dyn ContextStore,
    snapshot: &Snapshot<'_>,
    listed: &[String],
) -> Result<Vec<Stale>, Problems> {
    let is_applied = |path: &&String| matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..)));
    let paths: Vec<String> = listed.iter().filter(is_applied).cloned().collect();
    let mut bindings = Vec::new();
    for (path, bytes) in snapshot.files(&paths).await? {
        let Some(LedgerFile::Applied(place, alias)) = LedgerFile::parse(&path) else { continue };
        let record: AppliedRecord = ledger::parse_json(&path, &bytes)?;
        bindings.extend(record.bindings.into_iter().map(|(slot, binding)| (format!("{place}/{alias}.{slot}"), binding)));
    }
    let addresses: BTreeSet<&Address> = bindings.iter().map(|(_, binding)| &binding.address).collect();
    let mut now = snapshot.connections(addresses.iter().copied()).await?;
    let imported = imported_at(session, store, addresses).await?;
    now.extend(imported.into_iter().map(|record| (record.address.clone(), record)));
    let stale = bindings.into_iter().filter_map(|(consumer, binding)| {
        let because = staleness::because(&binding, now.get(&binding.address));
        (!because.is_empty()).then_some(Stale { consumer, connection: binding.address, because })
    });
    Ok(stale.collect())
}

/// Every applied record, by deployable.
async fn applied(
    store: &dyn ContextStore,
    head: &CommitId,
    listed: &[String],
) -> Result<BTreeMap<DeployableName, BTreeMap<Alias, AppliedRecord>>, Problems> {
    let mut applied: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let paths: Vec<String> =
        listed.iter().filter(|path| matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..)))).cloned().collect();
    for (path, bytes) in store.read(head, &paths).await? {
        if let (Some(LedgerFile::Applied(place, alias)), Ok(record)) = (LedgerFile::parse(&path), serde_json::from_slice(&bytes))
        {
            applied.entry(place.deployable).or_default().insert(alias, record);
        }
    }
    Ok(applied)
}

/// The releases of each deployable, beside what is deployed of it now and how to go back.
fn compared(
    session: &Session,
    target: &Target,
    place: &Place,
    releases: BTreeMap<String, Vec<Release>>,
    applied: &BTreeMap<DeployableName, BTreeMap<Alias, AppliedRecord>>,
) -> BTreeMap<DeployableName, Vec<Candidate>> {
    let nothing = BTreeMap::new();
    let of = |(deployable, releases): (String, Vec<Release>)| {
        let deployable = DeployableName::new(&deployable).ok()?;
        let place = Place { deployable: deployable.clone(), ..place.clone() };
        let now = applied.get(&deployable).unwrap_or(&nothing);
        let candidate = |release: Release| Candidate {
            differs: differences(&release, now),
            command: back::command(session, target, &place, &release.run),
            release,
        };
        Some((deployable, releases.into_iter().map(candidate).collect()))
    };
    releases.into_iter().filter_map(of).collect()
}

async fn claims(store: &dyn ContextStore, place: &Place) -> Result<Vec<Claim>, Problems> {
    let mut claims = Vec::new();
    let here = |claimed: &Place| claimed.workspace == place.workspace && claimed.environment == place.environment;
    for claimed in store.claims().await?.into_keys().filter(here) {
        claims.extend(ledger::read_claim(store, &claimed).await?.map(|(_, claim)| claim));
    }
    Ok(claims)
}
