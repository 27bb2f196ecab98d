//! What changes inside resources, out of terraform's JSON of a plan. That JSON holds secrets in clear: nothing leaves here that it
//! marks as sensitive, neither at its own place nor where a provider repeats it without a mark, and what is known to be a secret is
//! taken out before a value is shortened.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::change::{AttributeChange, PlannedResource, Shown};
use crate::domain::visible::shortened;
use crate::secrets::{Redactor, Secret};

/// The longest value or path, in characters.
const LONGEST: usize = 300;
/// The most attributes of one resource.
const MOST: usize = 200;

/// What a plan's JSON says of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What it would change.
    Changes,
    /// What changed outside of Terraform.
    Drift,
}

impl Part {
    fn of(self, shown: &Value) -> &Value {
        match self {
            Self::Changes => &shown["resource_changes"],
            Self::Drift => &shown["resource_drift"],
        }
    }
}

/// Fills in what changes inside `resources`, up to `room` bytes of text for all of them; what there is no room for is counted.
/// Resources that are deleted have nothing to say but that.
pub(super) fn fill(resources: &mut [PlannedResource], shown: &Value, part: Part, redactor: &Redactor, room: usize) {
    let changes: BTreeMap<&str, &Value> = part
        .of(shown)
        .as_array()
        .into_iter()
        .flatten()
        .filter(|resource| resource["deposed"].is_null())
        .filter_map(|resource| Some((resource["address"].as_str()?, &resource["change"])))
        .collect();
    let secrets = Secrets::of(shown, redactor);
    let mut left = room;
    for resource in resources.iter_mut().filter(|resource| resource.action != "delete") {
        let inside = format!("{}{}", super::changes::INSIDE, resource.address);
        let Some(change) = changes.get(inside.as_str()).or_else(|| changes.get(resource.address.as_str())) else { continue };
        for attribute in attributes(change, &secrets) {
            let size = size(&attribute);
            if resource.more > 0 || resource.attributes.len() == MOST || size > left {
                resource.more += 1;
            } else {
                left -= size;
                resource.attributes.push(attribute);
            }
        }
    }
}

/// What is taken out of every text.
pub(super) struct Secrets<'a> {
    /// The run's own secrets.
    known: &'a Redactor,
    /// What the plan marks as sensitive, former values included: those of before a rotation nobody else knows.
    marked: Redactor,
}

impl<'a> Secrets<'a> {
    /// What is secret in a plan's JSON, with what is known to be.
    pub(super) fn of(shown: &Value, known: &'a Redactor) -> Self {
        Self { known, marked: marked(shown) }
    }

    /// A public value as it may be shown, in at most so many characters.
    pub(super) fn shown(&self, value: &Value, longest: usize) -> Shown {
        match value {
            Value::Null => Shown::Absent,
            // Before it is quoted, too: a document inside a text would be quoted twice.
            Value::String(text) => Shown::Json(self.short(&Value::from(self.clean(text)).to_string(), longest)),
            value => Shown::Json(self.short(&value.to_string(), longest)),
        }
    }

    fn short(&self, text: &str, longest: usize) -> String {
        shortened(&self.clean(text), longest)
    }

    /// The text without what is secret.
    pub(super) fn clean(&self, text: &str) -> String {
        self.marked.redact(&self.known.redact(text))
    }
}

/// Everything that a plan marks as sensitive, in resources and in outputs.
fn marked(shown: &Value) -> Redactor {
    let resources = [Part::Changes, Part::Drift].map(|part| part.of(shown).as_array());
    let resources = resources.into_iter().flatten().flatten().map(|resource| &resource["change"]);
    let outputs = shown["output_changes"].as_object().into_iter().flat_map(|outputs| outputs.values());
    let mut secrets = Vec::new();
    for change in resources.chain(outputs) {
        leaves(&change["before"], &change["before_sensitive"], &mut secrets);
        leaves(&change["after"], &change["after_sensitive"], &mut secrets);
    }
    let redactor = Redactor::default();
    redactor.learn_all(&secrets);
    redactor
}

/// The texts and numbers at and below the marks.
fn leaves(value: &Value, marks: &Value, secrets: &mut Vec<Secret>) {
    let all = marks == &Value::Bool(true);
    match value {
        Value::String(text) if all => secrets.push(Secret::new(text.clone())),
        Value::Number(number) if all => secrets.push(Secret::new(number.to_string())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(item, if all { marks } else { &marks[at] }, secrets));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| leaves(item, if all { marks } else { &marks[key] }, secrets));
        }
        _ => {}
    }
}

fn size(attribute: &AttributeChange) -> usize {
    let of = |shown: &Shown| if let Shown::Json(text) = shown { text.len() } else { 0 };
    attribute.path.len() + of(&attribute.before) + of(&attribute.after)
}

