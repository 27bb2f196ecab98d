//! Expressions of HCL as texts that can stand inside others.

use std::fmt::Write as _;

use hcl_edit::Decorate as _;
use hcl_edit::expr::Expression;

/// The expression as it is written, without the space and the comments around it.
pub(super) fn of(expression: &Expression) -> String {
    let mut expression = expression.clone();
    expression.decor_mut().clear();
    expression.to_string().trim().to_owned()
}

/// In parentheses, on lines of its own where a comment or a heredoc may end it.
pub(super) fn grouped(text: &str) -> String {
    if is_simple(text) {
        text.to_owned()
    } else if text.contains('\n') || text.contains("<<") {
        format!("(\n{text}\n)")
    } else {
        format!("({text})")
    }
}

/// Whether a `.name` can follow: a chain of names and calls without operators.
fn is_simple(text: &str) -> bool {
    !text.is_empty()
        && text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

/// One attribute of what `text` gives.
pub(super) fn attribute(text: &str, name: &str) -> String {
    let text = grouped(text);
    if is_identifier(name) { format!("{text}.{name}") } else { format!("{text}[{}]", quoted(name)) }
}

/// A text as a literal that is no template.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A text as it stands between quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c.is_control() => _ = write!(written, "\\u{:04x}", u32::from(c)),
            c => written.push(c),
        }
    }
    written.replace("${", "$${").replace("%{", "%%{")
}

/// Whether Terraform takes the text as an identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
