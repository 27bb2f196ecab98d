//! Types that cannot be looked at, assumed to be what their users take them for: so that all else about a plugin can be checked.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use serde_json::{Value, json};

use crate::domain::connection_type::{ConnectionType, ConnectionTypeKind, Orientation};
use crate::domain::names::{AttributeName, TypeName};
use crate::domain::plugin::Plugin;

/// The types that plugins name and that are not among the known, with any attributes: in each version that a plugin means.
pub fn assumed<'a>(plugins: impl IntoIterator<Item = &'a Plugin>, known: &[ConnectionType]) -> Vec<ConnectionType> {
    let known: BTreeSet<&TypeName> = known.iter().map(|one| &one.name).collect();
    let mut named: BTreeMap<&TypeName, (BTreeSet<Version>, BTreeSet<&AttributeName>)> = BTreeMap::new();
    for plugin in plugins {
        for (type_ref, _) in plugin.generates.values().flat_map(|output| output.published()) {
            let part = |position: usize| type_ref.version.get(position).copied().unwrap_or_default();
            named.entry(&type_ref.name).or_default().0.insert(Version::new(part(0), part(1), part(2)));
        }
        for slot in plugin.requires.values() {
            let (versions, sensitive) = named.entry(&slot.type_name).or_default();
            versions.insert(slot.version.as_ref().map_or(Version::new(0, 0, 0), within));
            sensitive.extend(&slot.sensitive);
        }
    }
    let unknown = named.into_iter().filter(|(name, _)| !known.contains(name));
    unknown
        .flat_map(|(name, (versions, sensitive))| versions.into_iter().map(move |version| any(name, version, &sensitive)))
        .collect()
}

/// A version in a range, as far as one of its borders leads to one.
fn within(range: &VersionReq) -> Version {
    let borders = range.comparators.iter().flat_map(|border| {
        let [minor, patch] = [border.minor, border.patch].map(Option::unwrap_or_default);
        [Version::new(border.major, minor, patch), Version::new(border.major, minor, patch + 1)]
    });
    let mut versions = borders.chain([Version::new(0, 0, 0)]);
    versions.find(|version| range.matches(version)).unwrap_or(Version::new(0, 0, 0))
}

fn any(name: &TypeName, version: Version, sensitive: &BTreeSet<&AttributeName>) -> ConnectionType {
    let attributes: BTreeMap<&str, Value> =
        sensitive.iter().map(|attribute| (attribute.as_str(), json!({"x-sensitive": true}))).collect();
    ConnectionType {
        api_version: "tieline/v1".to_owned(),
        kind: ConnectionTypeKind::ConnectionInterfaceType,
        name: name.clone(),
        version,
        description: String::new(),
        orientation: Orientation::default(),
        attributes: json!({"type": "object", "additionalProperties": true, "properties": attributes}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_range() {
        for range in ["^1.2", ">=1, <2", ">1.4.2", "=3.1.0", "*", "~2"] {
            let range: VersionReq = range.parse().unwrap();
            assert!(range.matches(&within(&range)), "{range}");
        }
    }
}
