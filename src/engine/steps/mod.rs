//! Plugins that are scripts, or have some: their steps as part of a task. Create steps come before Terraform, delete steps after it.
//!
//! What a step leaves is recorded as soon as it is there, in the claim's journal (R60): a step has no state of its own, so what was
//! made could not be taken away again otherwise. Secrets among it are sealed first.

mod check;
mod deploying;
mod handed;
mod made;
mod opening;
mod planning;
mod reading;
mod recorder;
mod removing;
mod running;

use std::borrow::Cow;

use super::Engine;
use crate::domain::deployment::ResolvedPlugin;
use crate::domain::names::Alias;
use crate::domain::step::StepsPart;

pub use check::{check_steps, unopenable};
pub(super) use made::Made;
pub(super) use planning::PlannedSteps;

impl Engine {
    /// The create steps of an applied plugin, if it has scripts.
    pub(super) fn create_part(&self, alias: &Alias) -> Option<Cow<'_, StepsPart>> {
        effective(self.deployment.plugins.get(alias)?)
    }
}

/// A plugin's steps; what is published as a secret is a secret, whether the step says so or not.
fn effective(plugin: &ResolvedPlugin) -> Option<Cow<'_, StepsPart>> {
    let part = plugin.plugin.steps.as_ref()?;
    let faces = plugin.outputs.values().flatten();
    let secret: Vec<(&str, &str)> = faces
        .flat_map(|face| {
            let sensitive = face.connection_type.sensitive();
            face.from.iter().filter(move |(attribute, _)| sensitive.contains(*attribute)).map(|(_, from)| from)
        })
        .filter_map(|from| from.split_once('.'))
        .collect();
    let is_unmarked = |step: &str, output: &str| part.output(step, output).is_some_and(|output| !output.sensitive);
    if !secret.iter().any(|(step, output)| is_unmarked(step, output)) {
        return Some(Cow::Borrowed(part));
    }
    let mut part = part.clone();
    for step in &mut part.create {
        for output in &mut step.outputs {
            output.sensitive |= secret.contains(&(step.name.as_str(), output.name.as_str()));
        }
    }
    Some(Cow::Owned(part))
}
