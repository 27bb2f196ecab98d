//! What people and programs read, drawn from data. Pure: nothing is computed here that the data does not say.

pub mod activities;
pub mod cases;
pub mod comment;
pub mod connections;
pub mod drift;
pub mod early;
#[cfg(test)]
mod fixtures;
pub mod fleet;
mod impact;
pub mod import;
mod lines;
mod markdown;
pub mod moving;
pub mod outputs;
mod page;
pub mod plan;
pub mod plugins;
pub mod preview;
pub mod previews;
pub mod problems;
pub mod proposal;
pub mod prune;
pub mod rebinding;
pub mod reseal;
pub mod review;
pub mod run;
pub mod status;
pub(crate) mod style;
pub mod summary;
mod surroundings;
mod table;
mod times;
pub mod unlocking;
pub mod usage;
pub mod verify;

pub use surroundings::Surroundings;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::domain::address::Address;
use crate::domain::visible::visible;

/// Text from outside as it may be shown, on one line.
pub fn one_line(text: &str) -> String {
    visible(&text.replace(['\n', '\t'], " "))
}

/// How many there are, in words.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The format of the reports for programs, from 1. Fields may be added without a new one.
const SCHEMA_VERSION: u32 = 1;

/// What stands under an address.
fn by_text<T: Serialize>(by_address: &BTreeMap<Address, T>) -> BTreeMap<String, &T> {
    by_address.iter().map(|(address, value)| (address.to_string(), value)).collect()
}

/// Canonical JSON in which no text is a command of a runner that reads it: `##[` can only stand in a string, where an escape means
/// the same.
fn to_json(value: &Value) -> String {
    String::from_utf8_lossy(&crate::domain::canonical::to_bytes(value)).replace("##[", "#\\u0023[")
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(super::one_line("a\u{1b}[2Jb\r\nc"), "a\\u{1b}[2Jb\\r c");
        assert_eq!(super::one_line("##[add-mask]\u{202e}x"), "#\\#[add-mask]\\u{202e}x");
    }

    #[test]
    fn r67_json_holds_no_command_and_means_the_same() {
        let value = serde_json::json!({"name": "###[add-mask]x"});
        let json = super::to_json(&value);
        assert!(!json.contains("##["), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }
}
