//! Who may use whose connections (R42, R43).

use std::collections::BTreeMap;

use crate::domain::address::{Address, Place};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::manifest::DeployableKind;
use crate::domain::organization::{Permission, Workspace};

/// Whether `consumer` sees the connection without any grant: in its own application context, or in the workspace context of
/// its environment.
pub fn sees(consumer: &Place, address: &Address, kinds: &BTreeMap<Place, DeployableKind>) -> bool {
    let same_environment = address.workspace == consumer.workspace && address.environment == consumer.environment;
    same_environment
        && match address.producer() {
            Some(producer) => producer == *consumer || kinds.get(&producer) == Some(&DeployableKind::SharedInfra),
            None => true,
        }
}

/// What a slot needs and the owner has not granted.
pub fn missing(owner: Option<&Workspace>, address: &Address, consumer: &Place, sensitive: bool) -> Vec<Permission> {
    let connection = within_workspace(address);
    let consumer = consumer.to_string();
    let granted: Vec<Permission> = owner
        .iter()
        .flat_map(|workspace| &workspace.grants)
        .filter(|grant| matches(&grant.connection, &connection) && grant.to.iter().any(|to| matches(to, &consumer)))
        .flat_map(|grant| grant.allow.iter().copied())
        .collect();
    let mut needed = vec![Permission::Use];
    needed.extend(sensitive.then_some(Permission::ReadSensitive));
    needed.retain(|permission| !granted.contains(permission));
    needed
}

/// Says that grants are missing, and which lines the owner would add.
pub(super) fn denied(address: &Address, consumer: &Place, missing: &[Permission]) -> Diagnostic {
    let what = if missing.contains(&Permission::Use) { "use" } else { "read the sensitive attributes of" };
    Diagnostic::error(FailureReason::GrantDenied, format!("`{consumer}` may not {what} `{address}`"))
        .help(to_add(address, consumer, missing))
}

/// The grant to add, and where.
pub(super) fn to_add(address: &Address, consumer: &Place, missing: &[Permission]) -> String {
    let allow: Vec<&str> = missing.iter().map(|permission| permission.as_str()).collect();
    format!(
        "ask for this grant in the context's `workspaces/{}/workspace.yaml`:\ngrants:\n  - {{connection: \"{}\", to: [\"{consumer}\"], allow: [{}]}}",
        address.workspace,
        within_workspace(address),
        allow.join(", "),
    )
}

/// The address without its workspace, as grants write it.
pub fn within_workspace(address: &Address) -> String {
    address.to_string().split('/').skip(1).collect::<Vec<_>>().join("/")
}

/// Whether `text` fits `pattern`, in which `*` stands for any text without `/`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (patterns, parts) = (pattern.split('/'), text.split('/'));
    patterns.clone().count() == parts.clone().count() && patterns.zip(parts).all(|(pattern, part)| part_matches(pattern, part))
}

fn part_matches(pattern: &str, part: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == part };
    let (middle, last) = others.rsplit_once('*').unwrap_or(("", others));
    let Some(mut rest) = part.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    // Taking the leftmost place for each piece leaves the most room for those after it.
    middle.split('*').all(|piece| match rest.split_once(piece) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
