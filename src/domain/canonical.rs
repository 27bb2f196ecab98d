//! Canonical JSON: sorted keys, two-space indent, one final newline. What machines write is written this way, so that the
//! same thing is the same bytes.

use serde::Serialize;

/// Writes `value` as canonical JSON.
///
/// Going through [`serde_json::Value`] sorts the keys of every object, structs included.
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_sorted_and_the_file_ends_with_a_newline() {
        let value = serde_json::json!({"b": 1, "a": {"d": [], "c": null}});
        assert_eq!(
            String::from_utf8_lossy(&super::to_bytes(&value)),
            "{\n  \"a\": {\n    \"c\": null,\n    \"d\": []\n  },\n  \"b\": 1\n}\n"
        );
    }
}
