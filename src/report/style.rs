//! Colors, where they are wanted.

/// What a piece of text is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Strong,
    Dim,
    Good,
    Bad,
    Changed,
}

/// `text` in its style, if colors are on.
pub(crate) fn paint(text: &str, style: Style, color: bool) -> String {
    if !color {
        return text.to_owned();
    }
    let code = match style {
        Style::Strong => "1",
        Style::Dim => "2",
        Style::Good => "32",
        Style::Bad => "31",
        Style::Changed => "33",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
