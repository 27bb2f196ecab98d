//! Connections as the ledger records them, the bindings of consumers to them, and how their secrets are reached.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::{Address, AliasMember, Place};
use super::manifest::DeployableKind;
use super::mapping::BoundMapping;
use super::names::{AttributeName, Digest, PluginName, RunId, SlotName, TypeName};
use super::record::SCHEMA_VERSION;
use super::step::StepOutputKind;

/// A published connection: an instance of a connection interface type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRecord {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Where it is known.
    pub address: Address,
    /// Changes when it is created again after a destroy.
    pub uid: String,
    /// What it is an instance of, and with which values.
    #[serde(flatten)]
    pub face: Face,
    /// The same thing as instances of further types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Face>,
    /// Changes exactly when a sensitive value does; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive_revision: Option<String>,
    /// Over the public attributes and the sensitive revision.
    pub digest: Digest,
    /// Rises only when the digest changes; from 1.
    pub generation: u64,
    /// What made it.
    pub producer: Producer,
    /// Whether it can be relied on.
    pub status: ConnectionStatus,
    /// The run whose failed apply degraded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded_by: Option<RunId>,
    /// That it will go, where its owner has said so. It outlives deploys of the producer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}

/// That a connection will go: nothing new binds to it, and who is bound is told (R40).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    /// The last day on which it may be relied on.
    pub until: NaiveDate,
    /// What to do instead, in the owner's words.
    pub message: String,
    /// The run that said so.
    pub run: RunId,
}

impl std::fmt::Display for Deprecation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it is deprecated and goes after {}: {}", self.until, self.message)
    }
}

/// One type that a connection is an instance of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Face {
    /// The type's name.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The type's version.
    pub type_version: Version,
    /// The public attributes, in clear.
    pub attributes: BTreeMap<AttributeName, Value>,
    /// The sensitive attributes: how each is reached, never its value.
    pub sensitive: BTreeMap<AttributeName, Handle>,
}

/// How a sensitive attribute is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Handle {
    /// A step's output, sealed.
    Sealed {
        /// The age ciphertext.
        sealed: String,
        /// Who can open it; not said of an imported connection, which somebody else sealed.
        #[serde(default)]
        recipients: Vec<String>,
        /// What the sealed text means; absent: a text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<StepOutputKind>,
    },
    /// In the producer's Terraform state. Which state that is follows from the address, never from the ledger.
    Derived {
        /// Always `state`.
        from: DerivedFrom,
    },
}

/// The only source of a derived handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DerivedFrom {
    /// The producer's Terraform state.
    State,
}

impl Handle {
    /// The handle of every sensitive attribute of a Terraform plugin.
    pub const STATE: Self = Self::Derived { from: DerivedFrom::State };
}

/// What made a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Producer {
    /// What the deployable is: a shared infra publishes to its whole workspace.
    pub kind: DeployableKind,
    /// The plugin.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
    /// The digest of its tree.
    pub digest: Digest,
    /// The run.
    pub run: RunId,
    /// The commit of the application's repository, when known.
    pub commit: Option<String>,
}

/// Whether a connection can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionStatus {
    /// Yes.
    Ready,
    /// Its producer's last apply failed; the values are the last good ones.
    Degraded,
    /// It is being destroyed, moved, or about to be: no new bindings.
    Retiring,
    /// It will go: no new bindings.
    Deprecated,
}

impl ConnectionRecord {
    /// The status of a connection whose producer is well.
    pub fn well(deprecation: Option<&Deprecation>) -> ConnectionStatus {
        if deprecation.is_some() { ConnectionStatus::Deprecated } else { ConnectionStatus::Ready }
    }

    /// Whether its owner wants nothing new to bind to it.
    pub fn is_deprecated(&self) -> bool {
        self.status == ConnectionStatus::Deprecated || self.deprecation.is_some()
    }

    /// The instance of this type in a version that `accepts` takes, if it is one.
    pub fn face(&self, type_name: &TypeName, accepts: impl Fn(&Version) -> bool) -> Option<&Face> {
        self.faces().find(|face| &face.type_name == type_name && accepts(&face.type_version))
    }

