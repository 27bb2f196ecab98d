//! The end of an applied plugin that has scripts: its module first, then its delete steps, with all that was recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::handed::{Handed, Sources};
use super::running::{Ran, Work};
use crate::domain::account::Account;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::{AppliedRecord, Attempt, ChangeCounts};
use crate::domain::step::{Step, StepsPart};
use crate::domain::step_record::RecordedOutput;
use crate::engine::apply::Applied;
use crate::engine::journal::Journal;
use crate::engine::out_of_reach::{really_bound, supply};
use crate::engine::prepare::Prepared;
use crate::engine::{Engine, Removed};
use crate::steps::{Direction, Left, StepText};

/// What delete steps work with.
pub(super) struct Prelude {
    handed: Handed,
    left: Left,
}

impl Engine {
    /// Destroys what its module made, if it has one, then runs its delete steps. All that these are handed is had before anything is
    /// taken away.
    pub(in crate::engine) async fn remove_with_steps(
        &self,
        (alias, part): (&Alias, &StepsPart),
        planned: Option<Prepared>,
        journal: &Arc<Journal>,
    ) -> Result<(Applied, Vec<String>), Problems> {
        let removed = &self.removed[alias];
        let account = self.account_then(removed);
        let work = Work { alias, part, direction: Direction::Delete };
        if !self.is_planned_first() {
            // Otherwise the plan that a person saw, or was shown now, has said it.
            self.gate_delete(alias, part)?;
        }
        let prelude = self.prelude(&work, removed, account.as_ref()).await?;
        let (applied, retained) = if removed.plugin.terraform.is_some() {
            self.destroy_module(alias, planned, journal).await?
        } else {
            (self.begin_removal(alias, removed, journal).await?, Vec::new())
        };
        if applied.problems.any_error() {
            return Ok((applied, retained));
        }
        let Applied { record, changes, resources, .. } = applied;
        if part.delete.is_empty() {
            self.add_note(format!("`{alias}` has no delete steps: what its create steps made is left as it is"));
            return Ok((Applied { record, changes, resources, problems: Problems::default() }, retained));
        }
        let Ran { record, problems, .. } = self.run_steps(&work, (&prelude.handed, &prelude.left), record, journal).await?;
        if problems.any_error() {
            self.degrade(alias, &journal.run());
        }
        Ok((Applied { record, changes, resources, problems }, retained))
    }

    /// Notes that a plugin without a module is about to be taken away.
    async fn begin_removal(&self, alias: &Alias, removed: &Removed, journal: &Journal) -> Result<Applied, Problems> {
        let fingerprint = removed.record.attempted.fingerprint.clone();
        let attempted = Attempt { run: journal.run(), fingerprint };
        let record = AppliedRecord { attempted, ..removed.record.clone() };
        journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
        journal.secure_attempt(alias).await?;
        Ok(Applied { record, changes: ChangeCounts::default(), resources: Vec::new(), problems: Problems::default() })
    }

    /// Delete steps take away like a plan that deletes: they need the same leave (R27).
    pub(in crate::engine) fn gate_delete(&self, alias: &Alias, part: &StepsPart) -> Result<(), Problems> {
        if part.delete.is_empty() || self.may_destroy() {
            return Ok(());
        }
        let count = part.delete.len();
        let steps = if count == 1 { "1 delete step".to_owned() } else { format!("{count} delete steps") };
        let message = format!("taking `{alias}` away runs {steps}");
        let problem = Diagnostic::error(FailureReason::NeedsApproval, message).at(&self.deployment.file, self.pointer(alias));
        Err(problem.help(self.leave_to_lose()).into())
    }

    /// All that delete steps are handed.
    async fn prelude(&self, work: &Work<'_>, removed: &Removed, account: Option<&Account>) -> Result<Prelude, Problems> {
        let problems = self.not_to_be_had(work, removed);
        if problems.any_error() {
            return Err(problems);
        }
        let steps = needed(work.part, &removed.record);
        let handed = self.handed_to_steps(&steps, &sources_to_delete(work.alias, removed, account)).await?;
        let left = self.recorded_left(work.alias, &steps, &removed.record)?;
        Ok(Prelude { handed, left })
    }

