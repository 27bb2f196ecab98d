//! Problems as text, each with the lines it is about. What comes from outside is shown, never obeyed.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin as Path, Renderer, Snippet};

use super::hidden;
use super::locate::Locator;
use crate::domain::diagnostic::{Diagnostic, Origin, Problems, Severity, Spot};
use crate::domain::visible::visible;

/// Draws problems with their snippets. `sources` maps the file of an [`Origin`] to its text.
///
/// Values that look like secrets are not shown. Control characters, and what a terminal or a runner would take as a command, are drawn visibly escaped.
pub fn draw(problems: &Problems, sources: &BTreeMap<String, Vec<u8>>, color: bool) -> String {
    let texts: BTreeMap<&str, _> = sources.iter().map(|(file, bytes)| (file.as_str(), String::from_utf8_lossy(bytes))).collect();
    let mut opened: BTreeMap<&str, Source> = BTreeMap::new();
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut drawn = Vec::with_capacity(problems.0.len());
    for problem in &problems.0 {
        let line = problem.origin.as_ref().and_then(|origin| {
            let text = texts.get(origin.file.as_str())?;
            opened.entry(&origin.file).or_insert_with(|| Source::new(text)).line(&origin.at)
        });
        drawn.push(renderer.render(&[group(problem, line)]));
    }
    drawn.join("\n\n")
}

fn group(problem: &Diagnostic, line: Option<Line>) -> Group<'static> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(visible(&problem.message)).id(problem.reason.as_str()).elements(Vec::<Element>::new());
    if let Some(origin) = &problem.origin {
        group = match line {
            Some(line) => group.element(line.snippet(&origin.file, &problem.label)),
            None => group.element(path_of(origin)),
        };
    }
    group
        .elements(problem.notes.iter().map(|note| Level::NOTE.message(visible(note))))
        .elements(problem.help.iter().map(|help| Level::HELP.message(visible_lines(help))))
}

/// Help may have several lines, such as a document to add: it is ours alone, and holds no text from outside but checked names.
fn visible_lines(help: &str) -> String {
    help.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// The place of a problem whose text is not at hand.
fn path_of(origin: &Origin) -> Path<'static> {
    let path = Path::path(visible(&origin.file));
    match origin.at {
        Spot::Line { line, column } => path.line(line).char_column(column),
        Spot::File | Spot::Pointer(_) => path,
    }
}

/// A text that problems are drawn in.
struct Source<'a> {
    text: &'a str,
    locator: Locator<'a>,
    /// What looks like a secret, in bytes.
    hidden: Vec<Range<usize>>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        let locator = Locator::new(text);
        Self { text, hidden: locator.hidden(), locator }
    }

    fn line(&self, spot: &Spot) -> Option<Line> {
        // So that one endless line does not cost endless time.
        const MOST: usize = 500;
        let span = self.locator.spot(spot)?;
        let start = self.text[..span.bytes.start].rfind('\n').map_or(0, |byte| byte + 1);
        let marked = first(&self.text[span.bytes.clone()], MOST).len();
        let after = self.text[span.bytes.end..].split(['\n', '\r']).next().unwrap_or_default();
        Some(Line {
            number: span.line,
            before: self.shown(start..span.bytes.start),
            marked: self.shown(span.bytes.start..span.bytes.start + marked),
            after: self.shown(span.bytes.end..span.bytes.end + first(after, MOST).len()),
        })
    }

    /// A part of the text as it may be drawn.
    fn shown(&self, part: Range<usize>) -> String {
        let mut shown = String::new();
        let mut at = part.start;
        for hidden in self.hidden.iter().filter(|hidden| hidden.start < part.end && part.start < hidden.end) {
            shown += &visible(&self.text[at..hidden.start.max(at)]);
            shown += hidden::STARS;
            at = hidden.end.min(part.end);
        }
        shown + &visible(&self.text[at..part.end])
    }
}

/// The line of a problem, ready to be drawn.
struct Line {
    number: usize,
    before: String,
    marked: String,
    after: String,
}

impl Line {
    fn snippet(self, file: &str, label: &str) -> Snippet<'static, Annotation<'static>> {
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
