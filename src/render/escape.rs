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
    without_returns(&text.replace("${", "$${").replace("%{", "%%{"))
}

/// Terraform reads what follows a bare carriage return by other rules, under which no form of `$${` means itself (measured): each
/// is written as an expression, with the signs before it, which would escape that.
fn without_returns(text: &str) -> String {
    let mut parts = text.split('\r');
    let last = parts.next_back().unwrap_or_default();
    let parts = parts.map(|part| {
        let kept = part.trim_end_matches(['$', '%']);
        format!("{kept}${{\"{}\\r\"}}", &part[kept.len()..])
    });
    parts.collect::<String>() + last
}
