//! `tieline connection list`.

use std::collections::BTreeSet;

use super::known::imported_at;
use super::place;
use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::context::{Branch, ContextStore, layout};
use crate::domain::address::{Address, Place, Target as Means};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::Problems;
use crate::domain::names::ImportedName;
use crate::report::connections::{self as shown, Listed};
use crate::request::cli::Target;

/// Lists the connections of an environment, with how many use each.
pub(super) async fn run(session: &Session, target: &Target) -> Result<(), Problems> {
    let place = place(session, target)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let store = &*opened.store;
    let mut records = connections_of(store, &place).await?;
    records.extend(imported_at(session, store, &imported_of(store, &place).await?).await?);
    let addresses: BTreeSet<&Address> = records.iter().map(|record| &record.address).collect();
    let mut consumers = Snapshot::newest(store).await?.consumers(addresses).await?;
    let listed = records.into_iter().map(|record| {
        let found = consumers.remove(&record.address).unwrap_or_default();
        let behind = found.bound.values().filter(|entry| entry.is_behind(&record)).count();
        Listed { bound: found.bound.len(), behind, declared: found.declared.len(), record }
    });
    let listed: Vec<Listed> = listed.collect();
    session.print(&if session.is_json() { shown::json(&listed) } else { shown::text(&listed, &place) });
    Ok(())
}

/// All published connections of an environment, by address. One that is not believed is told and left out.
async fn connections_of(store: &dyn ContextStore, place: &Place) -> Result<Vec<ConnectionRecord>, Problems> {
    let Some(head) = store.head(Branch::Ledger).await? else { return Ok(Vec::new()) };
    let folder = layout::environment_folder(&place.workspace, &place.environment);
    let listed = store.list(&head, &[folder]).await?;
    let paths: Vec<String> =
        listed.into_values().flatten().map(|file| file.path).filter(|path| path.contains("/connections/")).collect();
    let (files, doubts) = Snapshot::new(store, Some(head)).weighed(&paths).await?;
    if let Some(trust) = store.trust() {
        trust.tell(&doubts);
    }
    let mut records: Vec<ConnectionRecord> = files.values().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect();
    records.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(records)
}

/// The addresses of all imported connections of an environment.
async fn imported_of(store: &dyn ContextStore, place: &Place) -> Result<Vec<Address>, Problems> {
    let Some(head) = store.head(Branch::Documents).await? else { return Ok(Vec::new()) };
    let folder = layout::imported_folder(&place.workspace, &place.environment);
    let listed = store.list(&head, &[folder]).await?.into_values().flatten();
    let addresses = listed.filter_map(|file| {
        let name = file.path.rsplit('/').next()?.strip_suffix(".yaml")?;
        let target = Means::Imported(ImportedName::new(name).ok()?);
        Some(Address { workspace: place.workspace.clone(), environment: place.environment.clone(), target })
    });
    Ok(addresses.collect())
}
