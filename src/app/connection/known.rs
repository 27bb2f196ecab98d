//! All that is known of one connection.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::assemble;
use crate::app::session::Session;
use crate::context::ledger::{self, Snapshot};
use crate::context::{Branch, ContextStore, layout};
use crate::documents;
use crate::domain::address::{Address, Target};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::declared::Declaration;
use crate::domain::diagnostic::Problems;
use crate::domain::need::{self, Need};
use crate::resolve;

/// A connection, and who needs it.
#[derive(Default)]
pub(super) struct Known {
    /// Its record, or what stands for one where it is imported; none where there is no such connection.
    pub(super) record: Option<ConnectionRecord>,
    /// Who is bound to it.
    pub(super) bound: Vec<ConsumerEntry>,
    /// Who declares it without being bound.
    pub(super) declared: Vec<Declaration>,
    /// All that stands in the way of its end (R29). Consumers inside its own deployable do not: they go with it.
    pub(super) needs: BTreeSet<Need>,
}

impl Known {
    /// Reads it as it stands now.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub(super) async fn read(session: &Session, store: &dyn ContextStore, address: &Address) -> Result<Self, Problems> {
        let snapshot = Snapshot::newest(store).await?;
        let home = address.producer();
        let mut known = Self::default();
        let consumers = snapshot.consumers([address]).await?.remove(address).unwrap_or_default();
        known.bound = consumers.bound.into_values().collect();
        known.declared = consumers.declared.into_values().collect();
        known.needs = need::of_consumers(home.as_ref(), &known.bound, &known.declared);
        known.record = match address.target {
            Target::Imported(_) => imported_at(session, store, [address]).await?.pop(),
            Target::Output { .. } => snapshot.connection(address).await?,
        };
        if let Some(head) = store.head(Branch::Documents).await? {
            known.needs.extend(need::of_defaults(address, &assemble::environments(session, store, &head).await?));
        }
        // Claims last: who binds after this look sees what was written before it (R30).
        known.needs.extend(need::of_claims(address, home.as_ref(), &ledger::claims(store).await?));
        Ok(known)
    }
}

/// The imported connections at these addresses, as if they were recorded; published ones, and those that are not there, are left out.
///
/// # Errors
/// When the context cannot be read, or a document is not one.
pub(in crate::app) async fn imported_at(
    session: &Session,
    store: &dyn ContextStore,
    addresses: impl IntoIterator<Item = &Address>,
) -> Result<Vec<ConnectionRecord>, Problems> {
    let Some(head) = store.head(Branch::Documents).await? else { return Ok(Vec::new()) };
    let path = |address: &Address| match &address.target {
        Target::Imported(name) => Some(layout::imported(&address.workspace, &address.environment, name)),
        Target::Output { .. } => None,
    };
    let wanted: BTreeMap<String, &Address> =
        addresses.into_iter().filter_map(|address| Some((path(address)?, address))).collect();
    let paths: Vec<String> = wanted.keys().cloned().collect();
    let documents = session.context_documents(store, &head, &paths, documents::imported).await?;
    Ok(documents.iter().filter_map(|(path, document)| resolve::imported_record(wanted.get(path)?, document)).collect())
}
