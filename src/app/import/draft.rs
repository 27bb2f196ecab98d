//! A native document in the making, with comments for people.

use serde::Serialize;
use serde_yaml::{Mapping, Value};

use super::Comments;
use crate::documents::{self, Kind};
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::PreviewPart;

/// The longest line of a comment.
const WIDEST: usize = 110;

/// A document, and what a person must know about it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// Where it goes, from the folder that is written.
    pub(super) path: String,
    /// What kind of document it is.
    pub(super) kind: Kind,
    /// What it says.
    value: Value,
    /// Comments, each with the place that it stands before.
    comments: Comments,
    /// Whether it is a part of a document.
    is_part: bool,
}

impl Draft {
    /// The draft of a document.
    pub(super) fn new(path: impl Into<String>, kind: Kind, document: &impl Serialize) -> Self {
        let mut value = plain(serde_yaml::to_value(document).unwrap_or_default());
        if let Value::Mapping(fields) = &mut value {
            leave_out_defaults(fields);
            for field in ["inputs", "attributes"] {
                let Some(schema) = fields.get_mut(field) else { continue };
                in_order(schema);
            }
        }
        Self { path: path.into(), kind, value, comments: Vec::new(), is_part: false }
    }

    /// The draft of the preview part of a manifest.
    pub(super) fn part(path: impl Into<String>, preview: &PreviewPart) -> Self {
        let value = serde_json::json!({"preview": preview});
        Self { is_part: true, ..Self::new(path, Kind::Manifest, &value) }
    }

    /// What can be read back by itself: a part in the least that it can be in.
    pub(super) fn whole(&self) -> String {
        let text = self.text();
        if !self.is_part {
            return text;
        }
        let overlays = self.value.get("preview").and_then(|preview| preview.get("plugins")).and_then(Value::as_mapping);
        let aliases = overlays.into_iter().flat_map(Mapping::keys).filter_map(Value::as_str);
        let plugins: serde_json::Map<String, serde_json::Value> =
            aliases.map(|alias| (alias.to_owned(), serde_json::json!({"use": "./plugin"}))).collect();
        let plugins = serde_json::Value::Object(plugins);
        format!("apiVersion: tieline/v1\nkind: Application\nname: example\nplugins: {plugins}\n{text}")
    }

    /// Puts a comment before what the pointer leads to, or at the top where that is not there.
    pub(super) fn comment(&mut self, at: Pointer, text: impl Into<String>) {
        self.comments.push((at.at_key(), text.into()));
    }

    /// Puts each comment before its place.
    pub(super) fn comment_all(&mut self, comments: Comments) {
        for (at, text) in comments {
            self.comment(at, text);
        }
    }

    /// What a person must know.
    pub(super) fn comments(&self) -> impl Iterator<Item = &str> {
        self.comments.iter().map(|(_, text)| text.as_str())
    }

    /// Its text.
    pub(super) fn text(&self) -> String {
        let plain = serde_yaml::to_string(&self.value).unwrap_or_default();
        let mut before: Vec<(usize, &str)> =
            self.comments.iter().map(|(at, text)| (line_before(&plain, at), text.as_str())).collect();
        before.sort_by_key(|(line, _)| *line);
        let mut text = String::new();
        for (index, line) in plain.lines().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            for (_, comment) in before.iter().filter(|(at, _)| *at == index) {
                for part in wrapped(comment, WIDEST.saturating_sub(indent.len())) {
                    text.push_str(&format!("{indent}# {part}\n"));
                }
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The line, from 0, that a comment goes before.
fn line_before(plain: &str, at: &Pointer) -> usize {
    if at.segments.is_empty() {
        return 0;
    }
    documents::locate(plain, at).map_or(0, |span| span.line - 1)
}

/// A value in which what YAML would tag is a mapping of one entry, as in JSON.
fn plain(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let inside = (Value::from(name.trim_start_matches('!')), plain(tagged.value));
            Value::Mapping(std::iter::once(inside).collect())
        }
        Value::Mapping(fields) => Value::Mapping(fields.into_iter().map(|(key, value)| (key, plain(value))).collect()),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(plain).collect()),
        other => other,
    }
}

/// The fields of a schema in the order in which people write them.
const ORDER: [&str; 7] = ["type", "title", "description", "enum", "default", "required", "additionalProperties"];

/// Puts the fields of a schema, and of those below it, in order.
fn in_order(schema: &mut Value) {
    let Value::Mapping(fields) = schema else { return };
    let mut rest = std::mem::take(fields);
    fields.extend(ORDER.iter().filter_map(|field| rest.shift_remove_entry(field)));
    fields.extend(rest);
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), value) {
            (Some("properties" | "$defs"), Value::Mapping(named)) => named.values_mut().for_each(in_order),
            (Some("default" | "const" | "enum" | "examples"), _) => {}
            (_, Value::Sequence(items)) => items.iter_mut().for_each(in_order),
            (_, below) => in_order(below),
        }
    }
}

/// Takes away what a document need not say.
fn leave_out_defaults(fields: &mut Mapping) {
    let drop = |fields: &mut Mapping, key: &str, default: &str| {
        if serde_yaml::from_str::<Value>(default).is_ok_and(|default| fields.get(key) == Some(&default)) {
            fields.shift_remove(key);
        }
    };
    drop(fields, "limits", "{single-use: false}");
    drop(fields, "orientation", "link");
    if let Some(Value::Mapping(slots)) = fields.get_mut("requires") {
        for slot in slots.values_mut().filter_map(Value::as_mapping_mut) {
            drop(slot, "optional", "false");
        }
    }
    if let Some(Value::Mapping(steps)) = fields.get_mut("steps") {
        drop(steps, "runner", "{}");
    }
}

/// The lines of a text, none longer than `width` unless a word is.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::plugin::Plugin;

    #[test]
    fn comments_stand_before_what_they_are_about_and_defaults_are_left_out() {
        let plugin: Plugin = serde_json::from_value(json!({
            "apiVersion": "tieline/v1", "kind": "Plugin", "name": "queue", "version": "1.0.0",
            "requires": {"role": {"type": "role-conn"}},
            "terraform": {"module": ".", "variables": {"role_arn": {"connection": "role.arn"}}},
        }))
        .unwrap();
        let mut draft = Draft::new("plugin.yaml", Kind::Plugin, &plugin);
        draft.comment(Pointer::keys(["requires", "role"]), "which of its attributes are sensitive?");
        draft.comment(Pointer::default(), "from a plugin of another system");
        insta::assert_snapshot!(draft.text(), @r##"
        # from a plugin of another system
        apiVersion: tieline/v1
        kind: Plugin
        name: queue
        version: 1.0.0
        inputs:
          type: object
          additionalProperties: false
          properties: {}
        requires:
          # which of its attributes are sensitive?
          role:
            type: role-conn
        terraform:
          module: .
          variables:
            role_arn:
              connection: role.arn
        "##);
        assert!(documents::plugin("plugin.yaml", draft.text().as_bytes()).is_ok());
    }
}
