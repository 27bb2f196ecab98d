//! What a plan would do to consumers elsewhere, in words.

use std::fmt::Write as _;

use super::{counted, one_line};
use crate::domain::address::Address;
use crate::domain::change::{AttributeChange, Shown};
use crate::domain::impact::{Concerned, Effect, Impact};
use crate::domain::names::AttributeName;

/// A connection with what would happen to it and to whom, as text.
pub(super) fn describe(text: &mut String, address: &Address, impact: &Impact) {
    let _ = writeln!(text, "\n{address} {}", words(impact));
    for change in &impact.attributes {
        let _ = writeln!(text, "  {}", one_line(&attribute(change)));
    }
    for resource in &impact.lost {
        let _ = writeln!(text, "  behind it: {}", one_line(resource));
    }
    for concerned in &impact.consumers {
        let _ = writeln!(text, "  for {}{}", one_line(&concerned.consumer), uses(concerned));
    }
    if impact.others > 0 {
        let _ = writeln!(text, "  {}", others(impact));
    }
}

/// What would happen to a connection.
pub(super) fn words(impact: &Impact) -> &'static str {
    match impact.effect {
        Effect::Changes if impact.attributes.iter().all(|change| change.after == Shown::Unknown) => "may change",
        Effect::Changes => "would change",
        Effect::Replaced => "would be replaced, or a part of it",
        Effect::Goes => "would go",
        Effect::Unknown => "is not known before the apply of what its producer waits for",
    }
}

/// What would happen to an attribute.
pub(super) fn attribute(change: &AttributeChange) -> String {
    match (&change.before, &change.after) {
        (Shown::Sensitive, Shown::Unknown) => format!("{}: (sensitive), perhaps rotated", change.path),
        (Shown::Sensitive, _) => format!("{}: (sensitive), rotated", change.path),
        (before, after) => format!("{}: {} -> {}", change.path, before.as_str(), after.as_str()),
    }
}

/// Consumers that are only counted.
pub(super) fn others(impact: &Impact) -> String {
    let more = if impact.consumers.is_empty() { "" } else { "more " };
    format!(
        "{} nothing of what changes",
        counted(impact.others, &format!("{more}consumer uses"), &format!("{more}consumers use"))
    )
}

fn uses(concerned: &Concerned) -> String {
    let used: Vec<&str> = concerned.attributes.iter().map(AttributeName::as_str).collect();
    if used.is_empty() { String::new() } else { format!(", which uses {}", used.join(", ")) }
}
