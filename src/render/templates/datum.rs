//! Printed values as data, and their texts.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};
use serde_json::Value as Json;

use super::table::{Data, Piece, Secret, Table, push};

/// How large one printed value may be, in bytes.
const LARGEST: usize = 16 << 20;

/// How many parts it may have.
const MOST: usize = 100_000;

/// How deep.
const DEEPEST: usize = 64;

/// What is left of the limits while a value is read.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
    parts: usize,
    depth: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: LARGEST, parts: MOST, depth: 0 }
    }
}

impl Room {
    /// Takes a part of so many bytes.
    pub(super) fn take(&mut self, size: usize) -> Result<(), Error> {
        self.bytes = self.bytes.checked_sub(size).ok_or_else(|| too_large("larger than 16 MiB"))?;
        self.parts = self.parts.checked_sub(1).ok_or_else(|| too_large("of more than 100,000 parts"))?;
        Ok(())
    }

    /// Goes one level down.
    pub(super) fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(too_large("nested deeper than 64 levels")) } else { Ok(()) }
    }

    /// Comes back up.
    pub(super) fn back(&mut self) {
        self.depth -= 1;
    }
}

fn too_large(why: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("a value is {why}"))
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    /// None.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as Python prints it.
    Number(String),
    /// A text, with sensitive values in it where it was put together with them.
    Text(Vec<Piece>),
    /// A list.
    List(Vec<Self>),
    /// A mapping.
    Map(Vec<(Vec<Piece>, Self)>),
}

/// A value as it was printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// The value.
    pub(super) datum: Datum,
    /// Whether its text is JSON rather than what Python prints.
    pub(super) json: bool,
}

impl Shown {
    /// Reads a value that a template prints.
    pub(super) fn read(value: &Value, table: &Table, room: &mut Room) -> Result<Self, Error> {
        if let Some(Data(datum)) = value.downcast_object_ref() {
            return Ok(Self { datum: datum.clone(), json: true });
        }
        Ok(Self { datum: Datum::read(value, table, room)?, json: false })
    }

    /// Its text.
    pub(super) fn text(&self) -> Vec<Piece> {
        if self.json { self.datum.json() } else { self.datum.printed() }
    }
}

impl Datum {
    /// Reads a value.
    pub(super) fn read(value: &Value, table: &Table, room: &mut Room) -> Result<Self, Error> {
        room.take(0)?;
        if let Some(Secret(index)) = value.downcast_object_ref() {
            return Ok(Self::Text(vec![Piece::Secret(*index)]));
        }
        if let Some(Data(datum)) = value.downcast_object_ref() {
            return Ok(datum.clone());
        }
        if let Some(text) = value.as_str() {
            return Ok(Self::Text(table.pieces(text, room)?));
        }
        Ok(match value.kind() {
            ValueKind::Undefined => Self::Text(Vec::new()),
            ValueKind::None => Self::Null,
            ValueKind::Bool => Self::Bool(value.is_true()),
            ValueKind::Number => Self::Number(number(value)?),
            ValueKind::Seq | ValueKind::Iterable => {
                room.deeper()?;
                let mut items = Vec::new();
                for item in value.try_iter()? {
                    items.push(Self::read(&item, table, room)?);
                }
                room.back();
                Self::List(items)
            }
            ValueKind::Map => {
                room.deeper()?;
                let mut entries = Vec::new();
                for key in value.try_iter()? {
                    let entry = Self::read(&value.get_item(&key)?, table, room)?;
                    entries.push((Self::read(&key, table, room)?.printed(), entry));
                }
                room.back();
                Self::Map(entries)
            }
            kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a {kind} cannot be printed"))),
        })
    }

    /// What Python prints.
    pub(super) fn printed(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        match self {
            Self::Text(text) => pieces.clone_from(text),
            other => other.represent(&mut pieces),
        }
        pieces
    }

