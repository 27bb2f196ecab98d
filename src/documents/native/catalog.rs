//! The rules of the catalog.

use serde_json::Value;

use super::Document;
use crate::documents::Kind;
use crate::documents::finding::Finding;
use crate::domain::catalog::{Catalog, StackSpotNames};
use crate::domain::diagnostic::Pointer;
use crate::domain::mapping::{DEEPEST, Mapped, TypeMapping};
use crate::domain::names::{ImportedName, TypeName};

impl Document for Catalog {
    const KIND: Kind = Kind::Catalog;

    fn findings(&self, _file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, plugin) in &self.plugins {
            let versions = Pointer::keys(["plugins", name.as_str(), "versions"]);
            for (version, entry) in &plugin.versions {
                let at = versions.clone().key(version);
                if let Err(error) = semver::Version::parse(version) {
                    let message = format!("`{version}` is not a version such as `1.4.0`: {error}");
                    findings.push(Finding::new(at.clone().at_key(), message));
                }
                if plugin.source.is_none() && entry.source.is_none() {
                    findings.push(
                        Finding::new(at, format!("`{name}@{version}` has no source"))
                            .help(format!("write `source` here, or once for `{name}` with `{{version}}` in it")),
                    );
                }
            }
        }
        for (alias, name) in &self.type_aliases {
            if self.type_aliases.contains_key(name) {
                findings.push(
                    Finding::new(Pointer::keys(["type-aliases", alias.as_str()]), format!("`{name}` is itself another name"))
                        .help("name the type itself"),
                );
            }
        }
        findings.extend(self.type_mappings.iter().enumerate().flat_map(|(index, mapping)| check_mapping(self, index, mapping)));
        findings.extend(check_names(&self.stackspot));
        findings
    }
}

/// What no schema says of a mapping between types.
fn check_mapping(catalog: &Catalog, index: usize, mapping: &TypeMapping) -> Vec<Finding> {
    let at = |field: &str| Pointer::keys(["type-mappings"]).index(index).key(field);
    let own = |name: &TypeName| catalog.type_aliases.get(name).unwrap_or(name).clone();
    let ends = |mapping: &TypeMapping| (own(&mapping.from), own(&mapping.to));
    let (from, to) = ends(mapping);
    let mut findings = Vec::new();
    if from == to {
        let message = format!("`{}` and `{}` are the same type", mapping.from, mapping.to);
        findings.push(Finding::new(at("to"), message).help("a mapping leads from one type to another"));
    }
    if catalog.type_mappings[..index].iter().any(|earlier| ends(earlier) == (from.clone(), to.clone())) {
        let message = format!("there is another mapping from `{}` to `{}` before this one", mapping.from, mapping.to);
        findings.push(Finding::new(at("to"), message).help("keep one of them"));
    }
    if mapping.attributes.is_empty() {
        findings.push(Finding::new(at("attributes"), "the mapping gives no attributes").help("say what each is made of"));
    }
    for (name, mapped) in &mapping.attributes {
        check_mapped(mapped, &at("attributes").key(name.as_str()), DEEPEST, &mut findings);
    }
    findings
}

/// Bounds what is one inside the other, and refuses objects of nothing.
fn check_mapped(mapped: &Mapped, at: &Pointer, room: usize, findings: &mut Vec<Finding>) {
    let Mapped::Object(entries) = mapped else { return };
    if room == 0 {
        findings.push(Finding::new(at.clone(), format!("more than {DEEPEST} mappings stand one inside the other")));
        return;
    }
    if entries.is_empty() {
        findings.push(Finding::new(at.clone(), "it is made of nothing").help("write a path into the other type's attributes"));
    }
    for (name, mapped) in entries {
        check_mapped(mapped, &at.clone().key(name.as_str()), room - 1, findings);
    }
}

fn check_names(names: &StackSpotNames) -> Vec<Finding> {
    let plugins = names.plugins.keys().filter(|key| {
        let parts: Vec<&str> = key.split('/').collect();
        !matches!(parts.len(), 2 | 3) || parts.iter().any(|part| part.is_empty()) || key.contains(['@', ' '])
    });
    let plugins = plugins.map(|key| {
        let at = Pointer::keys(["stackspot", "plugins", key]).at_key();
        let message = format!("`{key}` is not the name of a StackSpot plugin");
        Finding::new(at, message).help("write `studio/stack/plugin`, or `studio/plugin`, without a version")
    });
    let connections = names.connections.keys().filter(|name| ImportedName::new(name.as_str()).is_err()).map(|name| {
        let at = Pointer::keys(["stackspot", "connections", name]).at_key();
        Finding::new(at, format!("`{name}` is not the name of a connection"))
            .help("write it as the manifests have it after `imported/`")
    });
    plugins.chain(connections).collect()
}
