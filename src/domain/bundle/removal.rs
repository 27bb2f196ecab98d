//! Taking out of a module what is for Massdriver alone.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, Object};
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::module::{Folder, address, value_of};
use super::references::References;
use super::{Trouble, alarms, payload, text};

/// The provider's name, unless a module calls it otherwise.
const PROVIDER: &str = "massdriver";
/// Where the provider comes from.
const SOURCE: &str = "massdriver-cloud/massdriver";

/// Blocks that are taken out, by folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    addresses: BTreeMap<String, BTreeSet<Vec<String>>>,
}

/// Whether an entry of `required_providers` is Massdriver's own.
pub fn is_vendor_provider(name: &str, source: &str) -> bool {
    name == PROVIDER || source.ends_with(SOURCE)
}

impl Removal {
    /// What can be taken out of a folder. What cannot, and what is lost by it, is told.
    pub(super) fn find(&mut self, at: &str, folder: &Folder, own: bool, troubles: &mut Vec<Trouble>, notes: &mut Vec<Trouble>) {
        let mut found: BTreeMap<Vec<String>, (&str, &Block)> = BTreeMap::new();
        for (file, block) in folder.blocks() {
            let Some(address) = address(block) else { continue };
            match judge(block, own) {
                Judgement::Keep => {}
                Judgement::Remove => _ = found.insert(address, (file, block)),
                Judgement::Refuse(message, help) => {
                    troubles.push(Trouble::new(file, format!("`{}` {message}", address.join(".")), help));
                }
            }
        }
        for (address, (file, _)) in &found {
            let users = folder.blocks().filter(|(_, block)| !self::address(block).is_some_and(|own| found.contains_key(&own)));
            let mut users = users.filter(|(_, block)| {
                let mut references = References::default();
                references.add_block(block);
                references.mention(address)
            });
            if let Some((_, user)) = users.next() {
                troubles.push(Trouble::new(
                    file,
                    format!("`{}` is for Massdriver alone, but {} uses it", address.join("."), named(user)),
                    "take the reference out: there is no such resource here",
                ));
            }
        }
        let lost: Vec<String> = found.keys().filter(|address| !alarms::publishes(&address[0])).map(|one| one.join(".")).collect();
        if let (Some(first), Some((file, _))) = (lost.first(), found.values().next()) {
            let message = match lost.len() {
                1 => format!("the alarm `{first}` is left out: it goes to Massdriver"),
                many => format!("`{first}` and {} more alarms are left out: they go to Massdriver", many - 1),
            };
            notes.push(Trouble::new(
                file,
                message,
                "send alarms where your people look, with resources of your cloud's provider",
            ));
        }
        self.addresses.insert(at.to_owned(), found.into_keys().collect());
    }

    /// Whether a block of the folder is taken out.
    pub(super) fn takes(&self, folder: &str, block: &Block) -> bool {
        self.addresses.get(folder).is_some_and(|addresses| address(block).is_some_and(|own| addresses.contains(&own)))
    }

    /// Takes out of a file what is to go; whether there was anything.
    pub fn apply(&self, path: &str, body: &mut Body) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut changed = false;
        for index in (0..body.len()).rev() {
            let gone = match body.get(index) {
                Some(Structure::Block(block)) => self.takes(folder, block) || is_provider(block),
                _ => false,
            };
            if gone {
                body.remove(index);
                changed = true;
            }
        }
        for block in body.blocks_mut() {
            changed |= match block.ident.as_str() {
                "terraform" => without_requirement(block),
                "module" => without_handing_on(block),
                _ => false,
            };
        }
        changed
    }
}

enum Judgement {
    Keep,
    Remove,
    Refuse(&'static str, &'static str),
}

fn judge(block: &Block, own: bool) -> Judgement {
    let kind = block.labels.first().map_or("", |label| label.as_str());
    if block.ident.as_str() == "module" {
        let source = value_of(block, "source").and_then(Expression::as_str).unwrap_or_default();
        return if alarms::is_bound_module(source) {
            Judgement::Refuse(
                "works inside Massdriver alone: it reads the files of its provisioner",
                "hand what it makes of them to the module as variables, and leave this module out",
            )
        } else if alarms::is_alarm_module(source) {
            Judgement::Remove
        } else {
            Judgement::Keep
        };
    }
    if alarms::registers(kind) || (own && alarms::publishes(kind)) {
        Judgement::Remove
    } else if alarms::publishes(kind) {
        Judgement::Refuse(
            "publishes from inside of a module that the step calls",
            "give that module an output, and publish it from the step's own folder",
        )
    } else if kind.starts_with("massdriver_") {
        Judgement::Refuse("is of Massdriver's provider, which is not used here", "take it out")
    } else {
        Judgement::Keep
    }
}

fn named(block: &Block) -> String {
    let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
    if labels.is_empty() {
        format!("the block `{}`", block.ident.as_str())
    } else {
        format!("`{} {}`", block.ident.as_str(), labels.join("."))
    }
}

fn is_provider(block: &Block) -> bool {
    block.ident.as_str() == "provider" && block.labels.first().is_some_and(|label| label.as_str() == PROVIDER)
}

fn without_requirement(terraform: &mut Block) -> bool {
    let mut changed = false;
    for required in terraform.body.get_blocks_mut("required_providers") {
        let vendors: Vec<String> = required
            .body
            .attributes()
            .filter(|one| is_vendor_provider(one.key.as_str(), &source_of(&one.value)))
            .map(|one| one.key.as_str().to_owned())
            .collect();
        for name in vendors {
            changed |= required.body.remove_attribute(&name).is_some();
        }
    }
    changed
}

fn source_of(requirement: &Expression) -> String {
    let object = requirement.as_object();
    let source = object.into_iter().flat_map(Object::iter).find(|(key, _)| payload::key_text(key).as_deref() == Some("source"));
    source.and_then(|(_, value)| value.expr().as_str().map(str::to_owned)).unwrap_or_default()
}

/// A call hands providers on by name; Massdriver's is not there any more.
fn without_handing_on(module: &mut Block) -> bool {
    let Some(mut providers) = module.body.get_attribute_mut("providers") else { return false };
    let Some(handed) = providers.value_mut().as_object_mut() else { return false };
    let before = handed.len();
    let kept: Object = handed
        .clone()
        .into_iter()
        .filter(|(key, value)| payload::key_text(key).as_deref() != Some(PROVIDER) && text::of(value.expr()) != PROVIDER)
        .collect();
    if kept.len() == before {
        return false;
    }
    *handed = kept;
    true
}
