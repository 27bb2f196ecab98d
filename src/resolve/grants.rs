//! Who may use whose connections (R42, R43).

use std::collections::BTreeMap;

use crate::domain::address::{Address, Place};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::manifest::DeployableKind;
use crate::domain::names::EnvironmentName;
use crate::domain::organization::{Grant, Permission, Workspace};

/// Who asks, as grants know it (R42).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The deployable; that of a preview is in the preview's base environment.
    pub place: Place,
    /// Whether it is in a preview: of what is outside it reads only the sensitive attributes that a grant names for previews.
    pub is_preview: bool,
}

impl Consumer {
    /// The deployable at a place, which is in a preview if that has a base.
    pub fn of(place: &Place, base: Option<&EnvironmentName>) -> Self {
        let environment = base.unwrap_or(&place.environment).clone();
        Self { place: Place { environment, ..place.clone() }, is_preview: base.is_some() }
    }

    /// Whether it sees the connection without any grant: in its own application context, or in the workspace context of its
    /// environment.
    fn sees(&self, address: &Address, kinds: &BTreeMap<Place, DeployableKind>) -> bool {
        let same_environment = address.workspace == self.place.workspace && address.environment == self.place.environment;
        same_environment
            && match address.producer() {
                Some(producer) => producer == self.place || kinds.get(&producer) == Some(&DeployableKind::SharedInfra),
                None => true,
            }
    }
}

/// What a slot needs and the owner has not granted.
pub fn missing(
    owner: Option<&Workspace>,
    address: &Address,
    consumer: &Consumer,
    kinds: &BTreeMap<Place, DeployableKind>,
    sensitive: bool,
) -> Vec<Permission> {
    let sees = consumer.sees(address, kinds);
    let (connection, to) = (within_workspace(address), consumer.place.to_string());
    let grants = owner.into_iter().flat_map(|workspace| &workspace.grants);
    let fitting: Vec<&Grant> =
        grants.filter(|grant| matches(&grant.connection, &connection) && grant.to.iter().any(|one| matches(one, &to))).collect();
    let is_granted = |permission| {
        let counts = |grant: &&&Grant| permission == Permission::Use || !consumer.is_preview || grant.previews;
        fitting.iter().filter(counts).any(|grant| grant.allow.contains(&permission))
    };
    let mut needed = Vec::new();
    needed.extend((!sees).then_some(Permission::Use));
    needed.extend((sensitive && (!sees || consumer.is_preview)).then_some(Permission::ReadSensitive));
    needed.retain(|permission| !is_granted(*permission));
    needed
}

/// Says that grants are missing, and which lines the owner would add.
pub(super) fn denied(address: &Address, place: &Place, consumer: &Consumer, missing: &[Permission]) -> Diagnostic {
    let what = if missing.contains(&Permission::Use) { "use" } else { "read the sensitive attributes of" };
    let denied = Diagnostic::error(FailureReason::GrantDenied, format!("`{place}` may not {what} `{address}`"));
    let denied = if consumer.is_preview {
        denied.note(format!(
            "a preview counts as its base `{}`, but for sensitive attributes a grant must say `previews: true`",
            consumer.place.environment
        ))
    } else {
        denied
    };
    denied.help(to_add(address, consumer, missing))
}

/// The grant to add, and where.
pub(super) fn to_add(address: &Address, consumer: &Consumer, missing: &[Permission]) -> String {
    // To read without use is nothing that a grant can say.
    let reads = missing.contains(&Permission::ReadSensitive);
    let allow = if reads { vec![Permission::Use, Permission::ReadSensitive] } else { missing.to_vec() };
    let allow: Vec<&str> = allow.into_iter().map(Permission::as_str).collect();
    format!(
        "ask for this grant in the context's `workspaces/{}/workspace.yaml`:\ngrants:\n  - {{connection: \"{}\", to: [\"{}\"], allow: [{}]{}}}",
        address.workspace,
        within_workspace(address),
        consumer.place,
        allow.join(", "),
        if reads && consumer.is_preview { ", previews: true" } else { "" },
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
