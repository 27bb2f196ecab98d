//! What templates print while they are rendered: not the values, but tokens that stand for them. Where each token ends up is known
//! only when the text is whole; then the value is written as it must be there.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};

use super::datum::{Datum, Room, Shown};

/// Begins a token of a printed value.
pub(super) const PUBLIC: char = '\u{f8f0}';

/// Begins a token of a sensitive value.
pub(super) const SECRET: char = '\u{f8f1}';

/// Ends a token.
const END: char = '\u{f8f2}';

/// Whether `text` has a character that tokens are made of: no template and no value may.
pub(super) fn has_token(text: &str) -> bool {
    text.contains([PUBLIC, SECRET, END])
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text.
    Text(String),
    /// A sensitive value, by its place among them.
    Secret(usize),
}

/// A token in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A printed value.
    Public(usize),
    /// A sensitive one.
    Secret(usize),
}

/// The token that `text` begins with, and its length; none where it begins with none.
pub(super) fn token(text: &str) -> Option<(Token, usize)> {
    let kind = text.chars().next().filter(|first| matches!(*first, PUBLIC | SECRET))?;
    let end = text.find(END)?;
    let index = text.get(kind.len_utf8()..end)?.parse().ok()?;
    Some((if kind == PUBLIC { Token::Public(index) } else { Token::Secret(index) }, end + END.len_utf8()))
}

/// The values behind the tokens of one rendering.
#[derive(Debug, Default)]
pub(super) struct Table {
    printed: Mutex<Vec<Value>>,
}

impl Table {
    /// Keeps a value, and gives the token for it.
    pub(super) fn keep(&self, value: &Value) -> String {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push(value.clone());
        format!("{PUBLIC}{}{END}", printed.len() - 1)
    }

    /// Forgets what was printed: its text is whole.
    pub(super) fn clear(&self) {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What the token of a printed value stands for.
    pub(super) fn shown(&self, index: usize, room: &mut Room) -> Result<Shown, Error> {
        let value = self.printed.lock().unwrap_or_else(PoisonError::into_inner).get(index).cloned();
        let value = value.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the text was changed where a value stands"))?;
        Shown::read(&value, self, room)
    }

    /// `text` with the tokens of printed values replaced by their text.
    pub(super) fn pieces(&self, text: &str, room: &mut Room) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find([PUBLIC, SECRET]) {
            let (before, from) = rest.split_at(at);
            room.take(before.len())?;
            push(&mut pieces, Piece::Text(before.to_owned()));
            let (token, length) = token(from)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "a filter was applied to a sensitive value"))?;
            match token {
                Token::Secret(index) => pieces.push(Piece::Secret(index)),
                Token::Public(index) => {
                    room.deeper()?;
                    for piece in self.shown(index, room)?.text() {
                        push(&mut pieces, piece);
                    }
                    room.back();
                }
            }
            rest = &from[length..];
        }
        room.take(rest.len())?;
        push(&mut pieces, Piece::Text(rest.to_owned()));
        Ok(pieces)
    }

    /// `text` without tokens.
    ///
    /// # Errors
    /// Where a sensitive value is in it.
    pub(super) fn plain(&self, text: &str, what: &str) -> Result<String, Error> {
        let mut plain = String::new();
        for piece in self.pieces(text, &mut Room::default())? {
            match piece {
                Piece::Text(text) => plain.push_str(&text),
                Piece::Secret(_) => return Err(untouchable(what)),
            }
        }
        Ok(plain)
    }

    /// `text` with the values in their places, and the tokens of sensitive ones as they were.
    pub(super) fn settled(&self, text: &str) -> Result<String, Error> {
        let pieces = self.pieces(text, &mut Room::default())?;
        Ok(pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Secret(index) => secret_token(index),
            })
            .collect())
    }
}

/// Adds a piece to those before it.
pub(super) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
        (_, Piece::Text(text)) if text.is_empty() => {}
        (_, piece) => pieces.push(piece),
    }
}

fn secret_token(index: usize) -> String {
    format!("{SECRET}{index}{END}")
}

/// The error for what would need to know a sensitive value.
pub(super) fn untouchable(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!(
            "{what} was applied to a sensitive value, which no template can see: use it as it is, or let Terraform change it"
        ),
    )
}

/// A sensitive value, as templates see it: they can hand it on, but not look at it.
#[derive(Debug)]
pub(super) struct Secret(pub(super) usize);

impl Object for Secret {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&secret_token(self.0))
    }
}

/// A value that is data wherever it stands: what `tojson` gives.
#[derive(Debug)]
pub(super) struct Data(pub(super) Datum);

impl Object for Data {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.json() {
            match piece {
                Piece::Text(text) => f.write_str(&text)?,
                Piece::Secret(index) => f.write_str(&secret_token(index))?,
            }
        }
        Ok(())
    }
}
