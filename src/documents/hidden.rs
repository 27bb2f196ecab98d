//! Values of a document that look like secrets. People do write secrets into documents; the lines drawn with a problem must
//! not carry them into a log.

use std::ops::Range;

use super::outline::{Content, Node};

/// What stands for a hidden value.
pub(super) const STARS: &str = "***";

/// Parts of names that secrets go by, without `-` and `_`.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "apikey",
    "credential",
    "sealed",
];

/// Where a secret's name stands for something that is none: an output, a variable, an address.
const NAMES: [&str; 7] = ["from", "variables", "env", "connections", "references", "stand-ins", "defaults"];

/// The values that look like secrets, in characters of the text, in order.
pub(super) fn hidden(root: &Node, text: &str) -> Vec<Range<usize>> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    find(root, &Way::default(), &characters, &mut found);
    found
}

/// What is known of a value from the way to it.
#[derive(Default, Clone)]
struct Way {
    /// Its key, or that of the property whose default it is, names a secret; or it stands under `sensitive`, where only
    /// references to secrets belong.
    secret: bool,
    /// It is `sensitive` itself.
    holds_sensitive: bool,
    /// It is the name of something else, as under `from`.
    name: bool,
}

fn find(node: &Node, way: &Way, text: &[char], found: &mut Vec<Range<usize>>) {
    match &node.content {
        Content::Leaf => {
            let range = node.span.start.index()..node.span.end.index();
            let value: String = text.get(range.clone()).unwrap_or_default().iter().collect();
            if (way.secret && !way.name) || has_password(&value) || value.contains("AGE-SECRET-KEY-") {
                found.push(range);
            }
        }
        Content::List(items) => items.iter().for_each(|item| find(item, way, text, found)),
        Content::Mapping(entries) => {
            let marked = way.secret || entries.iter().any(|entry| entry.key == "x-sensitive");
            for entry in entries {
                let data = matches!(entry.key.as_str(), "default" | "const" | "examples");
                let below = Way {
                    secret: is_secret_name(&entry.key) || (marked && data) || way.holds_sensitive,
                    holds_sensitive: entry.key == "sensitive",
                    name: way.name || NAMES.contains(&entry.key.as_str()),
                };
                find(&entry.value, &below, text, found);
            }
        }
    }
}

fn is_secret_name(name: &str) -> bool {
    let plain = name.to_lowercase().replace(['-', '_'], "");
    SECRET_NAMES.iter().any(|part| plain.contains(part))
}

/// Whether a connection string or URL carries a password.
pub(super) fn has_password(text: &str) -> bool {
    let in_url = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next()?.rsplit_once('@'))
        .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()));
    in_url || text.to_ascii_lowercase().replace(' ', "").contains("password=")
}

/// Where to hide the rest of a line of a text that is no YAML: after a key that names a secret.
pub(super) fn hidden_from(line: &str) -> Option<usize> {
    let (key, value) = line.split_once([':', '='])?;
    if is_secret_name(key) || has_password(value) {
        return Some(key.len() + 1);
    }
    hidden_from(value).map(|byte| key.len() + 1 + byte)
}
