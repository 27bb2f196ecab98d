//! What a plan does, without the resources of our own, which publish revisions.

use crate::domain::outcome::PlannedResource;
use crate::domain::record::{AppliedRecord, ChangeCounts};
use crate::render;
use crate::terraform::{self, Action};

/// How many managed resources of the plugin the prior state held.
pub(super) fn held(plan: &terraform::Plan) -> u64 {
    plan.prior.iter().filter(|address| !render::names::is_own_resource(address)).count() as u64
}

/// A plan's changes without the resources of our own, which publish revisions.
pub(super) fn changes(plan: &terraform::Plan) -> impl Iterator<Item = &terraform::ResourceChange> {
    plan.resources.iter().filter(|resource| !render::names::is_own_resource(&resource.address))
}

/// The changes, counted as Terraform counts them: a replacement is one created and one destroyed.
pub(super) fn counts(plan: &terraform::Plan) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    for resource in changes(plan) {
        match resource.action {
            Action::Create => counts.add += 1,
            Action::Update => counts.change += 1,
            Action::Replace => {
                counts.add += 1;
                counts.remove += 1;
            }
            Action::Delete => counts.remove += 1,
            _ => {}
        }
    }
    counts
}

/// The resources that a plan deletes or replaces. What a cancelled or failed apply left half made (`tainted`, while no later apply
/// succeeded) is nothing to lose: replacing it is how that apply is finished.
pub(super) fn losses<'a>(plan: &'a terraform::Plan, before: Option<&AppliedRecord>) -> Vec<&'a terraform::ResourceChange> {
    let was_broken_off = before.is_some_and(|before| before.applied.as_ref() != Some(&before.attempted));
    let is_half_made = |resource: &&terraform::ResourceChange| {
        was_broken_off && resource.action == Action::Replace && resource.reason.as_deref() == Some("tainted")
    };
    let is_loss =
        |resource: &&terraform::ResourceChange| matches!(resource.action, Action::Delete | Action::Replace | Action::Other);
    changes(plan).filter(is_loss).filter(|resource| !is_half_made(resource)).collect()
}

/// The changes as a report shows them.
pub(super) fn planned_resources(plan: &terraform::Plan) -> Vec<PlannedResource> {
    let shown = changes(plan).filter(|resource| !matches!(resource.action, Action::NoOp | Action::Read));
    shown
        .map(|resource| PlannedResource {
            address: resource.address.strip_prefix("module.plugin.").unwrap_or(&resource.address).to_owned(),
            action: resource.action.to_string(),
        })
        .collect()
}
