//! The plan of an applied plugin that has scripts: which of them would run, and what its module would change.

use serde_json::{Value, json};

use crate::domain::diagnostic::Problems;
use crate::domain::names::{Alias, StepName};
use crate::domain::step::{Step, StepsPart};
use crate::engine::Engine;
use crate::engine::prepare;

/// What a plan says of an applied plugin's create steps.
pub(in crate::engine) struct PlannedSteps {
    /// The steps that would run.
    pub(in crate::engine) steps: Vec<StepName>,
    /// What a person approves of them.
    pub(in crate::engine) essence: Value,
    /// Whether the module, if there is one, takes what is not there before they ran.
    pub(in crate::engine) module_waits: bool,
}

impl Engine {
    /// What its create steps would do; none where nothing it depends on changed (R24).
    pub(in crate::engine) fn planned_steps(&self, alias: &Alias, part: &StepsPart) -> Result<Option<PlannedSteps>, Problems> {
        if self.changed_basis(alias)?.is_none() {
            return Ok(None);
        }
        let unfit = self.unfit(&part.create, &self.sources_to_create(alias)?);
        if unfit.any_error() {
            return Err(unfit);
        }
        let plugin = &self.deployment.plugins[alias];
        let steps = names(&part.create);
        // Whose values nobody may see is told by name; public inputs and bindings are in every task's fingerprint.
        let sensitive = prepare::sensitive_inputs(plugin);
        let essence = json!({"plugin": plugin.source.digest, "steps": steps, "sensitive": sensitive});
        let module_waits = plugin.plugin.terraform.is_some() && !self.made_before(alias).missing.is_empty();
        Ok(Some(PlannedSteps { steps, essence, module_waits }))
    }

    /// The delete steps that would run for something removed.
    pub(in crate::engine) fn planned_delete(&self, alias: &Alias) -> Vec<StepName> {
        let part = self.removed[alias].plugin.steps.as_ref();
        part.map(|part| names(&part.delete)).unwrap_or_default()
    }
}

fn names(steps: &[Step]) -> Vec<StepName> {
    steps.iter().map(|step| step.name.clone()).collect()
}
