//! What the walks over rendered texts have in common.

use std::collections::BTreeSet;

use super::datum::{Datum, Room, Shown};
use super::table::{Piece, Table, Token};

/// A value that cannot stand where it does: the place in the rendered text, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misplaced {
    /// The place, in bytes.
    pub(super) at: usize,
    /// Why.
    pub(super) why: String,
    /// Whether writing it unescaped would be allowed.
    pub(super) public: bool,
}

/// What a walk needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The values.
    pub(super) table: &'a Table,
    /// The variables of the sensitive ones.
    pub(super) secrets: &'a [String],
    /// The texts that stand literally in the plugin's templates.
    pub(super) literals: &'a BTreeSet<String>,
    /// How long the text may become.
    pub(super) limit: usize,
}

impl Known<'_> {
    /// What a token stands for.
    pub(super) fn shown(&self, token: Token) -> Result<Shown, String> {
        match token {
            Token::Secret(index) => Ok(Shown { datum: Datum::Text(vec![Piece::Secret(index)]), json: false }),
            Token::Public(index) => {
                self.table.shown(index, &mut Room::default()).map_err(|error| error.detail().unwrap_or_default().to_owned())
            }
        }
    }
}

/// Whether a sensitive value is among the pieces.
pub(super) fn is_sensitive(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Secret(_)))
}
