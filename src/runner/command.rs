//! Workflow commands: lines of the log that the runner obeys.

use std::fmt;

/// The longest message of an annotation, in characters; the runner cuts off the rest.
const LONGEST_MESSAGE: usize = 4096;

/// A line that the runner obeys. `Display` gives it, escaped, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An annotation of an error.
    Error(Annotation),
    /// An annotation of a warning.
    Warning(Annotation),
    /// Lines that follow are folded below this title.
    Group(String),
    /// The fold ends.
    EndGroup,
    /// From here on this text is hidden in the log.
    AddMask(String),
}

/// What an annotation says, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The message; it may have several lines.
    pub message: String,
    /// A few words above it.
    pub title: String,
    /// Where it belongs.
    pub place: Option<Place>,
}

/// A place in a file of the caller's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, from the root of the workspace.
    pub file: String,
    /// Line, first and last column, all from 1; none where the whole file is meant.
    pub line: Option<(usize, usize, usize)>,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(annotation) => annotation.write(f, "error"),
            Self::Warning(annotation) => annotation.write(f, "warning"),
            Self::Group(title) => write!(f, "::group::{}", data(title)),
            Self::EndGroup => f.write_str("::endgroup::"),
            Self::AddMask(text) => write!(f, "::add-mask::{}", data(text)),
        }
    }
}

impl Annotation {
    fn write(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let mut properties = vec![("title", self.title.clone())];
        if let Some(place) = &self.place {
            properties.insert(0, ("file", place.file.clone()));
            if let Some((line, column, end_column)) = place.line {
                properties.push(("line", line.to_string()));
                properties.push(("col", column.to_string()));
                properties.push(("endColumn", end_column.to_string()));
            }
        }
        let properties: Vec<String> = properties
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", property(value)))
            .collect();
        let message: String = self.message.chars().take(LONGEST_MESSAGE).collect();
        write!(f, "::{name} {}::{}", properties.join(","), data(&message))
    }
}

/// The runner undoes `%25` last, so it is made first.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
