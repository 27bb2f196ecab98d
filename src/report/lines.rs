//! Lines that fit a screen.

use std::fmt::Write as _;

use super::one_line;

/// No screen is taken to be narrower.
const NARROWEST: usize = 40;

/// Adds a text, broken between words where it is wider than the screen; its further lines stand two blanks further in.
pub(super) fn add(text: &mut String, indent: usize, line: &str, width: usize) {
    let line = one_line(line);
    let width = width.max(NARROWEST);
    let further = indent + 2;
    let mut column = indent;
    let _ = write!(text, "{:indent$}", "");
    // Further blanks between words are ours, and say that something else begins.
    let mut blanks = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        // No line begins with what a runner takes for the beginning of a command.
        let may_begin = !word.starts_with("::") && !word.starts_with("##");
        if length > 0 && blanks > 0 && may_begin && column + blanks + length > width {
            let _ = write!(text, "\n{:further$}", "");
            column = further;
        } else if length > 0 {
            let _ = write!(text, "{:blanks$}", "");
            column += blanks;
        }
        if length > 0 {
            text.push_str(word);
            column += length;
            blanks = 0;
        }
        blanks += 1;
    }
    text.push('\n');
}

/// Adds the heading of a section.
pub(super) fn heading(text: &mut String, heading: &str) {
    let _ = write!(text, "\n{heading}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_a_word_never() {
        let mut text = String::new();
        add(&mut text, 2, "one two  three four five six seven eight nine ten", 40);
        add(&mut text, 0, &"x".repeat(50), 40);
        assert_eq!(text, format!("  one two  three four five six seven\n    eight nine ten\n{}\n", "x".repeat(50)));
    }

    #[test]
    fn hostile_text_stays_one_paragraph() {
        let mut text = String::new();
        add(&mut text, 2, "a\n::error::b\u{1b}[2J \u{202e}c", 80);
        assert_eq!(text, "  a ::error::b\\u{1b}[2J \\u{202e}c\n");
    }
}
