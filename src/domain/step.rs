//! Step workflows: a plugin as scripts, each run alone in a container or a process of its own.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::StepName;

/// A plugin's scripts: what makes a thing, and what takes it away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsPart {
    /// Where the scripts run.
    #[serde(default)]
    pub runner: Runner,
    /// How long a workflow of them may take, such as `30m`; absent: as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// The steps of a deploy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<Step>,
    /// The steps of a destroy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<Step>,
}

/// Where scripts run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runner {
    /// The image of their containers; absent: they run on the runner itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Variables for every step. No secrets: they stand in a document.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The Kubernetes namespace of their pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// YAML that is merged over the template of their pods; the container is called `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_template_overlay: Option<String>,
}

/// One script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, which no other step of the plugin has.
    pub name: StepName,
    /// Steps of the same workflow that come first, for order without data.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<StepName>,
    /// What it is handed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<StepInput>,
    /// The script, from its `#!` line on.
    pub script: String,
    /// What it leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<StepOutput>,
    /// How long it may take, such as `5m`; absent: as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How often it is tried again after it failed, from 0 to 5.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = 5))]
    pub retries: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// What a step is handed: one value, from one source, to a variable, a file or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepInput {
    /// Its name; where it comes from an input of the plugin, that input's.
    pub name: String,
    /// Takes the plugin's input of its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub value_from_input: bool,
    /// `slot.attribute`: takes it from a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from_connection: Option<String>,
    /// Takes what another step left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from_step: Option<StepOutputRef>,
    /// Where it goes.
    #[serde(rename = "as")]
    pub target: StepTarget,
}

/// What a step left, named from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepOutputRef {
    /// The step.
    pub name: StepName,
    /// Its output.
    pub output: String,
}

/// Where a step's input goes: at least one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTarget {
    /// A variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file, by its absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What a step leaves: the bytes of a file, which are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepOutput {
    /// Its name.
    pub name: String,
    /// What the text means; absent: a text.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<StepOutputKind>,
    /// What it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The file that holds it after the script ended well, by its absolute path.
    pub value_from_path: String,
    /// Whether it is a secret: it is sealed before it is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// Whether one final newline is dropped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trim: bool,
}

/// What the text of a step's output means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepOutputKind {
    /// Itself.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A JSON document.
    Json,
}

impl StepOutputKind {
    /// The value that a text of this kind means.
    ///
    /// # Errors
    /// When it is not of this kind. The text, which may be a secret, is not quoted.
    pub fn read(self, text: &str) -> Result<Value, &'static str> {
        let parsed = || serde_json::from_str::<Value>(text.trim()).ok();
        match self {
            Self::String => Ok(Value::from(text)),
            Self::Integer => parsed().filter(|value| value.is_i64() || value.is_u64()).ok_or("it is not a whole number"),
            Self::Number => parsed().filter(Value::is_number).ok_or("it is not a number"),
            Self::Boolean => parsed().filter(Value::is_boolean).ok_or("it is neither `true` nor `false`"),
            Self::Json => parsed().ok_or("it is not JSON"),
        }
    }

    /// The type that the values have, in Terraform's word; none where they can have any.
    pub fn terraform_type(self) -> Option<&'static str> {
        match self {
            Self::String => Some("string"),
            Self::Integer | Self::Number => Some("number"),
            Self::Boolean => Some("bool"),
            Self::Json => None,
        }
    }

    /// The type that the values have, in JSON Schema's word; none where they can have any.
    pub fn schema_type(self) -> Option<&'static str> {
        match self {
            Self::String => Some("string"),
            Self::Integer => Some("integer"),
            Self::Number => Some("number"),
            Self::Boolean => Some("boolean"),
            Self::Json => None,
        }
    }
}

impl StepInput {
    /// The slot and the attribute that it comes from; none where it comes from elsewhere.
    pub fn connection(&self) -> Option<(&str, &str)> {
        self.value_from_connection.as_deref()?.split_once('.')
    }

    /// The slot whose connection it takes as a whole, as a JSON object: only plugins of other systems do.
    pub fn whole_connection(&self) -> Option<&str> {
        self.value_from_connection.as_deref().filter(|path| !path.contains('.'))
    }
}

impl StepOutput {
    /// What its text means.
    pub fn meaning(&self) -> StepOutputKind {
        self.kind.unwrap_or_default()
    }
}

impl StepsPart {
    /// The steps of both workflows.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        self.create.iter().chain(&self.delete)
    }

    /// The output of a create step.
    pub fn output(&self, step: &str, output: &str) -> Option<&StepOutput> {
        let step = self.create.iter().find(|one| one.name.as_str() == step)?;
        step.outputs.iter().find(|one| one.name == output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_means_a_value_of_its_kind_or_nothing() {
        use StepOutputKind::{Boolean, Integer, Json, Number, String};
        assert_eq!(String.read(" 7\n"), Ok(json!(" 7\n")));
        assert_eq!(Integer.read("7\n"), Ok(json!(7)));
        assert_eq!(Number.read("7.5"), Ok(json!(7.5)));
        assert_eq!(Boolean.read("true\n"), Ok(json!(true)));
        assert_eq!(Json.read("{\"a\": [1]}"), Ok(json!({"a": [1]})));
        for (kind, text) in [(Integer, "7.5"), (Integer, "\"7\""), (Number, "many"), (Boolean, "yes"), (Json, "{"), (Json, "")] {
            assert!(kind.read(text).is_err(), "{kind:?} {text}");
        }
    }
}
