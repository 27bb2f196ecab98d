//! What a plan would do to those who are bound elsewhere to what the deployable publishes: told before it happens.
//!
//! A plan's JSON holds secrets in clear. Of a sensitive attribute only whether it changes leaves here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::attributes::Secrets;
use super::publication::is_of;
use super::{Engine, changes};
use crate::domain::address::{Address, Target};
use crate::domain::change::{AttributeChange, Shown};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry, Face};
use crate::domain::deployment::PublishedFace;
use crate::domain::impact::{Concerned, Effect, Impact};
use crate::domain::names::{Alias, AttributeName, OutputName};
use crate::render::names;
use crate::terraform::{self, Action};

/// The longest value, in characters.
const LONGEST: usize = 100;

impl Engine {
    /// Whether somebody elsewhere is bound to what an applied plugin publishes.
    pub(super) fn is_consumed(&self, alias: &Alias) -> bool {
        self.consumed(alias).next().is_some()
    }

    /// What happens when all that an applied plugin publishes has the same fate.
    pub(super) fn impact_of_all(&self, alias: &Alias, effect: Effect) -> BTreeMap<Address, Impact> {
        let all = self.consumed(alias);
        all.map(|(address, consumers)| (address.clone(), impact(effect, Vec::new(), Vec::new(), &consumers))).collect()
    }

    /// What happens when a plan is applied, out of its JSON. Connections that stay as they are, are left out.
    pub(super) fn impact_of_plan(&self, alias: &Alias, plan: &terraform::Plan, shown: &Value) -> BTreeMap<Address, Impact> {
        let lost: Vec<String> = changes::losses(plan, self.own.applied.get(alias))
            .into_iter()
            .map(|resource| format!("{} {}", resource.action, changes::inside(&resource.address)))
            .collect();
        let published = Published { shown, plan, secrets: Secrets::of(shown, &self.redactor) };
        let outputs = &self.deployment.plugins[alias].outputs;
        let found = self.consumed(alias).filter_map(|(address, consumers)| {
            let (record, Target::Output { output, .. }) = (self.own.connections.get(address)?, &address.target) else {
                return None;
            };
            let impact = match outputs.get(output) {
                None => impact(Effect::Goes, Vec::new(), Vec::new(), &consumers),
                Some(faces) => {
                    let attributes = published.changes(record, output, faces);
                    let effect = if lost.is_empty() { Effect::Changes } else { Effect::Replaced };
                    if attributes.is_empty() && lost.is_empty() {
                        return None;
                    }
                    impact(effect, attributes, lost.clone(), &consumers)
                }
            };
            Some((address.clone(), impact))
        });
        found.collect()
    }

    /// The connections of an applied plugin with those who are bound to them elsewhere, where there are any.
    fn consumed(&self, alias: &Alias) -> impl Iterator<Item = (&Address, Vec<&ConsumerEntry>)> {
        let own = format!("{}/", self.deployment.place);
        let of_it = self.own.consumers.iter().filter(move |(address, _)| is_of(address, alias));
        let elsewhere = of_it.map(move |(address, consumers)| {
            (address, consumers.iter().filter(|entry| !entry.consumer.starts_with(&own)).collect::<Vec<_>>())
        });
        elsewhere.filter(|(_, consumers)| !consumers.is_empty())
    }
}

/// Who is concerned: of a change of values those who use one that changes, of everything else everybody.
fn impact(effect: Effect, attributes: Vec<AttributeChange>, lost: Vec<String>, consumers: &[&ConsumerEntry]) -> Impact {
    let changing: BTreeSet<&str> = attributes.iter().map(|change| change.path.as_str()).collect();
    let used = |entry: &ConsumerEntry| -> BTreeSet<AttributeName> {
        let goes = effect == Effect::Goes;
        entry.attributes.iter().filter(|name| goes || changing.contains(name.as_str())).cloned().collect()
    };
    let concerned: Vec<Concerned> = consumers
        .iter()
        .map(|entry| Concerned { consumer: entry.consumer.clone(), attributes: used(entry) })
        .filter(|concerned| effect != Effect::Changes || !concerned.attributes.is_empty())
        .collect();
    let others = consumers.len() - concerned.len();
    Impact { effect, attributes, lost, consumers: concerned, others }
}

