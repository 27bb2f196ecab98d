//! What is recorded of the steps of an applied plugin: what they left, so that others have it after the run (R60).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a create step left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// When it ended well.
    pub ended: DateTime<Utc>,
    /// Its outputs by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, RecordedOutput>,
}

/// What is recorded of a step's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordedOutput {
    /// One that is no secret.
    Plain {
        /// Its bytes, which are text.
        text: String,
    },
    /// A secret.
    Sealed {
        /// The age ciphertext.
        sealed: String,
        /// Who can open it.
        recipients: Vec<String>,
        /// Made anew whenever the value is another than before.
        revision: String,
    },
}
