//! A wrong document without what is wrong, so that the rest of it can be checked in the same go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::finding::Finding;
use super::{Kind, schema};
use crate::domain::diagnostic::Segment;

/// What is left of a document.
pub(super) struct Pruned {
    pub(super) value: Value,
    /// The places that the items left had before, by the way to their list.
    lists: BTreeMap<Vec<Segment>, Vec<usize>>,
}

/// The document without what the schema refuses; none when too little is left to be read.
pub(super) fn pruned(kind: Kind, value: &Value) -> Option<Pruned> {
    // Taking one thing away can show another, such as a field that was required.
    const ROUNDS: usize = 6;
    let mut left = Pruned { value: value.clone(), lists: BTreeMap::new() };
    give_head(kind, &mut left.value)?;
    for _ in 0..ROUNDS {
        let refused: BTreeSet<Vec<Segment>> = schema::findings(kind, &left.value)
            .into_iter()
            .map(|finding| to_first_item(&finding.pointer.segments).to_vec())
            .collect();
        if refused.is_empty() {
            return Some(left);
        }
        // From the back, so that the places of a list's other items still hold.
        for way in refused.iter().rev() {
            left.remove(way)?;
        }
    }
    None
}

impl Pruned {
    /// Removes what a way leads to; none when that is the document itself.
    fn remove(&mut self, way: &[Segment]) -> Option<()> {
        let (last, holder) = way.split_last()?;
        let target = holder.iter().try_fold(&mut self.value, |value, segment| match segment {
            Segment::Key(key) => value.get_mut(key),
            Segment::Index(index) => value.get_mut(index),
        });
        match (target, last) {
            (Some(Value::Object(entries)), Segment::Key(key)) => {
                entries.remove(key);
            }
            (Some(Value::Array(items)), Segment::Index(index)) if *index < items.len() => {
                let places = self.lists.entry(holder.to_vec()).or_insert_with(|| (0..items.len()).collect());
                items.remove(*index);
                places.remove(*index);
            }
            _ => {}
        }
        Some(())
    }

    /// The finding at its place in the whole document.
    pub(super) fn restored(&self, mut finding: Finding) -> Finding {
        let item = to_first_item(&finding.pointer.segments).len();
        if let Some((Segment::Index(index), list)) = finding.pointer.segments[..item].split_last()
            && let Some(before) = self.lists.get(list).and_then(|places| places.get(*index))
        {
            finding.pointer.segments[item - 1] = Segment::Index(*before);
        }
        finding
    }
}

/// Whether a rule's finding may be but a consequence of what the schema found.
pub(super) fn follows(finding: &Finding, known: &Finding) -> bool {
    let way = &finding.pointer.segments;
    let known = to_first_item(&known.pointer.segments);
    known.starts_with(way) || (!known.is_empty() && way.starts_with(known))
}

/// The way as far as an item of a list: one that is wrong is taken out as a whole.
fn to_first_item(way: &[Segment]) -> &[Segment] {
    let item = way.iter().position(|segment| matches!(segment, Segment::Index(_)));
    &way[..item.map_or(way.len(), |index| index + 1)]
}

/// Puts something valid where a head is wrong or missing, because without its head nothing of a document can be read.
fn give_head(kind: Kind, value: &mut Value) -> Option<()> {
    let findings = schema::findings(kind, value);
    let fields = schema(kind);
    let head = value.as_object_mut()?;
    let valid = [("apiVersion", "tieline/v1"), ("kind", kind.written().first()?), ("name", "name"), ("version", "0.0.0")];
    for (field, text) in valid {
        let segment = Segment::Key(field.to_owned());
        let wrong = findings.iter().any(|finding| finding.pointer.segments.first() == Some(&segment));
        if fields.pointer(&format!("/properties/{field}")).is_some() && (wrong || !head.contains_key(field)) {
            head.insert(field.to_owned(), json!(text));
        }
    }
    Some(())
}
