//! Who feeds whom, as a Mermaid picture.

use std::collections::{BTreeMap, BTreeSet};

use super::Medium;
use crate::domain::address::{Address, Place, Target};
use crate::domain::names::Alias;
use crate::domain::outcome::Wire;
use crate::report::counted;
use crate::report::markdown::{Block, Inline, prose};

/// More nodes than this nobody reads, and GitHub draws them slowly.
const MOST_NODES: usize = 60;
/// GitHub draws no picture with more than 500.
const MOST_EDGES: usize = 200;

/// The wired slots of a deployable, each fed by an output of its own or from elsewhere; nothing where no slot is wired. In a
/// conversation it is folded.
pub(super) fn picture(place: &Place, wiring: &[Wire], medium: Medium) -> Vec<Block> {
    const WORDS: &str = "Who feeds whom";
    match (drawn(place, wiring), medium) {
        (None, _) => Vec::new(),
        (Some(picture), Medium::Summary) => vec![Block::Heading(WORDS), picture],
        (Some(picture), Medium::Comment) => {
            vec![Block::Details { name: String::new(), words: WORDS.to_owned(), blocks: vec![picture] }]
        }
    }
}

fn drawn(place: &Place, wiring: &[Wire]) -> Option<Block> {
    if wiring.is_empty() {
        return None;
    }
    let own: BTreeSet<&Alias> =
        wiring.iter().flat_map(|wire| [Some(&wire.alias), producer(place, &wire.source)]).flatten().collect();
    let outer: BTreeSet<&Address> =
        wiring.iter().map(|wire| &wire.source).filter(|source| producer(place, source).is_none()).collect();
    if own.len() + outer.len() > MOST_NODES || wiring.len() > MOST_EDGES {
        let size = format!("{}, {}", counted(own.len() + outer.len(), "node", "nodes"), counted(wiring.len(), "edge", "edges"));
        return Some(Block::Paragraph(Inline::from("The picture is left out for its size (") + prose(&size) + ")."));
    }
    let own: BTreeMap<&Alias, String> = own.into_iter().enumerate().map(|(at, alias)| (alias, format!("own{at}"))).collect();
    let outer: BTreeMap<&Address, String> =
        outer.into_iter().enumerate().map(|(at, address)| (address, format!("outer{at}"))).collect();
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(outer.iter().map(|(address, id)| format!("  {id}([{}])", label(&address.to_string()))));
    lines.push(format!("  subgraph deployable[{}]", label(place.deployable.as_str())));
    lines.extend(own.iter().map(|(alias, id)| format!("    {id}[{}]", label(alias.as_str()))));
    lines.push("  end".to_owned());
    for wire in wiring {
        let (from, output) = match (producer(place, &wire.source), &wire.source.target) {
            (Some(alias), Target::Output { output, .. }) => (&own[alias], format!("{output} to ")),
            _ => (&outer[&wire.source], String::new()),
        };
        lines.push(format!("  {from} -->|{}| {}", label(&format!("{output}{}", wire.slot)), own[&wire.alias]));
    }
    Some(Block::Fence { language: "mermaid", lines })
}

/// The applied plugin of this deployable that publishes a connection.
fn producer<'a>(place: &Place, source: &'a Address) -> Option<&'a Alias> {
    match &source.target {
        Target::Output { alias, .. } if source.producer().as_ref() == Some(place) => Some(alias),
        _ => None,
    }
}

/// A text in quotes, with everything as a character code that could mean something to Mermaid.
fn label(text: &str) -> String {
    let shown = |character: char| {
        if character.is_ascii_alphanumeric() || " ./-".contains(character) {
            character.to_string()
        } else {
            format!("#{};", u32::from(character))
        }
    };
    format!("\"{}\"", text.chars().map(shown).collect::<String>())
}
