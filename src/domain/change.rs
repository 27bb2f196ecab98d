//! What happens to resources, as a person reviews it. No value of a secret is ever in here: it is masked where plans are read.

use serde::{Deserialize, Serialize};

/// What happens to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedResource {
    /// Its address inside the plugin's module.
    pub address: String,
    /// `create`, `update`, `replace`, `delete` or another of Terraform's words.
    pub action: String,
    /// Where it was before, if it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// How far it got.
    pub progress: Progress,
    /// What changes in it, in the order of paths. Empty where nobody asked, and where it is deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeChange>,
    /// How many more attributes change than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

impl PlannedResource {
    /// Puts its names through `change`. Values and paths have been through it where they were read, before they were shortened.
    pub(super) fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        self.address = change(&self.address);
        self.previous = self.previous.as_deref().map(change);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How far a resource's change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// It is planned, and nothing more is known.
    Planned,
    /// It was done.
    Done,
    /// The apply ended before it was done.
    Open,
}

/// What happens to one value of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributeChange {
    /// The way to it, such as `tags.Name` or `ingress[0].port`.
    pub path: String,
    /// What it is.
    pub before: Shown,
    /// What it becomes.
    pub after: Shown,
    /// Whether this is why the resource is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forces_replacement: bool,
}

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// There is none.
    Absent,
    /// It is a secret.
    Sensitive,
    /// It is known after the apply.
    Unknown,
    /// In compact JSON, shortened where it is long.
    Json(String),
}

impl Shown {
    /// The value, or what stands for it, as text from outside.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Absent => "null",
            Self::Sensitive => "(sensitive)",
            Self::Unknown => "(known after apply)",
            Self::Json(text) => text,
        }
    }
}
