//! What a workflow of steps is handed: the plugin's inputs, and attributes of connections. A secret is had at the moment that the
//! workflow starts (R18).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::reading::Reader;
use crate::domain::account::Account;
use crate::domain::address::AliasMember;
use crate::domain::connection::Handle;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, InputName, SlotName};
use crate::domain::step::{Step, StepInput, StepTarget};
use crate::engine::Engine;
use crate::engine::bind::Handles;
use crate::engine::root::Given;
use crate::engine::steps::opening::learn;
use crate::render::names::attribute_variable;
use crate::render::{BoundSlot, SensitiveSource};
use crate::secrets::Secret;
use crate::steps::StepText;

/// What there is to hand over, before any secret is had.
pub(super) struct Sources<'a> {
    pub(super) alias: &'a Alias,
    /// The public inputs.
    pub(super) inputs: BTreeMap<InputName, Value>,
    /// The sensitive ones.
    pub(super) sensitive_inputs: BTreeSet<InputName>,
    /// What the slots are bound to.
    pub(super) slots: BTreeMap<SlotName, BoundSlot>,
    /// How sensitive attributes of it are reached.
    pub(super) handles: BTreeMap<SlotName, Handles>,
    /// The account in which states are read.
    pub(super) account: Option<&'a Account>,
}

/// What a workflow is handed.
#[derive(Default)]
pub(super) struct Handed {
    pub(super) inputs: BTreeMap<InputName, StepText>,
    /// By `slot.attribute`, and by `slot` where all of it is taken.
    pub(super) connections: BTreeMap<String, StepText>,
}

impl Engine {
    /// Gathers what these steps are handed; with it, states are read.
    ///
    /// # Errors
    /// When a value does not fit where it is to go, or a secret cannot be had.
    pub(super) async fn handed_to_steps(&self, steps: &[Step], sources: &Sources<'_>) -> Result<Handed, Problems> {
        let unfit = self.unfit(steps, sources);
        if unfit.any_error() {
            return Err(unfit);
        }
        let mut handed = Handed::default();
        for (name, value) in &sources.inputs {
            handed.inputs.extend(text_of(value).map(|text| (name.clone(), StepText::Plain(text))));
        }
        for name in &sources.sensitive_inputs {
            let member = AliasMember { alias: sources.alias.clone(), member: name.clone() };
            handed.inputs.extend(self.secrets.get(&member).map(|secret| (name.clone(), StepText::Secret(secret.clone()))));
        }
        let mut reader = Reader::new(self, sources.alias, sources.account);
        for (slot, attribute) in attributes(steps) {
            let text = match sources.public(slot, attribute) {
                Some(value) => text_of(value).map(StepText::Plain),
                None => self.secret_attribute(sources, (slot, attribute), &mut reader).await?.map(StepText::Secret),
            };
            handed.connections.extend(text.map(|text| (format!("{slot}.{attribute}"), text)));
        }
        for slot in steps.iter().flat_map(|step| &step.inputs).filter_map(StepInput::whole_connection).collect::<BTreeSet<_>>() {
            let whole = self.whole_connection(sources, slot, &mut reader).await?;
            handed.connections.extend(whole.map(|whole| (slot.to_owned(), StepText::Secret(whole))));
        }
        Ok(handed)
    }

