//! What no schema can say: the rules that one document must keep by itself.

mod account;
mod backend;
mod catalog;
mod connection_type;
mod environment;
mod graph;
mod manifest;
mod organization;
mod plugin;
pub(super) mod steps;
mod view;
mod workspace;

use std::collections::BTreeSet;

use serde_json::Value;

use super::Kind;
use super::finding::{Finding, listed};
use crate::domain::diagnostic::{Pointer, Segment};
use crate::domain::names::EnvironmentName;
use crate::domain::preview::lifetime;

pub(super) use plugin::is_identifier;

/// A document with rules of its own.
pub(super) trait Document {
    /// Its kind.
    const KIND: Kind;

    /// What makes the document one that this version does not understand at all.
    fn unsupported(_value: &Value) -> Option<Finding> {
        None
    }

    /// Everything that breaks a rule. `value` is the whole document; `self` may lack what the schema refused.
    fn findings(&self, file: &str, value: &Value) -> Vec<Finding>;
}

/// A name that nothing has, with the nearest that is there.
fn unknown(at: Pointer, what: &str, name: &str, known: &BTreeSet<&str>) -> Finding {
    let finding =
        Finding::new(at, format!("there is no {what} `{name}`")).label("not found").suggest(name, known.iter().copied());
    if known.is_empty() {
        finding.note(format!("there is no {what} at all"))
    } else {
        finding.note(format!("there is {}", listed(known.iter().copied())))
    }
}

/// The keys of the mapping that a pointer leads to.
fn keys_of<'a>(value: &'a Value, at: &Pointer) -> BTreeSet<&'a str> {
    let target = at.segments.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    });
    target.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// R49: previews have their names to themselves.
fn check_environment_name(name: &EnvironmentName, at: Pointer) -> Option<Finding> {
    name.is_preview().then(|| {
        Finding::new(at, format!("`{name}` is not a name for an environment's document: `pr-…` are previews"))
            .label("kept for previews")
            .help("choose a name that does not start with `pr-`")
    })
}

/// How long previews live.
fn check_lifetime(text: Option<&str>, at: Pointer) -> Option<Finding> {
    let wrong = text.filter(|text| lifetime(text).is_none())?;
    let found = Finding::new(at, format!("`{wrong}` is not a length of time"));
    Some(found.help("write a whole number and `m`, `h` or `d`, such as `72h`"))
}

/// The context keeps documents at paths that follow from their names: in a folder `folder`, the file is called `name`.
fn check_file_name(file: &str, folder: &str, name: &str) -> Option<Finding> {
    let path = file.rsplit(':').next().unwrap_or(file);
    let inside = path.split('/').rev().skip(1).any(|part| part == folder);
    let stem = path.rsplit('/').next()?.rsplit_once('.')?.0;
    (inside && stem != name).then(|| {
        Finding::new(Pointer::keys(["name"]), format!("the name `{name}` is not that of the file `{stem}.yaml`"))
            .label("differs from the file's name")
            .help(format!("name the file `{name}.yaml`, or write `name: {stem}`"))
    })
}
