//! What a plugin of another system has beside what every plugin has: it is read into [`super::plugin::Plugin`], and this says how
//! its module comes about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::names::{InputName, SlotName};

/// A plugin that was written for another system.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreign {
    /// A StackSpot plugin: its module is rendered from templates for each apply.
    StackSpot(Box<Templates>),
    /// A step of a Massdriver bundle: its module is adapted once, whatever it is applied with.
    Massdriver(Box<Bundle>),
    /// A Signadot resource plugin: steps, and texts for all values.
    Signadot,
}

/// The templates of a StackSpot plugin, and what they see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Templates {
    /// The folder of the templates in the plugin's tree, without a final `/`.
    pub folder: String,
    /// Names of computed inputs to their template expressions, in the order of the document: each may use those before it.
    pub computed: Vec<(String, String)>,
    /// The same for those that other plugins see as well.
    pub global_computed: Vec<(String, String)>,
    /// The inputs that are global: templates also see them under `global_inputs`.
    pub global: Vec<InputName>,
    /// Conditions of inputs: one whose condition does not hold is not there.
    pub conditions: Vec<Condition>,
    /// Slots by the alias that templates know them under.
    pub aliases: BTreeMap<String, SlotName>,
    /// What the plugin's `generates.links` say, each with its template.
    pub links: Vec<Link>,
}

/// When an input is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The input that the condition is on.
    pub input: InputName,
    /// The input that it looks at.
    pub variable: String,
    /// `==`, `!=`, `>`, `>=`, `<`, `<=`, `containsAny`, `notContainsAny`, `containsAll` or `notContainsAll`.
    pub operator: String,
    /// What the other input's value is compared with.
    pub value: Value,
}

/// A link that a plugin shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub name: String,
    /// Where it leads: a template where it is dynamic.
    pub url: String,
    /// Whether it is a template.
    pub dynamic: bool,
}

/// One step of a Massdriver bundle that runs Terraform.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundle {
    /// The step's folder in the bundle.
    pub step: String,
    /// The bundle's other steps that come after or before it, in order, this one included; one of a single step has one.
    pub steps: Vec<String>,
    /// The inputs that cannot be changed once something was applied: ways from the outermost on, `[]` for each item of a list.
    pub immutable: Vec<Vec<String>>,
    /// The inputs that no preview takes from its base: ways like those.
    pub not_copyable: Vec<Vec<String>>,
    /// The inputs whose values are among what a connection offers.
    pub choices: Vec<Choice>,
    /// Variables of the application: name to the jq program that makes them of `params` and `connections`.
    pub envs: BTreeMap<String, String>,
    /// Named sets of input values. Where the input `preset` names one, its values stand in for inputs that are not given.
    pub presets: BTreeMap<String, BTreeMap<String, Value>>,
    /// The variables that Massdriver's tools declare for the step's module: params, connections, secrets and `md_metadata`.
    pub variables: BTreeSet<String>,
}

/// An input whose values a connection offers (`$md.enum`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The path of the input, from the outermost on.
    pub path: Vec<String>,
    /// The slot.
    pub slot: SlotName,
    /// The jq program that lists the options.
    pub options: String,
    /// The jq program that makes an option's value.
    pub value: Option<String>,
}
