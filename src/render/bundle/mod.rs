//! scaffold
use std::collections::BTreeMap;

use crate::domain::diagnostic::Problems;
use crate::domain::foreign::Bundle;

pub struct Adapted {
    pub files: BTreeMap<String, Vec<u8>>,
}
pub fn adapt(_: &Bundle, _: &str, _: &BTreeMap<&str, &[u8]>) -> Result<Adapted, Problems> {
    Err(Problems::default())
}
