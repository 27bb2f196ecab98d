//! What a change of the documents does to what is deployed: whom it repoints, allows or breaks.
//!
//! Pure: the documents before and after it, and what was read of the ledger, are handed in as values.

pub mod grants;

use std::collections::BTreeMap;

use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::connection::Binding;
use crate::domain::manifest::DeployableKind;
use crate::domain::names::SlotName;

/// A slot that uses a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The deployable that uses it.
    pub consumer: Place,
    /// The slot.
    pub slot: AliasMember<SlotName>,
    /// The connection, and how it was taken.
    pub binding: Binding,
    /// Whether the consumer's own manifest names the connection: then no default matters to it.
    pub is_declared: bool,
}

impl Use {
    /// The connection.
    pub fn address(&self) -> &Address {
        &self.binding.address
    }

    /// The slot with its place, as `<workspace>/<environment>/<deployable>/<alias>.<slot>`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.consumer, self.slot)
    }
}

/// What producers are; one that is not here counts as an application.
pub type Kinds = BTreeMap<Place, DeployableKind>;
