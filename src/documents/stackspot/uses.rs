//! Which attributes of which connection templates look at: read off their expressions, without evaluating any.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::AttributeName;
use crate::domain::plugin::Uses;

/// What templates use of the connections of a plugin.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// Alias to the attributes that are named.
    named: BTreeMap<String, BTreeSet<AttributeName>>,
    /// Aliases that are handed on as a whole.
    whole: BTreeSet<String>,
    /// All connections are looked through: which ones cannot be told.
    all: bool,
}

impl Looks {
    /// Reads a template: `known` are the aliases that there are.
    pub(super) fn read(&mut self, template: &str, known: &BTreeSet<&str>) {
        for expression in expressions(template) {
            self.read_expression(expression, known);
        }
    }

    /// What is used of one connection.
    pub(super) fn of(&self, alias: &str) -> Uses {
        if self.all || self.whole.contains(alias) {
            return Uses::All;
        }
        Uses::Named(self.named.get(alias).cloned().unwrap_or_default())
    }

    /// Every alias that is looked up.
    pub(super) fn aliases(&self) -> BTreeSet<&str> {
        self.named.keys().chain(&self.whole).map(String::as_str).collect()
    }

    fn read_expression(&mut self, expression: &str, known: &BTreeSet<&str>) {
        for (at, word) in expression.match_indices("connections") {
            let before = expression[..at].chars().next_back();
            let rest = &expression[at + word.len()..];
            if before.is_some_and(is_word) || rest.starts_with(is_word) {
                continue;
            }
            let Some((alias, rest)) = alias(rest, known) else {
                self.all = true;
                continue;
            };
            let attribute = member(rest).and_then(|(name, rest)| {
                let called = rest.trim_start().starts_with('(');
                if called { None } else { AttributeName::new(name).ok() }
            });
            match attribute {
                Some(name) => {
                    self.named.entry(alias.to_owned()).or_default().insert(name);
                }
                None => {
                    self.whole.insert(alias.to_owned());
                }
            }
        }
    }
}

/// The insides of `{{ … }}` and `{% … %}`.
fn expressions(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find('{')?;
            let opened = &rest[start + 1..];
            let end = match opened.chars().next() {
                Some('{') => "}}",
                Some('%') => "%}",
                Some('#') => "#}",
                _ => {
                    rest = opened;
                    continue;
                }
            };
            let inside = &opened[1..];
            let length = inside.find(end).unwrap_or(inside.len());
            rest = inside.get(length + 2..).unwrap_or_default();
            if end != "#}" {
                return Some(&inside[..length]);
            }
        }
    })
}

/// The alias that follows `connections`. In links, names after a dot have hyphens.
fn alias<'a>(text: &'a str, known: &BTreeSet<&str>) -> Option<(&'a str, &'a str)> {
    if let Some(after) = text.strip_prefix('.') {
        let long = after.find(|c| !is_word(c) && c != '-').unwrap_or(after.len());
        let (name, rest) = after.split_at(long);
        if known.contains(name) {
            return Some((name, rest));
        }
    }
    member(text)
}

/// The name in `.name`, `['name']`, `["name"]` or `.get('name')` at the start of a text, and what follows; none where it is computed.
fn member(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if let Some(after) = text.strip_prefix('[') {
        let (name, rest) = quoted(after)?;
        return Some((name, rest.trim_start().strip_prefix(']')?));
    }
    let after = text.strip_prefix('.')?.trim_start();
    if let Some(arguments) = after.strip_prefix("get").map(str::trim_start).and_then(|rest| rest.strip_prefix('(')) {
        let (name, rest) = quoted(arguments)?;
        return Some((name, &rest[rest.find(')')? + 1..]));
    }
    let length = after.find(|c| !is_word(c)).unwrap_or(after.len());
    (length > 0).then(|| after.split_at(length))
}

/// The text in quotes at the start of a text, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, rest) = text[1..].split_once(quote)?;
    (!name.contains('\\')).then_some((name, rest))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(template: &str) -> Vec<(&'static str, String)> {
        let known = ["role", "my-role", "db"];
        let mut looks = Looks::default();
        looks.read(template, &known.into_iter().collect());
        let said = |alias| match looks.of(alias) {
            Uses::Named(names) => names.iter().map(AttributeName::as_str).collect::<Vec<_>>().join(","),
            Uses::All => "all".to_owned(),
            Uses::Declared => unreachable!("nothing is declared"),
        };
        known.into_iter().map(|alias| (alias, said(alias))).filter(|(_, said)| !said.is_empty()).collect()
    }

    #[test]
    fn every_way_to_name_an_attribute_is_read() {
        for way in [
            "{{ connections['role'].arn }}",
            "{{connections[\"role\"].arn}}",
            "{%- if connections.role.arn %}x{% endif %}",
            "{{ connections [ 'role' ] [ 'arn' ] | upper }}",
            "{{ connections.role['arn'] ~ 'x' }}",
            "{{ connections.get('role').get('arn', '') }}",
            "{{ 1 }}-{{ connections.role.arn",
        ] {
            assert_eq!(uses(way), [("role", "arn".to_owned())], "{way}");
        }
        assert_eq!(uses("https://x/{{connections.my-role.arn}}"), [("my-role", "arn".to_owned())]);
    }

    #[test]
    fn what_cannot_be_read_counts_as_everything() {
        assert_eq!(uses("{{ connections['role'] | tojson }}"), [("role", "all".to_owned())]);
        assert_eq!(uses("{% set r = connections.role %}"), [("role", "all".to_owned())]);
        assert_eq!(uses("{% for k in connections['role'].keys() %}"), [("role", "all".to_owned())]);
        assert_eq!(uses("{{ connections['role'][name] }}"), [("role", "all".to_owned())]);
        assert_eq!(uses("{{ connections[name].arn }}").len(), 3);
        assert_eq!(uses("{% for c in connections %}").len(), 3);
    }

    #[test]
    fn what_is_no_look_up_counts_as_nothing() {
        let template = "max_connections = 5 # connections\n{# connections['db'] #} {{ max_connections }} ${connections.db}";
        assert_eq!(uses(template), []);
        assert_eq!(uses("{"), []);
        assert_eq!(uses("{{"), []);
        assert_eq!(uses("{#"), []);
    }
}
