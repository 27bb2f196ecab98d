//! Walks rendered Terraform text and writes each value as it must be where it stands.

use super::bare::{Around, bare, is_name_character};
use super::datum::Shown;
use super::known::{Known, Misplaced, is_sensitive};
use super::literal::Style;
use super::table::{Piece, token};

/// Where the walk is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// Outside of quotes; in an interpolation with so many braces open.
    Code { interpolation: bool, braces: usize },
    /// Between quotes; whether they are a block's label.
    Quoted { label: bool },
    /// In a here-document.
    Heredoc { mark: String, flush: bool },
}

/// What came last on a line, outside of quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Name,
    Label,
    Other,
}

struct Walk<'a> {
    known: Known<'a>,
    text: &'a str,
    at: usize,
    out: String,
    modes: Vec<Mode>,
    last: Last,
    /// Where the part of a here-document's line begins that Terraform compares with the mark, and whether a value is in it.
    line: usize,
    line_has_value: bool,
}

/// Writes the values into a text of Terraform's language.
pub(super) fn resolve(text: &str, known: Known<'_>) -> Result<String, Misplaced> {
    let modes = vec![Mode::Code { interpolation: false, braces: 0 }];
    let out = String::with_capacity(text.len());
    let mut walk = Walk { known, text, at: 0, out, modes, last: Last::Other, line: 0, line_has_value: false };
    while walk.at < text.len() {
        walk.step()?;
        if walk.out.len() > known.limit {
            return Err(Misplaced { at: walk.at, why: "the file becomes larger than it may".to_owned(), public: false });
        }
    }
    if let Some(Mode::Heredoc { mark, .. }) = walk.modes.last().cloned() {
        walk.ends_heredoc(&mark)?;
    }
    Ok(walk.out)
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn step(&mut self) -> Result<(), Misplaced> {
        match self.modes.last().cloned() {
            Some(Mode::Quoted { label }) => self.quoted(label),
            Some(Mode::Heredoc { mark, flush }) => self.heredoc(&mark, flush),
            Some(Mode::Code { .. }) | None => self.code(),
        }
    }

    /// Takes over `length` bytes of the template.
    fn copy(&mut self, length: usize) {
        let end = self.at + length;
        self.out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn copy_character(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.copy(character.len_utf8());
        Some(character)
    }

    fn misplaced(&self, why: impl Into<String>, public: bool) -> Misplaced {
        Misplaced { at: self.at, why: why.into(), public }
    }

    /// The value that the text goes on with, if it does; nothing is taken yet.
    fn value(&self) -> Result<Option<(Shown, usize)>, Misplaced> {
        let Some((token, length)) = token(self.rest()) else { return Ok(None) };
        let shown = self.known.shown(token).map_err(|why| self.misplaced(why, false))?;
        Ok(Some((shown, length)))
    }

    fn code(&mut self) -> Result<(), Misplaced> {
        if let Some((shown, length)) = self.value()? {
            let after = self.text[self.at + length..].chars().next();
            let around = Around { before: &self.out, after, literals: self.known.literals, secrets: self.known.secrets };
            let sensitive = is_sensitive(&shown.text());
            let written = bare(&shown, around).map_err(|why| self.misplaced(why, !sensitive))?;
            self.last = if written.ends_with(is_name_character) { Last::Name } else { Last::Other };
            self.out.push_str(&written);
            self.at += length;
            return Ok(());
        }
        let rest = self.rest();
        if rest.starts_with('#') || rest.starts_with("//") {
            return self.comment("\n");
        }
        if rest.starts_with("/*") {
            self.copy(2);
            return self.comment("*/");
        }
        if let Some(length) = heredoc_start(rest).map_err(|why| self.misplaced(why, false))? {
            self.open_heredoc(length);
            return Ok(());
        }
        match self.copy_character() {
            Some('"') => {
                let label = self.modes.len() == 1 && self.last != Last::Other;
                self.modes.push(Mode::Quoted { label });
            }
            Some('{') => self.brace(|braces| braces + 1),
            Some('}') => {
                if let Some(Mode::Code { interpolation: true, braces: 0 }) = self.modes.last() {
                    self.modes.pop();
                    self.line = self.out.len();
                } else {
                    self.brace(|braces| braces.saturating_sub(1));
                }
            }
            Some(' ' | '\t') => return Ok(()),
            Some(character) if is_name_character(character) => {
                let word = &self.out[self.out.trim_end_matches(is_name_character).len()..];
                self.last = if matches!(word, "in" | "if") { Last::Other } else { Last::Name };
                return Ok(());
            }
            _ => {}
        }
        self.last = Last::Other;
        Ok(())
    }

    fn brace(&mut self, change: impl Fn(usize) -> usize) {
        if let Some(Mode::Code { braces, .. }) = self.modes.last_mut() {
            *braces = change(*braces);
        }
    }

    /// Up to and with `end`. In a comment values are on one line and end nothing.
    fn comment(&mut self, end: &str) -> Result<(), Misplaced> {
        while self.at < self.text.len() {
            if let Some((shown, length)) = self.value()? {
                for piece in shown.text() {
                    match piece {
                        Piece::Secret(_) => self.out.push_str("(sensitive)"),
                        Piece::Text(text) => self.out.extend(text.chars().map(|each| match each {
                            '*' | '/' if end == "*/" => '_',
                            each if each.is_control() => ' ',
                            each => each,
                        })),
                    }
                }
                self.at += length;
            } else if self.rest().starts_with(end) {
                self.copy(end.len());
                break;
            } else {
                self.copy_character();
            }
            if self.out.len() > self.known.limit {
                break;
            }
        }
        self.last = Last::Other;
        Ok(())
    }

    fn quoted(&mut self, label: bool) -> Result<(), Misplaced> {
        if let Some((shown, length)) = self.value()? {
            let pieces = shown.text();
            if label && is_sensitive(&pieces) {
                return Err(self.misplaced("a sensitive value cannot be in the label of a block", false));
            }
            Style::Quoted.write(&pieces, self.known.secrets, &mut self.out);
            self.at += length;
            return Ok(());
        }
        if self.rest().starts_with('\\') {
            self.copy(1);
            if token(self.rest()).is_some() {
                return Err(self.misplaced("a value follows a backslash, and would become part of an escape", false));
            }
            self.copy_character();
            return Ok(());
        }
        if self.rest().starts_with('"') {
            self.copy(1);
            self.modes.pop();
            self.last = if label { Last::Label } else { Last::Other };
            return Ok(());
        }
        self.template(Style::Quoted);
        Ok(())
    }

    fn heredoc(&mut self, mark: &str, flush: bool) -> Result<(), Misplaced> {
        let style = Style::Heredoc { flush };
        if let Some((shown, length)) = self.value()? {
            for piece in shown.text() {
                match piece {
                    // As an expression it cannot be taken for the mark.
                    Piece::Text(text) if text.contains(mark) => {
                        style.guard(&mut self.out);
                        style.expression(&text, &mut self.out);
                    }
                    piece => style.write(&[piece], self.known.secrets, &mut self.out),
                }
            }
            self.line_has_value = true;
            self.at += length;
            return Ok(());
        }
        if self.rest().starts_with('\n') {
            if self.ends_heredoc(mark)? {
                self.modes.pop();
                self.last = Last::Other;
                return Ok(());
            }
            self.copy(1);
            self.line = self.out.len();
            self.line_has_value = false;
            return Ok(());
        }
        self.template(style);
        Ok(())
    }

    /// Whether the line that ends here is the mark of the here-document. Terraform compares what follows the line's last
    /// interpolation as well.
    fn ends_heredoc(&self, mark: &str) -> Result<bool, Misplaced> {
        let line = &self.out[self.line..];
        let last_part = line.rsplit('}').next().unwrap_or_default();
        let is_mark = line.trim() == mark;
        if self.line_has_value && (is_mark || last_part.trim() == mark) {
            let why = format!("with this value the line would be `{mark}`, the mark that ends the here-document");
            return Err(Misplaced { at: self.at.saturating_sub(1), why, public: false });
        }
        Ok(is_mark)
    }

    /// A character of the template itself inside of a text, or the start of an interpolation.
    fn template(&mut self, style: Style) {
        let rest = self.rest();
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            self.copy(3);
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            self.copy(2);
            self.modes.push(Mode::Code { interpolation: true, braces: 0 });
        } else {
            if rest.starts_with('{') {
                style.guard(&mut self.out);
            }
            self.copy_character();
        }
    }

    fn open_heredoc(&mut self, length: usize) {
        let start = self.rest()[..length].to_owned();
        let flush = start.starts_with("<<-");
        let mark = start.trim_start_matches("<<").trim_start_matches('-').trim().to_owned();
        self.copy(length);
        self.modes.push(Mode::Heredoc { mark, flush });
        self.line = self.out.len();
        self.line_has_value = false;
    }
}

/// How long the start of a here-document is, with the end of its line; none where there is none.
fn heredoc_start(rest: &str) -> Result<Option<usize>, String> {
    let Some(after) = rest.strip_prefix("<<") else { return Ok(None) };
    let after = after.strip_prefix('-').unwrap_or(after);
    let end = after.trim_start_matches(is_name_character);
    if token(end).is_some() {
        return Err("a value cannot be the mark of a here-document: write the mark in the template".to_owned());
    }
    let line_end = if end.starts_with("\r\n") { 2 } else { usize::from(end.starts_with('\n')) };
    let named = end.len() < after.len();
    Ok((named && line_end > 0).then(|| rest.len() - end.len() + line_end))
}
