//! What happens to resources, one fence a task, in the manner of a diff.

use super::layers::Layer;
use crate::domain::change::{AttributeChange, PlannedResource, Progress, Shown};
use crate::domain::record::ChangeCounts;
use crate::report::markdown::Block;

/// When the changes are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    /// They may come.
    Future,
    /// They were made.
    Past,
}

/// Counted changes in words, such as `2 to create, 1 to change`; nothing where there are none.
pub(super) fn counts(counts: ChangeCounts, tense: Tense) -> String {
    let words = match tense {
        Tense::Future => ["to create", "to change", "to destroy"],
        Tense::Past => ["created", "changed", "destroyed"],
    };
    let counted = [counts.add, counts.change, counts.remove].into_iter().zip(words).filter(|(count, _)| *count > 0);
    counted.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// The resources of a task, folded; nothing on a layer that has only counts.
pub(super) fn details(alias: &str, words: String, resources: &[PlannedResource], layer: Layer) -> Option<Block> {
    if layer > Layer::Resources || resources.is_empty() {
        return None;
    }
    let was_broken_off = resources.iter().any(|resource| resource.progress == Progress::Open);
    let lines = resources.iter().flat_map(|resource| {
        let mut lines = vec![resource_line(resource, was_broken_off)];
        if layer == Layer::Attributes {
            lines.extend(attribute_lines(resource));
        }
        lines
    });
    let fence = Block::Fence { language: "diff", lines: lines.collect() };
    Some(Block::Details { name: alias.to_owned(), words, blocks: vec![fence] })
}

fn resource_line(resource: &PlannedResource, was_broken_off: bool) -> String {
    let sign = match resource.action.as_str() {
        "create" | "import" => "+",
        "delete" => "-",
        "replace" => "-/+",
        _ => "!",
    };
    let moved = resource.previous.as_ref().map(|previous| format!(" (was {previous})")).unwrap_or_default();
    let progress = match resource.progress {
        _ if !was_broken_off => "",
        Progress::Done => "  # done",
        Progress::Open | Progress::Planned => "  # not done",
    };
    format!("{sign} {} {}{moved}{progress}", resource.action, resource.address)
}

/// One line a value; what is only known to be unknown yet stands together in one.
fn attribute_lines(resource: &PlannedResource) -> Vec<String> {
    let is_only_unknown = |change: &&AttributeChange| {
        change.before == Shown::Absent && change.after == Shown::Unknown && !change.forces_replacement
    };
    let mut lines: Vec<String> =
        resource.attributes.iter().filter(|change| !is_only_unknown(change)).map(attribute_line).collect();
    let unknown: Vec<&str> = resource.attributes.iter().filter(is_only_unknown).map(|change| change.path.as_str()).collect();
    // Short lines stay whole when they are cut.
    lines.extend(unknown.chunks(8).map(|paths| format!("      known after apply: {}", paths.join(", "))));
    if resource.more > 0 {
        lines.push(format!("      and {} more", resource.more));
    }
    lines
}

fn attribute_line(change: &AttributeChange) -> String {
    let AttributeChange { path, before, after, forces_replacement } = change;
    let why = if *forces_replacement { "  # forces replacement" } else { "" };
    let (sign, values) = match (before, after) {
        (Shown::Absent, after) => ('+', after.as_str().to_owned()),
        (before, Shown::Absent) => ('-', before.as_str().to_owned()),
        (before, after) => ('!', format!("{} -> {}", before.as_str(), after.as_str())),
    };
    format!("{sign}     {path} = {values}{why}")
}
