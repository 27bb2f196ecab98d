//! Limits of a workspace or the organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of a workspace or the organization; absent: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Applied plugins in one deployable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_plugins: Option<u32>,
    /// Runs that may begin in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_hour: Option<u32>,
    /// Live previews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_previews: Option<u32>,
    /// Live previews that one deployable is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_previews_per_deployable: Option<u32>,
    /// How long a preview may live at most after its last deploy, such as `7d`, and what labels and comments may ask for; absent: as
    /// long as its manifest says, and nobody may ask for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_preview_ttl: Option<String>,
}
