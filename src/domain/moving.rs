//! What is called otherwise from now on (R40): a deployable, or one of its applied plugins.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::address::{Address, PartialAddress, PartialTarget, Place, Target};
use super::names::{Alias, RunId};
use super::record::StateLocation;

/// An applied plugin by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FullName {
    /// Where it is.
    pub place: Place,
    /// What it is called there.
    pub alias: Alias,
}

impl Address {
    /// The applied plugin that publishes the connection; none for an imported one.
    pub fn produced_by(&self) -> Option<FullName> {
        match &self.target {
            Target::Output { alias, .. } => Some(FullName { place: self.producer()?, alias: alias.clone() }),
            Target::Imported(_) => None,
        }
    }
}

/// What a move leaves under the old name, so that addresses in documents keep resolving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redirect {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Where it went.
    pub place: Place,
    /// What it is called there, where an applied plugin was renamed; a deployable's applied plugins keep their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
    /// The run that moved it.
    pub run: RunId,
    /// When.
    pub moved: DateTime<Utc>,
    /// Where the states were, by the old alias: should the run have been killed before it emptied them, the next one does.
    pub left: BTreeMap<Alias, StateLocation>,
}

impl Redirect {
    /// Where an address leads that nothing is published at; none for one that this is not about.
    pub fn follow(&self, address: &Address) -> Option<Address> {
        let Target::Output { alias, output, .. } = &address.target else { return None };
        Some(self.place.output(self.alias.as_ref().unwrap_or(alias), output))
    }
}

/// A move: of a whole deployable, or of an applied plugin within its deployable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// The place it leaves.
    pub from: Place,
    /// The place it comes to.
    pub to: Place,
    /// The old and the new alias; none where the whole deployable moves.
    pub alias: Option<(Alias, Alias)>,
}

impl Relocation {
    /// Whether an applied plugin of the old place moves.
    pub fn covers(&self, alias: &Alias) -> bool {
        self.alias.as_ref().is_none_or(|(from, _)| from == alias)
    }

    /// What an applied plugin of the old place is called afterwards.
    pub fn renamed(&self, alias: &Alias) -> Alias {
        match &self.alias {
            Some((from, to)) if from == alias => to.clone(),
            _ => alias.clone(),
        }
    }

    /// Where an applied plugin is afterwards, and what it is called there.
    pub fn name(&self, place: &Place, alias: &Alias) -> FullName {
        if *place == self.from && self.covers(alias) {
            FullName { place: self.to.clone(), alias: self.renamed(alias) }
        } else {
            FullName { place: place.clone(), alias: alias.clone() }
        }
    }

    /// The address of a connection afterwards.
    pub fn address(&self, address: &Address) -> Address {
        match (&address.target, address.producer()) {
            (Target::Output { alias, output, .. }, Some(place)) => {
                let FullName { place, alias } = self.name(&place, alias);
                place.output(&alias, output)
            }
            _ => address.clone(),
        }
    }

    /// An address in the manifest of a place afterwards. What the one that moves left out from the left meant the old place.
    pub fn written(&self, manifest_of: &Place, written: &PartialAddress) -> PartialAddress {
        let whole = self.address(&written.within(manifest_of));
        let moves_itself = *manifest_of == self.from;
        if !moves_itself && whole == written.within(manifest_of) {
            return written.clone();
        }
        let is_own = moves_itself && whole.producer().as_ref() == Some(&self.to);
        let (workspace, environment) = if is_own { (None, None) } else { (Some(whole.workspace), Some(whole.environment)) };
        let target = match whole.target {
            Target::Output { deployable, alias, output } => {
                PartialTarget::Output { deployable: Some(deployable).filter(|_| !is_own), alias, output }
            }
            Target::Imported(name) => PartialTarget::Imported(name),
        };
        PartialAddress { workspace, environment, target, generation: written.generation }
    }

    /// What moves, by its old name.
    pub fn subject(&self) -> String {
        shown(&self.from, self.alias.as_ref().map(|(from, _)| from))
    }

    /// What moves, by its new name.
    pub fn goal(&self) -> String {
        shown(&self.to, self.alias.as_ref().map(|(_, to)| to))
    }
}

fn shown(place: &Place, alias: Option<&Alias>) -> String {
    alias.map_or_else(|| place.to_string(), |alias| format!("{place}/{alias}"))
}

impl fmt::Display for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.alias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let parts: Vec<&str> = text.split('/').collect();
        let [workspace, environment, deployable] = parts[..] else { panic!("{text}") };
        Place {
            workspace: workspace.parse().unwrap(),
            environment: environment.parse().unwrap(),
            deployable: deployable.parse().unwrap(),
        }
    }

    fn rename() -> Relocation {
        let (from, to) = (Alias::new("database").unwrap(), Alias::new("db").unwrap());
        Relocation { from: place("retail/staging/shop"), to: place("retail/staging/shop"), alias: Some((from, to)) }
    }

    fn split() -> Relocation {
        Relocation { from: place("retail/staging/shop"), to: place("store/staging/front"), alias: None }
    }

    #[test]
    fn r40_only_what_moves_is_called_otherwise() {
        let after = |relocation: &Relocation, address: &str| relocation.address(&address.parse().unwrap()).to_string();
        assert_eq!(after(&rename(), "retail/staging/shop/database.db"), "retail/staging/shop/db.db");
        assert_eq!(after(&rename(), "retail/staging/shop/api.web"), "retail/staging/shop/api.web");
        assert_eq!(after(&rename(), "retail/production/shop/database.db"), "retail/production/shop/database.db");
        assert_eq!(after(&split(), "retail/staging/shop/database.db"), "store/staging/front/database.db");
        assert_eq!(after(&split(), "retail/staging/imported/old"), "retail/staging/imported/old");
    }

    #[test]
    fn r40_what_a_manifest_left_out_still_means_what_it_meant() {
        let after =
            |relocation: &Relocation, written: &str| relocation.written(&relocation.from, &written.parse().unwrap()).to_string();
        assert_eq!(after(&rename(), "database.db"), "db.db");
        assert_eq!(after(&rename(), "shop/database.db"), "db.db");
        assert_eq!(after(&split(), "database.db"), "database.db");
        assert_eq!(after(&split(), "network/vpc.vpc@3"), "retail/staging/network/vpc.vpc@3");
        assert_eq!(after(&split(), "imported/old"), "retail/staging/imported/old");

        let elsewhere = |written: &str| split().written(&place("retail/staging/portal"), &written.parse().unwrap()).to_string();
        assert_eq!(elsewhere("shop/database.db"), "store/staging/front/database.db");
        assert_eq!(elsewhere("network/vpc.vpc"), "network/vpc.vpc");
    }
}
