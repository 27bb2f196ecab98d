//! What create steps left, as others of the task are handed it: the plugin's module, and its delete steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::{Alias, AttributeName, SlotName, StepName};
use crate::domain::plugin::{Plugin, VariableSource};
use crate::domain::step_record::{RecordedOutput, StepRecord};
use crate::engine::Engine;
use crate::engine::root::Given;
use crate::render::{StepValue, names};
use crate::secrets::Secret;
use crate::steps::{Left, StepText};

/// What a module is handed of what create steps left.
#[derive(Default)]
pub(in crate::engine) struct Made {
    /// By `step.output`.
    pub(in crate::engine) values: BTreeMap<String, StepValue>,
    /// The secrets among it, by root variable.
    pub(in crate::engine) given: BTreeMap<String, Given>,
    /// What it takes, and what is not there or cannot be opened.
    pub(in crate::engine) missing: BTreeSet<String>,
}

impl Made {
    /// What the module takes, where `left` says what there is.
    fn of(plugin: &Plugin, left: impl Fn(&str, &str) -> Option<StepText>) -> Self {
        let mut made = Self::default();
        for (step, name, written) in taken(plugin) {
            let kind = plugin.step_output(written).and_then(|output| output.kind);
            match left(step, name) {
                Some(StepText::Secret(secret)) => {
                    let variable = names::step_variable(written);
                    made.given.insert(variable.clone(), Given::new(secret, kind));
                    made.values.insert(written.to_owned(), StepValue::Variable(variable));
                }
                Some(StepText::Plain(text)) => match kind.unwrap_or_default().read(&text) {
                    Ok(value) => _ = made.values.insert(written.to_owned(), StepValue::Plain(value)),
                    Err(_) => _ = made.missing.insert(written.to_owned()),
                },
                None => _ = made.missing.insert(written.to_owned()),
            }
        }
        made
    }

    /// What the module takes of what steps have just left.
    pub(super) fn just_now(plugin: &Plugin, left: &Left) -> Self {
        Self::of(plugin, |step, output| left.get(step)?.get(output).cloned())
    }
}

/// What the plugin's module takes of what its create steps leave: step, output, and both as they are written.
fn taken(plugin: &Plugin) -> impl Iterator<Item = (&str, &str, &str)> {
    plugin.variables().filter_map(|(_, source)| match source {
        VariableSource::Step(written) => {
            let (step, output) = written.split_once('.')?;
            Some((step, output, written.as_str()))
        }
        VariableSource::Input(_) | VariableSource::Connection(_) => None,
    })
}

impl Engine {
    /// What the module takes of what was recorded.
    pub(in crate::engine) fn made(&self, alias: &Alias, plugin: &Plugin, recorded: &BTreeMap<StepName, StepRecord>) -> Made {
        Made::of(plugin, |step, output| match recorded.get(step)?.outputs.get(output)? {
            RecordedOutput::Plain { text } => Some(StepText::Plain(text.clone())),
            RecordedOutput::Sealed { sealed, .. } => {
                let supplied = self.supplied_for(alias, step, output).cloned();
                supplied.or_else(|| self.open(sealed).ok()).map(StepText::Secret)
            }
        })
    }

    /// What the module of an applied plugin takes of what its create steps left at the last apply.
    pub(in crate::engine) fn made_before(&self, alias: &Alias) -> Made {
        let plugin = &self.deployment.plugins[alias].plugin;
        self.made(alias, plugin, &self.left_before(alias))
    }

    /// What the create steps of an applied plugin left before; nothing where it has none any more.
    pub(in crate::engine) fn left_before(&self, alias: &Alias) -> BTreeMap<StepName, StepRecord> {
        let has_steps = self.deployment.plugins.get(alias).is_some_and(|plugin| plugin.plugin.steps.is_some());
        let before = self.own.applied.get(alias).filter(|_| has_steps);
        before.map(|before| before.steps.clone()).unwrap_or_default()
    }

    /// A secret that a person supplies for a destroy, as `alias.slot.attribute` or `alias.step.output`.
    pub(super) fn supplied_for(&self, alias: &Alias, owner: &str, name: &str) -> Option<&Secret> {
        let (owner, name) = (SlotName::new(owner).ok()?, AttributeName::new(name).ok()?);
        self.attributes.get(&(alias.clone(), owner, name))
    }
}
