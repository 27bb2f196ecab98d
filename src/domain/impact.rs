//! What a plan would do to those who are bound to what the deployable publishes. No value of a secret is ever in here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::change::AttributeChange;
use super::names::AttributeName;

/// What would happen to a published connection that somebody elsewhere is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// What would happen to it.
    pub effect: Effect,
    /// The attributes that would change, by name; values that are not known before the apply count.
    pub attributes: Vec<AttributeChange>,
    /// What is replaced or deleted behind it: each resource after what is done to it.
    pub lost: Vec<String>,
    /// The consumers elsewhere that it concerns.
    pub consumers: Vec<Concerned>,
    /// How many more there are elsewhere, who use nothing of what changes.
    pub others: usize,
}

/// What would happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Some of its attributes change, or may change.
    Changes,
    /// Resources behind it are replaced or deleted: that concerns everybody, whatever its attributes say.
    Replaced,
    /// It goes.
    Goes,
    /// Its producer can only be planned once others are applied.
    Unknown,
}

/// A consumer with what it uses of what changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Concerned {
    /// `<ws>/<env>/<deployable>/<alias>.<slot>`.
    pub consumer: String,
    /// The attributes that it uses and that change or go.
    pub attributes: BTreeSet<AttributeName>,
}

impl Impact {
    /// Puts its names through `change`. Values have been through it where they were read, before they were shortened.
    pub(super) fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        self.lost.iter_mut().for_each(|resource| *resource = change(resource));
        self.consumers.iter_mut().for_each(|concerned| concerned.consumer = change(&concerned.consumer));
    }
}
