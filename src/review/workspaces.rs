//! Workspaces: grants and who loses by them, owners, limits, values.

use super::{Document, Documents, Effect, Finding, Ledger, Needs, changed, counted, grants};
use crate::domain::diagnostic::Pointer;
use crate::domain::failure::FailureReason;
use crate::domain::organization::{Grant, Workspace};

pub(super) fn needs(before: &Documents, after: &Documents, needs: &mut Needs) {
    for (name, was, is) in changed(&before.workspaces, &after.workspaces) {
        let Some(was) = was else { continue };
        let gone = lacking(&was.grants, is.map_or(&[], |is| &is.grants));
        if !gone.is_empty() {
            needs.granted.insert(name.clone(), gone.into_iter().map(|(_, grant)| grant.connection.clone()).collect());
        }
        if is.is_none() {
            let environments = before.environments.keys().filter(|(workspace, _)| workspace == name);
            needs.deployed.extend(environments.cloned());
        }
    }
}

pub(super) fn review(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    for (name, was, is) in changed(&before.workspaces, &after.workspaces) {
        let document = || Document::Workspace(name.clone());
        let new = |effect, key, message| Finding::new(effect, document(), Pointer::keys([key]), message);
        match (was, is) {
            (_, None) => {
                let deployed: Vec<String> = ledger
                    .deployed
                    .keys()
                    .filter(|(place, _)| place.workspace == *name)
                    .map(|(place, alias)| format!("`{place}/{alias}`"))
                    .collect();
                let message = format!("the workspace `{name}` goes");
                findings.push(if deployed.is_empty() {
                    new(Effect::Changes, "name", message)
                } else {
                    let message =
                        format!("{message} while {} applied in it", counted(deployed.len(), "plugin is", "plugins are"));
                    new(Effect::Refused, "name", message)
                        .because(FailureReason::ConsumersExist)
                        .affecting(deployed)
                        .help("destroy them first")
                });
            }
            (None, Some(_)) => findings.push(new(Effect::Allows, "name", format!("there is a workspace `{name}`"))),
            (Some(was), Some(is)) => {
                for key in [("limits", was.limits != is.limits), ("values", was.values != is.values)]
                    .into_iter()
                    .filter_map(|(key, differs)| differs.then_some(key))
                {
                    findings.push(new(Effect::Changes, key, format!("`{key}` of the workspace `{name}` are others")));
                }
            }
        }
        owners(name.as_str(), was, is, &document(), findings);
        granted(was, is, ledger, &document(), findings);
    }
}

fn owners(workspace: &str, was: Option<&Workspace>, is: Option<&Workspace>, document: &Document, findings: &mut Vec<Finding>) {
    let none = std::collections::BTreeMap::new();
    let (was, is) = (was.map_or(&none, |was| &was.owners), is.map_or(&none, |is| &is.owners));
    for (deployable, was, is) in changed(was, is) {
        let shown = |owner: &crate::domain::organization::Owner| format!("`{}` (id {})", owner.repository, owner.id);
        let what = format!("`{workspace}/{deployable}`");
        let (effect, message) = match (was, is) {
            (Some(was), Some(is)) if was.id == is.id => {
                (Effect::Changes, format!("the owner of {what} is called {} now", shown(is)))
            }
            (Some(was), Some(is)) => {
                (Effect::Allows, format!("workflows of {} may write {what}, and those of {} no longer", shown(is), shown(was)))
            }
            (None, Some(is)) => (Effect::Allows, format!("workflows of {} may write {what}, and others no longer", shown(is))),
            (Some(was), None) => {
                (Effect::Allows, format!("{what} has no owner any more: not only workflows of {} may write it", shown(was)))
            }
            (None, None) => continue,
        };
        let at = Pointer::keys(["owners", deployable.as_str()]);
        findings.push(Finding::new(effect, document.clone(), at, message).because(FailureReason::NotOwner));
    }
}

fn granted(was: Option<&Workspace>, is: Option<&Workspace>, ledger: &Ledger, document: &Document, findings: &mut Vec<Finding>) {
    let [before, after] = [was, is].map(|workspace| workspace.map_or(&[][..], |workspace| &workspace.grants));
    for (index, grant) in lacking(after, before) {
        let at = Pointer::keys(["grants"]).index(index);
        findings.push(Finding::new(Effect::Allows, document.clone(), at, in_words(grant, "may")));
    }
    for (_, grant) in lacking(before, after) {
        let at = Pointer::keys(["grants"]).at_key();
        findings.push(Finding::new(
            Effect::Changes,
            document.clone(),
            at,
            format!("this grant goes: {}", in_words(grant, "may")),
        ));
    }
    let losses = grants::losses(was, is, &ledger.uses, &ledger.kinds);
    if !losses.is_empty() {
        let message = format!("{} the only grant", counted(losses.len(), "live binding loses", "live bindings lose"));
        findings.push(
            Finding::new(Effect::Breaks, document.clone(), Pointer::keys(["grants"]).at_key(), message)
                .because(FailureReason::GrantDenied)
                .affecting(losses.iter().map(grants::Loss::in_words))
                .help("what is deployed stays and can be destroyed; the next plan of each is refused"),
        );
    }
}

/// Those grants of `from` that `other` does not have, with their places.
fn lacking<'a>(from: &'a [Grant], other: &[Grant]) -> Vec<(usize, &'a Grant)> {
    from.iter().enumerate().filter(|(_, grant)| !other.contains(grant)).collect()
}

fn in_words(grant: &Grant, may: &str) -> String {
    let to: Vec<String> = grant.to.iter().map(|to| format!("`{to}`")).collect();
    let allow: Vec<String> = grant.allow.iter().map(|permission| format!("`{}`", permission.as_str())).collect();
    let previews = if grant.previews { ", previews too" } else { "" };
    format!("{} {may} {} `{}`{previews}", to.join(", "), allow.join(" and "), grant.connection)
}
