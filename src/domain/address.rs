//! Addresses of connections: `<workspace>/<environment>/<deployable>/<alias>.<output>`, or
//! `<workspace>/<environment>/imported/<name>`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::names::{Alias, DeployableName, EnvironmentName, ImportedName, InvalidName, OutputName, WorkspaceName};

/// The folder that stands where a deployable's name would: no deployable may have it.
pub const IMPORTED: &str = "imported";

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// One of its parts is not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Its shape is wrong.
    #[error(
        "`{0}` is not an address: write `<workspace>/<environment>/<deployable>/<alias>.<output>` or `<workspace>/<environment>/imported/<name>`; parts may be left out from the left when they are the run's own"
    )]
    Shape(String),
    /// What follows `@` is not a generation.
    #[error("`{0}`: what follows `@` must be a generation, a whole number from 1")]
    Generation(String),
}

/// Where a deployable's instance lives: a deployable in an environment of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The deployable.
    pub deployable: DeployableName,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.workspace, self.environment, self.deployable)
    }
}

impl Place {
    /// The address of an output of an applied plugin here.
    pub fn output(&self, alias: &Alias, output: &OutputName) -> Address {
        Address {
            workspace: self.workspace.clone(),
            environment: self.environment.clone(),
            target: Target::Output { deployable: self.deployable.clone(), alias: alias.clone(), output: output.clone() },
        }
    }
}

/// What an address points at inside its environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// An output of an applied plugin.
    Output {
        /// The deployable that publishes it.
        deployable: DeployableName,
        /// The applied plugin.
        alias: Alias,
        /// Its output.
        output: OutputName,
    },
    /// A connection written by hand.
    Imported(ImportedName),
}

/// The full address of a connection. It sorts by workspace, environment, target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// The workspace that owns the connection.
    pub workspace: WorkspaceName,
    /// The environment it is published in.
    pub environment: EnvironmentName,
    /// What is meant there.
    pub target: Target,
}

impl Address {
    /// The place of the producing deployable; none for an imported connection.
    pub fn producer(&self) -> Option<Place> {
        match &self.target {
            Target::Output { deployable, .. } => Some(Place {
                workspace: self.workspace.clone(),
                environment: self.environment.clone(),
                deployable: deployable.clone(),
            }),
            Target::Imported(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.workspace, self.environment)?;
        match &self.target {
            Target::Output { deployable, alias, output } => write!(f, "{deployable}/{alias}.{output}"),
            Target::Imported(name) => write!(f, "{IMPORTED}/{name}"),
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let partial: PartialAddress = text.parse()?;
        match (partial.generation, partial.workspace, partial.environment, partial.target) {
            (None, Some(workspace), Some(environment), PartialTarget::Imported(name)) => {
                Ok(Self { workspace, environment, target: Target::Imported(name) })
            }
            (None, Some(workspace), Some(environment), PartialTarget::Output { deployable: Some(deployable), alias, output }) => {
                Ok(Self { workspace, environment, target: Target::Output { deployable, alias, output } })
            }
            _ => Err(InvalidAddress::Shape(text.to_owned())),
        }
    }
}

/// An address as people write it: parts may be left out from the left when they are the run's own, and `@<generation>` may
/// follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialAddress {
    /// The workspace, when written.
    pub workspace: Option<WorkspaceName>,
    /// The environment, when written.
    pub environment: Option<EnvironmentName>,
    /// What is meant.
    pub target: PartialTarget,
    /// The generation, when pinned.
    pub generation: Option<u64>,
}

/// The target of a [`PartialAddress`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartialTarget {
    /// An output of an applied plugin, of the run's own deployable when none is written.
    Output {
        /// The deployable, when written.
        deployable: Option<DeployableName>,
        /// The applied plugin.
        alias: Alias,
        /// Its output.
        output: OutputName,
    },
    /// A connection written by hand.
    Imported(ImportedName),
}

impl PartialAddress {
    /// Fills in what was left out with the run's own parts.
    pub fn within(&self, own: &Place) -> Address {
        let target = match &self.target {
            PartialTarget::Output { deployable, alias, output } => Target::Output {
                deployable: deployable.clone().unwrap_or_else(|| own.deployable.clone()),
                alias: alias.clone(),
                output: output.clone(),
            },
            PartialTarget::Imported(name) => Target::Imported(name.clone()),
        };
        Address {
            workspace: self.workspace.clone().unwrap_or_else(|| own.workspace.clone()),
            environment: self.environment.clone().unwrap_or_else(|| own.environment.clone()),
            target,
        }
    }

    /// As it is meant by deployable `own` in a preview on top of `base`: what is its own is in the preview, and all else that is not
    /// said to be elsewhere is in the base.
    #[must_use]
    pub fn seen_from_preview(&self, own: &DeployableName, base: &EnvironmentName) -> Self {
        let is_own = match &self.target {
            PartialTarget::Output { deployable, .. } => deployable.as_ref().is_none_or(|deployable| deployable == own),
            PartialTarget::Imported(_) => false,
        };
        let environment = self.environment.clone().or_else(|| (!is_own).then(|| base.clone()));
        Self { environment, ..self.clone() }
    }

