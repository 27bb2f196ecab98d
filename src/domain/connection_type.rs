//! Connection interface types: contracts of named attributes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{AttributeName, TypeName};

/// A contract: named attributes with types, some of them sensitive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionType {
    /// `tieline/v1`.
    pub api_version: String,
    /// `ConnectionInterfaceType`.
    pub kind: ConnectionTypeKind,
    /// Its name.
    pub name: TypeName,
    /// Its version. Versions stand side by side.
    #[schemars(with = "String", extend("format" = "version"))]
    pub version: Version,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Advice for pictures only.
    #[serde(default)]
    pub orientation: Orientation,
    /// JSON Schema of an object; further attributes are refused unless it says otherwise.
    pub attributes: Value,
}

/// The kind of a type's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConnectionTypeKind {
    /// The only one.
    ConnectionInterfaceType,
}

/// How a connection of the type is usually wired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// One producer, wired by hand.
    #[default]
    Link,
    /// One for all in an environment.
    EnvironmentDefault,
}

impl ConnectionType {
    /// The attributes that are sensitive, themselves or anywhere below.
    pub fn sensitive(&self) -> BTreeSet<AttributeName> {
        attribute_names(sensitive_properties(&self.attributes))
    }

    /// Every attribute that the contract names.
    pub fn names(&self) -> BTreeSet<AttributeName> {
        let properties = self.attributes.get("properties").and_then(Value::as_object);
        attribute_names(properties.into_iter().flatten().map(|(name, _)| name.clone()))
    }

    /// The attributes that must be there.
    pub fn required(&self) -> BTreeSet<AttributeName> {
        let required = self.attributes.get("required").and_then(Value::as_array);
        attribute_names(required.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)))
    }
}

fn attribute_names(names: impl IntoIterator<Item = String>) -> BTreeSet<AttributeName> {
    names.into_iter().filter_map(|name| AttributeName::new(name).ok()).collect()
}

/// The properties of an object's schema that hold something sensitive, however deep.
pub fn sensitive_properties(schema: &Value) -> BTreeSet<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().filter(|(_, value)| holds_sensitive(value)).map(|(name, _)| name.clone()).collect()
}

fn holds_sensitive(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.get("x-sensitive") == Some(&Value::Bool(true))
                || fields.get("$md.sensitive") == Some(&Value::Bool(true))
                || fields.get("$md").and_then(|md| md.get("sensitive")) == Some(&Value::Bool(true))
                || fields.values().any(holds_sensitive)
        }
        Value::Array(items) => items.iter().any(holds_sensitive),
        _ => false,
    }
}

/// A type by name, or by name and version: `postgres-conn`, `postgres-conn@2`, `postgres-conn@2.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypeRef {
    /// The type's name.
    pub name: TypeName,
    /// The leading parts of its version; none means the newest.
    pub version: Vec<u64>,
}

impl TypeRef {
    /// Whether `version` starts with the parts that are written.
    pub fn accepts(&self, version: &Version) -> bool {
        [version.major, version.minor, version.patch].starts_with(&self.version)
    }
}

impl FromStr for TypeRef {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once('@').unwrap_or((text, ""));
        let name = TypeName::new(name).map_err(|problem| problem.to_string())?;
        let parts: Result<Vec<u64>, _> = version.split('.').filter(|part| !part.is_empty()).map(str::parse).collect();
        match parts {
            Ok(version) if version.len() <= 3 => Ok(Self { name, version }),
            _ => Err(format!("`{text}`: what follows `@` must be a version or its leading parts, such as `2` or `2.1`")),
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        for (position, part) in self.version.iter().enumerate() {
            write!(f, "{}{part}", if position == 0 { '@' } else { '.' })?;
        }
        Ok(())
    }
}

impl TryFrom<String> for TypeRef {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TypeRef> for String {
    fn from(type_ref: TypeRef) -> Self {
        type_ref.to_string()
    }
}

impl JsonSchema for TypeRef {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "TypeRef".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9-]{0,62}(/[a-z][a-z0-9-]{0,62})?(@[0-9]+(\\.[0-9]+){0,2})?$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_sensitive_leaf_makes_its_attribute_sensitive() {
        let schema = serde_json::json!({"properties": {
            "host": {"type": "string"},
            "password": {"type": "string", "x-sensitive": true},
            "auth": {"type": "object", "properties": {"token": {"$md.sensitive": true}}},
            "other": {"$md": {"sensitive": true}}
        }});
        assert_eq!(sensitive_properties(&schema).into_iter().collect::<Vec<_>>(), ["auth", "other", "password"]);
    }

    #[test]
    fn a_type_reference_accepts_the_versions_it_starts() {
        let two: TypeRef = "postgres-conn@2".parse().unwrap();
        assert!(two.accepts(&Version::new(2, 7, 1)) && !two.accepts(&Version::new(1, 0, 0)));
        assert!("postgres-conn@x".parse::<TypeRef>().is_err());
    }
}
