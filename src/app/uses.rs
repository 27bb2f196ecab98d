//! Who uses which connections, read from the ledger in a few batches.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Opened;
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::{self, Consumer, Snapshot};
use crate::context::{Branch, CommitId, ContextStore, StoreError};
use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::manifest::Manifest;
use crate::domain::names::{EnvironmentName, SlotName, WorkspaceName};
use crate::domain::preview::Preview;
use crate::domain::record::AppliedRecord;
use crate::resolve::grants::within_workspace;
use crate::review::{Kinds, Use, grants};

/// Who consumes what, by the entries beside the connections.
pub(super) type Consumers = BTreeMap<Address, BTreeSet<Consumer>>;

/// The uses of those connections of a workspace that one of the patterns means, as grants write them, and what their producers are.
///
/// # Errors
/// When the context cannot be read, or a record is not one.
pub(super) async fn of_grants(
    opened: &Opened,
    workspace: &WorkspaceName,
    patterns: &[String],
) -> Result<(Vec<Use>, Kinds), StoreError> {
    let store = &*opened.store;
    let Some(head) = store.head(Branch::Ledger).await? else { return Ok((Vec::new(), Kinds::new())) };
    let consumers = consumers_of_grants(store, &head, workspace, patterns).await?;
    Ok((of_consumers(store, &head, &consumers).await?, kinds(store, &head, consumers.keys()).await?))
}

/// The consumers of those connections of a workspace that one of the patterns means.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn consumers_of_grants<'a>(
    store: &dyn ContextStore,
    head: &CommitId,
    workspace: &WorkspaceName,
    patterns: impl IntoIterator<Item = &'a String> + Clone,
) -> Result<Consumers, StoreError> {
    let folders: BTreeSet<String> = patterns.clone().into_iter().map(|pattern| folder(workspace, pattern)).collect();
    let mut consumers = consumers_below(store, head, folders).await?;
    consumers.retain(|address, _| patterns.clone().into_iter().any(|pattern| grants::is_meant(pattern, address)));
    Ok(consumers)
}

/// The consumers that have entries in these folders of the ledger.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn consumers_below(
    store: &dyn ContextStore,
    head: &CommitId,
    folders: impl IntoIterator<Item = String>,
) -> Result<Consumers, StoreError> {
    let listed = store.list(head, &folders.into_iter().collect::<Vec<_>>()).await?;
    let mut consumers = Consumers::new();
    for file in listed.into_values().flatten() {
        if let Some(LedgerFile::Consumer(address, place, slot)) = LedgerFile::parse(&file.path) {
            consumers.entry(address).or_default().insert((place, slot));
        }
    }
    Ok(consumers)
}

/// What the producers of these connections are.
///
/// # Errors
/// When the context cannot be read, or a record is not one.
pub(super) async fn kinds(
    store: &dyn ContextStore,
    head: &CommitId,
    addresses: impl IntoIterator<Item = &Address>,
) -> Result<Kinds, StoreError> {
    let records = Snapshot::new(store, Some(head.clone())).connections(addresses).await?;
    Ok(records.values().filter_map(|record| Some((record.address.producer()?, record.producer.kind))).collect())
}

/// The folder of the ledger with the consumers of all that a pattern means.
fn folder(workspace: &WorkspaceName, pattern: &str) -> String {
    let fixed = pattern.split('/').take(2).take_while(|part| !part.contains('*'));
    std::iter::once(workspace.as_str()).chain(fixed).collect::<Vec<_>>().join("/")
}

/// What the consumers' own records say of these uses. An entry without a record to it is none.
pub(super) async fn of_consumers(
    store: &dyn ContextStore,
    head: &CommitId,
    consumers: &Consumers,
) -> Result<Vec<Use>, StoreError> {
    let applied = |(place, slot): &Consumer| layout::applied(place, &slot.alias);
    let paths: BTreeSet<String> = consumers.values().flatten().map(applied).collect();
    let files = store.read(head, &paths.into_iter().collect::<Vec<_>>()).await?;
    let bases = bases(store, head, consumers.values().flatten().map(|(place, _)| place)).await?;
    let mut uses = Vec::new();
    for (address, consumer) in consumers.iter().flat_map(|(address, all)| all.iter().map(move |one| (address, one))) {
        let path = applied(consumer);
        let Some(bytes) = files.get(&path) else { continue };
        let record: AppliedRecord = ledger::parse_json(&path, bytes)?;
        let (place, slot) = consumer.clone();
        if let Some(binding) = record.bindings.get(&slot.member).filter(|binding| binding.address == *address) {
            let base = bases.get(&layout::preview(&place.workspace, &place.environment)).cloned();
            uses.push(Use { consumer: place, base, slot, binding: binding.clone(), is_declared: false });
        }
    }
    Ok(uses)
}

/// What the previews among these places are on top of, by the path that says so.
async fn bases(
    store: &dyn ContextStore,
    head: &CommitId,
    places: impl Iterator<Item = &Place>,
) -> Result<BTreeMap<String, EnvironmentName>, StoreError> {
    let previews = places.filter(|place| place.environment.is_preview());
    let paths: BTreeSet<String> = previews.map(|place| layout::preview(&place.workspace, &place.environment)).collect();
    let found = store.read(head, &paths.into_iter().collect::<Vec<_>>()).await?;
    found
        .into_iter()
        .map(|(path, bytes)| ledger::parse_json::<Preview>(&path, &bytes).map(|preview| (path, preview.base)))
        .collect()
}

/// Takes note of which uses the consumers' own manifests ask for, as their newest releases have them.
///
/// # Errors
/// When the context cannot be read, or a release is not one.
pub(super) async fn note_declared(store: &dyn ContextStore, head: &CommitId, mut uses: Vec<&mut Use>) -> Result<(), StoreError> {
    let places: BTreeSet<Place> = uses.iter().map(|used| used.consumer.clone()).collect();
    for place in places {
        let releases = Snapshot::new(store, Some(head.clone())).releases(&place, 1).await?;
        let manifest = releases.first().and_then(|release| serde_json::from_value::<Manifest>(release.manifest.clone()).ok());
        let Some(manifest) = manifest else { continue };
        for used in uses.iter_mut().filter(|used| used.consumer == place) {
            used.is_declared = declares(&manifest, &place, &used.slot);
        }
    }
    Ok(())
}

fn declares(manifest: &Manifest, place: &Place, slot: &AliasMember<SlotName>) -> bool {
    let wired = manifest.plugins.get(&slot.alias).is_some_and(|plugin| plugin.connections.contains_key(&slot.member));
    let overlay = manifest.environments.get(&place.environment);
    wired || overlay.is_some_and(|overlay| overlay.references.contains_key(slot))
}

/// An address or a pattern of addresses as grants divide it: the workspace that owns it, and the rest.
///
/// # Errors
/// What should have been written.
pub(super) fn divided(text: &str) -> Result<(WorkspaceName, String), String> {
    if let Ok(address) = text.parse::<Address>() {
        return Ok((address.workspace.clone(), within_workspace(&address)));
    }
    let wrong = || {
        format!(
            "`{text}` is neither an address nor a pattern: write `<workspace>/<environment>/<deployable>/<alias>.<output>`, with `*` \
             after the workspace where any will do"
        )
    };
    let (workspace, rest) = text.split_once('/').ok_or_else(wrong)?;
    Ok((WorkspaceName::new(workspace).map_err(|problem| problem.to_string())?, rest.to_owned()))
}