/// What a plan says of the outputs of the generated root module.
struct Published<'a> {
    shown: &'a Value,
    plan: &'a terraform::Plan,
    secrets: Secrets<'a>,
}

impl Published<'_> {
    /// The attributes of a recorded connection that will not be what they are, each once.
    fn changes(&self, record: &ConnectionRecord, output: &OutputName, published: &[PublishedFace]) -> Vec<AttributeChange> {
        let mut changes: Vec<AttributeChange> = Vec::new();
        for face in record.faces() {
            // Those who were bound to what is no longer published at all are refused before there is a plan (R15).
            let Some((position, now)) = successor(face, published) else { continue };
            for change in self.public(face, output, position, now).into_iter().chain(self.sensitive(face, output, position)) {
                if !changes.contains(&change) {
                    changes.push(change);
                }
            }
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        changes
    }

    fn public(&self, face: &Face, output: &OutputName, position: usize, now: &PublishedFace) -> Vec<AttributeChange> {
        let planned = &self.shown["output_changes"][names::public_output(output, position).as_str()];
        let secret = now.connection_type.sensitive();
        let public = now.from.keys().filter(|name| !secret.contains(*name));
        let all: BTreeSet<&AttributeName> = face.attributes.keys().chain(public).collect();
        let changes = all.into_iter().filter_map(|name| {
            let before = face.attributes.get(name).unwrap_or(&Value::Null);
            let after = if is_marked(part(&planned["after_unknown"], name)) {
                Shown::Unknown
            } else if is_marked(part(&planned["after_sensitive"], name)) {
                Shown::Sensitive
            } else {
                let after = &planned["after"][name.as_str()];
                if before == after {
                    return None;
                }
                self.secrets.shown(after, LONGEST)
            };
            Some(change(name, self.secrets.shown(before, LONGEST), after))
        });
        changes.collect()
    }

    /// The sensitive attributes that are rotated, which their revision tells: it is replaced exactly when one of them changes.
    fn sensitive(&self, face: &Face, output: &OutputName, position: usize) -> Vec<AttributeChange> {
        let revision = format!("terraform_data.{}", names::revision_resource(output));
        let is_rotated = |change: &&terraform::ResourceChange| change.address == revision && change.action != Action::NoOp;
        if !self.plan.resources.iter().any(|resource| is_rotated(&resource)) {
            return Vec::new();
        }
        let planned = &self.shown["output_changes"][names::sensitive_output(output, position).as_str()];
        let changes = face.sensitive.keys().filter_map(|name| {
            let is_unknown = is_marked(part(&planned["after_unknown"], name));
            let is_same = planned["before"][name.as_str()] == planned["after"][name.as_str()];
            (is_unknown || !is_same)
                .then(|| change(name, Shown::Sensitive, if is_unknown { Shown::Unknown } else { Shown::Sensitive }))
        });
        changes.collect()
    }
}

/// The face that serves those who were bound to an earlier one, as R15 finds it.
fn successor<'a>(face: &Face, published: &'a [PublishedFace]) -> Option<(usize, &'a PublishedFace)> {
    let fits = |now: &PublishedFace| {
        now.connection_type.name == face.type_name && now.connection_type.version.major == face.type_version.major
    };
    published.iter().enumerate().filter(|(_, now)| fits(now)).max_by_key(|(_, now)| &now.connection_type.version)
}

/// What a tree of marks says of one attribute. A `true` covers everything below.
fn part<'a>(marks: &'a Value, name: &AttributeName) -> &'a Value {
    if marks == &Value::Bool(true) { marks } else { &marks[name.as_str()] }
}

/// Whether a value is marked, whole or in part.
fn is_marked(marks: &Value) -> bool {
    match marks {
        Value::Bool(marked) => *marked,
        Value::Array(items) => items.iter().any(is_marked),
        Value::Object(fields) => fields.values().any(is_marked),
        _ => false,
    }
}

fn change(name: &AttributeName, before: Shown, after: Shown) -> AttributeChange {
    AttributeChange { path: name.to_string(), before, after, forces_replacement: false }
}
