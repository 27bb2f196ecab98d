//! The parts of a page that runs and plans share.

use std::collections::BTreeMap;

use super::layers::Layer;
use crate::domain::address::{Address, Place};
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, Face};
use crate::domain::diagnostic::{Diagnostic, Origin, Problems, Severity, Spot};
use crate::domain::failure::FailureKind;
use crate::domain::visible::shortened;
use crate::report::markdown::{Block, Inline, code, joined, link, prose};
use crate::report::{Surroundings, counted};

/// The most problems that are told at length.
const MOST_PROBLEMS: usize = 20;
/// The most attributes of a connection, and the longest of them in characters.
const MOST_ATTRIBUTES: usize = 8;
const LONGEST_ATTRIBUTE: usize = 100;
/// The most consumers of a connection that are named.
const MOST_CONSUMERS: usize = 20;

/// A deployable and where it is.
pub(super) fn place(place: &Place) -> Inline {
    code(place.deployable.as_str()) + " in " + code(&format!("{}/{}", place.workspace, place.environment))
}

/// Facts in one line, those that there are.
pub(super) fn facts(facts: impl IntoIterator<Item = Option<Inline>>) -> Option<Block> {
    let facts: Vec<Inline> = facts.into_iter().flatten().collect();
    (!facts.is_empty()).then(|| Block::Paragraph(joined(facts, " · ")))
}

/// The commit and the workflow run.
pub(super) fn origin(surroundings: &Surroundings) -> [Option<Inline>; 2] {
    let short = |commit: &String| Inline::from("commit ") + code(commit.get(..8).unwrap_or(commit));
    [surroundings.commit.as_ref().map(short), surroundings.run_url.as_ref().map(|url| link("workflow run", url))]
}

/// What else is worth saying, a line each.
pub(super) fn notes(notes: &[String]) -> Option<Block> {
    (!notes.is_empty()).then(|| Block::List(notes.iter().map(|note| prose(note)).collect()))
}

/// Problems under a title: first causes first, each once. On the barest layer only what they say.
pub(super) fn problems(title: &'static str, problems: &Problems, layer: Layer) -> Vec<Block> {
    let told = in_order(problems);
    if told.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Heading(title)];
    for problem in told.iter().take(MOST_PROBLEMS) {
        blocks.push(Block::Paragraph(sentence(problem)));
        blocks.extend(notes_of(problem, layer));
        blocks.extend(help(problem));
    }
    if told.len() > MOST_PROBLEMS {
        let more = format!("and {} more, which the log has", told.len() - MOST_PROBLEMS);
        blocks.push(Block::Paragraph(prose(&more)));
    }
    blocks
}

/// A cancel before what it caused, errors before warnings, else as they came; each once.
fn in_order(problems: &Problems) -> Vec<&Diagnostic> {
    let mut told: Vec<&Diagnostic> = Vec::new();
    for problem in &problems.0 {
        let is_same = |other: &&Diagnostic| {
            (other.reason, &other.message, &other.origin) == (problem.reason, &problem.message, &problem.origin)
        };
        if !told.iter().any(is_same) {
            told.push(problem);
        }
    }
    told.sort_by_key(|problem| (problem.severity, problem.reason.kind() != FailureKind::Aborted));
    told
}

fn sentence(problem: &Diagnostic) -> Inline {
    let icon: Inline = if problem.severity == Severity::Error { "❌ " } else { "⚠️ " }.into();
    let line = icon + code(problem.reason.as_str()) + ": " + prose(&problem.message);
    match &problem.origin {
        Some(origin) => line + "<br>at " + code(&spot(origin)),
        None => line,
    }
}

fn spot(Origin { file, at }: &Origin) -> String {
    match at {
        Spot::File => file.clone(),
        Spot::Pointer(pointer) => format!("{file}: {pointer}"),
        Spot::Line { line, column } => format!("{file}:{line}:{column}"),
    }
}

