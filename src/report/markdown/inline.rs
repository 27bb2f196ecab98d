//! A piece of a line of Markdown. Only our own words are Markdown; text from outside is made inert on its way in: it cannot start or
//! end anything, be HTML, mention or notify anybody, or become a link or a picture.

use std::ops::Add;

use crate::domain::visible::{shortened, visible};

/// The longest text of a line, in characters.
const LONGEST: usize = 1_500;

/// A piece of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct Inline(String);

impl Inline {
    /// The Markdown.
    pub(in crate::report) fn as_str(&self) -> &str {
        &self.0
    }

    fn push(&mut self, more: &str) {
        // Two code spans side by side would be one with other borders.
        if self.0.ends_with('`') && more.starts_with('`') {
            self.0.push(' ');
        }
        self.0.push_str(more);
    }
}

/// Our own words are Markdown.
impl From<&'static str> for Inline {
    fn from(words: &'static str) -> Self {
        Self(words.to_owned())
    }
}

impl<T: Into<Self>> Add<T> for Inline {
    type Output = Self;
    fn add(mut self, more: T) -> Self {
        self.push(&more.into().0);
        self
    }
}

/// Pieces with `between` between them.
pub(in crate::report) fn joined(pieces: impl IntoIterator<Item = Inline>, between: &'static str) -> Inline {
    let mut pieces = pieces.into_iter();
    let first = pieces.next().unwrap_or_default();
    pieces.fold(first, |line, piece| line + between + piece)
}

/// Text as code, whatever is in it.
pub(in crate::report) fn code(text: &str) -> Inline {
    let text = visible(&shortened(text, LONGEST)).replace('\t', " ");
    if text.is_empty() {
        return "(empty)".into();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    Inline(format!("{fence}{pad}{text}{pad}{fence}"))
}

/// The longest run of backticks in a text.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

/// A sentence from outside: plain words as they are, what stands in backticks and everything that is not a plain word as code.
pub(in crate::report) fn prose(text: &str) -> Inline {
    let text = shortened(text, LONGEST).replace(['\n', '\t'], " ");
    let mut line = Inline::default();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('`') {
        let Some((quoted, after)) = after.split_once('`') else { break };
        words(&mut line, before);
        if !quoted.is_empty() {
            line.push(code(quoted).as_str());
        }
        rest = after;
    }
    words(&mut line, rest);
    line
}

/// Adds words, with neighbours that are not plain together in one piece of code.
fn words(line: &mut Inline, text: &str) {
    let is_start = line.0.is_empty();
    let text = if is_start { text.trim_start() } else { text };
    // A sign or `1.` at the start of a block could be a list.
    let could_list = |word: &str| {
        word.starts_with(|first: char| !first.is_alphanumeric())
            || word.starts_with(|first: char| first.is_ascii_digit()) && word.ends_with(['.', ')'])
    };
    let opens_block = |position: usize, word: &str| is_start && position == 0 && could_list(word);
    let words: Vec<(bool, &str)> =
        text.split(' ').enumerate().map(|(at, word)| (is_plain(word) && !opens_block(at, word), word)).collect();
    for (at, run) in words.chunk_by(|(left, _), (right, _)| left == right).enumerate() {
        let text = run.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
        if at > 0 {
            line.push(" ");
        }
        if run.iter().all(|(is_plain, _)| *is_plain) || text.is_empty() {
            line.push(&text);
        } else {
            line.push(code(&text).as_str());
        }
    }
}

/// Whether a word means nothing to Markdown or GitHub: no markup, mention, reference, emoji, address or commit.
fn is_plain(word: &str) -> bool {
    let is_harmless = |character: char| character.is_alphanumeric() || ",.;:()\"'/?%+=-\u{2026}".contains(character);
    let lower = word.to_lowercase();
    let is_commit = word.len() >= 7 && word.chars().all(|character| character.is_ascii_hexdigit());
    word.chars().all(is_harmless)
        && !is_commit
        && !lower.contains("://")
        && !lower.contains("www.")
        && !lower.contains("gh-")
        && word.matches(':').count() < 2
}

/// A link with our own words. What is no plain web address is left out: only the words stay.
pub(in crate::report) fn link(words: &'static str, url: &str) -> Inline {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || ":/._~%?=&-".contains(character);
    if (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(is_plain) {
        Inline(format!("[{words}]({url})"))
    } else {
        words.into()
    }
}
