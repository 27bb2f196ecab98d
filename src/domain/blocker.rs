//! What keeps something from being taken away (R29).

use serde::{Deserialize, Serialize};

use super::address::{Address, Place};

/// One thing that still needs what would go, or forbids that it goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: BlockerKind,
    /// Which one: a consumer's address, an environment with a default's key, a run, an environment.
    pub id: String,
    /// The connection that it needs; none where it is about the whole place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Address>,
    /// In words.
    pub message: String,
    /// Whose deployable it is.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// What keeps something from being taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockerKind {
    /// The environment is protected.
    Protected,
    /// An applied plugin is bound to it.
    Consumer,
    /// An applied plugin of a preview is bound to it.
    Preview,
    /// A reference or stand-in names it, though nothing is bound through it.
    Declared,
    /// An environment's default names it.
    Default,
    /// A run in progress binds it.
    Claim,
}
