//! A Terraform module as a static reading sees it: what it declares and uses, without running anything.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Origin;

/// What one folder of Terraform files declares and uses. Places are paths inside the tree that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// Its variables.
    pub variables: BTreeMap<String, Variable>,
    /// Its outputs.
    pub outputs: BTreeMap<String, ModuleOutput>,
    /// The providers it declares or uses, by their local names.
    pub providers: BTreeMap<String, ProviderUse>,
    /// The local names of the providers whose default configuration it brings.
    pub configured: BTreeSet<String>,
    /// The Terraform versions it asks for.
    pub required_versions: Vec<String>,
    /// The modules it calls.
    pub calls: Vec<ModuleCall>,
    /// What would run programs or ask the network on the runner: provisioners, data sources and actions made for
    /// that, and settings of providers that name a program.
    pub programs: Vec<Finding>,
    /// Its own `backend` and `cloud` blocks.
    pub backends: Vec<Finding>,
    /// What takes its values from what.
    pub flows: Flows,
}

/// A name in an expression, in its parts: `var.database.password` is `var`, `database`, `password`.
pub type Reference = Vec<String>;

/// What takes its values from what, as far as it matters for the settings of providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flows {
    /// The names that its provider configurations are made from.
    pub providers: BTreeSet<Reference>,
    /// The names that its locals and data sources are made from: `local`, `<name>` and `data`, `<type>`, `<name>`.
    pub named: BTreeMap<Reference, BTreeSet<Reference>>,
    /// The names that the arguments of each module call are made from.
    pub arguments: BTreeMap<String, BTreeMap<String, BTreeSet<Reference>>>,
}

/// A variable of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Whether it has no default.
    pub required: bool,
    /// Whether it is marked sensitive.
    pub sensitive: bool,
    /// Where it is declared.
    pub origin: Origin,
}

/// An output of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleOutput {
    /// Whether it is marked sensitive.
    pub sensitive: bool,
    /// Where it is declared.
    pub origin: Origin,
}

/// A provider that a module declares or uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUse {
    /// Its source as written in `required_providers`; none where only its local name says it.
    pub source: Option<String>,
    /// Where it is declared, or first used.
    pub origin: Origin,
}

/// A module that a module calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCall {
    /// The call's name.
    pub name: String,
    /// Its source; none where that is not a plain text.
    pub source: Option<String>,
    /// Where.
    pub origin: Origin,
}

/// Something that a gate looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, in words, such as ``provisioner `local-exec` in `aws_instance.web` ``.
    pub what: String,
    /// Where.
    pub origin: Origin,
}

impl Module {
    /// The source of the provider with this local name, as Terraform takes it: lower case, `namespace/name`, with a host where
    /// one is written.
    pub fn provider_source(&self, local: &str) -> String {
        let written = self.providers.get(local).and_then(|provider| provider.source.as_deref());
        match written {
            None if local == "terraform" => BUILTIN_PROVIDER.to_owned(),
            None => format!("hashicorp/{}", local.to_lowercase()),
            Some(source) if !source.contains('/') => format!("hashicorp/{}", source.to_lowercase()),
            Some(source) => source.to_lowercase(),
        }
    }
}

/// The provider that is part of Terraform itself.
pub const BUILTIN_PROVIDER: &str = "terraform.io/builtin/terraform";
