//! Values as Terraform's JSON syntax takes them literally.

use serde_json::Value;

/// `value` with everything escaped that Terraform would evaluate: `${` and `%{`, in strings and in keys at any depth.
pub fn escape(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape_text(text)),
        Value::Array(items) => Value::Array(items.iter().map(escape).collect()),
        Value::Object(entries) => Value::Object(entries.iter().map(|(key, value)| (escape_text(key), escape(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn escape_text(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}
