//! Who still needs a connection, and so stands in the way of its end (R29).

use std::collections::BTreeSet;

use serde::Serialize;

use super::address::{Address, Place};
use super::connection::ConsumerEntry;
use super::declared::{Declaration, Declared};
use super::names::WorkspaceName;
use super::organization::Environment;
use super::record::Claim;

/// One who needs a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Need {
    /// Who: a consumer's `<ws>/<env>/<deployable>/<alias>.<slot>`, an environment's default, a run.
    pub subject: String,
    /// How.
    pub how: How,
}

/// How a connection is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// An applied plugin is bound to it.
    Bound,
    /// A reference or stand-in names it.
    Declared(Declared),
    /// An environment's default names it.
    Default,
    /// A run in progress binds it.
    Binding,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.how {
            How::Bound | How::Default => write!(f, "needed by {}", self.subject),
            How::Declared(declared) => write!(f, "declared by {}, a {declared}", self.subject),
            How::Binding => write!(f, "about to be bound by {}", self.subject),
        }
    }
}

/// The needs of consumers outside `home`, whose own go or are bound anew together with it.
pub fn of_consumers(home: Option<&Place>, bound: &[ConsumerEntry], declared: &[Declaration]) -> BTreeSet<Need> {
    let bound = bound.iter().map(|entry| (&entry.consumer, How::Bound));
    let declared = declared.iter().map(|entry| (&entry.consumer, How::Declared(entry.declared)));
    let home = home.map(|home| format!("{home}/"));
    let is_outside = |consumer: &str| home.as_ref().is_none_or(|home| !consumer.starts_with(home));
    let outside = bound.chain(declared).filter(|(consumer, _)| is_outside(consumer));
    outside.map(|(consumer, how)| Need { subject: consumer.clone(), how }).collect()
}

/// The needs of environments' defaults; each environment comes with its workspace.
pub fn of_defaults(address: &Address, environments: &[(String, Environment)]) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for (workspace, environment) in environments {
        let Ok(workspace_name) = WorkspaceName::new(workspace.as_str()) else { continue };
        let named =
            environment.defaults.iter().filter(|(_, target)| target.may_mean(address, &workspace_name, &environment.name));
        needs.extend(named.map(|(key, _)| Need {
            subject: format!("the default `{key}` of environment `{workspace}/{}`", environment.name),
            how: How::Default,
        }));
    }
    needs
}

/// The needs of runs in progress that bind the connection.
pub fn of_claims<'a>(address: &Address, home: Option<&Place>, claims: impl IntoIterator<Item = &'a Claim>) -> BTreeSet<Need> {
    let address = address.to_string();
    let binding = claims.into_iter().filter(|claim| home != Some(&claim.place) && claim.binds.contains(&address));
    binding.map(|claim| Need { subject: format!("run {} of {}", claim.run.id, claim.place), how: How::Binding }).collect()
}
