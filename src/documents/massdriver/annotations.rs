//! `$md.*` in the schema of params.

use serde_json::{Map, Value};

use super::{annotation, text};
use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::{Bundle, Choice};
use crate::domain::names::SlotName;

/// How deep schemas are gone through.
const DEEPEST: usize = 32;

/// Notes what the annotations say.
pub(super) fn note(inputs: &Value, bundle: &mut Bundle, findings: &mut Vec<Finding>) {
    Walk { root: inputs, bundle, findings }.schema(inputs, &mut Vec::new(), 0);
}

struct Walk<'a> {
    root: &'a Value,
    bundle: &'a mut Bundle,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Value, way: &mut Vec<String>, depth: usize) {
        let (Value::Object(fields), true) = (schema, depth < DEEPEST) else { return };
        if annotation(fields, "immutable") == Some(&Value::Bool(true)) {
            add(&mut self.bundle.immutable, way);
        }
        if annotation(fields, "copyable") == Some(&Value::Bool(false)) {
            add(&mut self.bundle.not_copyable, way);
        }
        if let Some(choice) = annotation(fields, "enum") {
            self.choice(choice, way);
        }
        self.below(fields, way, depth + 1);
    }

    fn below(&mut self, fields: &Map<String, Value>, way: &mut Vec<String>, depth: usize) {
        for (keyword, value) in fields {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    for (name, property) in properties {
                        way.push(name.clone());
                        self.schema(property, way, depth);
                        way.pop();
                    }
                }
                ("items", item) => self.item(item, way, depth),
                ("prefixItems", Value::Array(items)) => items.iter().for_each(|item| self.item(item, way, depth)),
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    for schema in schemas {
                        self.schema(schema, way, depth);
                    }
                }
                ("dependentSchemas", Value::Object(schemas)) => {
                    schemas.values().for_each(|schema| self.schema(schema, way, depth));
                }
                ("if" | "then" | "else", schema) => self.schema(schema, way, depth),
                ("$ref", Value::String(target)) => {
                    let root = self.root;
                    if let Some(schema) = target.strip_prefix('#').and_then(|fragment| root.pointer(fragment)) {
                        self.schema(schema, way, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn item(&mut self, item: &Value, way: &mut Vec<String>, depth: usize) {
        way.push("[]".to_owned());
        self.schema(item, way, depth);
        way.pop();
    }

    fn choice(&mut self, choice: &Value, way: &[String]) {
        let at =
            way.iter().filter(|part| *part != "[]").fold(Pointer::keys(["params"]), |at, part| at.key("properties").key(part));
        let options = text(choice, "options");
        match SlotName::new(text(choice, "connection").replace('_', "-")) {
            Ok(slot) if !options.is_empty() => {
                let value = choice.get("value").and_then(Value::as_str).map(str::to_owned);
                let choice = Choice { path: way.to_vec(), slot, options, value };
                if !self.bundle.choices.contains(&choice) {
                    self.bundle.choices.push(choice);
                }
            }
            _ => self.findings.push(
                Finding::new(at, "`$md.enum` does not say of which connection its options are")
                    .help("write `connection:` with the name of a connection, and `options:` with a jq program"),
            ),
        }
    }
}

fn add(ways: &mut Vec<Vec<String>>, way: &[String]) {
    if !way.is_empty() && !ways.iter().any(|known| known == way) {
        ways.push(way.to_vec());
    }
}
