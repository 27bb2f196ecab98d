//! How much a page says: as much as fits.

use super::Medium;
use crate::report::Surroundings;
use crate::report::markdown::{Block, Inline, code, link, render};

/// How much is said, richest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// Everything: also what changes inside resources.
    Attributes,
    /// Resources with what is done to them.
    Resources,
    /// How many of them.
    Counts,
    /// What a reader must know.
    Bare,
}

/// The richest page of at most `limit` bytes. A page that is not the richest says so; if even the poorest is too long, it is cut.
pub(super) fn richest(limit: usize, medium: Medium, surroundings: &Surroundings, page: impl Fn(Layer) -> Vec<Block>) -> String {
    for layer in [Layer::Attributes, Layer::Resources, Layer::Counts, Layer::Bare] {
        let mut blocks = page(layer);
        blocks.extend(left_out(layer, medium, surroundings).map(Block::Paragraph));
        if let (text, true) = render(&blocks, limit) {
            return text;
        }
    }
    let note = render(&[Block::Paragraph(left_out(Layer::Bare, medium, surroundings).unwrap_or_default())], limit).0;
    let (cut, _) = render(&page(Layer::Bare), limit.saturating_sub(note.len() + 1));
    if cut.is_empty() { note } else { format!("{cut}\n{note}") }
}

/// What is not said, and where it can be read.
fn left_out(layer: Layer, medium: Medium, surroundings: &Surroundings) -> Option<Inline> {
    let what: &'static str = match layer {
        Layer::Attributes => return None,
        Layer::Resources => "There was no room for what changes inside resources",
        Layer::Counts => "There was no room for the single resources",
        Layer::Bare => "There was no room for more than the most important",
    };
    let line = Inline::from(what) + ". ";
    Some(match (medium, &surroundings.run_url) {
        (Medium::Comment, Some(url)) => line + "All of it is in the " + link("summary and log of the workflow run", url) + ".",
        (Medium::Comment, None) => line + "All of it is in the summary and log of the workflow run.",
        (Medium::Summary, _) => line + "All of it is in the file that the output " + code("result-file") + " names.",
    })
}
