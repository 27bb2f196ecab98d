use serde_json::json;

use super::*;
use crate::domain::diagnostic::Pointer;

#[test]
fn every_kind_has_a_valid_schema_with_a_title_of_its_own() {
    for kind in Kind::ALL {
        let schema = schema(kind);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{kind}");
        assert_eq!(schema["$id"], format!("urn:tieline:v1:{}", kind.as_str()));
        assert_eq!(schema["title"], format!("Tieline {kind}"));
        assert_eq!(schema["properties"]["apiVersion"]["const"], "tieline/v1");
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(!problems(kind, "x.yaml", b"{}").0.is_empty(), "{kind} has no validator");
    }
    assert_eq!("manfest".parse::<Kind>().unwrap_err(), "`manfest` is not a kind of document; did you mean `manifest`?");
}

fn inputs() -> serde_json::Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "size": {"enum": ["micro", "small"], "default": "small"},
            "ports": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "auth": {"type": "object", "properties": {"token": {"type": "string", "minLength": 20}}, "additionalProperties": {"type": "integer"}}
        }
    })
}

fn messages(value: &serde_json::Value, hide_values: bool) -> Vec<String> {
    let problems = validate_value(&inputs(), value, hide_values);
    problems.iter().map(|problem| [problem.message.as_str(), &problem.help.join("; ")].join(" | ")).collect()
}

#[test]
fn r8_a_value_is_checked_against_its_schema_with_places() {
    let value = json!({"nam": "x", "size": "smal", "ports": [80, 0]});
    let mut found = messages(&value, false);
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @"
    `ports[1]`: 0 is less than the minimum of 1 | 
    `size` must be one of `micro`, `small`, not `smal` | did you mean `small`?
    the document lacks the field `name` | 
    unknown field `nam` | did you mean `name`?
    ");
}

#[test]
fn r66_nothing_of_a_hidden_value_is_said() {
    let value =
        json!({"name": "HUSH1", "size": "HUSH", "HUSH2": 1, "ports": "HUSH", "auth": {"token": "HUSH3", "HUSH4": "HUSH5"}});
    let problems = validate_value(&inputs(), &value, true);
    assert_eq!(problems.len(), 6);
    let said = format!("{problems:?}");
    assert!(!said.contains("HUSH"), "{said}");
    assert!(problems.iter().any(|problem| problem.pointer == Pointer::keys(["auth", "token"])));
}

#[test]
fn schemas_are_checked_and_cannot_reach_outside() {
    assert_eq!(check_schema(&inputs()), []);
    let found = |schema| check_schema(&schema).into_iter().map(|f| format!("{}: {}", f.pointer, f.message)).collect::<Vec<_>>();
    assert_eq!(found(json!({"type": "string"})), [": this must be the JSON Schema of an object"]);
    assert_eq!(found(json!(true)), [": this must be a JSON Schema: a mapping"]);
    assert_eq!(
        found(json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/s.json"}}})),
        ["properties.a.$ref: `https://example.com/s.json` is outside of this schema"]
    );
    assert_eq!(found(json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}})).len(), 1);
    assert_eq!(found(json!({"type": "object", "properties": {"a": {"type": "text"}}})).len(), 1);
    assert_eq!(found(json!({"type": "object", "properties": {"a": {"pattern": "("}}})).len(), 1);
    assert_eq!(found(json!({"type": "object", "default": {"$ref": "https://example.com"}})), Vec::<String>::new());
}

#[test]
fn defaults_are_those_of_the_top_level() {
    assert_eq!(defaults(&inputs()), BTreeMap::from([("size".to_owned(), json!("small"))]));
}
