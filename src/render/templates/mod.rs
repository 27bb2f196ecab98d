//! scaffold
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::BoundSlot;
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::foreign::Templates;
use crate::domain::names::{Alias, InputName, SlotName};
use crate::domain::plugin::VariableSource;

pub struct Scope<'a> {
    pub inputs: &'a BTreeMap<InputName, Value>,
    pub sensitive_inputs: &'a BTreeSet<InputName>,
    pub slots: &'a BTreeMap<SlotName, BoundSlot>,
    pub place: &'a Place,
    pub alias: &'a Alias,
}
pub struct Rendered {
    pub files: BTreeMap<String, Vec<u8>>,
    pub variables: BTreeMap<String, VariableSource>,
}
pub fn render(_: &Templates, _: &BTreeMap<&str, &[u8]>, _: &Scope<'_>) -> Result<Rendered, Problems> {
    Err(Problems::default())
}
pub fn check(_: &Templates, _: &BTreeMap<&str, &[u8]>) -> Problems {
    Problems::default()
}
