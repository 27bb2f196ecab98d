//! What the sections of the page are made of. Text from outside comes in through [`shown`] or is escaped by the template itself.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::domain::record::{RunStatus, TaskStatus};
use crate::report::one_line;
use crate::report::times::{length, moment};

/// A text from outside, with what could turn or hide the text around it written out.
pub(super) fn shown(text: &str) -> Markup {
    html! { (one_line(text)) }
}

/// A name, an address or an id.
pub(super) fn code(text: &str) -> Markup {
    html! { code { (one_line(text)) } }
}

/// A link, where the address is one that a browser fetches; else only its text.
pub(super) fn link(address: &str, text: &str) -> Markup {
    if address.starts_with("https://") || address.starts_with("http://") {
        html! { a href=(one_line(address)) rel="noopener noreferrer" { (one_line(text)) } }
    } else {
        code(address)
    }
}

/// A time that is over, and how long.
pub(super) fn since(time: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! { time datetime=(time.to_rfc3339()) { (moment(time)) } " " span.quiet { "(" (length(now - time)) " ago)" } }
}

/// A table that can be scrolled where it is too wide, with a caption and the heads of its columns.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Markup]) -> Markup {
    html! {
        div.wide role="region" aria-label=(caption) tabindex="0" {
            table.cards {
                caption { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for row in rows { tr { (row) } } }
            }
        }
    }
}

/// What a run's end is drawn as. Color is never all that tells.
pub(super) fn class_of_run(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "busy",
        RunStatus::Succeeded => "good",
        RunStatus::UserError | RunStatus::RuntimeError => "bad",
        RunStatus::Aborted => "other",
    }
}

/// The same of a task.
pub(super) fn class_of_task(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending | TaskStatus::ReadyToRun | TaskStatus::Running => "busy",
        TaskStatus::Succeeded => "good",
        TaskStatus::Failed | TaskStatus::InternalError => "bad",
        TaskStatus::Aborted | TaskStatus::Skipped => "other",
    }
}
