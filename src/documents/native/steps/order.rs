//! The order of a workflow's steps.

use std::collections::{BTreeMap, BTreeSet};

use super::needs;
use crate::documents::finding::Finding;
use crate::documents::native::graph::cycles;
use crate::documents::native::unknown;
use crate::domain::diagnostic::Pointer;
use crate::domain::step::Step;

/// `after` names steps of the same workflow, and no step waits for itself.
pub(super) fn check(steps: &[Step], base: &Pointer) -> Vec<Finding> {
    let names: BTreeSet<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let place = |name: &str| steps.iter().position(|step| step.name.as_str() == name).unwrap_or_default();
    let mut findings = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let wrong = step.after.iter().enumerate().filter(|(_, name)| !names.contains(name.as_str()));
        findings.extend(wrong.map(|(place, name)| {
            let at = base.clone().index(index).key("after").index(place);
            unknown(at, "step of this workflow", name.as_str(), &names)
        }));
        if needs(step).any(|name| *name == step.name) {
            let at = base.clone().index(index).key("name");
            findings.push(Finding::new(at, format!("step `{}` waits for itself", step.name)));
        }
    }
    let all: BTreeMap<&str, Vec<&str>> = steps
        .iter()
        .map(|step| (step.name.as_str(), needs(step).map(crate::domain::names::StepName::as_str).collect()))
        .collect();
    findings.extend(cycles(&all).into_iter().map(|cycle| {
        let way: Vec<String> = cycle.iter().chain(cycle.first()).map(|name| format!("`{name}`")).collect();
        let at = base.clone().index(place(cycle.first().unwrap_or(&""))).key("name");
        Finding::new(at, format!("steps wait for one another: {}", way.join(" needs ")))
            .label("none of them could start")
            .help("take away one of `valueFromStep` and `after` among them")
    }));
    findings
}
