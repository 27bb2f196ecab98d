//! References and stand-ins that are declared and not bound: what they name must not go either (R29).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::address::{Address, AliasMember, Place};
use super::manifest::Manifest;
use super::names::SlotName;
use super::record::{Release, SCHEMA_VERSION};

/// How a connection is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declared {
    /// For a slot of an applied plugin that is not deployed.
    Reference,
    /// For an output that nothing is bound to.
    StandIn,
}

impl std::fmt::Display for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reference => "reference",
            Self::StandIn => "stand-in",
        })
    }
}

/// The entry beside a connection that a release declares without being bound to it; it can be derived from the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declaration {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// `<ws>/<env>/<deployable>/<alias>.<slot or output>` that declares it.
    pub consumer: String,
    /// How.
    pub declared: Declared,
}

/// What declares what: the connection, and the slot or output of the declaring deployable.
pub type Declarations = BTreeMap<(Address, AliasMember<SlotName>), Declaration>;

/// What a release at this place declares of elsewhere and none of its applied plugins is bound to; none where its manifest cannot be
/// read.
pub fn declarations(place: &Place, release: &Release) -> Option<Declarations> {
    let manifest: Manifest = serde_json::from_value(release.manifest.clone()).ok()?;
    let bound: BTreeSet<&Address> =
        release.plugins.values().flat_map(|plugin| plugin.bindings.values().map(|binding| &binding.address)).collect();
    let overlay = manifest.environments.get(&place.environment);
    let stand_ins = overlay.into_iter().flat_map(|overlay| &overlay.stand_ins).filter_map(|(of, address)| {
        // A slot and an output have names of one rule.
        let member = SlotName::new(of.member.as_str()).ok()?;
        Some((AliasMember { alias: of.alias.clone(), member }, address, Declared::StandIn))
    });
    let references = overlay.into_iter().flat_map(|overlay| &overlay.references);
    let references = references.map(|(of, address)| (of.clone(), address, Declared::Reference));
    let undeployed = manifest.plugins.iter().filter(|(alias, _)| !release.plugins.contains_key(*alias));
    let connections = undeployed.flat_map(|(alias, applied)| {
        let of = |slot: &SlotName| AliasMember { alias: alias.clone(), member: slot.clone() };
        applied.connections.iter().map(move |(slot, address)| (of(slot), address, Declared::Reference))
    });
    let declared = connections.chain(references).chain(stand_ins).filter_map(|(of, address, declared)| {
        let address = address.within(place);
        let is_elsewhere = address.producer().as_ref() != Some(place);
        let entry = Declaration { schema_version: SCHEMA_VERSION, consumer: format!("{place}/{of}"), declared };
        (is_elsewhere && !bound.contains(&address)).then_some(((address, of), entry))
    });
    Some(declared.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r29_what_is_declared_and_not_bound_is_told_by_the_release() {
        let place: Place =
            serde_json::from_value(json!({"workspace": "retail", "environment": "production", "deployable": "shop"})).unwrap();
        let binding = json!({
            "address": "retail/production/imported/used", "uid": "u", "generation": 1, "digest": "d", "type": "t", "typeVersion": "1.0.0",
            "attributes": {}, "sensitive": [],
        });
        let release: Release = serde_json::from_value(json!({
            "schemaVersion": 1, "versionTag": "v", "run": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "made": "2026-01-01T00:00:00Z",
            "manifest": {
                "apiVersion": "tieline/v1", "kind": "Application", "name": "shop",
                "plugins": {
                    "api": {"use": "./p", "connections": {"db": "database.db", "cache": "cache.out"}},
                    "cache": {"use": "./p", "connections": {"net": "platform/production/network/vpc.vpc", "own": "api.out"}},
                    "database": {"use": "./p"},
                },
                "environments": {"production": {
                    "references": {"database.network": "platform/production/network/other.vpc"},
                    "stand-ins": {"database.db": "retail/production/imported/used", "cache.out": "retail/production/imported/idle"},
                }},
            },
            "plugins": {"api": {
                "source": {"use": "./p", "digest": "d"}, "inputs": {}, "sensitiveInputs": [], "bindings": {"db": binding}, "terraform": "1.5.0",
            }},
        }))
        .unwrap();
        let declared = declarations(&place, &release).unwrap();
        let told: Vec<String> =
            declared.iter().map(|((address, _), entry)| format!("{} {address} by {}", entry.declared, entry.consumer)).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        reference platform/production/network/other.vpc by retail/production/shop/database.network
        reference platform/production/network/vpc.vpc by retail/production/shop/cache.net
        stand-in retail/production/imported/idle by retail/production/shop/cache.out
        ");
        assert_eq!(declarations(&place, &Release { manifest: json!({}), ..release }), None);
    }
}
