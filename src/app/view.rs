//! What the resolver has to know of the context, read in a few batches.

use std::collections::{BTreeMap, BTreeSet};

use super::session::{Opened, Session};
use crate::context::ledger::{self, Snapshot};
use crate::context::{CommitId, ContextStore, layout};
use crate::documents;
use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::ConsumerEntry;
use crate::domain::declared::Declaration;
use crate::domain::diagnostic::Problems;
use crate::domain::names::{EnvironmentName, WorkspaceName};
use crate::resolve::ContextView;

impl Session {
    /// What the resolver has to know of the context: the connections it may want, who owns them, where their secrets are.
    pub(super) async fn context_view(
        &self,
        opened: &Opened,
        documents_head: &CommitId,
        wanted: &BTreeSet<Address>,
        place: &Place,
    ) -> Result<ContextView, Problems> {
        let store = &*opened.store;
        let mut view = ContextView::default();
        let snapshot = Snapshot::newest(store).await?;
        view.connections = snapshot.connections(wanted).await?;
        view.kinds =
            view.connections.values().filter_map(|record| Some((record.address.producer()?, record.producer.kind))).collect();
        let wanted = &follow(&snapshot, wanted, &mut view).await?;
        let own = snapshot.place(place).await?;
        let addresses: BTreeSet<Address> = own.connections.values().map(|record| record.address.clone()).collect();
        view.consumers = entries(&snapshot.consumers(&addresses).await?);
        view.applied = own.applied;
        let imported: BTreeMap<String, Address> = wanted
            .iter()
            .filter_map(|address| match &address.target {
                Target::Imported(name) => {
                    Some((layout::imported(&address.workspace, &address.environment, name), address.clone()))
                }
                Target::Output { .. } => None,
            })
            .collect();
        let paths: Vec<String> = imported.keys().cloned().collect();
        for (path, document) in self.context_documents(store, documents_head, &paths, documents::imported).await? {
            view.imported.insert(imported[&path].clone(), document);
        }
        let workspaces: BTreeSet<&WorkspaceName> = wanted.iter().map(|address| &address.workspace).collect();
        let paths: Vec<String> = workspaces.into_iter().map(layout::workspace).collect();
        let found = self.context_documents(store, documents_head, &paths, documents::workspace).await?;
        view.workspaces = found.into_values().map(|workspace| (workspace.name.clone(), workspace)).collect();
        let producers: BTreeSet<Place> = wanted.iter().filter_map(Address::producer).collect();
        self.producer_states(store, documents_head, &producers, wanted, &mut view).await?;
        self.environments(store, documents_head, &mut view).await?;
        Ok(view)
    }

    /// Where the producers' states are: derived from their environments' documents, never taken from the ledger.
    async fn producer_states(
        &self,
        store: &dyn ContextStore,
        head: &CommitId,
        producers: &BTreeSet<Place>,
        wanted: &BTreeSet<Address>,
        view: &mut ContextView,
    ) -> Result<(), Problems> {
        let paths: BTreeSet<String> =
            producers.iter().map(|place| layout::environment(&place.workspace, &place.environment)).collect();
        let documents =
            self.context_documents(store, head, &paths.into_iter().collect::<Vec<_>>(), documents::environment).await?;
        for address in wanted {
            let (Some(place), Target::Output { alias, .. }) = (address.producer(), &address.target) else { continue };
            if let Some(environment) = documents.get(&layout::environment(&place.workspace, &place.environment)) {
                let state = crate::render::backend::state_location(&environment.backend, &place, alias);
                view.states.insert((place, alias.clone()), state);
            }
        }
        Ok(())
    }

    async fn environments(&self, store: &dyn ContextStore, head: &CommitId, view: &mut ContextView) -> Result<(), Problems> {
        let listed = store.list(head, &[layout::WORKSPACES.to_owned()]).await?;
        for file in listed.into_values().flatten() {
            let parts: Vec<&str> = file.path.split('/').collect();
            if let ["workspaces", workspace, "environments", environment] = parts[..]
                && let (Ok(workspace), Some(Ok(environment))) =
                    (WorkspaceName::new(workspace), environment.strip_suffix(".yaml").map(EnvironmentName::new))
            {
                view.environments.entry(workspace).or_default().insert(environment);
            }
        }
        Ok(())
    }
}

/// Adds what redirects lead to from addresses that nothing is published at (R40); all addresses, those behind redirects included.
async fn follow(
    snapshot: &Snapshot<'_>,
    wanted: &BTreeSet<Address>,
    view: &mut ContextView,
) -> Result<BTreeSet<Address>, Problems> {
    let missing = wanted.iter().filter(|address| address.producer().is_some() && !view.connections.contains_key(address));
    let mut wanted = wanted.clone();
    for (old, record) in snapshot.followed(missing.collect::<Vec<_>>()).await? {
        // Who could see it under the old name still does.
        view.kinds.extend(old.producer().map(|place| (place, record.producer.kind)));
        view.kinds.extend(record.address.producer().map(|place| (place, record.producer.kind)));
        wanted.insert(record.address.clone());
        view.redirects.insert(old, record.address.clone());
        view.connections.insert(record.address.clone(), record);
    }
    Ok(wanted)
}

/// Who declares connections without being bound to them.
pub(super) fn declared(consumers: &BTreeMap<Address, ledger::Consumers>) -> BTreeMap<Address, Vec<Declaration>> {
    consumers.iter().map(|(address, consumers)| (address.clone(), consumers.declared.values().cloned().collect())).collect()
}

/// Entries of bound consumers without their keys, which the entries repeat.
pub(super) fn entries(consumers: &BTreeMap<Address, ledger::Consumers>) -> BTreeMap<Address, Vec<ConsumerEntry>> {
    consumers.iter().map(|(address, consumers)| (address.clone(), consumers.bound.values().cloned().collect())).collect()
}
