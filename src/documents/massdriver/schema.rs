//! JSON Schemas of draft 7, as bundles have them, made those of 2020-12.

use serde_json::{Map, Value, json};

use super::annotation;
use super::references::{Lookup, Reference, inside, joined, reference};
use crate::documents::finding::Finding;
use crate::documents::values;
use crate::domain::diagnostic::Pointer;

/// How many schemas one may consist of, those of other files in it included.
const MOST: usize = 20_000;
/// How deep they may be nested.
const DEEPEST: usize = 64;

/// Makes schemas modern, and gathers what of them cannot be.
pub(super) struct Modern<'a> {
    pub(super) lookup: Lookup<'a>,
    /// Whether booleans without a default get `false`, as the vendor's tools have it for params.
    pub(super) booleans: bool,
    pub(super) findings: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
    left: usize,
}

/// Where a schema is written.
#[derive(Clone)]
struct Place<'a> {
    /// The file.
    file: String,
    /// The document that `#` means; none in the bundle's own, where such references stay.
    root: Option<&'a Value>,
    /// Where problems are shown.
    at: Pointer,
    depth: usize,
}

impl Place<'_> {
    /// One key further; in another file, problems stay where that is referred to.
    fn key(&self, key: &str) -> Self {
        let at = if self.root.is_some() { self.at.clone() } else { self.at.clone().key(key) };
        Self { at, depth: self.depth + 1, ..self.clone() }
    }

    fn index(&self, index: usize) -> Self {
        let at = if self.root.is_some() { self.at.clone() } else { self.at.clone().index(index) };
        Self { at, ..self.clone() }
    }
}

impl<'a> Modern<'a> {
    pub(super) fn new(lookup: Lookup<'a>) -> Self {
        Self { lookup, booleans: false, findings: Vec::new(), warnings: Vec::new(), left: MOST }
    }

    /// The schema at `at` of the document in `file`.
    pub(super) fn schema(&mut self, schema: &Value, file: &str, at: &Pointer) -> Value {
        self.any(schema, &Place { file: file.to_owned(), root: None, at: at.clone(), depth: 0 })
    }

