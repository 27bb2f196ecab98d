//! Text to value, strictly: what YAML offers beyond mappings, lists and plain values is refused, with its place.

use serde_json::Value;

use super::outline::{self, Flaw};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;

/// The largest document, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Reads one document.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Value, Problems> {
    let text = text_of(file, bytes)?;
    let placed = |flaw: Flaw| {
        let mut problem = Diagnostic::error(InvalidDocument, flaw.message).at_line(file, flaw.at.line(), flaw.at.col() + 1);
        problem.help.extend(flaw.help.map(str::to_owned));
        problem
    };
    let flaws = match outline::outline(text) {
        Ok((_, flaws)) | Err(flaws) => flaws,
    };
    if !flaws.is_empty() {
        return Err(Problems(flaws.into_iter().map(placed).collect()));
    }
    let value: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
        let problem = Diagnostic::error(InvalidDocument, format!("not valid YAML: {error}"));
        match error.location() {
            Some(place) => problem.at_line(file, place.line(), place.column()),
            None => problem.in_file(file),
        }
    })?;
    let mut problems = Problems::default();
    let value = json(value, &Pointer::default(), &mut |at, message| {
        problems.push(Diagnostic::error(InvalidDocument, message).at(file, at).help("put it in quotes"));
    });
    if problems.0.is_empty() { Ok(value) } else { Err(problems) }
}

fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Problems> {
    if bytes.len() > LARGEST {
        let message = format!("the document has {} bytes; at most {LARGEST} are read", bytes.len());
        return Err(Diagnostic::error(InvalidDocument, message).in_file(file).help("split it").into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Diagnostic::error(InvalidDocument, format!("the document is not UTF-8: line {line} has other bytes"))
            .in_file(file)
            .help("save the file as UTF-8")
    })?;
    Ok(without_mark(text))
}

/// The text without a byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The value in JSON's terms; what those lack is reported and becomes null.
fn json(value: serde_yaml::Value, at: &Pointer, refuse: &mut impl FnMut(Pointer, String)) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Number(number) => serde_json::to_value(&number).ok().filter(Value::is_number).unwrap_or_else(|| {
            refuse(at.clone(), format!("`{number}` is not a number that a document can hold"));
            Value::Null
        }),
        serde_yaml::Value::Sequence(items) => {
            items.into_iter().enumerate().map(|(index, item)| json(item, &at.clone().index(index), refuse)).collect()
        }
        serde_yaml::Value::Mapping(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = key_text(&key).unwrap_or_else(|other| {
                        refuse(at.clone().key(&other).at_key(), format!("a key must be text, and `{other}` is not"));
                        other
                    });
                    let value = json(value, &at.clone().key(&key), refuse);
                    (key, value)
                })
                .collect(),
        ),
        serde_yaml::Value::Tagged(tagged) => {
            refuse(at.clone(), format!("the tag `{}` is not supported", tagged.tag));
            Value::Null
        }
    }
}

/// The key, or as an error how a key that is no text is written.
fn key_text(key: &serde_yaml::Value) -> Result<String, String> {
    match key {
        serde_yaml::Value::String(text) => Ok(text.clone()),
        serde_yaml::Value::Bool(value) => Err(value.to_string()),
        serde_yaml::Value::Number(number) => Err(number.to_string()),
        _ => Err("null".to_owned()),
    }
}
