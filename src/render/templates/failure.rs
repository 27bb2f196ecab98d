//! What went wrong in a template, as its author needs it.

use std::error::Error as _;

use minijinja::{Error, ErrorKind, OutputSpan};

use super::known::Misplaced;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;

/// A failed template. `folder` is the templates' folder, which the names of included templates lack; `what` says which text it is.
pub(super) fn failed(error: &Error, folder: &str, what: &str) -> Diagnostic {
    let mut deepest = error;
    while let Some(inner) = deepest.source().and_then(|source| source.downcast_ref::<Error>()) {
        deepest = inner;
    }
    let detail = deepest.detail().map_or_else(|| deepest.kind().to_string(), str::to_owned);
    let (message, help) = match deepest.kind() {
        ErrorKind::OutOfFuel => (
            format!("{what} does more than a template may: does it loop for ever?"),
            "let it do less: a template may take a million steps",
        ),
        ErrorKind::SyntaxError | ErrorKind::BadEscape => (format!("{what} is no valid template: {detail}"), ""),
        ErrorKind::UndefinedError => (
            format!("{what} uses what is not defined: {detail}"),
            "give it a value, or ask in the template: `is defined`, `default(…)`",
        ),
        ErrorKind::TemplateNotFound => (format!("{what} includes what is not among the templates: {detail}"), ""),
        ErrorKind::UnknownFilter => (
            format!("{what} uses a filter that there is not: {detail}"),
            "use a filter of Jinja's or of the dialect's; there is neither time nor chance in templates",
        ),
        _ => (format!("{what} cannot be rendered: {detail}"), ""),
    };
    let diagnostic = Diagnostic::error(FailureReason::InvalidDocument, message);
    let diagnostic = if help.is_empty() { diagnostic } else { diagnostic.help(help) };
    match (deepest.name(), deepest.line()) {
        (Some(name), Some(line)) if !name.starts_with('<') => diagnostic.at_line(format!("{folder}/{name}"), line, 1),
        _ => diagnostic,
    }
}

/// A value that cannot stand where it does.
pub(super) fn misplaced(problem: &Misplaced, spans: &[OutputSpan], folder: &str, name: &str) -> Diagnostic {
    let message = format!("`{folder}/{name}` cannot be rendered: {}", problem.why);
    let diagnostic = Diagnostic::error(FailureReason::InvalidDocument, message);
    let diagnostic = if problem.public {
        diagnostic.help("put it in quotes, or say `| safe` in the template where it is Terraform's language and trusted")
    } else {
        diagnostic
    };
    match spans.iter().find(|span| span.output_range().contains(&problem.at)) {
        Some(span) => diagnostic.at_line(format!("{folder}/{}", span.name()), span.line(), 1),
        None => diagnostic.in_file(format!("{folder}/{name}")),
    }
}
