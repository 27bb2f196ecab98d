//! JSON Schemas inside documents: whether they are valid, and whether a value is.

use std::collections::BTreeMap;

use jsonschema::Draft;
use serde_json::{Value, json};

use super::explain::Explainer;
use super::finding::Finding;
use crate::domain::diagnostic::Pointer;

/// Everything in `value` that `schema` (JSON Schema 2020-12) does not allow, with places below the value.
///
/// With `hide_values`, nothing of the value itself is said: neither what it is nor keys that the schema does not name.
pub fn validate_value(schema: &Value, value: &Value, hide_values: bool) -> Vec<Finding> {
    let validator = match options().build(schema) {
        Ok(validator) => validator,
        Err(error) => return vec![Finding::new(Pointer::default(), format!("the schema itself is not valid: {error}"))],
    };
    let explainer = Explainer { schema, base: Pointer::default(), hide_values };
    validator.iter_errors(value).flat_map(|error| explainer.explain(&error)).collect()
}

/// Everything that keeps `schema` from being the JSON Schema (2020-12) of an object, with places below the schema. References
/// out of the schema are refused: they would make reading a document depend on something else.
pub fn check_schema(schema: &Value) -> Vec<Finding> {
    check_object_schema(schema, &Pointer::default())
}

/// See [`check_schema`]; `base` leads to the schema.
pub(super) fn check_object_schema(schema: &Value, base: &Pointer) -> Vec<Finding> {
    let mut findings = check_any_schema(schema, base);
    if findings.is_empty() && schema.get("type") != Some(&Value::String("object".to_owned())) {
        let message = "this must be the JSON Schema of an object";
        findings.push(Finding::new(base.clone(), message).help("write `type: object`, and the names under `properties`"));
    }
    findings
}

/// Everything that keeps `schema`, which `base` leads to, from being a JSON Schema (2020-12) of its own.
pub(super) fn check_any_schema(schema: &Value, base: &Pointer) -> Vec<Finding> {
    if !schema.is_object() {
        return vec![Finding::new(base.clone(), "this must be a JSON Schema: a mapping")];
    }
    let mut findings = Vec::new();
    find_unusable(schema, base, &mut findings);
    let explainer = Explainer { schema, base: base.clone(), hide_values: false };
    let meta = jsonschema::draft202012::meta::validator();
    findings.extend(meta.iter_errors(schema).flat_map(|error| explainer.explain(&error)));
    if findings.is_empty()
        && let Err(error) = options().build(schema)
    {
        let at = explainer.place(error.instance_path());
        findings.push(Finding::new(at, format!("not a valid JSON Schema: {error}")));
    }
    findings
}

/// The `default`s of the schema's top-level properties.
pub fn defaults(schema: &Value) -> BTreeMap<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
        .collect()
}

fn options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true)
}

/// What the meta-schema of JSON Schema does not see.
fn find_unusable(schema: &Value, at: &Pointer, findings: &mut Vec<Finding>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = at.clone().key(name);
                match (name.as_str(), value.as_str()) {
                    ("pattern", Some(pattern)) => {
                        if options().build(&json!({"pattern": pattern})).is_err() {
                            findings.push(Finding::new(at, format!("`{pattern}` is not a regular expression")));
                        }
                    }
                    ("$ref" | "$dynamicRef", Some(target)) if !target.starts_with('#') => findings.push(
                        Finding::new(at, format!("`{target}` is outside of this schema"))
                            .help("copy it under `$defs` and refer to it as `#/$defs/…`"),
                    ),
                    ("$schema", Some(draft)) if !draft.contains("2020-12") => findings.push(
                        Finding::new(at, format!("`{draft}` is not supported"))
                            .help("write JSON Schema 2020-12, and leave `$schema` out"),
                    ),
                    // Examples and fixed values are data, whatever they look like.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    _ => find_unusable(value, &at, findings),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_unusable(item, &at.clone().index(index), findings);
            }
        }
        _ => {}
    }
}
