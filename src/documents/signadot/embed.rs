//! `@{embed: file}`: parts of the document that are files beside it, as Signadot's own tool fills them in.

use serde_json::Value;

use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::domain::diagnostic::Pointer;

/// The largest file that is filled in, in bytes.
const LARGEST: usize = 1 << 20;

/// The document with its files filled in. What they hold is not looked at for more.
pub(super) fn filled(value: &Value, files: &Files<'_>, findings: &mut Vec<Finding>) -> Value {
    walk(value, files, &Pointer::default(), findings)
}

fn walk(value: &Value, files: &Files<'_>, at: &Pointer, findings: &mut Vec<Finding>) -> Value {
    match value {
        Value::String(text) if text.contains("@{") => match text_with(text, files) {
            Ok(text) => text.into(),
            Err(finding) => {
                findings.push(Finding { pointer: at.clone(), ..finding });
                Value::String(String::new())
            }
        },
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| walk(item, files, &at.clone().index(index), findings)).collect()
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), walk(field, files, &at.clone().key(name), findings))).collect()
        }
        other => other.clone(),
    }
}

/// A text with the files that it names.
fn text_with(text: &str, files: &Files<'_>) -> Result<String, Finding> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((inside, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(file(inside, files)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn file<'a>(inside: &str, files: &Files<'a>) -> Result<&'a str, Finding> {
    let finding = |message: String| Finding::new(Pointer::default(), message);
    let (what, options) = inside.split_once('[').unwrap_or((inside, ""));
    let Some(path) = what.trim().strip_prefix("embed:").map(str::trim) else {
        return Err(finding(format!(
            "`@{{{inside}}}` stands for a value that Signadot's tool is given when the plugin is applied"
        ))
        .help("write the value itself; what differs from deploy to deploy comes by an input with `valueFromSandbox: true`"));
    };
    if !matches!(options.trim_end_matches(']').trim(), "" | "raw" | "yaml") {
        return Err(finding(format!("`@{{{inside}}}` asks for the file in a form that no document can hold"))
            .help("fill in a text, without `[binary]`"));
    }
    let Some(inside) = inside_tree(path) else {
        return Err(finding(format!("`{path}` is outside the plugin's folder")).help("put the file beside the document"));
    };
    let Some(bytes) = files.get(inside.as_str()) else {
        return Err(finding(format!("there is no file `{path}` in the plugin's folder")).label("not found"));
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= LARGEST => Ok(text),
        _ => Err(finding(format!("`{path}` is no text of at most 1 MiB"))),
    }
}

/// A path in the tree, without `.` and `..`.
fn inside_tree(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