/// The facts of a problem, as many as the layer has room for.
fn notes_of(problem: &Diagnostic, layer: Layer) -> Option<Block> {
    let most = match layer {
        Layer::Attributes | Layer::Resources => 40,
        Layer::Counts => 8,
        Layer::Bare => return None,
    };
    let mut lines: Vec<String> = problem.notes.iter().flat_map(|note| note.lines()).map(str::to_owned).collect();
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("… and {more} more lines, which the log has"));
    }
    (!lines.is_empty()).then_some(Block::Fence { language: "text", lines })
}

/// What to do: a sentence, or lines such as a document to add.
fn help(problem: &Diagnostic) -> Vec<Block> {
    let told: Vec<&str> = match problem.help.as_slice() {
        [] => vec![problem.reason.remedy()],
        help => help.iter().map(String::as_str).collect(),
    };
    let block = |help: &str| match help.split_once('\n') {
        None => vec![Block::Paragraph(Inline::from("**What to do:** ") + prose(help))],
        Some((first, rest)) => vec![
            Block::Paragraph(Inline::from("**What to do:** ") + prose(first)),
            Block::Fence { language: "text", lines: rest.lines().map(str::to_owned).collect() },
        ],
    };
    told.into_iter().flat_map(block).collect()
}

/// The connections of a deployable. On the barer layers without what is in them.
pub(super) fn connections(connections: &BTreeMap<Address, ConnectionRecord>, layer: Layer) -> Vec<Block> {
    if connections.is_empty() {
        return Vec::new();
    }
    if layer == Layer::Bare {
        let published = counted(connections.len(), "connection is", "connections are");
        return vec![Block::Paragraph(prose(&format!("{published} published.")))];
    }
    let rows = connections.values().flat_map(|record| record.faces().map(move |face| connection(record, face)));
    vec![
        Block::Heading("Connections"),
        Block::Table { head: &["Connection", "Type", "Generation", "Attributes"], rows: rows.collect() },
    ]
}

fn connection(record: &ConnectionRecord, face: &Face) -> Vec<Inline> {
    let status: &'static str = match record.status {
        ConnectionStatus::Ready => "",
        ConnectionStatus::Degraded => "<br>⚠️ degraded: these are the last good values",
        ConnectionStatus::Retiring => "<br>⚠️ its producer is being destroyed",
        ConnectionStatus::Deprecated => "<br>⚠️ deprecated",
    };
    vec![
        code(&record.address.to_string()) + status,
        code(&format!("{} {}", face.type_name, face.type_version)),
        prose(&record.generation.to_string()),
        attributes(face),
    ]
}

/// Public attributes with their values, sensitive ones by name.
fn attributes(face: &Face) -> Inline {
    let public = face.attributes.iter().map(|(name, value)| code(&shortened(&format!("{name} = {value}"), LONGEST_ATTRIBUTE)));
    let sensitive = face.sensitive.keys().map(|name| code(name.as_str()) + " (sensitive)");
    some_of(public.chain(sensitive).collect(), MOST_ATTRIBUTES)
}

/// The first of these, a line each, and how many more there are.
pub(super) fn some_of(all: Vec<Inline>, most: usize) -> Inline {
    let more = all.len().saturating_sub(most);
    let shown = joined(all.into_iter().take(most), "<br>");
    if more > 0 { shown + "<br>" + prose(&format!("and {more} more")) } else { shown }
}

/// Connections with consumers of theirs.
pub(super) fn consumers(title: &'static str, words: &'static str, consumers: &BTreeMap<Address, Vec<String>>) -> Vec<Block> {
    if consumers.is_empty() {
        return Vec::new();
    }
    let row = |(address, consumers): (&Address, &Vec<String>)| {
        let named = consumers.iter().map(|consumer| code(consumer)).collect();
        vec![code(&address.to_string()), some_of(named, MOST_CONSUMERS)]
    };
    vec![
        Block::Heading(title),
        Block::Paragraph(words.into()),
        Block::Table { head: &["Connection", "Consumers"], rows: consumers.iter().map(row).collect() },
    ]
}
