//! JSON Schemas inside documents: whether they are valid, and whether a value is.

use std::collections::BTreeMap;

use jsonschema::Draft;
use serde_json::Value;

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
    let explainer = Explainer { schema, hide_values };
    validator.iter_errors(value).flat_map(|error| explainer.explain(&error)).collect()
}

/// Everything that keeps `schema` from being the JSON Schema (2020-12) of an object, with places below the schema. References
/// out of the schema are refused: they would make reading a document depend on something else.
pub fn check_schema(schema: &Value) -> Vec<Finding> {
    let mut findings = check_any_schema(schema);
    if findings.is_empty() && schema.get("type") != Some(&Value::String("object".to_owned())) {
        let message = "this must be the JSON Schema of an object";
        findings.push(Finding::new(Pointer::default(), message).help("write `type: object`, and the names under `properties`"));
    }
    findings
}

/// Everything that keeps `schema` from being a JSON Schema (2020-12) of its own.
pub(super) fn check_any_schema(schema: &Value) -> Vec<Finding> {
    if !schema.is_object() {
        return vec![Finding::new(Pointer::default(), "this must be a JSON Schema: a mapping")];
    }
    let mut findings = Vec::new();
    find_outside_references(schema, &Pointer::default(), &mut findings);
    let meta = jsonschema::draft202012::meta::validator();
    let explainer = Explainer { schema: &Value::Null, hide_values: false };
    findings.extend(meta.iter_errors(schema).flat_map(|error| explainer.explain(&error)));
    if findings.is_empty()
        && let Err(error) = options().build(schema)
    {
        let at = Explainer { schema, hide_values: false }.place(error.instance_path());
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

fn find_outside_references(schema: &Value, at: &Pointer, findings: &mut Vec<Finding>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = at.clone().key(name);
                match (name.as_str(), value.as_str()) {
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
                    _ => find_outside_references(value, &at, findings),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_outside_references(item, &at.clone().index(index), findings);
            }
        }
        _ => {}
    }
}
