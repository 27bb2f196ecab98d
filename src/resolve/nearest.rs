//! "Did you mean": names that were probably meant.

use crate::domain::diagnostic::Diagnostic;
use crate::domain::nearest::nearest;

/// How many known names are listed when none is near.
const LISTED: usize = 12;

/// Adds the known name nearest to `text`, or else the known names.
pub(super) fn suggest<'a>(diagnostic: Diagnostic, text: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(text, known.iter().copied()) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.note(format!("known: {}", listed(&known))),
    }
}

fn listed(known: &[&str]) -> String {
    let some = known.iter().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if known.len() > LISTED { format!("{some} and {} more", known.len() - LISTED) } else { some }
}
