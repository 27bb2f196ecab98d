//! The catalog: what plugins are called, and where they come from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::PartialAddress;
use super::mapping::TypeMapping;
use super::names::{PluginName, TypeName};

/// `catalog.yaml`: plugin names and where they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Catalog {
    /// `tieline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Catalog`.
    pub kind: CatalogKind,
    /// Plugins by name.
    #[serde(default)]
    pub plugins: BTreeMap<PluginName, CatalogPlugin>,
    /// Prefixes of permitted plugin sources; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_sources: Option<Vec<String>>,
    /// Names of the same type in different formats: another name to the type's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub type_aliases: BTreeMap<TypeName, TypeName>,
    /// How connections of one type serve slots of another, of a different shape.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub type_mappings: Vec<TypeMapping>,
    /// What names mean that StackSpot documents use.
    #[serde(default, skip_serializing_if = "StackSpotNames::is_empty")]
    pub stackspot: StackSpotNames,
}

/// What names mean that StackSpot documents use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackSpotNames {
    /// `studio/stack/plugin`, or `studio/plugin` whatever the stack: to its source, with `{version}` where the version goes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, String>,
    /// The names of connections that manifests select: to their addresses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, PartialAddress>,
}

impl StackSpotNames {
    /// Whether no name means anything.
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty() && self.connections.is_empty()
    }
}

/// The kind of `catalog.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CatalogKind {
    /// The only one.
    Catalog,
}

/// A plugin of the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogPlugin {
    /// Its source, with `{version}` where the version goes; a version may have its own instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its versions.
    pub versions: BTreeMap<String, CatalogVersion>,
}

/// A version of a plugin of the catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogVersion {
    /// Its source, where it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why it should no longer be used; it still is, with a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// Why it must not be used; it is never chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<String>,
}
