//! The same for files of other formats: values stand there as they are.

use super::known::{Known, Misplaced};
use super::literal::{Style, reference};
use super::table::{PUBLIC, Piece, SECRET, token};

/// Writes the values into a text; with a style where Terraform reads it as a template.
pub(super) fn resolve(text: &str, known: Known<'_>, style: Option<Style>) -> Result<String, Misplaced> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some((token, length)) = token(rest) else {
            let next = rest.find([PUBLIC, SECRET]).filter(|next| *next > 0).unwrap_or(rest.len());
            if style.is_some() && rest.starts_with('{') {
                Style::File.guard(&mut out);
            }
            out.push_str(&rest[..next]);
            at += next;
            continue;
        };
        let misplaced = move |why: String, public| Misplaced { at, why, public };
        let pieces = known.shown(token).map_err(|why| misplaced(why, false))?.text();
        if let Some(Piece::Secret(index)) = pieces.iter().find(|piece| matches!(piece, Piece::Secret(_))) {
            let variable = reference(known.secrets.get(*index));
            let why = format!("a sensitive value cannot be written here, only into a file of Terraform's (as `{variable}`)");
            return Err(misplaced(why, false));
        }
        match style {
            Some(style) => style.write(&pieces, known.secrets, &mut out),
            None => out.extend(pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Secret(_) => "",
            })),
        }
        at += length;
        if out.len() > known.limit {
            return Err(misplaced("the file becomes larger than it may".to_owned(), false));
        }
    }
    Ok(out)
}
