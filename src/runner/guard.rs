//! The guard that stands before the log (R67).

use std::borrow::Cow;

/// One line, made harmless where the runner could take it for a command, with the change to be seen.
///
/// The runner obeys a line that begins with `::` after blanks, and `##[` anywhere. Some of its comparisons skip characters that
/// cannot be seen, so those do not count here either. Line ends are the caller's: a carriage return ends a line as well.
pub fn guard(line: &str) -> Cow<'_, str> {
    let bare: Cow<'_, str> = if line.is_ascii() && !line.contains(|c: char| c.is_ascii_control()) {
        Cow::Borrowed(line)
    } else {
        Cow::Owned(line.chars().filter(|c| !is_skipped(*c)).collect())
    };
    let starts = bare.trim_start().starts_with("::");
    let contains = bare.contains("##[");
    if !starts && !contains {
        return Cow::Borrowed(line);
    }
    // With characters that are skipped in between, only the text without them can be told apart surely.
    let broken = if contains { bare.replace("##[", "#\\#[") } else { bare.into_owned() };
    Cow::Owned(if starts { format!("\\{}", broken.trim_start()) } else { broken })
}

/// What a comparison may skip: controls, and characters that are not drawn.
fn is_skipped(character: char) -> bool {
    (character.is_control() && character != '\t')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
