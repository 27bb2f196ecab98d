//! Secrets that a destroy or a look for drift wants and nobody has any more: the producer's state is gone, or a sensitive input is not given. Something
//! stands in for them, as long as no provider takes it (R32).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::event::Event;
use super::root::{Given, Supplied};
use super::steps::Made;
use super::{Engine, Removed, bind};
use crate::domain::address::AliasMember;
use crate::domain::connection::{Binding, Handle};
use crate::domain::deployment::Secrets;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::Reference;
use crate::domain::names::{Alias, AttributeName, InputName, SlotName};
use crate::policy;
use crate::render::{self, Argument, BoundSlot, SensitiveSource, StepValue, placeholder};
use crate::terraform::{self, PlanMode, Root};

/// What the root module of something removed is handed.
#[derive(Default)]
pub(super) struct Handed {
    /// Its slots.
    pub(super) slots: BTreeMap<SlotName, BoundSlot>,
    /// What is supplied for it.
    pub(super) supplied: Supplied,
    /// The attributes that something stands in for.
    attributes: BTreeSet<(SlotName, AttributeName)>,
    /// The inputs that something stands in for.
    inputs: BTreeSet<InputName>,
    /// What its create steps left, for its module.
    pub(super) made: BTreeMap<String, StepValue>,
    /// What they left that something stands in for, by `step.output`.
    outputs: BTreeSet<String>,
}

impl Handed {
    /// The real values, wherever they are.
    pub(super) fn real(removed: &Removed) -> Self {
        let slots = removed.record.bindings.iter().map(|(slot, binding)| (slot.clone(), really_bound(removed, slot, binding)));
        Self { slots: slots.collect(), ..Self::default() }
    }

    /// Whether nothing stands in for a secret.
    pub(super) fn is_real(&self) -> bool {
        self.attributes.is_empty() && self.inputs.is_empty() && self.outputs.is_empty()
    }

    /// The secrets that something stands in for, as a person names them.
    fn names(&self, alias: &Alias) -> Vec<String> {
        let attributes = self.attributes.iter().map(|(slot, attribute)| format!("{alias}.{slot}.{attribute}"));
        let inputs = self.inputs.iter().map(|input| format!("{alias}.{input}"));
        attributes.chain(inputs).chain(self.outputs.iter().map(|output| format!("{alias}.{output}"))).collect()
    }

