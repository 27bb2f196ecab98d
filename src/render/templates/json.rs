//! The same for files of JSON, Terraform's among them.

use serde_json::Value as Json;

use super::bare::{Around, bare, is_name_character};
use super::datum::{Datum, json_escaped};
use super::known::{Known, Misplaced, is_sensitive};
use super::literal::Style;
use super::table::{Piece, token};

/// Writes the values into a text of JSON; `terraform` where its strings are templates of Terraform's.
pub(super) fn resolve(text: &str, known: Known<'_>, terraform: bool) -> Result<String, Misplaced> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut in_string = false;
    // How many braces of an interpolation are open.
    let mut open = 0_usize;
    let mut sensitive_string = None;
    while at < text.len() {
        let rest = &text[at..];
        let misplaced = |why: &str, public| Misplaced { at, why: why.to_owned(), public };
        if out.len() > known.limit {
            return Err(misplaced("the file becomes larger than it may", false));
        }
        if let Some((token, length)) = token(rest) {
            let shown = known.shown(token).map_err(|why| misplaced(&why, false))?;
            let pieces = shown.text();
            let sensitive = is_sensitive(&pieces);
            if sensitive && !terraform {
                return Err(misplaced("a sensitive value cannot be written here, only into a file of Terraform's", false));
            }
            if in_string && open > 0 {
                let after = text[at + length..].chars().next();
                let around = Around { before: &out, after, literals: known.literals, secrets: known.secrets };
                let written = bare(&shown, around).map_err(|why| misplaced(&why, !sensitive))?;
                if !written.chars().all(|each| is_name_character(each) || each == '.') {
                    return Err(misplaced("only a name or a number can stand inside of an interpolation here", !sensitive));
                }
                out.push_str(&written);
            } else if in_string {
                sensitive_string = sensitive_string.or(sensitive.then_some(at));
                string(&pieces, &known, terraform, &mut out);
            } else {
                let datum = whole(shown.datum).map_err(|why| misplaced(&why, !sensitive))?;
                value(&datum, &known, terraform, &mut out);
            }
            at += length;
            continue;
        }
        if in_string && terraform && open == 0 {
            let escaped = rest.starts_with("$${") || rest.starts_with("%%{");
            let opens = rest.starts_with("${") || rest.starts_with("%{");
            if escaped || opens {
                let length = if escaped { 3 } else { 2 };
                open = usize::from(opens);
                out.push_str(&rest[..length]);
                at += length;
                continue;
            }
        }
        let mut characters = rest.chars();
        let Some(character) = characters.next() else { break };
        let mut taken = character.len_utf8();
        match character {
            '\\' if in_string => {
                if token(&rest[1..]).is_some() {
                    return Err(misplaced("a value follows a backslash, and would become part of an escape", false));
                }
                taken += characters.next().map_or(0, char::len_utf8);
            }
            '"' => {
                in_string = !in_string;
                open = 0;
                let is_key = !in_string && rest[1..].trim_start().starts_with(':');
                match sensitive_string.take() {
                    Some(at) if is_key => {
                        return Err(Misplaced { at, why: "a sensitive value cannot be in a key".to_owned(), public: false });
                    }
                    kept => sensitive_string = kept.filter(|_| in_string),
                }
            }
            '{' if open > 0 => open += 1,
            '}' if open > 0 => open -= 1,
            '{' if in_string && terraform => Style::Json.guard(&mut out),
            _ => {}
        }
        out.push_str(&rest[..taken]);
        at += taken;
    }
    Ok(out)
}

/// What a value is that stands outside of strings: data; a text must be JSON itself.
fn whole(datum: Datum) -> Result<Datum, String> {
    match datum {
        Datum::Text(pieces) => match pieces.as_slice() {
            [Piece::Text(text)] => serde_json::from_str::<Json>(text)
                .map(Datum::of_json)
                .map_err(|_| format!("the text {} cannot stand here without quotes", super::bare::excerpt(text))),
            [] => Err("an empty text cannot stand here without quotes".to_owned()),
            _ => Ok(Datum::Text(pieces)),
        },
        other => Ok(other),
    }
}

fn string(pieces: &[Piece], known: &Known<'_>, terraform: bool, out: &mut String) {
    if terraform {
        return Style::Json.write(pieces, known.secrets, out);
    }
    for piece in pieces {
        if let Piece::Text(text) = piece {
            out.push_str(&json_escaped(text));
        }
    }
}

fn value(datum: &Datum, known: &Known<'_>, terraform: bool, out: &mut String) {
    let quoted = |pieces: &[Piece], out: &mut String| {
        out.push('"');
        string(pieces, known, terraform, out);
        out.push('"');
    };
    match datum {
        Datum::Null => out.push_str("null"),
        Datum::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Datum::Number(number) => out.push_str(number),
        Datum::Text(pieces) => quoted(pieces, out),
        Datum::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                value(item, known, terraform, out);
            }
            out.push(']');
        }
        Datum::Map(entries) => {
            out.push('{');
            for (position, (key, item)) in entries.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                quoted(key, out);
                out.push_str(": ");
                value(item, known, terraform, out);
            }
            out.push('}');
        }
    }
}
