//! The connection interface types that exist, by name and version.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::VersionReq;

use crate::domain::connection_type::{ConnectionType, TypeRef};
use crate::domain::mapping::TypeMapping;
use crate::domain::names::TypeName;

/// Every version of every type, and other names of the same types.
#[derive(Debug, Clone, Default)]
pub struct Types {
    versions: BTreeMap<TypeName, Vec<Arc<ConnectionType>>>,
    aliases: BTreeMap<TypeName, TypeName>,
    mappings: Vec<TypeMapping>,
}

impl Types {
    /// Gathers `types`; `aliases` leads from another name to a type's own.
    pub fn new(types: impl IntoIterator<Item = ConnectionType>, aliases: BTreeMap<TypeName, TypeName>) -> Self {
        let mut versions: BTreeMap<TypeName, Vec<Arc<ConnectionType>>> = BTreeMap::new();
        for one in types {
            versions.entry(one.name.clone()).or_default().push(Arc::new(one));
        }
        for same_name in versions.values_mut() {
            same_name.sort_by(|a, b| a.version.cmp(&b.version));
        }
        Self { versions, aliases, mappings: Vec::new() }
    }

    /// The same with mappings between types of different shapes.
    #[must_use]
    pub fn with_mappings(self, mappings: impl IntoIterator<Item = TypeMapping>) -> Self {
        let own = |mapping: TypeMapping| TypeMapping {
            from: self.own_name(&mapping.from).clone(),
            to: self.own_name(&mapping.to).clone(),
            ..mapping
        };
        let mappings = mappings.into_iter().map(own).collect();
        Self { mappings, ..self }
    }

    /// The type's own name, where `name` is another name of it; else `name`.
    pub fn own_name<'a>(&'a self, name: &'a TypeName) -> &'a TypeName {
        self.aliases.get(name).unwrap_or(name)
    }

    /// Whether both names mean the same type.
    pub fn same(&self, one: &TypeName, other: &TypeName) -> bool {
        self.own_name(one) == self.own_name(other)
    }

    /// How a connection of one type serves slots of another.
    pub fn mapping(&self, from: &TypeName, to: &TypeName) -> Option<&TypeMapping> {
        let (from, to) = (self.own_name(from), self.own_name(to));
        self.mappings.iter().find(|mapping| mapping.from == *from && mapping.to == *to)
    }

    /// Every version of a type, oldest first.
    pub fn versions(&self, name: &TypeName) -> &[Arc<ConnectionType>] {
        self.versions.get(self.own_name(name)).map_or(&[], Vec::as_slice)
    }

    /// The versions of a type that `range` takes, oldest first; without a range all of them.
    pub fn in_range<'a>(
        &'a self,
        name: &TypeName,
        range: Option<&'a VersionReq>,
    ) -> impl Iterator<Item = &'a Arc<ConnectionType>> {
        self.versions(name).iter().filter(move |one| range.is_none_or(|range| range.matches(&one.version)))
    }

    /// The newest version that starts with the parts of the version that are written.
    pub fn newest(&self, type_ref: &TypeRef) -> Option<&Arc<ConnectionType>> {
        self.versions(&type_ref.name).iter().rev().find(|one| type_ref.accepts(&one.version))
    }

    /// Every name that a document may use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.versions.keys().chain(self.aliases.keys()).map(TypeName::as_str)
    }
}