    /// Every type that it is an instance of; the position is the one that the producer's generated outputs use.
    pub fn faces(&self) -> impl Iterator<Item = &Face> {
        std::iter::once(&self.face).chain(&self.also)
    }

    /// The digest of these values.
    pub fn digest_of(faces: &[Face], sensitive_revision: Option<&str>) -> Digest {
        let values: Vec<_> = faces
            .iter()
            .map(|face| (&face.type_name, &face.type_version, &face.attributes, face.sensitive.keys().collect::<Vec<_>>()))
            .collect();
        Digest::of_json(&(values, sensitive_revision))
    }
}

/// The recorded choice: a slot's connection, with what was used of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The connection.
    pub address: Address,
    /// Its uid then.
    pub uid: String,
    /// Its generation then.
    pub generation: u64,
    /// Its digest then.
    pub digest: Digest,
    /// The type it was taken as.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The version of that type.
    pub type_version: Version,
    /// The public attributes that were handed over.
    pub attributes: BTreeMap<AttributeName, Value>,
    /// The sensitive attributes that were handed over, by name.
    pub sensitive: BTreeSet<AttributeName>,
    /// The mapping to the slot's type, where that is another one: the attributes are those that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<BoundMapping>,
}

impl Binding {
    /// The type that the attributes are of: the slot's.
    pub fn handed_as(&self) -> (&TypeName, &Version) {
        self.mapping.as_ref().map_or((&self.type_name, &self.type_version), |mapping| (&mapping.type_name, &mapping.type_version))
    }

    /// The connection's own attributes that were used, public and sensitive.
    pub fn uses(&self) -> BTreeSet<AttributeName> {
        match &self.mapping {
            Some(mapping) => mapping.uses.clone(),
            None => self.attributes.keys().chain(&self.sensitive).cloned().collect(),
        }
    }

    /// The connection's own sensitive attributes that one that was handed over is made of: itself, unless a mapping made it.
    pub fn parts_of<'a>(&'a self, handed: &'a AttributeName) -> BTreeSet<&'a AttributeName> {
        match &self.mapping {
            Some(mapping) => {
                let made = mapping.sensitive.get(handed).into_iter();
                made.flat_map(|made| made.parts()).map(|path| &path.attribute).collect()
            }
            None => BTreeSet::from([handed]),
        }
    }

    /// All of them.
    pub fn own_sensitive(&self) -> BTreeSet<&AttributeName> {
        self.sensitive.iter().flat_map(|handed| self.parts_of(handed)).collect()
    }

    /// The digest of the values that were handed over.
    pub fn values(&self) -> Cow<'_, Digest> {
        match &self.mapping {
            Some(mapping) => Cow::Owned(Digest::of_json(&(&self.digest, &self.attributes, mapping))),
            None => Cow::Borrowed(&self.digest),
        }
    }
}

/// A consumer's entry beside the connection it is bound to; it can be derived from the consumer's applied record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerEntry {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// `<ws>/<env>/<deployable>/<alias>.<slot>` of the consumer.
    pub consumer: String,
    /// The uid it is bound to.
    pub uid: String,
    /// The generation it was applied with.
    pub generation: u64,
    /// The type it was taken as.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The version of that type.
    pub type_version: Version,
    /// Every attribute it was handed, public and sensitive.
    pub attributes: BTreeSet<AttributeName>,
}

impl ConsumerEntry {
    /// Whether the connection is not what it was when the consumer was applied.
    pub fn is_behind(&self, record: &ConnectionRecord) -> bool {
        self.uid != record.uid || self.generation < record.generation
    }

    /// The entry of the slot at `place` that has this binding.
    pub fn of(binding: &Binding, place: &Place, slot: &AliasMember<SlotName>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            consumer: format!("{place}/{slot}"),
            uid: binding.uid.clone(),
            generation: binding.generation,
            type_name: binding.type_name.clone(),
            type_version: binding.type_version.clone(),
            attributes: binding.uses(),
        }
    }
}
