//! The variables that every step has (R63).

use std::collections::BTreeMap;

use super::text::StepText;
use crate::domain::address::Place;
use crate::domain::names::{Alias, Digest, RunId, StepName};

/// Where a workflow runs: what the documented variables say.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The deployable's instance.
    pub place: Place,
    /// The applied plugin.
    pub alias: Alias,
    /// The run.
    pub run: RunId,
}

impl Surroundings {
    /// A key that no other deployable's instance has: what scripts make names of. It starts with a letter, since such names may
    /// have to.
    ///
    /// The deployable counts: two with an applied plugin of one alias in one environment would otherwise make, and remove, the
    /// same things.
    pub fn key(&self) -> String {
        let digest = Digest::of(self.place.to_string().as_bytes());
        format!("k{}", digest.short())
    }

    /// The variables of a step.
    pub(super) fn variables(&self, step: &StepName) -> BTreeMap<String, StepText> {
        let place = &self.place;
        let variables = [
            ("SIGNADOT_SANDBOX_NAME", place.environment.to_string()),
            ("SIGNADOT_SANDBOX_ROUTING_KEY", self.key()),
            ("SIGNADOT_SANDBOX_ID", self.key()),
            ("SIGNADOT_RESOURCE_NAME", self.alias.to_string()),
            ("TIELINE_WORKSPACE", place.workspace.to_string()),
            ("TIELINE_ENVIRONMENT", place.environment.to_string()),
            ("TIELINE_DEPLOYABLE", place.deployable.to_string()),
            ("TIELINE_ALIAS", self.alias.to_string()),
            ("TIELINE_RUN_ID", self.run.to_string()),
            ("TIELINE_STEP", step.to_string()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), StepText::Plain(value))).collect()
    }
}
