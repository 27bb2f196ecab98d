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
    /// Conditions of inputs and of slots, these by their aliases: one of which none holds is not there.
    pub conditions: Vec<Condition>,
    /// What kind of answer each input takes, since answers are written loosely.
    pub kinds: BTreeMap<InputName, InputKind>,
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
    /// What the input is when the condition holds and nobody answers: an input may be there twice, with a default for each case.
    pub default: Option<Value>,
}

/// What kind of answer an input of a StackSpot plugin takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A text, or one of several.
    Text,
    /// A secret text.
    Password,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Some of several.
    Several,
    /// A list.
    List,
    /// A mapping.
    Object,
}

impl InputKind {
    /// What an input of this kind is that nobody answered.
    pub fn nothing(self) -> Value {
        match self {
            Self::Text | Self::Password => Value::String(String::new()),
            Self::Bool => Value::Bool(false),
            Self::Int => Value::Null,
            Self::Several | Self::List => Value::Array(Vec::new()),
            Self::Object => Value::Object(serde_json::Map::new()),
        }
    }

    /// What a loosely written answer means: `'false'` for a bool, `"80"` for a number, `[a]` where one is asked for, `a` where several
    /// may be. What means nothing of the kind stays as it is.
    #[must_use]
    pub fn taken(self, answer: &Value) -> Value {
        let scalar = match (self, answer) {
            (Self::Several | Self::List | Self::Object, _) => answer,
            (_, Value::Array(items)) if items.len() == 1 => &items[0],
            _ => answer,
        };
        match (self, scalar) {
            (Self::Bool, Value::String(text)) => truth(text).map_or_else(|| scalar.clone(), Value::Bool),
            (Self::Int, Value::String(text)) => text.trim().parse::<i64>().map_or_else(|_| scalar.clone(), Value::from),
            (Self::Text | Self::Password, Value::Number(number)) => Value::String(number.to_string()),
            (Self::Text | Self::Password, Value::Bool(value)) => Value::String(value.to_string()),
            (Self::Several, Value::String(_) | Value::Number(_) | Value::Bool(_)) if *scalar != "" => {
                Value::Array(vec![Self::Text.taken(scalar)])
            }
            (Self::Several, Value::Array(items)) => items.iter().map(|item| Self::Text.taken(item)).collect(),
            _ => scalar.clone(),
        }
    }
}

/// The bool that a text means, as YAML and people write it.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
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

/// The input that chooses one of a bundle's presets.
pub const PRESET: &str = "preset";

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
    /// Named sets of input values. Where the input [`PRESET`] names one, its values stand in for inputs that are not given.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn loose_answers_mean_what_their_input_asks_for() {
        let cases = [
            (InputKind::Bool, json!("False"), json!(false)),
            (InputKind::Bool, json!([true]), json!(true)),
            (InputKind::Bool, json!("perhaps"), json!("perhaps")),
            (InputKind::Int, json!(" 80 "), json!(80)),
            (InputKind::Int, json!("{{ n }}"), json!("{{ n }}")),
            (InputKind::Text, json!(8080), json!("8080")),
            (InputKind::Text, json!(["dev"]), json!("dev")),
            (InputKind::Password, json!(123), json!("123")),
            (InputKind::Several, json!("a"), json!(["a"])),
            (InputKind::Several, json!(["a", 1]), json!(["a", "1"])),
            (InputKind::Several, json!(""), json!("")),
            (InputKind::List, json!([1]), json!([1])),
        ];
        for (kind, answer, meant) in cases {
            assert_eq!(kind.taken(&answer), meant, "{kind:?} {answer}");
        }
    }
}
