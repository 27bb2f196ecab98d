//! The plugin: a versioned unit of infrastructure with a contract.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connection_type::TypeRef;
use super::foreign::Foreign;
use super::names::{AttributeName, InputName, OutputName, PluginName, SlotName, TypeName};
use super::step::{StepOutput, StepsPart};

/// A plugin's document, `plugin.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plugin {
    /// `tieline/v1`.
    pub api_version: String,
    /// `Plugin`.
    pub kind: PluginKind,
    /// Its name.
    pub name: PluginName,
    /// Its version; a published version never changes.
    #[schemars(with = "String", extend("format" = "version"))]
    pub version: Version,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema (2020-12) of an object; defaults fill in.
    #[serde(default = "no_inputs")]
    pub inputs: Value,
    /// What it needs: slots.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requires: BTreeMap<SlotName, Slot>,
    /// What it publishes: outputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generates: BTreeMap<OutputName, Output>,
    /// Its Terraform module; absent where it is made of steps alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terraform: Option<TerraformPart>,
    /// Its scripts; absent where it is a Terraform module alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<StepsPart>,
    /// Limits on its use.
    #[serde(default)]
    pub limits: PluginLimits,
    /// What else there is to it where it was written for another system.
    #[serde(skip)]
    pub foreign: Option<Foreign>,
}

/// The kind of a plugin's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PluginKind {
    /// The only one.
    Plugin,
}

fn no_inputs() -> Value {
    serde_json::json!({"type": "object", "additionalProperties": false, "properties": {}})
}

/// What an applied plugin requires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The connection interface type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// Which versions of the type will do, such as `>=1, <2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "version-range"))]
    pub version: Option<semver::VersionReq>,
    /// Whether the plugin also works without it.
    #[serde(default)]
    pub optional: bool,
    /// The sensitive attributes that it uses; only these are handed over.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive: BTreeSet<AttributeName>,
    /// JSON Schema that the chosen connection's public attributes must satisfy.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Value>,
    /// Which attributes it uses, where its document does not say which sensitive ones those are.
    #[serde(skip)]
    pub uses: Uses,
}

/// What a plugin of another system uses of a connection: of these, the ones that the type calls sensitive are handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Uses {
    /// Its document says it: what is in `sensitive`.
    #[default]
    Declared,
    /// The attributes that its templates, variables or steps name.
    Named(BTreeSet<AttributeName>),
    /// All: what it uses cannot be told.
    All,
}

/// What an applied plugin generates: one type, or the same thing under several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The type it publishes; the newest version in the context unless `name@version` says which.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<TypeRef>,
    /// Several types instead of one, for moving consumers to a new major.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<TypedOutput>,
    /// Contract attribute to Terraform output of the module, to what is inside one (`output.field`), or to what a create step left
    /// (`step.output`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub from: BTreeMap<AttributeName, String>,
}

/// One of the several types of an [`Output`]: just its name, or its name with a mapping of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TypedOutput {
    /// Uses the output's `from`.
    Plain(TypeRef),
    /// Has its own.
    Mapped(MappedType),
}

/// A type with its own mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappedType {
    /// The type.
    #[serde(rename = "type")]
    pub type_ref: TypeRef,
    /// Contract attribute to Terraform output of the module.
    #[serde(default)]
    pub from: BTreeMap<AttributeName, String>,
}

impl Output {
    /// Every type that it publishes with the mapping that holds for it, in the order of the document.
    pub fn published(&self) -> Vec<(&TypeRef, &BTreeMap<AttributeName, String>)> {
        let single = self.type_ref.iter().map(|type_ref| (type_ref, &self.from));
        let several = self.types.iter().map(|typed| match typed {
            TypedOutput::Plain(type_ref) => (type_ref, &self.from),
            TypedOutput::Mapped(mapped) if mapped.from.is_empty() => (&mapped.type_ref, &self.from),
            TypedOutput::Mapped(mapped) => (&mapped.type_ref, &mapped.from),
        });
        single.chain(several).collect()
    }
}

/// A plugin's Terraform module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TerraformPart {
    /// The folder with the `.tf` files, inside the plugin.
    #[serde(default = "own_folder")]
    pub module: String,
    /// Module variable to where its value comes from, where names do not say it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, VariableSource>,
    /// Which Terraform versions it works with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_version: Option<String>,
    /// Resources that changed their address inside the module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// Resource addresses inside the module that destroy leaves behind; `*` means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_on_destroy: Vec<String>,
}

fn own_folder() -> String {
    ".".to_owned()
}

/// Where a module variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum VariableSource {
    /// An input of the plugin.
    Input(InputName),
    /// `slot.attribute`, or `slot` for the whole connection.
    Connection(String),
    /// `step.output`: what one of the plugin's own create steps left.
    Step(String),
}

/// A resource that changed its address inside the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The old address.
    pub from: String,
    /// The new address.
    pub to: String,
}

/// Limits on a plugin's use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PluginLimits {
    /// At most once in a manifest.
    #[serde(default)]
    pub single_use: bool,
}

impl Plugin {
    /// The folder with its `.tf` files; none where it is made of steps alone.
    pub fn module(&self) -> Option<&str> {
        self.terraform.as_ref().map(|terraform| terraform.module.as_str())
    }

    /// Where its module's variables come from, as far as its document says it.
    pub fn variables(&self) -> impl Iterator<Item = (&String, &VariableSource)> {
        self.terraform.iter().flat_map(|terraform| &terraform.variables)
    }

    /// The output of its create steps that a published attribute comes from; none where that is an output of its module. A step's
    /// comes before a module's of the same name.
    pub fn step_output(&self, from: &str) -> Option<&StepOutput> {
        let (step, output) = from.split_once('.')?;
        self.steps.as_ref()?.output(step, output)
    }

    /// The inputs marked `x-sensitive` in the schema.
    pub fn sensitive_inputs(&self) -> BTreeSet<InputName> {
        super::connection_type::sensitive_properties(&self.inputs)
            .into_iter()
            .filter_map(|name| InputName::new(name).ok())
            .collect()
    }

    /// The names of all inputs in the schema's `properties`.
    pub fn input_names(&self) -> BTreeSet<InputName> {
        let properties = self.inputs.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().filter_map(|(name, _)| InputName::new(name.as_str()).ok()).collect()
    }
}
