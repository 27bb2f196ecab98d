//! What a plan does, without the resources of our own, which publish revisions.

use std::collections::BTreeSet;

use crate::domain::change::{PlannedResource, Progress};
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
    shown.map(planned_resource).collect()
}

fn planned_resource(resource: &terraform::ResourceChange) -> PlannedResource {
    PlannedResource {
        address: inside(&resource.address),
        action: resource.action.to_string(),
        previous: resource.previous_address.as_deref().map(inside),
        progress: Progress::Planned,
        attributes: Vec::new(),
        more: 0,
    }
}

/// The resources that changed outside of Terraform: their action is `update`, or `delete` where they are gone.
pub(super) fn drifted(plan: &terraform::Plan) -> Vec<PlannedResource> {
    let is_drift =
        |resource: &&terraform::ResourceChange| is_change(resource) && !render::names::is_own_resource(&resource.address);
    plan.drift.iter().filter(is_drift).map(planned_resource).collect()
}

/// The resources that a plan changes, by their addresses.
pub(super) fn changed(plan: &terraform::Plan) -> BTreeSet<String> {
    changes(plan).filter(|resource| is_change(resource)).map(|resource| inside(&resource.address)).collect()
}

fn is_change(resource: &terraform::ResourceChange) -> bool {
    !matches!(resource.action, Action::NoOp | Action::Read | Action::Move)
}

/// The module call in the root module that the plugin is.
pub(super) const INSIDE: &str = "module.plugin.";

/// An address inside the plugin's module.
pub(super) fn inside(address: &str) -> String {
    address.strip_prefix(INSIDE).unwrap_or(address).to_owned()
}

/// How far each change got in an apply that ended well, or else did only this much.
pub(super) fn progressed(mut resources: Vec<PlannedResource>, broken_off: Option<&terraform::Applied>) -> Vec<PlannedResource> {
    for resource in &mut resources {
        resource.progress = match broken_off {
            Some(applied) if !is_done(resource, applied) => Progress::Open,
            _ => Progress::Done,
        };
    }
    resources
}

/// Whether an apply that failed came to the end of a change. A replacement is done when both of its halves are.
fn is_done(resource: &PlannedResource, applied: &terraform::Applied) -> bool {
    let halves: &[Action] = match resource.action.as_str() {
        "create" | "import" => &[Action::Create],
        "delete" => &[Action::Delete],
        "replace" => &[Action::Delete, Action::Create],
        _ => &[Action::Update],
    };
    let of_it = || applied.resources.iter().filter(|done| inside(&done.address) == resource.address);
    halves.iter().all(|half| of_it().any(|done| done.action == *half))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Applied, AppliedResource, Plan, ResourceChange};

    #[test]
    fn a_replacement_is_done_when_both_halves_are() {
        let planned = |address: &str, action| ResourceChange {
            address: format!("module.plugin.{address}"),
            action,
            reason: None,
            previous_address: None,
            imported: false,
        };
        let resources = vec![
            planned("a.created", Action::Create),
            planned("a.half", Action::Replace),
            planned("a.replaced", Action::Replace),
            planned("a.waiting", Action::Update),
        ];
        let plan = Plan { resources, ..Plan::default() };
        let done = |address: &str, action| AppliedResource {
            address: format!("module.plugin.{address}"),
            action,
            elapsed: std::time::Duration::ZERO,
        };
        let resources = vec![
            done("a.created", Action::Create),
            done("a.half", Action::Delete),
            done("a.replaced", Action::Delete),
            done("a.replaced", Action::Create),
        ];
        let broken_off = Applied { resources, ..Applied::default() };

        let progress = |broken_off| -> Vec<Progress> {
            progressed(planned_resources(&plan), broken_off).into_iter().map(|resource| resource.progress).collect()
        };

        assert_eq!(progress(Some(&broken_off)), [Progress::Done, Progress::Open, Progress::Done, Progress::Open]);
        assert_eq!(progress(None), [Progress::Done; 4]);
    }
}
