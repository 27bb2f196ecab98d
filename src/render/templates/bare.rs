//! Values outside of quotes: literals, and names that stay names.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::datum::{Datum, Shown};
use super::literal::expression;
use super::table::Piece;

/// What surrounds a value outside of quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    /// What is written before it.
    pub(super) before: &'a str,
    /// What the template has after it; none at the end.
    pub(super) after: Option<char>,
    /// The texts that stand literally in the plugin's templates.
    pub(super) literals: &'a BTreeSet<String>,
    /// The variables of the sensitive values.
    pub(super) secrets: &'a [String],
}

/// What is written for a value outside of quotes.
///
/// # Errors
/// Why it cannot stand there.
pub(super) fn bare(shown: &Shown, around: Around<'_>) -> Result<String, String> {
    let run = name_run(around.before);
    let touches = !run.is_empty() || around.after.is_some_and(is_name_character);
    if matches!(around.before.trim_end_matches('-').trim_end(), before if before.ends_with("<<")) {
        return Err("a value cannot be the mark of a here-document: write the mark in the template".to_owned());
    }
    match &shown.datum {
        Datum::Text(pieces) => match pieces.as_slice() {
            [] => name("", run, around),
            [Piece::Text(text)] => name(text, run, around),
            pieces => {
                if touches || around.before.ends_with('.') {
                    return Err("a sensitive value cannot be part of a name".to_owned());
                }
                let mut out = String::new();
                expression(&Datum::Text(pieces.to_vec()), around.secrets, &mut out);
                Ok(out)
            }
        },
        Datum::Bool(_) | Datum::Null if touches => {
            let [Piece::Text(text)] = &shown.datum.printed()[..] else { return Err("it cannot stand here".to_owned()) };
            name(text, run, around)
        }
        Datum::Number(number) if touches => name(number, run, around),
        datum if touches => Err(match datum {
            Datum::List(_) => "a list cannot be part of a name".to_owned(),
            _ => "a mapping cannot be part of a name".to_owned(),
        }),
        datum => {
            let mut out = String::new();
            expression(datum, around.secrets, &mut out);
            Ok(out)
        }
    }
}

/// A text outside of quotes: part of a name, a number, JSON, or text of the template itself.
fn name(text: &str, run: &str, around: Around<'_>) -> Result<String, String> {
    if around.literals.contains(text) && text.chars().all(is_harmless) {
        return Ok(text.to_owned());
    }
    let in_name = run.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let next_in_name = around.after.is_some_and(is_name_character);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match (run.is_empty(), text.is_empty()) {
        (true, true) => next_in_name,
        (false, true) => true,
        (false, false) if in_name => text.chars().all(is_name_character),
        (false, false) => digits(run) && digits(text),
        (true, false) => {
            is_name(text)
                || is_number(text) && !around.after.is_some_and(|next| next.is_ascii_alphabetic() || next == '_')
                || around.before.ends_with('.') && digits(text)
        }
    };
    if fits {
        return Ok(text.to_owned());
    }
    let data = if run.is_empty() && !next_in_name && text.trim_start().starts_with(['[', '{', '"']) {
        serde_json::from_str::<Json>(text).ok()
    } else {
        None
    };
    match data {
        Some(data) => {
            let mut out = String::new();
            expression(&Datum::of_json(data), around.secrets, &mut out);
            Ok(out)
        }
        None if text.is_empty() => Err("an empty text cannot stand here without quotes".to_owned()),
        None => Err(format!("the text {} cannot stand here without quotes", excerpt(text))),
    }
}

/// `text`, cut for a message.
pub(super) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(40).map(|each| if each.is_control() { ' ' } else { each }).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    format!("`{}`", short.replace('`', "'"))
}

/// Characters that open no text, comment, template or block.
fn is_harmless(character: char) -> bool {
    character.is_ascii_alphanumeric() || character.is_ascii_whitespace() || "_.,-[]".contains(character)
}

/// The end of `before` that what follows becomes one name with.
fn name_run(before: &str) -> &str {
    &before[before.trim_end_matches(is_name_character).len()..]
}

/// Whether Terraform could take it as part of a name: letters of other scripts as well.
pub(super) fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}