    /// What delete steps need and nothing here has any more, as far as that can be told without asking anybody (R32).
    fn not_to_be_had(&self, work: &Work<'_>, removed: &Removed) -> Problems {
        let alias = work.alias;
        let steps = needed(work.part, &removed.record);
        let mut problems = Problems::default();
        if !work.part.delete.is_empty() {
            problems.extend(self.step_runner(alias, work.part).err().unwrap_or_default());
        }
        let missing = self.missing_inputs(alias, &steps, &removed.record.sensitive_inputs);
        if !missing.is_empty() {
            let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("the delete steps of `{alias}` need the sensitive {}", list.join(", "));
            problems.push(
                Diagnostic::error(FailureReason::InvalidInput, message)
                    .at(&self.deployment.file, self.pointer(alias))
                    .note("nothing recorded has it: what is secret is given anew to every run")
                    .help(format!("give it as `secrets`: {}", supply(&missing))),
            );
        }
        problems.extend(self.recorded_left(alias, &steps, &removed.record).err().unwrap_or_default());
        problems
    }

    /// What would keep delete steps of all that goes from running: looked at before anything goes.
    pub(in crate::engine) fn not_to_delete(&self) -> Problems {
        let mut problems = Problems::default();
        for (alias, removed) in self.removed.iter().filter(|(alias, _)| self.is_ours(alias) && self.abandoned(alias).is_none()) {
            if let Some(part) = &removed.plugin.steps {
                problems.extend(self.not_to_be_had(&Work { alias, part, direction: Direction::Delete }, removed));
            }
        }
        problems
    }

    /// What create steps left that these steps take, opened.
    fn recorded_left(&self, alias: &Alias, steps: &[Step], record: &AppliedRecord) -> Result<Left, Problems> {
        let mut left = Left::new();
        let mut problems = Problems::default();
        for from in steps.iter().flat_map(|step| &step.inputs).filter_map(|input| input.value_from_step.as_ref()) {
            let Some(recorded) = record.steps.get(&from.name).and_then(|step| step.outputs.get(&from.output)) else { continue };
            let text = match recorded {
                RecordedOutput::Plain { text } => Ok(StepText::Plain(text.clone())),
                RecordedOutput::Sealed { sealed, .. } => match self.supplied_for(alias, from.name.as_str(), &from.output) {
                    Some(secret) => Ok(StepText::Secret(secret.clone())),
                    None => self.open(sealed).map(StepText::Secret),
                },
            };
            match text {
                Ok(text) => _ = left.entry(from.name.clone()).or_default().insert(from.output.clone(), text),
                Err(why) => problems.extend(self.unopened(alias, &format!("{alias}.{}.{}", from.name, from.output), &why)),
            }
        }
        if problems.any_error() { Err(problems) } else { Ok(left) }
    }
}

/// The delete steps that something is there for: those whose input no create step ever left are not started (R61).
fn needed(part: &StepsPart, record: &AppliedRecord) -> Vec<Step> {
    let is_there = |step: &Step| {
        step.inputs.iter().filter_map(|input| input.value_from_step.as_ref()).all(|from| {
            let is_recorded = record.steps.get(&from.name).is_some_and(|step| step.outputs.contains_key(&from.output));
            is_recorded || part.delete.iter().any(|step| step.name == from.name)
        })
    };
    part.delete.iter().filter(|step| is_there(step)).cloned().collect()
}

/// What delete steps are handed, as it was recorded.
fn sources_to_delete<'a>(alias: &'a Alias, removed: &'a Removed, account: Option<&'a Account>) -> Sources<'a> {
    let (mut slots, mut handles) = (BTreeMap::new(), BTreeMap::new());
    for (slot, binding) in &removed.record.bindings {
        slots.insert(slot.clone(), really_bound(removed, slot, binding));
        handles.insert(slot.clone(), removed.handles.get(&binding.address).cloned().unwrap_or_default());
    }
    let (inputs, sensitive_inputs) = (removed.record.inputs.clone(), removed.record.sensitive_inputs.clone());
    Sources { alias, inputs, sensitive_inputs, slots, handles, account }
}
