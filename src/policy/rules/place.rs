//! Where something is in a policy, and what went wrong there.

use std::error::Error;

use regorus::LimitError;
use regorus::unstable::Span;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::visible::{shortened, visible};

/// A place in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// Where a part of a policy begins.
    pub(super) fn of(span: &Span) -> Self {
        let number = |number: u32| usize::try_from(number).unwrap_or_default();
        Self { file: span.source.get_path().clone(), line: number(span.line), column: number(span.col) }
    }

    /// A problem of the document here.
    pub(super) fn problem(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(FailureReason::InvalidDocument, message).at_line(&self.file, self.line, self.column)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What an error says, and where as far as it says that. `regorus` writes both into its text, around a drawing of the line:
/// `--> <file>:<line>:<column>` and `error: <what>`.
pub(super) fn told(error: &(dyn Error + Send + Sync + 'static)) -> (Option<Place>, String) {
    let text = error.to_string();
    // Inside a function it comes as text only.
    if error.is::<LimitError>() || text.contains("execution exceeded time limit") {
        return (None, "it takes too many steps to evaluate".to_owned());
    }
    let place = text.lines().find_map(|line| place(line.strip_prefix("--> ")?));
    let what = text.rsplit_once("error: ").map_or(text.as_str(), |(_, what)| what);
    (place, shortened(&visible(what.trim()), 300))
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Place { file: parts.next()?.to_owned(), line, column })
}