    /// A connection with all its attributes, as JSON; none where the slot is not bound.
    async fn whole_connection(
        &self,
        sources: &Sources<'_>,
        slot: &str,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Secret>, Problems> {
        let Some(bound) = sources.slots.get(slot) else { return Ok(None) };
        let mut whole: serde_json::Map<String, Value> =
            bound.attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        for (attribute, source) in &bound.sensitive {
            let named = format!("{}.{slot}.{attribute}", sources.alias);
            let value = match self.supplied_for(sources.alias, slot, attribute.as_str()) {
                Some(secret) => Value::from(secret.expose()),
                None => self.value_of(sources, slot, (source, attribute.as_str()), &named, reader).await?,
            };
            text_of(&value).map(Secret::new).iter().for_each(|secret| learn(&self.learn, secret));
            whole.insert(attribute.to_string(), value);
        }
        Ok(Some(Secret::new(Value::Object(whole).to_string())))
    }

    /// A sensitive attribute: what a person supplies, what is sealed, what a state or a variable of the run holds.
    async fn secret_attribute(
        &self,
        sources: &Sources<'_>,
        (slot, attribute): (&str, &str),
        reader: &mut Reader<'_>,
    ) -> Result<Option<Secret>, Problems> {
        let alias = sources.alias;
        if let Some(secret) = self.supplied_for(alias, slot, attribute) {
            return Ok(Some(secret.clone()));
        }
        let named = format!("{alias}.{slot}.{attribute}");
        let Some(source) = sources.slots.get(slot).and_then(|bound| bound.sensitive.get(attribute)) else { return Ok(None) };
        let value = self.value_of(sources, slot, (source, attribute), &named, reader).await?;
        let secret = text_of(&value).map(Secret::new);
        if let Some(secret) = &secret {
            learn(&self.learn, secret);
        }
        Ok(secret)
    }

    /// The value that is there, or that a mapping makes of what is there.
    fn value_of<'f>(
        &'f self,
        sources: &'f Sources<'_>,
        slot: &'f str,
        (source, attribute): (&'f SensitiveSource, &'f str),
        named: &'f str,
        reader: &'f mut Reader<'_>,
    ) -> BoxFuture<'f, Result<Value, Problems>> {
        Box::pin(async move {
            match source {
                SensitiveSource::Plain(value) => Ok(value.clone()),
                SensitiveSource::Variable(name) => match sources.sealed(slot, name) {
                    Some(Handle::Sealed { sealed, kind, .. }) => {
                        let secret = self.open(sealed).map_err(|why| self.unopened(sources.alias, named, &why))?;
                        Ok(Given::new(secret, *kind).value())
                    }
                    _ => self.environment_value(sources.alias, name),
                },
                SensitiveSource::Part { of, attribute, inside } => {
                    let whole = self.value_of(sources, slot, (of, attribute.as_str()), named, reader).await?;
                    let part = inside.iter().try_fold(&whole, |value, name| value.get(name.as_str()));
                    Ok(part.cloned().unwrap_or_default())
                }
                SensitiveSource::Object(entries) => {
                    let mut object = serde_json::Map::new();
                    for (name, source) in entries {
                        let value = self.value_of(sources, slot, (source, attribute), named, reader).await?;
                        object.insert(name.to_string(), value);
                    }
                    Ok(Value::Object(object))
                }
                source => reader.read(source, attribute, named).await,
            }
        })
    }

    /// What is wrong with what these steps are handed, as far as it is known without any secret: a value with parts fits a file, but no
    /// variable (R14).
    pub(super) fn unfit(&self, steps: &[Step], sources: &Sources<'_>) -> Problems {
        let parts = |value: Option<&Value>| value.is_some_and(|value| value.is_array() || value.is_object());
        let mut problems = Problems::default();
        for step in steps {
            for (input, variable) in step.inputs.iter().filter_map(variable) {
                let value = match input.connection() {
                    Some((slot, attribute)) => sources.public(slot, attribute),
                    None if input.value_from_input => sources.inputs.get(input.name.as_str()),
                    None => None,
                };
                if parts(value) {
                    let message = format!(
                        "step `{}` of `{}` takes `{}` as the variable `{variable}`, and its value has parts",
                        step.name, sources.alias, input.name
                    );
                    let problem = Diagnostic::error(FailureReason::InvalidDocument, message)
                        .at(&self.deployment.file, self.pointer(sources.alias));
                    problems.push(
                        problem.help("a variable holds a text, a number or a truth value: take it as a file, with `as: {path}`"),
                    );
                }
            }
        }
        problems
    }

    /// The sensitive inputs that these steps take, and that have no value.
    pub(super) fn missing_inputs(&self, alias: &Alias, steps: &[Step], sensitive: &BTreeSet<InputName>) -> Vec<String> {
        let inputs = steps.iter().flat_map(|step| &step.inputs).filter(|input| input.value_from_input);
        let taken: BTreeSet<&str> = inputs.map(|input| input.name.as_str()).collect();
        let members = sensitive.iter().filter(|input| taken.contains(input.as_str()));
        let members = members.map(|input| AliasMember { alias: alias.clone(), member: input.clone() });
        members.filter(|member| !self.secrets.contains_key(member)).map(|member| member.to_string()).collect()
    }

    fn environment_value(&self, alias: &Alias, variable: &str) -> Result<Value, Problems> {
        let name = variable.strip_prefix(crate::engine::bind::FROM_ENVIRONMENT).unwrap_or(variable);
        if let Some(value) = self.world.variables.get(name) {
            return Ok(Value::from(value));
        }
        let message = format!("`{alias}` needs the environment variable `{name}`, which an imported connection names");
        Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&self.deployment.file, self.pointer(alias))
            .help("set the variable for the run, in a workflow by `env:` of the step")
            .into())
    }
}

impl Sources<'_> {
    /// The handle that this root variable stands for.
    fn sealed(&self, slot: &str, variable: &str) -> Option<&Handle> {
        let (slot, handles) = self.handles.get_key_value(slot)?;
        handles.iter().find(|(name, _)| attribute_variable(slot, name) == variable).map(|(_, handle)| handle)
    }

    fn public(&self, slot: &str, attribute: &str) -> Option<&Value> {
        self.slots.get(slot)?.attributes.get(attribute)
    }
}

/// The attributes of connections that steps take.
pub(super) fn attributes(steps: &[Step]) -> BTreeSet<(&str, &str)> {
    steps.iter().flat_map(|step| &step.inputs).filter_map(StepInput::connection).collect()
}

/// The input with the variable that it goes to, if it does.
fn variable(input: &StepInput) -> Option<(&StepInput, &String)> {
    let StepTarget { env, .. } = &input.target;
    Some((input, env.as_ref()?))
}

/// A value as steps see it: a text as it is, other scalars as their text, what has parts as compact JSON; none for no value.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
