//! Problems as annotations, within what the runner takes.

use std::collections::BTreeMap;

use super::command::{Annotation, Command, Place};
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::visible::visible;

/// The runner keeps so many annotations of a kind for a step, the first ones.
const MOST: usize = 10;

/// The annotations of `problems`: each once, in their order, so that causes come first; those for which there is no room are
/// counted in the last one. `place` finds where a problem is in the caller's repository.
pub fn annotations(problems: &Problems, place: impl Fn(&Diagnostic) -> Option<Place>) -> Vec<Command> {
    let mut of: BTreeMap<bool, Vec<Annotation>> = BTreeMap::new();
    for problem in &problems.0 {
        let annotation =
            Annotation { message: message(problem), title: problem.reason.as_str().to_owned(), place: place(problem) };
        let kind = of.entry(problem.severity == Severity::Warning).or_default();
        if !kind.contains(&annotation) {
            kind.push(annotation);
        }
    }
    let commands = of.into_iter().flat_map(|(is_warning, annotations)| {
        let command = if is_warning { Command::Warning } else { Command::Error };
        within_budget(annotations).into_iter().map(command)
    });
    commands.collect()
}

fn within_budget(mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    if annotations.len() > MOST {
        let more = annotations.split_off(MOST - 1).len();
        let message = format!("and {more} more: see the log and the summary of this step");
        annotations.push(Annotation { message, title: String::new(), place: None });
    }
    annotations
}

fn message(problem: &Diagnostic) -> String {
    let notes = problem.notes.iter().map(|note| format!("note: {note}"));
    let help = problem.help.iter().map(|help| format!("help: {help}"));
    let texts: Vec<String> = std::iter::once(problem.message.clone()).chain(notes).chain(help).collect();
    // The escapes of a command are for the runner alone: it prints what stands behind them, and a terminal obeys it.
    texts.iter().flat_map(|text| text.split('\n')).map(visible).collect::<Vec<_>>().join("\n")
}
