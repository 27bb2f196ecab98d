//! What changes inside resources, out of terraform's JSON of a plan. That JSON holds secrets in clear: nothing leaves here that it
//! marks as sensitive, neither at its own place nor where a provider repeats it without a mark, and what is known to be a secret is
//! taken out before a value is shortened.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::change::{AttributeChange, PlannedResource, Shown};
use crate::domain::visible::shortened;
use crate::secrets::{Redactor, Secret};

/// The longest value or path, in characters.
const LONGEST: usize = 300;
/// The most attributes of one resource.
const MOST: usize = 200;

/// Fills in what changes inside `resources`, up to `room` bytes of text for all of them; what there is no room for is counted.
/// Resources that are deleted have nothing to say but that.
pub(super) fn fill(resources: &mut [PlannedResource], shown: &Value, redactor: &Redactor, room: usize) {
    let changes: BTreeMap<&str, &Value> = shown["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|resource| resource["deposed"].is_null())
        .filter_map(|resource| Some((resource["address"].as_str()?, &resource["change"])))
        .collect();
    let secrets = Secrets { known: redactor, marked: marked(shown) };
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
struct Secrets<'a> {
    /// The run's own secrets.
    known: &'a Redactor,
    /// What the plan marks as sensitive, former values included: those of before a rotation nobody else knows.
    marked: Redactor,
}

/// Everything that a plan marks as sensitive, in resources and in outputs.
fn marked(shown: &Value) -> Redactor {
    let resources = shown["resource_changes"].as_array().into_iter().flatten().map(|resource| &resource["change"]);
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
            value => Shown::Json(self.short(&value.to_string())),
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
        let change = AttributeChange { path: self.short(&path), before: shown(sides.before), after, forces_replacement };
        self.found.push(change);
    }

    fn short(&self, text: &str) -> String {
        let Secrets { known, marked } = self.secrets;
        shortened(&marked.redact(&known.redact(text)), LONGEST)
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
            _ => path.push_str(&format!("[{step}]")),
        }
    }
    path
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Progress;
    use serde_json::json;

    fn filled(action: &str, change: &Value, redactor: &Redactor, room: usize) -> PlannedResource {
        let mut resources = [PlannedResource {
            address: "aws_instance.a".to_owned(),
            action: action.to_owned(),
            previous: None,
            progress: Progress::Planned,
            attributes: Vec::new(),
            more: 0,
        }];
        let plan = json!({"resource_changes": [
            {"address": "module.plugin.aws_instance.a", "deposed": "00000000", "change": {"before": {"never": 1}, "after": null}},
            {"address": "module.plugin.aws_instance.a", "change": change},
        ]});
        fill(&mut resources, &plan, redactor, room);
        let [resource] = resources;
        resource
    }

    fn told(change: &Value) -> Vec<String> {
        let resource = filled("update", change, &Redactor::default(), 1 << 20);
        let one = |shown: &Shown| match shown {
            Shown::Absent => "-".to_owned(),
            Shown::Sensitive => "secret".to_owned(),
            Shown::Unknown => "unknown".to_owned(),
            Shown::Json(text) => text.clone(),
        };
        let line = |change: &AttributeChange| {
            let replaced = if change.forces_replacement { " replaces" } else { "" };
            format!("{}: {} > {}{replaced}", change.path, one(&change.before), one(&change.after))
        };
        resource.attributes.iter().map(line).collect()
    }

    #[test]
    fn only_what_changes_is_told_value_by_value() {
        let change = json!({
            "before": {"same": 1, "size": "small", "tags": {"a": "1", "b c": "2"}, "ports": [1, 2], "rules": [{"port": 80}, {"port": 81}], "gone": true},
            "after": {"same": 1, "size": "large", "tags": {"a": "1", "b c": "3"}, "ports": [1, 3], "rules": [{"port": 80}, {"port": 82}], "new": {}},
            "after_unknown": {"id": true, "tags": {"z": true}}, "before_sensitive": {}, "after_sensitive": {"ports": [false, false]},
            "replace_paths": [["size"], ["rules", 1, "port"]],
        });
        assert_eq!(
            told(&change),
            [
                "gone: true > -",
                "id: - > unknown",
                "new: - > {}",
                "ports: [1,2] > [1,3]",
                "rules[1].port: 81 > 82 replaces",
                "size: \"small\" > \"large\" replaces",
                "tags[\"b c\"]: \"2\" > \"3\"",
                "tags.z: - > unknown",
            ]
        );
    }

    #[test]
    fn r66_no_value_is_told_that_terraform_marks_on_either_side() {
        let change = json!({
            "before": {"a": "canary-1", "b": {"deep": ["canary-2", "open"]}, "c": "canary-3", "d": "canary-4", "e": "canary-5"},
            "after": {"a": "canary-6", "b": {"deep": ["canary-7", "open"]}, "c": "canary-8", "d": null, "e": "canary-5"},
            "after_unknown": {"f": true, "c": true},
            "before_sensitive": {"a": true, "b": {"deep": [true, false]}, "d": true, "e": true},
            "after_sensitive": {"b": {"deep": [true, false]}, "c": true, "f": true},
        });
        assert_eq!(
            told(&change),
            ["a: secret > secret", "b.deep[0]: secret > secret", "c: secret > secret", "d: secret > -", "f: - > secret"]
        );
    }

    #[test]
    fn r66_what_is_marked_somewhere_is_told_nowhere() {
        let redactor = Redactor::default();
        let change = json!({
            "before": {"input": {"token": "canary-old"}, "output": {"token": "canary-old", "pin": 4711}},
            "after": {"input": {"token": "canary-new"}, "note": "x canary-new y"},
            "before_sensitive": {"input": {"token": true}}, "after_sensitive": {"input": {"token": true}},
        });
        assert!(!format!("{:?}", filled("update", &change, &redactor, 1 << 20)).contains("canary"));
    }

    #[test]
    fn r66_a_whole_resource_may_be_secret() {
        let change =
            json!({"before": {"a": "canary"}, "after": {"a": "canary-2"}, "before_sensitive": true, "after_sensitive": false});
        assert_eq!(told(&change), ["(all of it): secret > secret"]);
    }

    #[test]
    fn r66_a_known_secret_is_taken_out_before_a_value_is_shortened() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("canary-0123456789"));
        let long = format!("{}canary-0123456789", "x".repeat(LONGEST - 8));
        let resource =
            filled("update", &json!({"before": {}, "after": {"text": long, "canary-0123456789": 1}}), &redactor, 1 << 20);
        assert!(!format!("{resource:?}").contains("canary"), "{resource:?}");
    }

    #[test]
    fn what_has_no_room_is_counted_and_a_deletion_says_nothing() {
        let many: Value = (0..500).map(|at| (format!("key{at:03}"), json!("value"))).collect::<serde_json::Map<_, _>>().into();
        let change = json!({"before": null, "after": many});
        let resource = filled("create", &change, &Redactor::default(), 1 << 20);
        assert_eq!((resource.attributes.len(), resource.more), (MOST, 300));
        let resource = filled("create", &change, &Redactor::default(), 30);
        assert_eq!((resource.attributes.len(), resource.more), (2, 498));
        let resource = filled("delete", &json!({"before": {"a": 1}, "after": null}), &Redactor::default(), 1 << 20);
        assert_eq!((resource.attributes.len(), resource.more), (0, 0));
    }
}
