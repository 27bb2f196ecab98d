//! Problems as text, each with the lines it is about. What comes from outside is shown, never obeyed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin as Path, Renderer, Snippet};

use super::locate::{Locator, Span};
use crate::domain::diagnostic::{Diagnostic, Origin, Problems, Severity, Spot};

/// Draws problems with their snippets. `sources` maps the file of an [`Origin`] to its text.
///
/// Control characters, and what a terminal or a runner would take as a command, are drawn visibly escaped.
pub fn draw(problems: &Problems, sources: &BTreeMap<String, Vec<u8>>, color: bool) -> String {
    let texts: BTreeMap<&str, _> = sources.iter().map(|(file, bytes)| (file.as_str(), String::from_utf8_lossy(bytes))).collect();
    let mut locators: BTreeMap<&str, Locator> = BTreeMap::new();
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut drawn = Vec::with_capacity(problems.0.len());
    for problem in &problems.0 {
        let snippet = problem.origin.as_ref().and_then(|origin| {
            let text = texts.get(origin.file.as_str())?;
            let locator = locators.entry(&origin.file).or_insert_with(|| Locator::new(text));
            Some(Lines::new(text, &locator.spot(&origin.at)?))
        });
        drawn.push(renderer.render(&[group(problem, snippet)]));
    }
    drawn.join("\n\n")
}

fn group(problem: &Diagnostic, lines: Option<Lines>) -> Group<'static> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(visible(&problem.message)).id(problem.reason.as_str()).elements(Vec::<Element>::new());
    if let Some(origin) = &problem.origin {
        group = match lines {
            Some(lines) => group.element(lines.snippet(&origin.file, &problem.label)),
            None => group.element(path_of(origin)),
        };
    }
    group
        .elements(problem.notes.iter().map(|note| Level::NOTE.message(visible(note))))
        .elements(problem.help.iter().map(|help| Level::HELP.message(visible(help))))
}

/// The place of a problem whose text is not at hand.
fn path_of(origin: &Origin) -> Path<'static> {
    let path = Path::path(visible(&origin.file));
    match origin.at {
        Spot::Line { line, column } => path.line(line).char_column(column),
        Spot::File | Spot::Pointer(_) => path,
    }
}

/// The line of a problem, ready to be drawn.
struct Lines {
    number: usize,
    before: String,
    marked: String,
    after: String,
}

impl Lines {
    fn new(text: &str, span: &Span) -> Self {
        // So that one endless line does not cost endless time.
        const MOST: usize = 500;
        let before = text[..span.bytes.start].rsplit('\n').next().unwrap_or_default();
        let after = text[span.bytes.end..].split(['\n', '\r']).next().unwrap_or_default();
        Self {
            number: span.line,
            before: visible(before),
            marked: visible(first(&text[span.bytes.clone()], MOST)),
            after: visible(first(after, MOST)),
        }
    }

    fn snippet(self, file: &str, label: &str) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
        let span = self.before.len()..self.before.len() + self.marked.len();
        let annotation = AnnotationKind::Primary.span(span);
        let annotation = if label.is_empty() { annotation } else { annotation.label(visible(label)) };
        Snippet::source(self.before + &self.marked + &self.after)
            .line_start(self.number)
            .path(visible(file))
            .annotation(annotation)
    }
}

fn first(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(byte, _)| &text[..byte])
}

/// The text with everything that could act on a terminal, a log or a reader's eye written out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(character),
            _ if character.is_control() || is_invisible(character) => {
                let _ = write!(shown, "{}", character.escape_default());
            }
            _ => shown.push(character),
        }
    }
    // The runner takes `##[` as a command anywhere in a line.
    shown.replace("##[", "#\\#[")
}

/// Characters that turn or hide the text around them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
