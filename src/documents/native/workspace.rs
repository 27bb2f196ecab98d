//! The rules of a workspace: its grants and owners.

use serde_json::Value;

use super::{Document, check_lifetime};
use crate::documents::Kind;
use crate::documents::finding::Finding;
use crate::domain::address::IMPORTED;
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::{Grant, Owner, Permission, Workspace};
use crate::domain::preview::PREFIX;

impl Document for Workspace {
    const KIND: Kind = Kind::Workspace;

    fn findings(&self, _file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            check_lifetime(self.limits.max_preview_ttl.as_deref(), Pointer::keys(["limits", "max-preview-ttl"]))
                .into_iter()
                .collect();
        for (deployable, owner) in &self.owners {
            findings.extend(check_owner(deployable.as_str(), owner, &Pointer::keys(["owners", deployable.as_str()])));
        }
        for (index, grant) in self.grants.iter().enumerate() {
            findings.extend(check_grant(grant, &Pointer::keys(["grants"]).index(index)));
        }
        findings
    }
}

fn check_owner(deployable: &str, owner: &Owner, at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if deployable == IMPORTED {
        findings.push(Finding::new(at.clone().at_key(), format!("`{IMPORTED}` cannot be the name of a deployable")));
    }
    let parts: Vec<&str> = owner.repository.split('/').collect();
    if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
        let message = format!("`{}` is not a repository", owner.repository);
        findings.push(Finding::new(at.clone().key("repository"), message).help("write `owner/name`"));
    }
    if owner.id == 0 {
        let message = "a repository's id is a number from 1";
        findings.push(
            Finding::new(at.clone().key("id"), message)
                .help(format!("ask for it with `gh api repos/{} --jq .id`", owner.repository)),
        );
    }
    for (index, former) in owner.former.iter().enumerate() {
        if former.id == 0 || former.id == owner.id {
            let message = "a former owner is another repository, by its id";
            findings.push(Finding::new(at.clone().key("former").index(index).key("id"), message));
        }
    }
    findings
}

fn check_grant(grant: &Grant, at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_connection_pattern(&grant.connection) {
        findings.push(
            Finding::new(at.clone().key("connection"), format!("`{}` is not a pattern of connections", grant.connection))
                .help("write `<env>/<deployable>/<alias>.<output>` with `*` where any will do; the workspace is this one"),
        );
    }
    for (index, consumer) in grant.to.iter().enumerate() {
        if parts_of(consumer).is_none() {
            findings.push(
                Finding::new(at.clone().key("to").index(index), format!("`{consumer}` is not a pattern of deployables"))
                    .help("write `<ws>/<env>/<deployable>` with `*` where any will do, such as `retail/*/*`"),
            );
        }
        if parts_of(consumer).is_some_and(|[_, environment, _]| environment.starts_with(PREFIX)) {
            findings.push(
                Finding::new(at.clone().key("to").index(index), format!("`{consumer}` means previews, which grants do not name"))
                    .help(
                        "a preview counts as its base: name that, with `previews: true` where it may read sensitive attributes",
                    ),
            );
        }
    }
    if grant.to.is_empty() {
        findings.push(Finding::new(at.clone().key("to"), "a grant to nobody").help("say to whom, such as `retail/*/*`"));
    }
    if grant.allow.is_empty() {
        findings.push(Finding::new(at.clone().key("allow"), "a grant of nothing").help("write `[use]`"));
    } else if !grant.allow.contains(&Permission::Use) {
        findings.push(
            Finding::new(at.clone().key("allow"), "`read-sensitive` does nothing without `use`")
                .help("write `[use, read-sensitive]`"),
        );
    }
    findings
}

fn is_connection_pattern(text: &str) -> bool {
    match parts_of(text) {
        Some([_, IMPORTED, name]) => !name.contains('.'),
        Some([_, _, "*"]) => true,
        Some([_, _, member]) => member.split('.').count() == 2 && member.split('.').all(|part| !part.is_empty()),
        None => false,
    }
}

/// The three parts of a pattern of names.
fn parts_of(text: &str) -> Option<[&str; 3]> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.*".contains(c);
    let parts: Vec<&str> = text.split('/').collect();
    let parts: [&str; 3] = parts.try_into().ok()?;
    let [workspace, environment, _] = parts;
    let good = parts.iter().all(|part| !part.is_empty() && part.chars().all(allowed));
    (good && !workspace.contains('.') && !environment.contains('.')).then_some(parts)
}
