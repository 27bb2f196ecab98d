//! The rules of an environment's account.

use crate::documents::finding::Finding;
use crate::domain::account::{Account, AccountProvider, Arn, is_region};
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::{Backend, BackendKind};

/// What keeps the roles of an account from being taken.
pub(super) fn check(account: &Account, backend: &Backend, at: &Pointer) -> Vec<Finding> {
    let Account { role, plan_role, state_role, .. } = account;
    let written = [("role", role), ("plan-role", plan_role), ("state-role", state_role)];
    let roles = written.into_iter().filter_map(|(field, role)| Some((field, role.as_deref()?)));
    if account.provider != AccountProvider::Aws {
        return roles.map(|(field, _)| without_meaning(at.clone().key(field).at_key(), field)).collect();
    }
    let region = account.region.as_deref().filter(|region| !is_region(region));
    let mut findings: Vec<Finding> = region.map(|region| wrong_region(region, at)).into_iter().collect();
    findings.extend(roles.filter_map(|(field, role)| wrong_role(account, field, role, at)));
    if role.is_none() {
        let alone = written.into_iter().skip(1).filter(|(_, role)| role.is_some());
        findings.extend(alone.map(|(field, _)| {
            Finding::new(at.clone().key(field).at_key(), format!("`{field}` needs `role`, the role to deploy with"))
                .label("`role` is missing")
        }));
    }
    if state_role.is_some() {
        findings.extend(unusable_for_states(backend, at));
    }
    findings
}

fn wrong_region(region: &str, at: &Pointer) -> Finding {
    Finding::new(at.clone().key("region"), format!("`{region}` is not the name of a region"))
        .help("write it as AWS does, such as `sa-east-1`")
}

fn without_meaning(at: Pointer, field: &str) -> Finding {
    Finding::new(at, format!("`{field}` is taken in accounts of `aws` only"))
        .label("no meaning here")
        .help("sign the job in before Tieline runs: its variables for Google and Azure reach Terraform as they are")
}

fn wrong_role(account: &Account, field: &str, role: &str, at: &Pointer) -> Option<Finding> {
    let at = at.clone().key(field);
    let Some(arn) = Arn::role(role) else {
        return Some(
            Finding::new(at, format!("`{role}` is not the ARN of a role"))
                .help(format!("write `arn:aws:iam::{}:role/<name>`", account.id)),
        );
    };
    // States may be in an account of their own.
    (field != "state-role" && arn.account != account.id).then(|| {
        Finding::new(at, format!("the role `{role}` is not one of the account `{}`", account.id))
            .label(format!("a role of `{}`", arn.account))
            .help("name a role of this account, or correct `account.id`")
    })
}

fn unusable_for_states(backend: &Backend, at: &Pointer) -> Option<Finding> {
    let at = at.clone().key("state-role").at_key();
    if backend.kind != BackendKind::S3 {
        let message = format!("`state-role` is for states in `s3`, not in `{}`", backend.kind.as_str());
        return Some(Finding::new(at, message).help("remove it"));
    }
    backend.config.contains_key("assume_role_with_web_identity").then(|| {
        Finding::new(at, "the backend's settings already say which role its states are kept with")
            .note("`assume_role_with_web_identity` is there")
            .help("keep one of the two")
    })
}
