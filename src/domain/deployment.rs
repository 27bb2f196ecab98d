//! A deployable, resolved for one environment: what the resolver yields and everything after it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::address::{Address, Place};
use super::connection::{ConnectionRecord, Face};
use super::connection_type::ConnectionType;
use super::diagnostic::{Diagnostic, Problems};
use super::manifest::{DeployableKind, Manifest};
use super::mapping::Conversion;
use super::names::{Alias, AttributeName, InputName, OutputName, SlotName};
use super::organization::{Environment, SecretReference};
use super::outcome::Wire;
use super::plugin::{Plugin, Slot};
use super::record::{ResolvedSource, StateLocation};

/// A deployable in an environment, with every input and slot resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Where it goes.
    pub place: Place,
    /// What it is.
    pub kind: DeployableKind,
    /// The environment's document.
    pub environment: Environment,
    /// The manifest with the environment's overlay merged in.
    pub manifest: Manifest,
    /// The manifest's file, as people know it.
    pub file: String,
    /// The applied plugins that are deployed; those behind a stand-in are not.
    pub plugins: BTreeMap<Alias, ResolvedPlugin>,
    /// The outputs supplied from elsewhere.
    pub stand_ins: BTreeMap<(Alias, OutputName), Address>,
}

impl Deployment {
    /// What feeds the slots, by applied plugin and slot.
    pub fn wiring(&self) -> Vec<Wire> {
        let slots = self
            .plugins
            .iter()
            .flat_map(|(alias, plugin)| plugin.slots.iter().map(move |(slot, resolved)| (alias, slot, resolved)));
        let wires = slots.filter_map(|(alias, slot, resolved)| {
            let source = match &resolved.choice {
                Choice::Link { alias, output } => self.place.output(alias, output),
                Choice::Connection(chosen) => chosen.record.address.clone(),
                Choice::Pending { address, .. } => address.clone(),
                Choice::Unset => return None,
            };
            Some(Wire { source, type_name: resolved.slot.type_name.clone(), alias: alias.clone(), slot: slot.clone() })
        });
        wires.collect()
    }

    /// What is missing to read the sensitive attributes that slots ask for (R43).
    pub fn withheld(&self) -> Problems {
        Problems(self.plugins.values().flat_map(ResolvedPlugin::withheld).map(|(_, missing)| missing.clone()).collect())
    }
}

/// An applied plugin, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedPlugin {
    /// Its document.
    pub plugin: Arc<Plugin>,
    /// Where it came from.
    pub source: ResolvedSource,
    /// Its inputs that have a value. A sensitive one's value is not here.
    pub inputs: BTreeMap<InputName, ResolvedInput>,
    /// Its slots.
    pub slots: BTreeMap<SlotName, ResolvedSlot>,
    /// What it publishes, in the order of names.
    pub outputs: BTreeMap<OutputName, Vec<PublishedFace>>,
    /// The aliases that come first: by link or by `after`.
    pub depends_on: BTreeSet<Alias>,
}

impl ResolvedPlugin {
    /// The connections whose sensitive attributes it asks for and may not read, each with what is missing.
    pub fn withheld(&self) -> impl Iterator<Item = (&Address, &Diagnostic)> {
        self.slots.values().filter_map(|slot| match &slot.choice {
            Choice::Connection(chosen) => Some((&chosen.record.address, chosen.withheld.as_deref()?)),
            _ => None,
        })
    }
}

/// One type that an output is published under.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedFace {
    /// The type.
    pub connection_type: Arc<ConnectionType>,
    /// Contract attribute to Terraform output of the module.
    pub from: BTreeMap<AttributeName, String>,
}

/// An input with its value and where that came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedInput {
    /// The value.
    pub value: InputValue,
    /// The layer that supplied it.
    pub layer: Layer,
    /// What weaker layers would have supplied, strongest first.
    pub covered: Vec<(Layer, Value)>,
}

/// A value, unless it is sensitive.
#[derive(Debug, Clone, PartialEq)]
pub enum InputValue {
    /// In clear.
    Plain(Value),
    /// Supplied with the run's secrets.
    Sensitive,
}

/// A source of input values, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The plugin's schema.
    PluginDefault,
    /// The workspace's values.
    Workspace,
    /// The environment's values.
    Environment,
    /// The manifest.
    Manifest,
    /// The manifest's overlay for the environment.
    EnvironmentOverlay,
    /// The manifest's preview part.
    PreviewOverlay,
    /// The run's inputs.
    Run,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PluginDefault => "plugin default",
            Self::Workspace => "workspace values",
            Self::Environment => "environment values",
            Self::Manifest => "manifest",
            Self::EnvironmentOverlay => "environment overlay",
            Self::PreviewOverlay => "preview overlay",
            Self::Run => "run inputs",
        })
    }
}

/// A slot with what was chosen for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedSlot {
    /// What the plugin asks for.
    pub slot: Slot,
    /// What it gets.
    pub choice: Choice,
    /// How the connection is made one of the slot's type, where it is of another.
    pub conversion: Option<Arc<Conversion>>,
    /// Every source that was looked at, in order of precedence, the chosen one included.
    pub considered: Vec<Candidate>,
}

/// A source of a slot's connection, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// A reference in this environment, or an address in `connections`.
    Reference,
    /// A link.
    Link,
    /// A link whose output is supplied by a stand-in.
    StandIn,
    /// An environment default keyed by type and slot.
    SlotDefault,
    /// An environment default keyed by type.
    TypeDefault,
}

impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reference => "reference",
            Self::Link => "link",
            Self::StandIn => "stand-in",
            Self::SlotDefault => "environment default for this slot",
            Self::TypeDefault => "environment default",
        })
    }
}

/// What a slot gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// An output of another applied plugin of this deployment.
    Link {
        /// The producer.
        alias: Alias,
        /// Its output.
        output: OutputName,
    },
    /// A published connection.
    Connection(Box<ChosenConnection>),
    /// A connection that does not exist yet: plan shows it, deploy refuses.
    Pending {
        /// Where it would be.
        address: Address,
        /// How it came to be chosen.
        via: Via,
    },
    /// Nothing: the slot is optional.
    Unset,
}

/// A published connection, chosen for a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenConnection {
    /// How it came to be chosen.
    pub via: Via,
    /// Its record.
    pub record: ConnectionRecord,
    /// Which of its faces is used, as a position in [`ConnectionRecord::faces`].
    pub face: usize,
    /// How its sensitive attributes are reached.
    pub secrets: Secrets,
    /// The grant that is missing to read them: Terraform would, when it plans (R43).
    pub withheld: Option<Box<Diagnostic>>,
}

/// How the sensitive attributes of a connection are reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Secrets {
    /// In the state of the applied plugin that publishes it.
    Produced(StateLocation),
    /// Where the document of an imported connection says.
    Imported(BTreeMap<AttributeName, SecretReference>),
    /// Not at all: nothing says where its producer's state is.
    Unknown,
}

impl ChosenConnection {
    /// The face that is used.
    pub fn face(&self) -> &Face {
        self.record.faces().nth(self.face).unwrap_or(&self.record.face)
    }
}

/// A source that was looked at for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which source.
    pub via: Via,
    /// What it names; none where it is not declared.
    pub address: Option<String>,
    /// Why it was or was not taken, in words.
    pub verdict: String,
}
