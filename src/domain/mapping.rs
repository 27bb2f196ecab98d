//! Mappings between types of different shapes: how the attributes of one are made of those of another.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::connection::Face;
use super::connection_type::ConnectionType;
use super::names::{AttributeName, TypeName};
use super::plugin::{Slot, Uses};

/// The most names that a path has one inside the other, and the most mappings in a mapping.
pub const DEEPEST: usize = 16;

/// How a connection of one type serves slots of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeMapping {
    /// The type of the connection.
    pub from: TypeName,
    /// The type of the slots that it then serves as well.
    pub to: TypeName,
    /// Each attribute of the slot's type: a path into the connection's attributes such as `specs.aws.region`, or a mapping of such.
    pub attributes: BTreeMap<AttributeName, Mapped>,
}

/// What an attribute is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Mapped {
    /// What is at a path in the connection's attributes.
    Path(AttributePath),
    /// An object of such.
    Object(BTreeMap<AttributeName, Self>),
}

impl Mapped {
    /// Every path that it is made of.
    pub fn paths(&self) -> Vec<&AttributePath> {
        match self {
            Self::Path(path) => vec![path],
            Self::Object(entries) => entries.values().flat_map(Self::paths).collect(),
        }
    }
}

/// A path into attributes: `arn`, or `data.infrastructure.arn`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributePath {
    /// The attribute.
    pub attribute: AttributeName,
    /// What is meant inside it, from the outermost on; nothing for all of it.
    pub inside: Vec<AttributeName>,
}

impl FromStr for AttributePath {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<AttributeName>, _> = text.split('.').take(DEEPEST + 1).map(AttributeName::new).collect();
        let mut parts = parts.map_err(|problem| problem.to_string())?.into_iter();
        match parts.next() {
            Some(attribute) if parts.len() < DEEPEST => Ok(Self { attribute, inside: parts.collect() }),
            _ => Err(format!("a path has at most {DEEPEST} names")),
        }
    }
}

impl TryFrom<String> for AttributePath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AttributePath> for String {
    fn from(path: AttributePath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        self.inside.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

impl JsonSchema for AttributePath {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "AttributePath".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}(\\.[A-Za-z][A-Za-z0-9_-]{0,62}){0,15}$"})
    }
}

/// A mapping as one slot uses it: into one version of the slot's type.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The mapping.
    pub mapping: TypeMapping,
    /// The slot's type.
    pub into: Arc<ConnectionType>,
}

/// What a connection is through a mapping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Converted {
    /// The public attributes, in clear.
    pub attributes: BTreeMap<AttributeName, Value>,
    /// The sensitive ones: those that the slot's type calls so, and those that are made of anything sensitive.
    pub sensitive: BTreeMap<AttributeName, Made>,
}

/// What a sensitive attribute is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Made {
    /// A part of a sensitive attribute of the connection, or all of it.
    Part(AttributePath),
    /// A public value.
    Plain(Value),
    /// An object of such.
    Object(BTreeMap<AttributeName, Self>),
}

/// What a binding records of the mapping that it was made through: enough to hand over the same again without any document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundMapping {
    /// The slot's type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The version of that type.
    pub type_version: Version,
    /// The connection's own attributes that were used.
    pub uses: BTreeSet<AttributeName>,
    /// What each sensitive attribute that was handed over is made of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sensitive: BTreeMap<AttributeName, Made>,
}

impl Conversion {
    /// In words, what it leads from and to.
    pub fn in_words(&self) -> String {
        format!("the mapping of `{}` to `{}`", self.mapping.from, self.mapping.to)
    }

    /// What a connection is through it.
    pub fn of(&self, face: &Face) -> Converted {
        let sensitive = self.into.sensitive();
        let mut converted = Converted::default();
        for (name, mapped) in &self.mapping.attributes {
            match made(mapped, face) {
                Some(Made::Plain(value)) if !sensitive.contains(name) => _ = converted.attributes.insert(name.clone(), value),
                Some(made) => _ = converted.sensitive.insert(name.clone(), made),
                None => {}
            }
        }
        converted
    }

    /// The attributes that the slot's type requires and the connection does not give through it.
    pub fn lacking(&self, converted: &Converted) -> BTreeSet<AttributeName> {
        let is_there = |name: &AttributeName| converted.attributes.contains_key(name) || converted.sensitive.contains_key(name);
        self.into.required().into_iter().filter(|name| !is_there(name)).collect()
    }

    /// Why an attribute is not there, in words.
    pub fn why_lacking(&self, name: &AttributeName) -> String {
        match self.mapping.attributes.get(name) {
            None => format!("{} gives no `{name}`", self.in_words()),
            Some(mapped) => {
                let paths: Vec<String> = mapped.paths().iter().map(|path| format!("`{path}`")).collect();
                format!("{} makes `{name}` of {}, and there is no such value", self.in_words(), paths.join(" and "))
            }
        }
    }

    /// The attributes that it gives and that the slot's type does not have.
    pub fn unknown(&self) -> BTreeSet<&AttributeName> {
        let further = self.into.attributes.get("additionalProperties");
        if further.is_some_and(|further| further != &Value::Bool(false)) {
            return BTreeSet::new();
        }
        let known = self.into.names();
        self.mapping.attributes.keys().filter(|name| !known.contains(*name)).collect()
    }

