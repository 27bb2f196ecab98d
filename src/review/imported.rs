//! Imported connections and who is bound to them.

use super::{Document, Documents, Effect, Finding, Ledger, Needs, Use, changed, counted};
use crate::domain::address::Address;
use crate::domain::connection::Binding;
use crate::domain::diagnostic::Pointer;
use crate::domain::failure::FailureReason;
use crate::domain::names::AttributeName;
use crate::domain::organization::ImportedConnection;

pub(super) fn needs(before: &Documents, after: &Documents, needs: &mut Needs) {
    let changed = changed(&before.imported, &after.imported);
    needs.consumers.extend(changed.into_iter().filter(|(_, was, _)| was.is_some()).map(|(address, ..)| address.clone()));
}

pub(super) fn review(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    for (address, was, is) in changed(&before.imported, &after.imported) {
        let document = Document::Imported(address.clone());
        let uses: Vec<&Use> = ledger.uses.iter().filter(|used| used.address() == address).collect();
        findings.push(match (was, is) {
            (None, _) => Finding::new(Effect::Allows, document, Pointer::default(), format!("there is a connection `{address}`")),
            (Some(_), None) => removed(address, &uses, document),
            (Some(was), Some(is)) => differs(address, was, is, &uses, document),
        });
    }
}

fn removed(address: &Address, uses: &[&Use], document: Document) -> Finding {
    if uses.is_empty() {
        let message = format!("`{address}` goes; nothing that is deployed is bound to it");
        return Finding::new(Effect::Changes, document, Pointer::default(), message);
    }
    let message = format!("`{address}` would go while {} bound to it", counted(uses.len(), "slot is", "slots are"));
    Finding::new(Effect::Refused, document, Pointer::default(), message)
        .because(FailureReason::ConsumersExist)
        .affecting(names(uses))
        .help("wire them to something else, or destroy them, first")
}

/// An attribute that a binding took and that the document no longer has, or no longer has as it was.
fn lost(binding: &Binding, is: &ImportedConnection) -> Option<AttributeName> {
    if binding.mapping.is_some() {
        let is_there = |name: &AttributeName| is.attributes.contains_key(name) || is.sensitive.contains_key(name);
        return binding.uses().into_iter().find(|name| !is_there(name));
    }
    let taken = binding.attributes.keys().find(|name| !is.attributes.contains_key(*name));
    taken.or_else(|| binding.sensitive.iter().find(|name| !is.sensitive.contains_key(*name))).cloned()
}

fn differs(address: &Address, was: &ImportedConnection, is: &ImportedConnection, uses: &[&Use], document: Document) -> Finding {
    let lost = uses.iter().filter_map(|used| {
        let name = lost(&used.binding, is)?;
        Some(format!("`{}` takes `{name}`, which goes", used.name()))
    });
    let lost: Vec<String> = lost.collect();
    if !lost.is_empty() || (!uses.is_empty() && was.type_name != is.type_name) {
        let message = format!("`{address}` would no longer be what {} bound to", counted(uses.len(), "slot is", "slots are"));
        let affected = if lost.is_empty() { names(uses) } else { lost };
        return Finding::new(Effect::Refused, document, Pointer::keys(["type"]), message)
            .because(FailureReason::BreaksConsumers)
            .affecting(affected)
            .help("import the other one under a name of its own, and move the consumers");
    }
    let at = Pointer::keys(["attributes"]).at_key();
    let effect = if uses.is_empty() { Effect::Changes } else { Effect::Repoints };
    let whom = if uses.is_empty() {
        "nothing that is deployed is bound to it".to_owned()
    } else {
        format!("{} it at the next deploy", counted(uses.len(), "slot takes", "slots take"))
    };
    Finding::new(effect, document, at, format!("`{address}` says something else; {whom}"))
        .because(FailureReason::BindingChanged)
        .affecting(names(uses))
}

fn names(uses: &[&Use]) -> Vec<String> {
    uses.iter().map(|used| format!("`{}`", used.name())).collect()
}