    /// The secrets that something stands in for and that reach one of these ways into a variable.
    fn at(&self, alias: &Alias, argument: &Argument, ways: &[&[String]]) -> Vec<String> {
        match argument {
            Argument::Input(input) if self.inputs.contains(input) => vec![format!("{alias}.{input}")],
            Argument::Step(output) if self.outputs.contains(output) => vec![format!("{alias}.{output}")],
            Argument::Attribute(slot, attribute) if self.attributes.contains(&(slot.clone(), attribute.clone())) => {
                vec![format!("{alias}.{slot}.{attribute}")]
            }
            Argument::Slot(slot) => {
                let of_slot = self.attributes.iter().filter(|(of, _)| of == slot).map(|(_, attribute)| attribute);
                let takes = |attribute: &AttributeName| {
                    ways.iter().any(|way| way.first().is_none_or(|first| first == attribute.as_str()))
                };
                of_slot.filter(|attribute| takes(attribute)).map(|attribute| format!("{alias}.{slot}.{attribute}")).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Engine {
    /// What something removed is handed: what a person supplies, then the real values, then what stands in for those that are known
    /// to be out of reach, which is `gone`, the data sources whose states are.
    pub(super) fn handed(&self, alias: &Alias, removed: &Removed, gone: &BTreeSet<String>) -> Result<Handed, Problems> {
        let mut handed = Handed::real(removed);
        for (slot, binding) in &removed.record.bindings {
            let mut bound = really_bound(removed, slot, binding);
            for attribute in &binding.sensitive {
                if let Some(secret) = self.attributes.get(&(alias.clone(), slot.clone(), attribute.clone())) {
                    let variable = render::names::attribute_variable(slot, attribute);
                    handed.supplied.given.insert(variable.clone(), Given::new(secret.clone(), None));
                    bound.sensitive.insert(attribute.clone(), SensitiveSource::Variable(variable));
                    continue;
                }
                let sealed: Vec<&AttributeName> =
                    binding.parts_of(attribute).into_iter().filter(|part| removed.is_sealed(binding, part)).collect();
                let opened: Option<Vec<(&AttributeName, Given)>> =
                    sealed.iter().map(|part| Some((*part, self.opened_for(removed, binding, part)?))).collect();
                for (part, given) in opened.iter().flatten() {
                    handed.supplied.given.insert(render::names::attribute_variable(slot, part), given.clone());
                }
                if opened.is_none() || self.is_out_of_reach(bound.sensitive.get(attribute), gone)? {
                    let schema =
                        removed.schemas.get(slot).map_or(&Value::Null, |schema| &schema["properties"][attribute.as_str()]);
                    bound.sensitive.insert(attribute.clone(), SensitiveSource::Placeholder(placeholder(schema)));
                    handed.attributes.insert((slot.clone(), attribute.clone()));
                }
            }
            handed.slots.insert(slot.clone(), bound);
        }
        for input in &removed.record.sensitive_inputs {
            if !self.secrets.contains_key(&AliasMember { alias: alias.clone(), member: input.clone() }) {
                let schema = &removed.plugin.inputs["properties"][input.as_str()];
                handed.supplied.placeholders.insert(render::names::input_variable(input), placeholder(schema));
                handed.inputs.insert(input.clone());
            }
        }
        self.hand_over_made(alias, removed, &mut handed);
        Ok(handed)
    }

    /// What something recorded is handed where nothing may stand in for a secret.
    ///
    /// # Errors
    /// When something that is sealed cannot be opened.
    pub(super) fn really_handed(&self, alias: &Alias, removed: &Removed) -> Result<Handed, Problems> {
        let mut handed = Handed::real(removed);
        for (slot, binding) in &removed.record.bindings {
            for attribute in binding.own_sensitive().into_iter().filter(|attribute| removed.is_sealed(binding, attribute)) {
                let given = self.opened_for(removed, binding, attribute);
                let given = given.ok_or_else(|| self.sealed_for_good(alias, &format!("{alias}.{slot}.{attribute}")))?;
                handed.supplied.given.insert(render::names::attribute_variable(slot, attribute), given);
            }
        }
        self.hand_over_made(alias, removed, &mut handed);
        match handed.outputs.first() {
            Some(output) => Err(self.sealed_for_good(alias, &format!("{alias}.{output}"))),
            None => Ok(handed),
        }
    }

    /// What create steps left for the module. What they did not come to, and what cannot be opened, has something standing in.
    fn hand_over_made(&self, alias: &Alias, removed: &Removed, handed: &mut Handed) {
        let Made { values, given, missing } = self.made(alias, &removed.plugin, &removed.record.steps);
        handed.made = values;
        handed.supplied.given.extend(given);
        for output in missing {
            let kind = removed.plugin.step_output(&output).and_then(|output| output.meaning().schema_type());
            let schema = kind.map_or(Value::Null, |kind| serde_json::json!({"type": kind}));
            handed.made.insert(output.clone(), StepValue::Plain(placeholder(&schema)));
            handed.outputs.insert(output);
        }
    }

    /// A sealed attribute, opened; none where it is not sealed, or nothing here opens it.
    fn opened_for(&self, removed: &Removed, binding: &Binding, attribute: &AttributeName) -> Option<Given> {
        let Handle::Sealed { sealed, kind, .. } = removed.handles.get(&binding.address)?.get(attribute)? else { return None };
        Some(Given::new(self.open(sealed).ok()?, *kind))
    }

    fn is_out_of_reach(&self, source: Option<&SensitiveSource>, gone: &BTreeSet<String>) -> Result<bool, Problems> {
        Ok(match source {
            None => true,
            Some(SensitiveSource::Variable(name)) => {
                let variable = name.strip_prefix(bind::FROM_ENVIRONMENT);
                variable.is_some_and(|variable| self.world.variables.get(variable).is_none())
            }
            Some(SensitiveSource::Part { of, .. }) => self.is_out_of_reach(Some(of), gone)?,
            Some(SensitiveSource::Object(entries)) => {
                for entry in entries.values() {
                    if self.is_out_of_reach(Some(entry), gone)? {
                        return Ok(true);
                    }
                }
                false
            }
            Some(source) => render::state_name(source, self.local_base.as_deref())?.is_some_and(|name| gone.contains(&name)),
        })
    }

    /// Refuses where a provider would be configured with something that only stands in for a secret: it would look for the resources
    /// in the wrong place, and might not find them. Else says what stands in.
    pub(super) fn check_placeholders(
        &self,
        alias: &Alias,
        (handed, mode): (&Handed, PlanMode),
        root: &Root,
    ) -> Result<(), Problems> {
        if handed.is_real() {
            return Ok(());
        }
        let (removed, names) = (&self.removed[alias], handed.names(alias));
        let modules = self.fetched(root)?.into_iter().map(|(fetched, module)| (fetched.key, module)).collect();
        let taken = policy::provider_variables(&modules, "plugin");
        let inputs = removed.plugin.input_names().into_iter().chain(removed.record.sensitive_inputs.iter().cloned()).collect();
        let wiring = render::wiring(&removed.plugin, removed.content.module(), &inputs)?;
        let needed: BTreeSet<String> = wiring
            .iter()
            .map(|(variable, argument)| (argument, ways_into(&taken, variable)))
            .filter(|(_, ways)| !ways.is_empty())
            .flat_map(|(argument, ways)| handed.at(alias, argument, &ways))
            .collect();
        if needed.is_empty() {
            self.tell_of_placeholders(alias, mode, &names);
            return Ok(());
        }
        let list: Vec<String> = needed.iter().map(|name| format!("`{name}`")).collect();
        let work = if mode == PlanMode::Destroy { "the destroy of" } else { "a look for drift at" };
        let message = format!("{work} `{alias}` needs the real {}, which is not there", list.join(", "));
        Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&self.deployment.file, self.pointer(alias))
            .note("a provider of the plugin is configured with it, so nothing can stand in for it")
            .help(format!("give it as `secrets`: {}", supply(&needed)))
            .into())
    }

    fn tell_of_placeholders(&self, alias: &Alias, mode: PlanMode, names: &[String]) {
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let done = if mode == PlanMode::Destroy { "destroyed" } else { "looked at" };
        let message =
            format!("`{alias}` is {done} with something that stands in for {}: the real value is not there", list.join(", "));
        self.emit(Event::Warning(Diagnostic::warning(FailureReason::InvalidInput, message.clone())));
        self.add_note(message);
    }
}

impl Removed {
    fn is_sealed(&self, binding: &Binding, attribute: &AttributeName) -> bool {
        let handle = self.handles.get(&binding.address).and_then(|handles| handles.get(attribute));
        matches!(handle, Some(Handle::Sealed { .. }))
    }
}

/// A recorded binding with where its secrets really are.
pub(super) fn really_bound(removed: &Removed, slot: &SlotName, binding: &Binding) -> BoundSlot {
    let face = removed.faces.get(&binding.address).copied().unwrap_or_default();
    let handles = removed.handles.get(&binding.address).cloned().unwrap_or_default();
    bind::rendered(slot, binding, face, (removed.secrets.get(&binding.address).unwrap_or(&Secrets::Unknown), &handles))
}

/// The ways into a variable that are taken.
fn ways_into<'a>(taken: &'a BTreeSet<Reference>, variable: &str) -> Vec<&'a [String]> {
    taken.iter().filter(|way| way.first().is_some_and(|first| first == variable)).map(|way| &way[1..]).collect()
}

/// The variable by which secrets are given that cannot be read any more.
pub(super) fn supply<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let entries: Vec<String> = names.into_iter().map(|name| format!("{name}: <value>")).collect();
    format!("`TIELINE_SECRETS='{{{}}}'`", entries.join(", "))
}

/// The data sources whose states, or whose outputs in them, a plan did not find.
pub(super) fn states_gone(failure: &terraform::Failure) -> BTreeSet<String> {
    const SOURCE: &str = "data.terraform_remote_state.";
    let name = |text: &str| -> Option<String> {
        let name = text.strip_prefix(SOURCE)?;
        Some(name.split(['.', '[']).next().unwrap_or(name).to_owned())
    };
    let mut gone = BTreeSet::new();
    for diagnostic in &failure.diagnostics {
        if diagnostic.summary == "Unable to find remote state" {
            gone.extend(diagnostic.address.as_deref().and_then(name));
        } else if matches!(diagnostic.summary.as_str(), "Invalid index" | "Unsupported attribute") {
            let values = diagnostic.snippet.iter().flat_map(|snippet| &snippet.values);
            gone.extend(values.filter_map(|(traversal, _)| name(traversal)));
        }
    }
    gone
}
