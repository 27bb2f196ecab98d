//! Environments: defaults and who takes them, backends under states that are there, accounts, protection.

use std::collections::BTreeMap;

use super::{Document, Documents, Effect, EnvironmentKey, Finding, Ledger, Needs, Use, changed, counted};
use crate::domain::address::{Address, PartialAddress, PartialTarget, Target};
use crate::domain::diagnostic::Pointer;
use crate::domain::failure::FailureReason;
use crate::domain::names::{SlotName, TypeName};
use crate::domain::organization::{DefaultKey, Environment};
use crate::render::backend::state_location;

type Defaults = BTreeMap<DefaultKey, PartialAddress>;

pub(super) fn needs(before: &Documents, after: &Documents, needs: &mut Needs) {
    for (key, was, is) in changed(&before.environments, &after.environments) {
        let Some(was) = was else { continue };
        let backend_differs = is.is_some_and(|is| is.backend != was.backend);
        if backend_differs || is.is_none_or(|is| is.account != was.account) {
            needs.deployed.insert(key.clone());
        }
        if backend_differs {
            needs.states.insert(key.clone());
        }
        let none = Defaults::new();
        for (default, ..) in changed(&was.defaults, is.map_or(&none, |is| &is.defaults)) {
            // A default for one slot name takes over from the one for all.
            let all = DefaultKey { slot: None, ..default.clone() };
            let found = [default, &all].into_iter().filter_map(|key| was.defaults.get(key)).filter_map(|to| within(key, to));
            needs.consumers.extend(found);
        }
    }
}

pub(super) fn review(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    for (key, was, is) in changed(&before.environments, &after.environments) {
        let name = format!("`{}/{}`", key.0, key.1);
        let mut found = Found { key, name, findings };
        match (was, is) {
            (None, _) => found.say(Effect::Allows, "name", |name| format!("there is an environment {name}")),
            (_, None) => found.removed(ledger),
            (Some(was), Some(is)) => found.differences(was, is, after, ledger),
        }
    }
}

/// Where findings about one environment go.
struct Found<'a> {
    key: &'a EnvironmentKey,
    name: String,
    findings: &'a mut Vec<Finding>,
}

