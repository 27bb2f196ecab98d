//! What a slot takes instead of what it took, in words.

use crate::domain::rebinding::{End, Rebinding, Rebound};

/// A rebinding as a sentence without its end, after the name of the slot.
pub fn words(rebinding: &Rebinding) -> String {
    let Rebinding { from, to, change, .. } = rebinding;
    match (change, to) {
        (Rebound::Repointed | Rebound::Retyped, Some(to)) => format!("{} -> {}", end(from), end(to)),
        (_, None) => format!("{} -> nothing", end(from)),
        (Rebound::Recreated, Some(to)) => format!("{} was destroyed and created again", to.address),
        (Rebound::Moved, Some(to)) => {
            let generation = |end: &End| end.taken.as_ref().map_or_else(String::new, |taken| taken.generation.to_string());
            format!("{} moved on from generation {} to {}", to.address, generation(from), generation(to))
        }
    }
}

fn end(end: &End) -> String {
    match &end.taken {
        Some(taken) => format!("{} ({} {})", end.address, taken.type_name, taken.type_version),
        None => end.address.to_string(),
    }
}
