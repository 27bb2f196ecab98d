//! Who feeds whom: a picture by deployable, and a list by connection that says all of it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::parts::code;
use crate::domain::address::Address;
use crate::domain::visible::shortened;
use crate::report::one_line;
use crate::report::status::Status;

/// How high a row of the picture is.
const ROW: usize = 26;
/// Where the lines begin and end.
const FROM: usize = 380;
const TO: usize = 580;
/// How much of a name has room, in characters.
const NAME: usize = 48;

/// Each connection with the slots that take it.
pub(super) fn feeds(status: &Status) -> BTreeMap<Address, BTreeSet<String>> {
    let mut feeds: BTreeMap<Address, BTreeSet<String>> = BTreeMap::new();
    for applied in &status.applied.shown {
        for (slot, binding) in &applied.record.bindings {
            let consumer = format!("{}/{}.{slot}", applied.place, applied.alias);
            feeds.entry(binding.address.clone()).or_default().insert(consumer);
        }
    }
    for published in &status.connections {
        let consumers = published.consumers.iter().map(|entry| entry.consumer.clone());
        feeds.entry(published.record.address.clone()).or_default().extend(consumers);
    }
    feeds.retain(|_, consumers| !consumers.is_empty());
    feeds
}

/// The map, as a picture and as a list.
pub(super) fn map(feeds: &BTreeMap<Address, BTreeSet<String>>) -> Markup {
    html! {
        (picture(feeds))
        ul {
            @for (address, consumers) in feeds {
                li {
                    (code(&address.to_string())) " feeds"
                    ul { @for consumer in consumers { li { (code(consumer)) } } }
                }
            }
        }
    }
}

fn picture(feeds: &BTreeMap<Address, BTreeSet<String>>) -> Markup {
    let edges: BTreeSet<(String, String)> = feeds
        .iter()
        .flat_map(|(address, consumers)| consumers.iter().map(move |consumer| (owner(&address.to_string()), owner(consumer))))
        .collect();
    let side = |names: BTreeSet<&String>| -> BTreeMap<String, usize> {
        names.into_iter().zip(0..).map(|(name, row)| (name.clone(), row * ROW + 20)).collect()
    };
    let producers = side(edges.iter().map(|(producer, _)| producer).collect());
    let consumers = side(edges.iter().map(|(_, consumer)| consumer).collect());
    let height = producers.len().max(consumers.len()) * ROW + 16;
    let title = "Picture of who feeds whom; the list below says the same";
    html! {
        div.wide role="region" aria-label=(title) tabindex="0" {
            svg viewBox={ "0 0 960 " (height) } role="img" aria-label=(title) {
                @for (producer, consumer) in &edges {
                    line x1=(FROM) y1=(producers[producer] - 4) x2=(TO) y2=(consumers[consumer] - 4) {}
                }
                @for (name, y) in &producers {
                    text x=(FROM - 8) y=(y) text-anchor="end" { (one_line(&shortened(name, NAME))) }
                }
                @for (name, y) in &consumers {
                    text x=(TO + 8) y=(y) { (one_line(&shortened(name, NAME))) }
                }
            }
        }
    }
}

/// The deployable that a connection or a slot belongs to.
fn owner(address: &str) -> String {
    address.rsplit_once('/').map_or_else(|| address.to_owned(), |(owner, _)| owner.to_owned())
}