    /// Whether it means this connection to some deployable of an environment.
    pub fn may_mean(&self, address: &Address, workspace: &WorkspaceName, environment: &EnvironmentName) -> bool {
        let same_target = match (&self.target, &address.target) {
            (PartialTarget::Output { deployable, alias, output }, Target::Output { deployable: of, alias: by, output: what }) => {
                deployable.as_ref().is_none_or(|deployable| deployable == of) && alias == by && output == what
            }
            (PartialTarget::Imported(name), Target::Imported(of)) => name == of,
            _ => false,
        };
        same_target
            && *self.workspace.as_ref().unwrap_or(workspace) == address.workspace
            && *self.environment.as_ref().unwrap_or(environment) == address.environment
    }
}

impl FromStr for PartialAddress {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (path, generation) = match text.split_once('@') {
            Some((path, number)) => {
                let generation = number.parse().ok().filter(|n| *n > 0);
                (path, Some(generation.ok_or_else(|| InvalidAddress::Generation(text.to_owned()))?))
            }
            None => (text, None),
        };
        let mut parts: Vec<&str> = path.split('/').collect();
        let last = parts.pop().unwrap_or_default();
        let target = match (last.split_once('.'), parts.pop()) {
            (Some((alias, output)), deployable) if deployable != Some(IMPORTED) => PartialTarget::Output {
                deployable: deployable.map(DeployableName::new).transpose()?,
                alias: Alias::new(alias)?,
                output: OutputName::new(output)?,
            },
            (None, Some(IMPORTED)) => PartialTarget::Imported(ImportedName::new(last)?),
            _ => return Err(InvalidAddress::Shape(text.to_owned())),
        };
        let environment = parts.pop().map(EnvironmentName::new).transpose()?;
        let workspace = parts.pop().map(WorkspaceName::new).transpose()?;
        if !parts.is_empty() {
            return Err(InvalidAddress::Shape(text.to_owned()));
        }
        Ok(Self { workspace, environment, target, generation })
    }
}

impl fmt::Display for PartialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(workspace) = &self.workspace {
            write!(f, "{workspace}/")?;
        }
        if let Some(environment) = &self.environment {
            write!(f, "{environment}/")?;
        }
        match &self.target {
            PartialTarget::Output { deployable, alias, output } => {
                if let Some(deployable) = deployable {
                    write!(f, "{deployable}/")?;
                }
                write!(f, "{alias}.{output}")?;
            }
            PartialTarget::Imported(name) => write!(f, "{IMPORTED}/{name}")?,
        }
        match self.generation {
            Some(generation) => write!(f, "@{generation}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for PartialAddress {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl From<PartialAddress> for String {
    fn from(address: PartialAddress) -> Self {
        address.to_string()
    }
}

/// An applied plugin's slot inside its deployable, written `alias.slot`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    try_from = "String",
    into = "String",
    bound(serialize = "M: Clone + fmt::Display", deserialize = "M: FromStr<Err = InvalidName>")
)]
pub struct AliasMember<M> {
    /// The applied plugin.
    pub alias: Alias,
    /// Its slot or output.
    pub member: M,
}

impl<M: fmt::Display> fmt::Display for AliasMember<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.alias, self.member)
    }
}

impl<M: FromStr<Err = InvalidName>> FromStr for AliasMember<M> {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (alias, member) = text.split_once('.').ok_or_else(|| InvalidAddress::Shape(text.to_owned()))?;
        Ok(Self { alias: Alias::new(alias)?, member: member.parse()? })
    }
}

impl<M: FromStr<Err = InvalidName>> TryFrom<String> for AliasMember<M> {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl<M: fmt::Display> From<AliasMember<M>> for String {
    fn from(member: AliasMember<M>) -> Self {
        member.to_string()
    }
}

macro_rules! text_schema {
    ($($name:ty, $description:literal;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                "Address".into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": "address", "description": $description})
            }
        }
    )*};
}

text_schema! {
    Address, "<workspace>/<environment>/<deployable>/<alias>.<output> or <workspace>/<environment>/imported/<name>";
    PartialAddress, "<workspace>/<environment>/<deployable>/<alias>.<output>; parts may be left out from the left when they are the run's own";
}

impl<M> JsonSchema for AliasMember<M> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "AliasMember".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9-]{0,62}\\.[a-z][a-z0-9-]{0,62}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Place {
        Place {
            workspace: WorkspaceName::new("retail").unwrap(),
            environment: EnvironmentName::new("staging").unwrap(),
            deployable: DeployableName::new("shop").unwrap(),
        }
    }

    #[test]
    fn parts_left_out_are_the_runs_own() {
        for (written, full) in [
            ("db.main", "retail/staging/shop/db.main"),
            ("network/vpc.vpc", "retail/staging/network/vpc.vpc"),
            ("prod/network/vpc.vpc", "retail/prod/network/vpc.vpc"),
            ("platform/prod/network/vpc.vpc", "platform/prod/network/vpc.vpc"),
            ("imported/legacy", "retail/staging/imported/legacy"),
            ("platform/prod/imported/legacy@3", "platform/prod/imported/legacy"),
        ] {
            let partial: PartialAddress = written.parse().unwrap();
            assert_eq!(partial.to_string(), written);
            assert_eq!(partial.within(&own()).to_string(), full);
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for bad in ["", "db", "a/b/c/d/e.f", "imported/x.y", "db.main@0", "db.main@x", "imported", "A.b"] {
            assert!(bad.parse::<PartialAddress>().is_err(), "{bad}");
        }
        assert!("db.main".parse::<Address>().is_err());
    }
}
