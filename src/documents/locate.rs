//! From a way into a document to line and column; only needed when something is wrong.

use std::ops::Range;

use saphyr_parser::Marker;

use super::hidden;
use super::outline::{self, Content, Node};
use crate::domain::diagnostic::{Part, Pointer, Segment, Spot};

/// A place in a text, on one line. Lines and columns are from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The line.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// The column after its last character.
    pub end_column: usize,
    /// The same in bytes from the start of the text.
    pub bytes: Range<usize>,
}

/// The place of what `pointer` leads to, or of the last thing on the way there; none when the text is not YAML.
///
/// Values over several lines are shown by their key, or else by their first line.
pub fn locate(text: &str, pointer: &Pointer) -> Option<Span> {
    Locator::new(text).pointer(pointer)
}

/// Finds several places of one text.
pub(super) struct Locator<'a> {
    text: &'a str,
    root: Option<Node>,
}

impl<'a> Locator<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, root: outline::outline(super::yaml::without_mark(text)).ok().map(|(root, _)| root) }
    }

    /// The place of a spot; none for a whole file.
    pub(super) fn spot(&self, spot: &Spot) -> Option<Span> {
        match spot {
            Spot::File => None,
            Spot::Pointer(pointer) => self.pointer(pointer),
            Spot::Line { line, column } => Some(self.word(*line, *column)),
        }
    }

    /// See [`locate`].
    fn pointer(&self, pointer: &Pointer) -> Option<Span> {
        let mut node = self.root.as_ref()?;
        let mut key = None;
        for segment in &pointer.segments {
            match (&node.content, segment) {
                (Content::Mapping(entries), Segment::Key(wanted)) => {
                    let Some(entry) = entries.iter().find(|entry| &entry.key == wanted) else { break };
                    (node, key) = (&entry.value, Some(entry.key_span));
                }
                (Content::List(items), Segment::Index(index)) => {
                    let Some(item) = items.get(*index) else { break };
                    (node, key) = (item, None);
                }
                _ => break,
            }
        }
        let spread = node.indented || node.span.is_empty() || node.span.start.line() != node.span.end.line();
        let by_key = spread || pointer.part == Part::Key;
        let span = if by_key { key.unwrap_or(node.span) } else { node.span };
        let mark = self.text.len() - super::yaml::without_mark(self.text).len();
        let start = mark + byte_of(&self.text[mark..], span.start);
        let end = mark + byte_of(&self.text[mark..], span.end);
        Some(self.span(start, end))
    }

    /// The values that look like secrets, in bytes, in order.
    pub(super) fn hidden(&self) -> Vec<Range<usize>> {
        let Some(root) = &self.root else { return self.hidden_by_line() };
        let body = super::yaml::without_mark(self.text);
        let mark = self.text.len() - body.len();
        let starts: Vec<usize> = body.char_indices().map(|(byte, _)| mark + byte).collect();
        let byte = |character: usize| starts.get(character).copied().unwrap_or(self.text.len());
        hidden::hidden(root, body).into_iter().map(|range| byte(range.start)..byte(range.end)).collect()
    }

    /// The same for a text without an outline.
    fn hidden_by_line(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let mut found = Vec::new();
        for line in self.text.split_inclusive('\n') {
            let end = start + line.trim_end().len();
            found.extend(hidden::hidden_from(line.trim_end()).map(|byte| start + byte..end));
            start += line.len();
        }
        found
    }

    /// The word at a line and column.
    fn word(&self, line: usize, column: usize) -> Span {
        let before: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = &self.text[before..];
        let start = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(byte, _)| byte);
        let word = &rest[start..];
        let length = word.find(|c: char| c.is_whitespace() || ",:]}".contains(c)).unwrap_or(word.len());
        self.span(before + start, before + start + length)
    }

    /// The bytes from `start` to `end`, at most to the end of the line.
    fn span(&self, start: usize, end: usize) -> Span {
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |byte| byte + 1);
        let inside = &self.text[start..end.max(start)];
        let inside = inside.split(['\n', '\r']).next().unwrap_or_default();
        let column = before[line_start..].chars().count() + 1;
        Span {
            line: before.matches('\n').count() + 1,
            column,
            end_column: column + inside.chars().count(),
            bytes: start..start + inside.len(),
        }
    }
}

fn byte_of(text: &str, marker: Marker) -> usize {
    text.char_indices().nth(marker.index()).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name: é\nplugins:\n  api: {use: ./web, after: [a, b]}\n  db:\n    use: ./db\nempty:\n";

    fn found(pointer: &Pointer) -> (usize, usize, &'static str) {
        let span = locate(TEXT, pointer).unwrap();
        (span.line, span.column, &TEXT[span.bytes])
    }

    #[test]
    fn values_keys_and_list_items_are_found() {
        assert_eq!(found(&Pointer::keys(["name"])), (1, 7, "é"));
        assert_eq!(found(&Pointer::keys(["plugins", "api", "after"]).index(1)), (3, 32, "b"));
        assert_eq!(found(&Pointer::keys(["plugins", "api"])), (3, 8, "{use: ./web, after: [a, b]}"));
        assert_eq!(found(&Pointer::keys(["plugins", "db"]).at_key()), (4, 3, "db"));
    }

    #[test]
    fn what_spans_lines_or_is_missing_is_shown_by_the_nearest_key() {
        assert_eq!(found(&Pointer::keys(["plugins"])), (2, 1, "plugins"));
        assert_eq!(found(&Pointer::keys(["empty"])), (6, 1, "empty"));
        assert_eq!(found(&Pointer::keys(["plugins", "db", "inputs", "size"])), (4, 3, "db"));
    }

    #[test]
    fn a_text_that_is_not_yaml_has_no_places() {
        assert_eq!(locate("a: [", &Pointer::keys(["a"])), None);
    }
}
