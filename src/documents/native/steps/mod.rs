//! The rules of step workflows (R57): everything that can be known before anything runs.

mod handed;
mod order;
mod runner;

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::duration::duration;
use crate::domain::names::{SlotName, StepName};
use crate::domain::plugin::Slot;
use crate::domain::step::{Step, StepsPart};

/// More steps than any plugin has.
const MOST_STEPS: usize = 200;

/// What of a plugin its steps can name.
pub(in crate::documents) struct Known<'a> {
    /// Its inputs.
    pub(in crate::documents) inputs: BTreeSet<&'a str>,
    /// Its slots.
    pub(in crate::documents) slots: &'a BTreeMap<SlotName, Slot>,
}

/// Everything that breaks a rule; `base` leads to the steps.
pub(in crate::documents) fn check(part: &StepsPart, base: &Pointer, known: &Known<'_>) -> Vec<Finding> {
    let count = part.create.len() + part.delete.len();
    if count > MOST_STEPS {
        return vec![Finding::new(base.clone(), format!("these are {count} steps; a plugin has at most {MOST_STEPS}"))];
    }
    let mut findings = runner::check(&part.runner, &base.clone().key("runner"));
    findings.extend(check_timeout(part.timeout.as_deref(), base));
    let mut names: BTreeSet<&StepName> = BTreeSet::new();
    for (workflow, steps) in [("create", &part.create), ("delete", &part.delete)] {
        let base = base.clone().key(workflow);
        for (index, step) in steps.iter().enumerate() {
            let at = base.clone().index(index);
            if !names.insert(&step.name) {
                findings.push(
                    Finding::new(at.clone().key("name"), format!("there are two steps `{}`", step.name))
                        .label("used before")
                        .help("give each step a name that no other has, in `create` and `delete` together"),
                );
            }
            findings.extend(check_script(&step.script, &at.clone().key("script")));
            findings.extend(check_timeout(step.timeout.as_deref(), &at));
            findings.extend(handed::check(step, part, workflow == "delete", &at, known));
        }
        findings.extend(order::check(steps, &base));
    }
    findings
}

/// What a step of these workflows leaves, by the way `step.output` to it, or why there is no such thing.
pub(super) fn check_step_output(part: &StepsPart, way: &str, at: Pointer) -> Option<Finding> {
    let known: BTreeSet<String> = part
        .create
        .iter()
        .flat_map(|step| step.outputs.iter().map(move |output| format!("{}.{}", step.name, output.name)))
        .collect();
    if known.contains(way) {
        return None;
    }
    let step = way.split('.').next().unwrap_or_default();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let finding = super::unknown(at, "step output", way, &known);
    let is_late = part.delete.iter().any(|one| one.name.as_str() == step);
    Some(if is_late { finding.note(format!("`{step}` is a delete step, which leaves nothing to anybody")) } else { finding })
}

fn check_timeout(text: Option<&str>, base: &Pointer) -> Option<Finding> {
    let problem = match duration(text?) {
        Ok(length) if length.is_zero() => "no time at all is too short".to_owned(),
        Ok(_) => return None,
        Err(problem) => problem,
    };
    Some(Finding::new(base.clone().key("timeout"), problem).help("write a whole number and `s`, `m` or `h`, such as `5m`"))
}

fn check_script(script: &str, at: &Pointer) -> Option<Finding> {
    let first = script.split('\n').next().unwrap_or_default();
    let finding = |message: &str, help: &str| Some(Finding::new(at.clone(), message).help(help));
    match first.strip_prefix("#!").map(str::trim_start) {
        Some(line) if line.ends_with('\r') => finding(
            "the script's lines end as on Windows, so that the system would look for a program whose name ends in a carriage return",
            "save it with line feeds alone",
        ),
        Some(line) if line.starts_with('/') => None,
        Some(_) => finding(
            "the script's `#!` line does not name a program by its path",
            "write the path of the program that reads the script, such as `#!/bin/sh` or `#!/usr/bin/env python3`",
        ),
        None => finding(
            "the script has no `#!` line",
            "begin it with the path of the program that reads it, such as `#!/bin/sh`; in a block (`script: |`) no line comes before that",
        ),
    }
}

/// The steps that a step needs, by data or for order alone.
fn needs(step: &Step) -> impl Iterator<Item = &StepName> {
    let data = step.inputs.iter().filter_map(|input| Some(&input.value_from_step.as_ref()?.name));
    data.chain(&step.after)
}

#[cfg(test)]
mod tests;
