//! Values that stand in for secrets that are gone, where something is only to be destroyed (R32).

use serde_json::{Map, Value, json};

/// What a text says that stands in for a secret.
const TEXT: &str = "gone";

/// The longest text that is made up, in characters: a schema may ask for more than there is memory.
const LONGEST: usize = 10_000;

/// The most entries of arrays that are made up in one value, arrays in arrays included.
const MOST: usize = 1_000;

/// A value that fits a JSON Schema, as far as types and plain bounds of a usual size go; a text where the schema does not say what it is.
pub fn placeholder(schema: &Value) -> Value {
    value(schema, &mut { MOST })
}

/// The same, with at most `room` more entries of arrays.
fn value(schema: &Value, room: &mut usize) -> Value {
    let given = schema.get("const").or_else(|| schema.get("default")).or_else(|| schema["enum"].get(0));
    if let Some(value) = given {
        return value.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null"),
        kind => Some(kind),
    };
    match kind.and_then(Value::as_str) {
        Some("boolean") => json!(false),
        Some("integer" | "number") => number(schema),
        Some("array") => {
            let mut entries = Vec::new();
            while entries.len() < bound(&schema["minItems"], MOST) && *room > 0 {
                *room -= 1;
                entries.push(value(&schema["items"], room));
            }
            Value::Array(entries)
        }
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let entries = required.map(|name| (name.to_owned(), value(&schema["properties"][name], room)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Some("null") => Value::Null,
        _ => {
            let least = bound(&schema["minLength"], LONGEST);
            json!(format!("{TEXT:x<least$}"))
        }
    }
}

/// A least length, but never more than `most`.
fn bound(least: &Value, most: usize) -> usize {
    least.as_u64().map_or(0, |least| usize::try_from(least).unwrap_or(most).min(most))
}

/// The bound that is nearest to where numbers begin.
fn number(schema: &Value) -> Value {
    match (&schema["minimum"], &schema["exclusiveMinimum"], &schema["maximum"]) {
        (Value::Number(least), _, _) => json!(least),
        (_, Value::Number(below), _) => below.as_i64().map_or_else(|| json!(0), |below| json!(below + 1)),
        (_, _, Value::Number(most)) => json!(most),
        _ => json!(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r32_a_placeholder_fits_its_schema() {
        let schemas = [
            json!({"type": "string", "minLength": 12}),
            json!({"type": ["null", "string"]}),
            json!({"type": "integer", "minimum": 1024}),
            json!({"type": "number", "exclusiveMinimum": 3}),
            json!({"type": "boolean"}),
            json!({"enum": ["a", "b"]}),
            json!({"type": "array", "minItems": 2, "items": {"type": "string"}}),
            json!({"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}, "more": {"type": "string"}}}),
        ];
        for schema in schemas {
            let value = placeholder(&schema);
            assert!(jsonschema::is_valid(&schema, &value), "{value} for {schema}");
        }
        assert_eq!(placeholder(&Value::Null), json!("gone"));
    }

    #[test]
    fn r32_a_placeholder_has_room_in_memory_whatever_its_schema_asks_for() {
        let text = placeholder(&json!({"type": "string", "minLength": u64::MAX}));
        assert_eq!(text.as_str().map(str::len), Some(LONGEST));
        let array = placeholder(&json!({"type": "array", "minItems": u64::MAX, "items": {"type": "string"}}));
        assert_eq!(array.as_array().map(Vec::len), Some(MOST));
        let endless =
            (0..8).fold(json!({"type": "string"}), |items, _| json!({"type": "array", "minItems": 100, "items": items}));
        assert!(placeholder(&endless).to_string().len() < 20_000);
    }
}
