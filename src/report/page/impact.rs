//! What a plan would do to consumers elsewhere.

use std::collections::BTreeMap;

use super::layers::Layer;
use super::parts;
use crate::domain::address::Address;
use crate::domain::impact::{Concerned, Impact};
use crate::report::counted;
use crate::report::impact::{attribute, others, words};
use crate::report::markdown::{Block, Inline, code, joined, prose};

/// The most attributes and resources of a connection that are told.
const MOST_CHANGES: usize = 8;
/// The most consumers of a connection that are named.
const MOST_CONSUMERS: usize = 20;

/// The connections that would change for somebody, each with whom it concerns.
pub(super) fn impact(impact: &BTreeMap<Address, Impact>, layer: Layer) -> Vec<Block> {
    if impact.is_empty() {
        return Vec::new();
    }
    let row = |(address, impact): (&Address, &Impact)| {
        vec![code(&address.to_string()), change(impact, layer), consumers(impact, layer)]
    };
    vec![
        Block::Heading("Impact on consumers elsewhere"),
        Block::Table { head: &["Connection", "What would happen", "Whom it concerns"], rows: impact.iter().map(row).collect() },
    ]
}

fn change(impact: &Impact, layer: Layer) -> Inline {
    let what = Inline::from("it ") + words(impact);
    if layer == Layer::Bare {
        return what;
    }
    let attributes = impact.attributes.iter().map(|change| code(&attribute(change)));
    let lost = impact.lost.iter().map(|resource| code(resource));
    let told: Vec<Inline> = attributes.chain(lost).collect();
    if told.is_empty() { what } else { what + "<br>" + parts::some_of(told, MOST_CHANGES) }
}

fn consumers(impact: &Impact, layer: Layer) -> Inline {
    if layer == Layer::Bare {
        return prose(&counted(impact.consumers.len(), "consumer", "consumers"));
    }
    let named: Vec<Inline> = impact.consumers.iter().map(consumer).collect();
    let rest = (impact.others > 0).then(|| prose(&others(impact)));
    let named = (!named.is_empty()).then(|| parts::some_of(named, MOST_CONSUMERS));
    joined(named.into_iter().chain(rest), "<br>")
}

fn consumer(concerned: &Concerned) -> Inline {
    let used = joined(concerned.attributes.iter().map(|name| code(name.as_str())), ", ");
    let named = code(&concerned.consumer);
    if concerned.attributes.is_empty() { named } else { named + " uses " + used }
}
