//! "Did you mean": names that were probably meant.

use crate::domain::diagnostic::Diagnostic;

/// Adds the known name nearest to `text`, or else the known names.
pub(super) fn suggest<'a>(diagnostic: Diagnostic, text: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(text, known.iter().copied()) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.note(format!("known: `{}`", known.join("`, `"))),
    }
}

/// The name that differs from `text` in the fewest letters, at most a third of them.
pub(super) fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = |name: &'a str| (strsim::damerau_levenshtein(text, name), name);
    let (distance, name) = known.into_iter().map(close).min()?;
    (distance <= (text.chars().count() / 3).max(1)).then_some(name)
}