impl Found<'_> {
    fn document(&self) -> Document {
        Document::Environment(self.key.0.clone(), self.key.1.clone())
    }

    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn at(&self, effect: Effect, at: Pointer, message: impl Into<String>) -> Finding {
        Finding::new(effect, self.document(), at, message)
    }

    fn say(&mut self, effect: Effect, key: &'static str, message: impl Fn(&str) -> String) {
        let finding = self.at(effect, Pointer::keys([key]), message(&self.name));
        self.push(finding);
    }

    /// What is applied here, as people know it.
    fn deployed(&self, ledger: &Ledger) -> Vec<String> {
        let here = ledger.deployed.keys().filter(|(place, _)| place.workspace == self.key.0 && place.environment == self.key.1);
        here.map(|(place, alias)| format!("`{place}/{alias}`")).collect()
    }

    fn removed(mut self, ledger: &Ledger) {
        let deployed = self.deployed(ledger);
        let message = format!("the environment {} goes", self.name);
        let finding = if deployed.is_empty() {
            self.at(Effect::Changes, Pointer::default(), message)
        } else {
            let message = format!("{message} while {} applied in it", counted(deployed.len(), "plugin is", "plugins are"));
            self.at(Effect::Refused, Pointer::default(), message)
                .because(FailureReason::ConsumersExist)
                .affecting(deployed)
                .help("destroy them first: without the document nobody knows where their states are")
        };
        self.push(finding);
    }

    fn differences(mut self, was: &Environment, is: &Environment, after: &Documents, ledger: &Ledger) {
        self.backend(was, is, ledger);
        if was.account != is.account {
            let deployed = self.deployed(ledger);
            let effect = if deployed.is_empty() { Effect::Changes } else { Effect::Breaks };
            let message = format!("{} is in another cloud account, or is reached otherwise", self.name);
            let finding = self.at(effect, Pointer::keys(["account"]).at_key(), message).because(FailureReason::PlanFailed);
            self.push(
                finding
                    .affecting(deployed)
                    .help("make sure that it is the same account: Terraform would look for everything in another one"),
            );
        }
        match (was.protected, is.protected) {
            (true, false) => self.say(Effect::Allows, "protected", |name| {
                format!("{name} is no longer protected: it can be destroyed, and deploys that delete or replace need no approval")
            }),
            (false, true) => self.say(Effect::Changes, "protected", |name| format!("{name} is protected from now on")),
            _ => {}
        }
        match (was.allow_destroy, is.allow_destroy) {
            (false, true) => {
                self.say(Effect::Allows, "allow-destroy", |name| format!("any deploy to {name} may delete and replace things"));
            }
            (true, false) => {
                self.say(Effect::Changes, "allow-destroy", |name| {
                    format!("deploys to {name} that delete or replace things need `allow-destroy`")
                });
            }
            _ => {}
        }
        if was.overrides != is.overrides {
            let fewer = was.overrides.keys().any(|key| !is.overrides.contains_key(key));
            let effect = if fewer { Effect::Allows } else { Effect::Changes };
            self.say(effect, "overrides", |name| format!("other overrides need approval in {name}"));
        }
        for (key, differs) in [("values", was.values != is.values), ("sealing", was.sealing != is.sealing)] {
            if differs {
                self.say(Effect::Changes, key, |name| {
                    format!("`{key}` of {name} is another one, for every plugin that takes it")
                });
            }
        }
        self.defaults(was, is, after, ledger);
    }

    /// A backend that changes under states that are there is a way to create everything a second time.
    fn backend(&mut self, was: &Environment, is: &Environment, ledger: &Ledger) {
        if was.backend == is.backend {
            return;
        }
        let here =
            ledger.deployed.iter().filter(|((place, _), _)| place.workspace == self.key.0 && place.environment == self.key.1);
        let elsewhere = here.filter(|((place, alias), state)| state.as_ref() != Some(&state_location(&is.backend, place, alias)));
        let affected: Vec<String> = elsewhere.map(|((place, alias), _)| format!("`{place}/{alias}`")).collect();
        let at = Pointer::keys(["backend"]).at_key();
        let finding = if affected.is_empty() {
            self.at(Effect::Changes, at, format!("states of {} are kept in another backend; nothing is there yet", self.name))
        } else {
            let message = format!(
                "{} of {} would not be found: the backend changes under them",
                counted(affected.len(), "state", "states"),
                self.name
            );
            self.at(Effect::Refused, at, message)
                .because(FailureReason::StateMissing)
                .affecting(affected)
                .help("keep the backend, or make a new environment and move what is deployed to it")
        };
        self.push(finding);
    }

    fn defaults(&mut self, was: &Environment, is: &Environment, after: &Documents, ledger: &Ledger) {
        let mut repointed: BTreeMap<(Address, Option<Address>), Vec<&Use>> = BTreeMap::new();
        let here =
            |used: &&Use| used.consumer.workspace == self.key.0 && used.consumer.environment == self.key.1 && !used.is_declared;
        for used in ledger.uses.iter().filter(here) {
            let taken = |defaults| {
                effective(defaults, after, used.binding.handed_as().0, &used.slot.member).and_then(|to| within(self.key, to))
            };
            let (before, now) = (taken(&was.defaults), taken(&is.defaults));
            if before.as_ref() == Some(used.address()) && now != before {
                repointed.entry((used.address().clone(), now)).or_default().push(used);
            }
        }
        for ((from, to), uses) in &repointed {
            let finding = self.repointed(is, from, to.as_ref(), uses);
            self.push(finding);
        }
        for (default, before, now) in changed(&was.defaults, &is.defaults) {
            let target = now.and_then(|now| within(self.key, now));
            let dangling =
                target.as_ref().filter(|to| matches!(to.target, Target::Imported(_)) && !after.imported.contains_key(*to));
            let at = Pointer::keys(["defaults", &default.to_string()]);
            if let Some(dangling) = dangling {
                let message = format!("the default `{default}` names `{dangling}`, and there is no such imported connection");
                let finding = self.at(Effect::Refused, at, message).because(FailureReason::UnresolvedSlot);
                self.push(finding.help("add its document in the same change, or correct the address"));
                continue;
            }
            let concerned = before
                .and_then(|before| within(self.key, before))
                .is_some_and(|before| repointed.keys().any(|(from, _)| *from == before));
            if !concerned {
                let message = match now {
                    Some(now) => format!(
                        "unwired slots of `{default}` in {} take `{now}`; nothing that is deployed takes another one for it",
                        self.name
                    ),
                    None => format!(
                        "unwired slots of `{default}` in {} have no default any more; nothing that is deployed took it",
                        self.name
                    ),
                };
                let finding = self.at(Effect::Changes, at, message);
                self.push(finding);
            }
        }
    }

    fn repointed(&self, is: &Environment, from: &Address, to: Option<&Address>, uses: &[&Use]) -> Finding {
        let key =
            is.defaults.iter().find(|(_, default)| within(self.key, default).as_ref() == to).map(|(key, _)| key.to_string());
        let at = key.map_or(Pointer::keys(["defaults"]).at_key(), |key| Pointer::keys(["defaults", &key]));
        let slots = counted(uses.len(), "slot", "slots");
        let affected = uses.iter().map(|used| format!("`{}`", used.name()));
        match to {
            Some(to) => self
                .at(Effect::Repoints, at, format!("{slots} in {} would take `{to}` instead of `{from}`", self.name))
                .because(FailureReason::BindingChanged)
                .affecting(affected)
                .help("name the connection in their manifests to keep it; else each takes the other at its next deploy, as a planned change"),
            None => self
                .at(Effect::Breaks, at, format!("{slots} in {} would have nothing to take instead of `{from}`", self.name))
                .because(FailureReason::UnresolvedSlot)
                .affecting(affected)
                .help("wire them in their manifests first"),
        }
    }
}

/// The default that an unwired slot takes.
fn effective<'a>(defaults: &'a Defaults, after: &Documents, type_name: &TypeName, slot: &SlotName) -> Option<&'a PartialAddress> {
    let own = |name: &TypeName| {
        let aliases = after.catalog.as_ref().map(|catalog| &catalog.type_aliases);
        aliases.and_then(|aliases| aliases.get(name)).unwrap_or(name).clone()
    };
    let wanted = own(type_name);
    let of = |slot: Option<&SlotName>| {
        defaults.iter().find(|(key, _)| key.slot.as_ref() == slot && own(&key.type_name) == wanted).map(|(_, to)| to)
    };
    of(Some(slot)).or_else(|| of(None))
}

/// A default's address in full; none for one that no document may have.
fn within((workspace, environment): &EnvironmentKey, to: &PartialAddress) -> Option<Address> {
    let target = match &to.target {
        PartialTarget::Output { deployable, alias, output } => {
            Target::Output { deployable: deployable.clone()?, alias: alias.clone(), output: output.clone() }
        }
        PartialTarget::Imported(name) => Target::Imported(name.clone()),
    };
    let workspace = to.workspace.clone().unwrap_or_else(|| workspace.clone());
    let environment = to.environment.clone().unwrap_or_else(|| environment.clone());
    Some(Address { workspace, environment, target })
}