    /// What the public attributes must be like, all optional: those that are required are [`Self::lacking`].
    pub fn schema(&self) -> Value {
        let mut schema = self.into.attributes.clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("required");
        }
        schema
    }

    /// The sensitive attributes that are handed to a slot: those that it asks for; and, since nobody can ask for what the slot's
    /// own type calls public, those that are sensitive only in the connection, unless the slot is known not to use them.
    pub fn handed(&self, slot: &Slot, converted: &Converted) -> BTreeSet<AttributeName> {
        let sensitive = self.into.sensitive();
        let is_used = |name: &AttributeName| match &slot.uses {
            Uses::Named(names) => names.contains(name),
            Uses::Declared | Uses::All => true,
        };
        let is_handed = |name: &&AttributeName| slot.sensitive.contains(*name) || (!sensitive.contains(*name) && is_used(name));
        converted.sensitive.keys().filter(is_handed).cloned().collect()
    }

    /// What is recorded of it where these sensitive attributes are handed over.
    pub fn recorded(&self, converted: &Converted, handed: &BTreeSet<AttributeName>) -> BoundMapping {
        let is_taken = |name: &AttributeName| converted.attributes.contains_key(name) || handed.contains(name);
        let taken = self.mapping.attributes.iter().filter(|(name, _)| is_taken(name));
        let is_handed = |(name, _): &(&AttributeName, &Made)| handed.contains(*name);
        BoundMapping {
            type_name: self.into.name.clone(),
            type_version: self.into.version.clone(),
            uses: taken.flat_map(|(_, mapped)| mapped.paths()).map(|path| path.attribute.clone()).collect(),
            sensitive: converted.sensitive.iter().filter(is_handed).map(|(name, made)| (name.clone(), made.clone())).collect(),
        }
    }
}

impl Made {
    /// The parts of sensitive attributes that it is made of.
    pub fn parts(&self) -> Vec<&AttributePath> {
        match self {
            Self::Part(path) => vec![path],
            Self::Plain(_) => Vec::new(),
            Self::Object(entries) => entries.values().flat_map(Self::parts).collect(),
        }
    }
}

/// What comes of a mapping; none where nothing of it is there.
fn made(mapped: &Mapped, face: &Face) -> Option<Made> {
    match mapped {
        // Its value is not here, so of what is inside it nobody knows what is public.
        Mapped::Path(path) if face.sensitive.contains_key(&path.attribute) => Some(Made::Part(path.clone())),
        Mapped::Path(path) => {
            let value = face.attributes.get(&path.attribute)?;
            let value = path.inside.iter().try_fold(value, |value, name| value.get(name.as_str()))?;
            (!value.is_null()).then(|| Made::Plain(value.clone()))
        }
        Mapped::Object(entries) => {
            let entries = entries.iter().filter_map(|(name, mapped)| Some((name.clone(), made(mapped, face)?)));
            object(entries.collect())
        }
    }
}

/// An object, as one public value where nothing in it is sensitive.
fn object(entries: BTreeMap<AttributeName, Made>) -> Option<Made> {
    if entries.is_empty() {
        return None;
    }
    let plain = entries.iter().map(|(name, made)| match made {
        Made::Plain(value) => Some((name.to_string(), value.clone())),
        Made::Part(_) | Made::Object(_) => None,
    });
    let plain: Option<Map<String, Value>> = plain.collect();
    Some(plain.map_or_else(|| Made::Object(entries), |fields| Made::Plain(Value::Object(fields))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conversion(attributes: &Value, into: &Value) -> Conversion {
        let into = json!({
            "apiVersion": "tieline/v1", "kind": "ConnectionInterfaceType", "name": "acme/vpc", "version": "1.0.0", "attributes": into
        });
        Conversion {
            mapping: serde_json::from_value(json!({"from": "vpc", "to": "acme/vpc", "attributes": attributes})).unwrap(),
            into: Arc::new(serde_json::from_value(into).unwrap()),
        }
    }

    fn face() -> Face {
        serde_json::from_value(json!({
            "type": "vpc", "typeVersion": "1.0.0",
            "attributes": {"arn": "a", "tags": {"owner": "me", "none": null}}, "sensitive": {"token": {"from": "state"}}
        }))
        .unwrap()
    }

    #[test]
    fn what_is_made_of_public_values_is_public_and_what_holds_a_secret_is_not() {
        let attributes = json!({"id": "arn", "who": "tags.owner", "all": {"id": "arn", "key": "token.value"}, "no": "tags.none", "gone": "x.y"});
        let conversion =
            conversion(&attributes, &json!({"properties": {"id": {}, "who": {}, "all": {}, "hidden": {"x-sensitive": true}}}));
        let converted = conversion.of(&face());
        assert_eq!(serde_json::to_value(&converted.attributes).unwrap(), json!({"id": "a", "who": "me"}));
        assert_eq!(
            serde_json::to_value(&converted.sensitive).unwrap(),
            json!({"all": {"object": {"id": {"plain": "a"}, "key": {"part": "token.value"}}}})
        );
    }

    #[test]
    fn what_the_slots_type_calls_sensitive_stays_so() {
        let conversion = conversion(&json!({"data": {"arn": "arn"}}), &json!({"properties": {"data": {"x-sensitive": true}}}));
        let converted = conversion.of(&face());
        assert_eq!(serde_json::to_value(&converted.sensitive).unwrap(), json!({"data": {"plain": {"arn": "a"}}}));
        assert!(converted.attributes.is_empty());
    }

    #[test]
    fn a_path_is_read_and_written_back() {
        for good in ["arn", "data.infrastructure.arn", "certificate-authority-data.x_y"] {
            assert_eq!(good.parse::<AttributePath>().unwrap().to_string(), good);
        }
        let deep = ["a"; DEEPEST + 1].join(".");
        for bad in ["", ".", "a.", "a..b", "a.${b}", "a.\"b", "a b", &deep] {
            assert!(bad.parse::<AttributePath>().is_err(), "{bad}");
        }
    }
}