/// What changes, one value a line.
fn attributes(change: &Value, secrets: &Secrets<'_>) -> Vec<AttributeChange> {
    let replaced = change["replace_paths"].as_array().into_iter().flatten().filter_map(Value::as_array);
    let mut walk = Walk { replaced: replaced.map(|steps| path(steps)).collect(), secrets, found: Vec::new() };
    let sides = Sides {
        before: &change["before"],
        after: &change["after"],
        unknown: &change["after_unknown"],
        before_sensitive: &change["before_sensitive"],
        after_sensitive: &change["after_sensitive"],
    };
    walk.at(&mut Vec::new(), sides);
    walk.found
}

/// A value before and after, with the trees beside it that mark what is unknown and what is secret. A `true` in one of those
/// covers everything below.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a Value,
    after: &'a Value,
    unknown: &'a Value,
    before_sensitive: &'a Value,
    after_sensitive: &'a Value,
}

impl<'a> Sides<'a> {
    fn key(self, key: &str) -> Self {
        self.each(|value| value.get(key))
    }

    fn item(self, index: usize) -> Self {
        self.each(|value| value.get(index))
    }

    fn each(self, step: impl Fn(&'a Value) -> Option<&'a Value>) -> Self {
        let step = |value| step(value).unwrap_or(&Value::Null);
        Self {
            before: step(self.before),
            after: step(self.after),
            unknown: step(self.unknown),
            before_sensitive: step(self.before_sensitive),
            after_sensitive: step(self.after_sensitive),
        }
    }

    fn is_sensitive(self) -> bool {
        self.before_sensitive == &Value::Bool(true) || self.after_sensitive == &Value::Bool(true)
    }

    fn is_unknown(self) -> bool {
        self.unknown == &Value::Bool(true)
    }

    fn all(self) -> [&'a Value; 5] {
        [self.before, self.after, self.unknown, self.before_sensitive, self.after_sensitive]
    }

    fn keys(self) -> BTreeSet<&'a str> {
        self.all().into_iter().filter_map(Value::as_object).flatten().map(|(key, _)| key.as_str()).collect()
    }

    /// How many items there are to look at one by one: a list of plain values, all of them known and public, is shown whole.
    fn items(self) -> usize {
        let is_plain = |value: &Value| !value.is_array() && !value.is_object() && value != &Value::Bool(true);
        let marks = [self.unknown, self.before_sensitive, self.after_sensitive];
        let is_marked = marks.into_iter().filter_map(Value::as_array).flatten().any(|mark| !is_plain(mark));
        let values = [self.before, self.after].into_iter().filter_map(Value::as_array).flatten();
        if !is_marked && values.into_iter().all(|value| !value.is_array() && !value.is_object()) {
            return 0;
        }
        self.all().into_iter().filter_map(Value::as_array).map(Vec::len).max().unwrap_or_default()
    }
}

struct Walk<'a> {
    replaced: BTreeSet<String>,
    secrets: &'a Secrets<'a>,
    found: Vec<AttributeChange>,
}

impl Walk<'_> {
    fn at(&mut self, steps: &mut Vec<Value>, sides: Sides<'_>) {
        if sides.is_sensitive() || sides.is_unknown() {
            return self.note(steps, sides);
        }
        let (keys, items) = (sides.keys(), sides.items());
        for key in &keys {
            steps.push((*key).into());
            self.at(steps, sides.key(key));
            steps.pop();
        }
        for index in 0..items {
            steps.push(index.into());
            self.at(steps, sides.item(index));
            steps.pop();
        }
        if keys.is_empty() && items == 0 {
            self.note(steps, sides);
        }
    }

    /// Notes a value, if it changes.
    fn note(&mut self, steps: &[Value], sides: Sides<'_>) {
        if sides.before == sides.after && !sides.is_unknown() {
            return;
        }
        let shown = |value: &Value| match value {
            Value::Null => Shown::Absent,
            _ if sides.is_sensitive() => Shown::Sensitive,
            value => self.secrets.shown(value, LONGEST),
        };
        let after = match shown(sides.after) {
            Shown::Sensitive => Shown::Sensitive,
            _ if sides.is_unknown() && sides.is_sensitive() => Shown::Sensitive,
            _ if sides.is_unknown() => Shown::Unknown,
            after => after,
        };
        let path = path(steps);
        let forces_replacement = self.replaced.iter().any(|replaced| {
            path.strip_prefix(replaced.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let change =
            AttributeChange { path: self.secrets.short(&path, LONGEST), before: shown(sides.before), after, forces_replacement };
        self.found.push(change);
    }
}

/// Steps as a path; what is no plain name is quoted.
fn path(steps: &[Value]) -> String {
    if steps.is_empty() {
        return "(all of it)".to_owned();
    }
    let mut path = String::new();
    for step in steps {
        match step.as_str() {
            Some(name) if is_plain_name(name) && path.is_empty() => path.push_str(name),
            Some(name) if is_plain_name(name) => path.extend([".", name]),
            _ => path.extend(["[", &step.to_string(), "]"]),
        }
    }
    path
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
}
