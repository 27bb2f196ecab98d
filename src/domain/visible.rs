//! Text from outside, as it may be shown: never obeyed by a terminal, a runner or a reader's eye.

use std::fmt::Write as _;

/// The text on one line, with everything written out that could act on a terminal, a log or a reader's eye. Tabs stay.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(character),
            _ if character.is_control() || is_invisible(character) => {
                let _ = write!(shown, "{}", character.escape_default());
            }
            _ => shown.push(character),
        }
    }
    // The runner takes `##[` as a command anywhere in a line.
    shown.replace("##[", "#\\#[")
}

/// The text, or as much of it as has room, in characters, with how much there is of it.
pub fn shortened(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\u{2026} ({} characters)", &text[..end], text.chars().count()),
    }
}

/// Characters that turn or hide the text around them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}
