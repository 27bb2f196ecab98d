//! What a change of the documents does to what is deployed: whom it repoints, allows or breaks.
//!
//! Pure: the documents before and after it, and what was read of the ledger, are handed in as values. [`needs`] says what that has to be,
//! so that nothing else is read.

mod environments;
pub mod grants;
mod imported;
mod organization;
#[cfg(test)]
mod tests;
mod types;
mod workspaces;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::catalog::Catalog;
use crate::domain::connection::Binding;
use crate::domain::connection_type::ConnectionType;
use crate::domain::manifest::DeployableKind;
use crate::domain::names::{Alias, Digest, EnvironmentName, SlotName, TypeName, WorkspaceName};
use crate::domain::organization::{ContextDocument, Environment, ImportedConnection, Workspace};
use crate::domain::record::StateLocation;
use crate::domain::review::{Document, Effect, Finding};
use crate::resolve::grants::Consumer;

/// All that people wrote.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// What holds for the whole organization.
    pub context: Option<ContextDocument>,
    /// Where plugins come from.
    pub catalog: Option<Catalog>,
    /// The connection interface types.
    pub types: BTreeMap<(TypeName, Version), ConnectionType>,
    /// The workspaces.
    pub workspaces: BTreeMap<WorkspaceName, Workspace>,
    /// The environments.
    pub environments: BTreeMap<EnvironmentKey, Environment>,
    /// The imported connections.
    pub imported: BTreeMap<Address, ImportedConnection>,
    /// The policies, by path.
    pub policies: BTreeMap<String, Digest>,
}

/// An environment of a workspace.
pub type EnvironmentKey = (WorkspaceName, EnvironmentName);

/// What has to be known of the ledger to judge a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The uses of these connections.
    pub consumers: BTreeSet<Address>,
    /// The uses of those connections of a workspace that these patterns of grants mean.
    pub granted: BTreeMap<WorkspaceName, BTreeSet<String>>,
    /// What is applied in these environments.
    pub deployed: BTreeSet<EnvironmentKey>,
    /// Of which of them also where the states are.
    pub states: BTreeSet<EnvironmentKey>,
    /// Every use and every published connection, of whatever workspace.
    pub everything: bool,
    /// The claims there are.
    pub claims: bool,
}

/// What was read of the ledger.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Who uses what.
    pub uses: Vec<Use>,
    /// What producers are.
    pub kinds: Kinds,
    /// What is applied, with the place of its state where that was asked for.
    pub deployed: BTreeMap<(Place, Alias), Option<StateLocation>>,
    /// As which types connections are published.
    pub published: BTreeSet<(Address, TypeName, Version)>,
    /// The runs in progress.
    pub claims: BTreeSet<Place>,
}

/// A slot that uses a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The deployable that uses it.
    pub consumer: Place,
    /// The environment that the consumer is in a preview on top of.
    pub base: Option<EnvironmentName>,
    /// The slot.
    pub slot: AliasMember<SlotName>,
    /// The connection, and how it was taken.
    pub binding: Binding,
    /// Whether the consumer's own manifest names the connection: then no default matters to it.
    pub is_declared: bool,
}

impl Use {
    /// The connection.
    pub fn address(&self) -> &Address {
        &self.binding.address
    }

    /// The consumer, as grants know it.
    pub fn asking(&self) -> Consumer {
        Consumer::of(&self.consumer, self.base.as_ref())
    }

    /// The slot with its place, as `<workspace>/<environment>/<deployable>/<alias>.<slot>`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.consumer, self.slot)
    }
}

/// What producers are; one that is not here counts as an application.
pub type Kinds = BTreeMap<Place, DeployableKind>;

/// What has to be known of the ledger to judge this change.
pub fn needs(before: &Documents, after: &Documents) -> Needs {
    let mut needs = Needs::default();
    organization::needs(before, after, &mut needs);
    types::needs(before, after, &mut needs);
    workspaces::needs(before, after, &mut needs);
    environments::needs(before, after, &mut needs);
    imported::needs(before, after, &mut needs);
    needs
}

/// What this change does, the gravest first.
pub fn review(before: &Documents, after: &Documents, ledger: &Ledger) -> Vec<Finding> {
    let mut findings = Vec::new();
    organization::review(before, after, ledger, &mut findings);
    types::review(before, after, ledger, &mut findings);
    workspaces::review(before, after, ledger, &mut findings);
    environments::review(before, after, ledger, &mut findings);
    imported::review(before, after, ledger, &mut findings);
    findings.sort_by_key(|finding| finding.effect);
    findings
}

/// A key whose value differs, with both values; none where there is none.
type Changed<'a, K, V> = (&'a K, Option<&'a V>, Option<&'a V>);

fn changed<'a, K: Ord, V: PartialEq>(before: &'a BTreeMap<K, V>, after: &'a BTreeMap<K, V>) -> Vec<Changed<'a, K, V>> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let both = keys.into_iter().map(|key| (key, before.get(key), after.get(key)));
    both.filter(|(_, before, after)| before != after).collect()
}

/// So many of something, in words.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