    fn any(&mut self, schema: &Value, place: &Place<'_>) -> Value {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || place.depth > DEEPEST {
            if self.findings.iter().all(|known| known.pointer != place.at) {
                self.findings.push(Finding::new(place.at.clone(), "the schema is too large, or refers to itself"));
            }
            return Value::Bool(true);
        }
        let Value::Object(fields) = schema else { return schema.clone() };
        let mut made = self.referred(fields, place);
        for (keyword, value) in fields {
            self.keyword(keyword, value, fields, place, &mut made);
        }
        if annotation(fields, "sensitive") == Some(&Value::Bool(true)) {
            made.insert("x-sensitive".to_owned(), Value::Bool(true));
        }
        if self.booleans && fields.get("type") == Some(&json!("boolean")) && !fields.contains_key("default") {
            made.insert("default".to_owned(), Value::Bool(false));
        }
        Value::Object(made)
    }

    fn keyword(
        &mut self,
        keyword: &str,
        value: &Value,
        fields: &Map<String, Value>,
        place: &Place<'_>,
        made: &mut Map<String, Value>,
    ) {
        let place = place.key(keyword);
        match keyword {
            // `message` is what a person is told where a pattern does not match.
            "$schema" | "$id" | "$ref" | "additionalItems" | "message" => {}
            "definitions" => _ = made.insert("$defs".to_owned(), self.each(value, &place)),
            "properties" | "patternProperties" | "$defs" | "dependentSchemas" => {
                made.insert(keyword.to_owned(), self.each(value, &place));
            }
            "dependencies" => self.dependencies(value, &place, made),
            "items" if value.is_array() => {
                made.insert("prefixItems".to_owned(), self.list(value, &place));
                if let Some(rest) = fields.get("additionalItems") {
                    made.insert("items".to_owned(), self.any(rest, &place));
                }
            }
            "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
                made.insert(keyword.to_owned(), self.any(value, &place));
            }
            "allOf" | "anyOf" | "oneOf" => _ = made.insert(keyword.to_owned(), self.list(value, &place)),
            "pattern" if !values::check_any_schema(&json!({"pattern": value}), &place.at).is_empty() => {
                let finding = Finding::new(place.at.clone(), format!("the pattern {value} is not checked"));
                self.warnings.push(
                    finding.note("it is no regular expression of JSON Schema").help("write it without what other languages add"),
                );
            }
            _ => _ = made.insert(keyword.to_owned(), value.clone()),
        }
    }

    fn each(&mut self, value: &Value, place: &Place<'_>) -> Value {
        match value {
            Value::Object(schemas) => {
                schemas.iter().map(|(name, schema)| (name.clone(), self.any(schema, &place.key(name)))).collect()
            }
            other => other.clone(),
        }
    }

    fn list(&mut self, value: &Value, place: &Place<'_>) -> Value {
        match value {
            Value::Array(schemas) => {
                schemas.iter().enumerate().map(|(index, schema)| self.any(schema, &place.index(index))).collect()
            }
            other => other.clone(),
        }
    }

    /// What must be there with something: names, or a schema of the whole.
    fn dependencies(&mut self, value: &Value, place: &Place<'_>, made: &mut Map<String, Value>) {
        let (mut required, mut schemas) = (Map::new(), Map::new());
        for (name, dependency) in value.as_object().into_iter().flatten() {
            match dependency {
                Value::Array(_) => _ = required.insert(name.clone(), dependency.clone()),
                other => _ = schemas.insert(name.clone(), self.any(other, &place.key(name))),
            }
        }
        for (keyword, found) in [("dependentRequired", required), ("dependentSchemas", schemas)] {
            if !found.is_empty() {
                made.insert(keyword.to_owned(), Value::Object(found));
            }
        }
    }

    /// What the schema refers to; what is written beside `$ref` comes on top.
    fn referred(&mut self, fields: &Map<String, Value>, place: &Place<'_>) -> Map<String, Value> {
        let Some(written) = fields.get("$ref").and_then(Value::as_str) else { return Map::new() };
        match reference(written) {
            Reference::Here(fragment) => match place.root {
                None => {
                    let fragment = fragment.replacen("/definitions/", "/$defs/", 1);
                    Map::from_iter([("$ref".to_owned(), Value::String(format!("#{fragment}")))])
                }
                Some(root) => {
                    self.found(inside(root, fragment).map(|schema| (schema, root)), written, &place.file.clone(), place)
                }
            },
            Reference::File(path, fragment) => {
                let file = joined(&place.file, path);
                let document = (self.lookup)(&file);
                let target = document.as_ref().and_then(|document| Some((inside(document, fragment)?, document)));
                self.found(target, written, &file, place)
            }
            Reference::Url(_) | Reference::Type(_) => {
                self.warnings.push(
                    Finding::new(
                        place.at.clone().key("$ref"),
                        format!("`{written}` is not fetched: the value is not checked against it"),
                    )
                    .help("put the schema into the bundle as a file, and refer to it by its path"),
                );
                Map::new()
            }
        }
    }

    fn found(&mut self, target: Option<(&Value, &Value)>, written: &str, file: &str, place: &Place<'_>) -> Map<String, Value> {
        let Some((schema, root)) = target else {
            self.findings.push(
                Finding::new(place.at.clone().key("$ref"), format!("there is no `{written}`"))
                    .note(format!("`{file}` was looked for"))
                    .help("put the file where the reference leads, or write the schema in its place"),
            );
            return Map::new();
        };
        let there = Place { file: file.to_owned(), root: Some(root), at: place.at.clone(), depth: place.depth + 1 };
        match self.any(schema, &there) {
            Value::Object(made) => made,
            _ => Map::new(),
        }
    }
}
