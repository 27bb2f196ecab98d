//! What has to be known of the ledger to judge a change, and nothing else of it.

use std::collections::BTreeSet;

use crate::app::uses::{self, Consumers};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::parse_json;
use crate::context::{Branch, CommitId, ContextStore, StoreError};
use crate::domain::connection::ConnectionRecord;
use crate::domain::record::AppliedRecord;
use crate::review::{Documents, Ledger, Needs};

/// Reads it.
///
/// # Errors
/// When the context cannot be read, or a record is not one.
pub(super) async fn read(store: &dyn ContextStore, before: &Documents, needs: &Needs) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger::default();
    if needs.claims {
        ledger.claims = store.claims().await?.into_keys().collect();
    }
    if needs.consumers.is_empty() && needs.granted.is_empty() && needs.deployed.is_empty() && !needs.everything {
        return Ok(ledger);
    }
    let Some(head) = store.head(Branch::Ledger).await? else { return Ok(ledger) };
    let consumers = consumers(store, &head, before, needs).await?;
    ledger.uses = uses::of_consumers(store, &head, &consumers).await?;
    let of_defaults = ledger.uses.iter_mut().filter(|used| needs.consumers.contains(used.address()));
    uses::note_declared(store, &head, of_defaults.collect()).await?;
    let granted = consumers.keys().filter(|address| needs.granted.contains_key(&address.workspace));
    ledger.kinds = uses::kinds(store, &head, granted).await?;
    deployed(store, &head, needs, &mut ledger).await?;
    if needs.everything {
        published(store, &head, before, &mut ledger).await?;
    }
    Ok(ledger)
}

async fn consumers(
    store: &dyn ContextStore,
    head: &CommitId,
    before: &Documents,
    needs: &Needs,
) -> Result<Consumers, StoreError> {
    if needs.everything {
        return uses::consumers_below(store, head, workspaces(before)).await;
    }
    let mut consumers = uses::consumers_below(store, head, needs.consumers.iter().map(layout::consumers_folder)).await?;
    for (workspace, patterns) in &needs.granted {
        for (address, more) in uses::consumers_of_grants(store, head, workspace, patterns).await? {
            consumers.entry(address).or_default().extend(more);
        }
    }
    Ok(consumers)
}

async fn deployed(store: &dyn ContextStore, head: &CommitId, needs: &Needs, ledger: &mut Ledger) -> Result<(), StoreError> {
    let folders: Vec<String> =
        needs.deployed.iter().map(|(workspace, environment)| layout::environment_folder(workspace, environment)).collect();
    let mut wanted = Vec::new();
    for file in store.list(head, &folders).await?.into_values().flatten() {
        if let Some(LedgerFile::Applied(place, alias)) = LedgerFile::parse(&file.path) {
            if needs.states.contains(&(place.workspace.clone(), place.environment.clone())) {
                wanted.push(file.path.clone());
            }
            ledger.deployed.insert((place, alias), None);
        }
    }
    for (path, bytes) in store.read(head, &wanted).await? {
        if let Some(LedgerFile::Applied(place, alias)) = LedgerFile::parse(&path) {
            let record: AppliedRecord = parse_json(&path, &bytes)?;
            ledger.deployed.insert((place, alias), Some(record.state));
        }
    }
    Ok(())
}

/// As which types all that is published is.
async fn published(store: &dyn ContextStore, head: &CommitId, before: &Documents, ledger: &mut Ledger) -> Result<(), StoreError> {
    let listed = store.list(head, &workspaces(before).collect::<Vec<_>>()).await?;
    let is_connection = |path: &String| matches!(LedgerFile::parse(path), Some(LedgerFile::Connection(_)));
    let paths: BTreeSet<String> = listed.into_values().flatten().map(|file| file.path).filter(is_connection).collect();
    for (path, bytes) in store.read(head, &paths.into_iter().collect::<Vec<_>>()).await? {
        let record: ConnectionRecord = parse_json(&path, &bytes)?;
        let faces = record.faces().map(|face| (record.address.clone(), face.type_name.clone(), face.type_version.clone()));
        ledger.published.extend(faces);
    }
    Ok(())
}

/// The ledger's folders of all workspaces.
fn workspaces(before: &Documents) -> impl Iterator<Item = String> {
    before.workspaces.keys().map(ToString::to_string)
}
