//! The manifest: a deployable's document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::{AliasMember, PartialAddress, PartialTarget};
use super::names::{Alias, DeployableName, EnvironmentName, InputName, OutputName, SlotName};

/// What a deployable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeployableKind {
    /// Publishes to its own application context.
    Application,
    /// Publishes to the workspace context.
    SharedInfra,
}

/// A deployable's document: which plugins, with which inputs, wired how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// `tieline/v1`.
    pub api_version: String,
    /// Application or shared infra.
    pub kind: DeployableKind,
    /// The deployable's name.
    pub name: DeployableName,
    /// The workspace it belongs to, when it is always the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<super::names::WorkspaceName>,
    /// The environment it is deployed to unless another is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// The applied plugins, by alias.
    pub plugins: BTreeMap<Alias, AppliedPlugin>,
    /// Overlays, by environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<EnvironmentName, Overlay>,
    /// What a pull request gets; absent: previews are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<PreviewPart>,
}

/// A plugin used under an alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedPlugin {
    /// Where the plugin comes from: `./path`, `github:owner/repo//path@ref`, `git::url//path?ref=` or `name@range`.
    #[serde(rename = "use")]
    pub source: String,
    /// Values for its inputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<InputName, Value>,
    /// Slot to link (`alias.output`), or to the address of a connection elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<SlotName, PartialAddress>,
    /// Aliases that come first, for order without data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Alias>,
}

/// What differs in one environment. Mappings merge by key; `null` takes an entry away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Changes to applied plugins, by alias; `null` leaves the plugin out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<Alias, Option<AppliedPluginOverlay>>,
    /// `alias.slot` to the address of a connection elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<AliasMember<SlotName>, PartialAddress>,
    /// `alias.output` to the connection that supplies it instead of its plugin, which is not deployed.
    #[serde(default, rename = "stand-ins", skip_serializing_if = "BTreeMap::is_empty")]
    pub stand_ins: BTreeMap<AliasMember<OutputName>, PartialAddress>,
}

/// What differs of one applied plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedPluginOverlay {
    /// Another source.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Input values; `null` takes one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<InputName, Value>,
    /// Links; `null` takes one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<SlotName, Option<PartialAddress>>,
    /// Replaces the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Alias>>,
}

impl Manifest {
    /// The same, with each `imported/<name>` that the table has replaced by the address that it means.
    #[must_use]
    pub fn with_connections(&self, table: &BTreeMap<String, PartialAddress>) -> Self {
        let mut manifest = self.clone();
        for address in manifest.plugins.values_mut().flat_map(|applied| applied.connections.values_mut()) {
            let PartialTarget::Imported(name) = &address.target else { continue };
            let is_name_alone = address.workspace.is_none() && address.environment.is_none() && address.generation.is_none();
            if let Some(meant) = table.get(name.as_str()).filter(|_| is_name_alone) {
                *address = meant.clone();
            }
        }
        manifest
    }
}

/// The part of a manifest that makes previews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewPart {
    /// The environment whose defaults, references and inputs are copied.
    pub base: EnvironmentName,
    /// How long it lives after its last successful deploy, such as `72h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// `alias.output.attribute`: which published attribute is the link shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Changes to applied plugins, by alias; `null` leaves the plugin out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<Alias, Option<AppliedPluginOverlay>>,
    /// `alias.slot` to the address of a connection elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<AliasMember<SlotName>, PartialAddress>,
    /// `alias.output` to the connection that supplies it instead of its plugin, which is not deployed.
    #[serde(default, rename = "stand-ins", skip_serializing_if = "BTreeMap::is_empty")]
    pub stand_ins: BTreeMap<AliasMember<OutputName>, PartialAddress>,
}

impl PreviewPart {
    /// What it changes on top of its base.
    pub fn overlay(&self) -> Overlay {
        Overlay { plugins: self.plugins.clone(), references: self.references.clone(), stand_ins: self.stand_ins.clone() }
    }

    /// The rest of it.
    #[must_use]
    pub fn without_overlay(&self) -> Self {
        Self {
            base: self.base.clone(),
            ttl: self.ttl.clone(),
            url: self.url.clone(),
            plugins: BTreeMap::new(),
            references: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_connections_become_the_addresses_that_a_table_has() {
        let address = |text: &str| text.parse::<PartialAddress>().unwrap();
        let manifest: Manifest = serde_json::from_value(json!({
            "apiVersion": "tieline/v1", "kind": "Application", "name": "shop",
            "plugins": {"web": {"use": "./web", "connections": {
                "vpc": "imported/main-vpc", "db": "imported/legacy", "other": "staging/imported/main-vpc", "own": "db.main"
            }}}
        }))
        .unwrap();
        let table = [("main-vpc".to_owned(), address("network/vpc.vpc"))].into();
        let connections = &manifest.with_connections(&table).plugins["web"].connections;
        let written: Vec<String> = connections.iter().map(|(slot, address)| format!("{slot} {address}")).collect();
        assert_eq!(written, ["db imported/legacy", "other staging/imported/main-vpc", "own db.main", "vpc network/vpc.vpc"]);
    }
}
