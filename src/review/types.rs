//! Connection interface types: a published version never changes, and does not go while it is used.

use super::{Document, Documents, Effect, Finding, Ledger, Needs, changed};
use crate::domain::connection::Binding;
use crate::domain::diagnostic::Pointer;
use crate::domain::failure::FailureReason;

pub(super) fn needs(before: &Documents, after: &Documents, needs: &mut Needs) {
    needs.everything = before.types.keys().any(|key| !after.types.contains_key(key));
}

pub(super) fn review(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    for (key, was, is) in changed(&before.types, &after.types) {
        let (name, version) = key;
        let document = Document::Type(name.clone(), version.clone());
        let finding = match (was, is) {
            (Some(_), Some(_)) => Finding::new(
                Effect::Refused,
                document,
                Pointer::default(),
                format!("`{name}` {version} is published, and a published version never changes"),
            )
            .because(FailureReason::BreaksConsumers)
            .help("leave it as it is, and add the change as a new version beside it"),
            (Some(_), None) => removed(key, document, after, ledger),
            _ => Finding::new(
                Effect::Allows,
                document,
                Pointer::default(),
                format!("plugins may publish and take `{name}` {version}"),
            ),
        };
        findings.push(finding);
    }
}

fn removed(
    (name, version): &(crate::domain::names::TypeName, semver::Version),
    document: Document,
    after: &Documents,
    ledger: &Ledger,
) -> Finding {
    let is_taken = |binding: &Binding| {
        (&binding.type_name, &binding.type_version) == (name, version) || binding.handed_as() == (name, version)
    };
    let consumers = ledger.uses.iter().filter(|used| is_taken(&used.binding));
    let consumers = consumers.map(|used| format!("`{}` takes `{}` as it", used.name(), used.address()));
    let published = ledger.published.iter().filter(|(_, published, as_version)| published == name && as_version == version);
    let published = published.map(|(address, ..)| format!("`{address}` is published as it"));
    let imported = after.imported.iter().filter(|(_, one)| one.type_name == *name && one.version == *version);
    let imported = imported.map(|(address, _)| format!("`{address}` is imported as it"));
    let affected: Vec<String> = published.chain(imported).chain(consumers).collect();
    if affected.is_empty() {
        let message = format!("`{name}` {version} goes; nothing that is deployed uses it");
        return Finding::new(Effect::Changes, document, Pointer::default(), message);
    }
    Finding::new(Effect::Refused, document, Pointer::default(), format!("`{name}` {version} would go while it is used"))
        .because(FailureReason::BreaksConsumers)
        .affecting(affected)
        .help("move its producers and consumers to another version first")
}