    /// What Python prints inside of lists and mappings.
    fn represent(&self, pieces: &mut Vec<Piece>) {
        match self {
            Self::Null => text(pieces, "None"),
            Self::Bool(true) => text(pieces, "True"),
            Self::Bool(false) => text(pieces, "False"),
            Self::Number(number) => text(pieces, number),
            Self::Text(inner) => represent_text(inner, pieces),
            Self::List(items) => {
                text(pieces, "[");
                for (position, item) in items.iter().enumerate() {
                    text(pieces, if position == 0 { "" } else { ", " });
                    item.represent(pieces);
                }
                text(pieces, "]");
            }
            Self::Map(entries) => {
                text(pieces, "{");
                for (position, (key, item)) in entries.iter().enumerate() {
                    text(pieces, if position == 0 { "" } else { ", " });
                    represent_text(key, pieces);
                    text(pieces, ": ");
                    item.represent(pieces);
                }
                text(pieces, "}");
            }
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.put_json(&mut pieces);
        pieces
    }

    fn put_json(&self, pieces: &mut Vec<Piece>) {
        match self {
            Self::Null => text(pieces, "null"),
            Self::Bool(truth) => text(pieces, if *truth { "true" } else { "false" }),
            Self::Number(number) => text(pieces, number),
            Self::Text(inner) => json_text(inner, pieces),
            Self::List(items) => {
                text(pieces, "[");
                for (position, item) in items.iter().enumerate() {
                    text(pieces, if position == 0 { "" } else { ", " });
                    item.put_json(pieces);
                }
                text(pieces, "]");
            }
            Self::Map(entries) => {
                text(pieces, "{");
                for (position, (key, item)) in entries.iter().enumerate() {
                    text(pieces, if position == 0 { "" } else { ", " });
                    json_text(key, pieces);
                    text(pieces, ": ");
                    item.put_json(pieces);
                }
                text(pieces, "}");
            }
        }
    }

    /// The value of a JSON document.
    pub(super) fn of_json(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(truth),
            Json::Number(number) => Self::Number(number.to_string()),
            Json::String(inner) => Self::Text(vec![Piece::Text(inner)]),
            Json::Array(items) => Self::List(items.into_iter().map(Self::of_json).collect()),
            Json::Object(entries) => {
                Self::Map(entries.into_iter().map(|(key, item)| (vec![Piece::Text(key)], Self::of_json(item))).collect())
            }
        }
    }
}

fn number(value: &Value) -> Result<String, Error> {
    let number = value.to_string();
    if number.contains(['n', 'N']) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("`{number}` is no number that can be written")));
    }
    Ok(number)
}

fn text(pieces: &mut Vec<Piece>, text: &str) {
    push(pieces, Piece::Text(text.to_owned()));
}

/// A text as Python writes it inside of lists: in single quotes, unless it has such and no double ones.
fn represent_text(inner: &[Piece], pieces: &mut Vec<Piece>) {
    let has = |wanted: char| inner.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(wanted)));
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    text(pieces, &quote.to_string());
    for piece in inner {
        match piece {
            Piece::Secret(index) => pieces.push(Piece::Secret(*index)),
            Piece::Text(raw) => {
                let mut escaped = String::new();
                for character in raw.chars() {
                    match character {
                        '\\' => escaped.push_str("\\\\"),
                        '\n' => escaped.push_str("\\n"),
                        '\r' => escaped.push_str("\\r"),
                        '\t' => escaped.push_str("\\t"),
                        other if other == quote => escaped.extend(['\\', other]),
                        other => escaped.push(other),
                    }
                }
                text(pieces, &escaped);
            }
        }
    }
    text(pieces, &quote.to_string());
}

fn json_text(inner: &[Piece], pieces: &mut Vec<Piece>) {
    text(pieces, "\"");
    for piece in inner {
        match piece {
            Piece::Secret(index) => pieces.push(Piece::Secret(*index)),
            Piece::Text(raw) => text(pieces, &json_escaped(raw)),
        }
    }
    text(pieces, "\"");
}

/// `text` as it stands between the quotes of a JSON string.
pub(super) fn json_escaped(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
