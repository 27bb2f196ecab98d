//! How texts are written in Terraform's templates: in quotes, in here-documents and in strings of its JSON, so that they mean
//! themselves and nothing else.

use super::datum::{Datum, json_escaped};
use super::table::Piece;

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Between quotes.
    Quoted,
    /// In a here-document; whether its indentation is taken away.
    Heredoc {
        /// It is (`<<-`).
        flush: bool,
    },
    /// In a string of Terraform's JSON.
    Json,
    /// In a file that Terraform's functions read as a template.
    File,
}

impl Style {
    /// Writes a text with its sensitive values as references to their variables.
    pub(super) fn write(self, pieces: &[Piece], secrets: &[String], out: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.text(text, out),
                Piece::Secret(index) => {
                    self.guard(out);
                    out.push_str(&reference(secrets.get(*index)));
                }
            }
        }
    }

    /// Writes a text.
    fn text(self, text: &str, out: &mut String) {
        if text.starts_with(['{', '$', '%']) {
            self.guard(out);
        }
        if self.needs_expression(text) {
            self.guard(out);
            return self.expression(text, out);
        }
        let mut rest = text;
        while let Some(at) = rest.find(['$', '%']) {
            let (before, from) = rest.split_at(at);
            self.plain(before, out);
            let after = from.trim_start_matches(['$', '%']);
            let signs = &from[..from.len() - after.len()];
            // A doubled sign before a brace stands for a single one; for more of them there is no such form.
            match (signs.len(), after.chars().next()) {
                (1, Some('{')) => out.extend([signs, signs]),
                (_, Some('{') | None) => self.signs(signs, out),
                _ => out.push_str(signs),
            }
            rest = after;
        }
        self.plain(rest, out);
    }

    /// Keeps signs that were written before from making something of what comes next.
    pub(super) fn guard(self, out: &mut String) {
        let kept = out.trim_end_matches(['$', '%']).len();
        let signs = out.split_off(kept);
        if !signs.is_empty() {
            self.signs(&signs, out);
        }
    }

    /// In a here-document lines and indentation have a meaning, and a bare carriage return has one everywhere.
    fn needs_expression(self, text: &str) -> bool {
        match self {
            Self::Quoted => false,
            Self::Heredoc { flush } => text.contains(['\n', '\r']) || flush && text.starts_with(char::is_whitespace),
            Self::Json | Self::File => text.contains('\r'),
        }
    }

    fn plain(self, text: &str, out: &mut String) {
        match self {
            Self::Quoted => quote(text, out),
            Self::Json => out.push_str(&json_escaped(text)),
            Self::Heredoc { .. } | Self::File => out.push_str(text),
        }
    }

    /// Writes signs that stand for themselves whatever follows.
    fn signs(self, signs: &str, out: &mut String) {
        match self {
            Self::Quoted => out.extend(signs.chars().map(|sign| if sign == '$' { "\\u0024" } else { "\\u0025" })),
            Self::Heredoc { .. } | Self::Json | Self::File => self.expression(signs, out),
        }
    }

    /// Writes a text as an expression.
    pub(super) fn expression(self, text: &str, out: &mut String) {
        let mut expression = "${\"".to_owned();
        Self::Quoted.text(text, &mut expression);
        expression.push_str("\"}");
        if self == Self::Json { out.push_str(&json_escaped(&expression)) } else { out.push_str(&expression) }
    }
}

fn quote(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => out.extend(["\\u", format!("{:04x}", u32::from(control)).as_str()]),
            other => out.push(other),
        }
    }
}

/// A reference to a sensitive variable, inside of a text.
pub(super) fn reference(variable: Option<&String>) -> String {
    format!("${{var.{}}}", variable.map_or("", String::as_str))
}

/// A text as an expression of its own.
pub(super) fn quoted(pieces: &[Piece], secrets: &[String], out: &mut String) {
    out.push('"');
    Style::Quoted.write(pieces, secrets, out);
    out.push('"');
}

/// A value as an expression.
pub(super) fn expression(datum: &Datum, secrets: &[String], out: &mut String) {
    match datum {
        Datum::Null => out.push_str("null"),
        Datum::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Datum::Number(number) => out.push_str(number),
        Datum::Text(pieces) => match pieces.as_slice() {
            [Piece::Secret(index)] => {
                out.push_str("var.");
                out.push_str(secrets.get(*index).map_or("", String::as_str));
            }
            pieces => quoted(pieces, secrets, out),
        },
        Datum::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                expression(item, secrets, out);
            }
            out.push(']');
        }
        Datum::Map(entries) => {
            out.push('{');
            for (position, (key, item)) in entries.iter().enumerate() {
                out.push_str(if position == 0 { " " } else { ", " });
                quoted(key, secrets, out);
                out.push_str(" = ");
                expression(item, secrets, out);
            }
            out.push_str(if entries.is_empty() { "}" } else { " }" });
        }
    }
}
