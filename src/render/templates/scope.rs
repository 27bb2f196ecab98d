//! What templates see.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use serde_json::Value as Json;

use super::conditions;
use super::table::{Secret, has_token};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Templates;
use crate::domain::names::{Alias, AttributeName, InputName, SlotName};
use crate::render::{BoundSlot, names};

/// What a plugin is applied with.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Its public inputs.
    pub inputs: &'a BTreeMap<InputName, Json>,
    /// Its sensitive inputs that have a value.
    pub sensitive_inputs: &'a BTreeSet<InputName>,
    /// Its slots; optional ones that are not wired are absent.
    pub slots: &'a BTreeMap<SlotName, BoundSlot>,
    /// The deployable in its environment.
    pub place: &'a Place,
    /// The applied plugin.
    pub alias: &'a Alias,
}

/// Where a sensitive variable of a rendered module gets its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// A sensitive input.
    Input(InputName),
    /// A sensitive attribute of what is bound to a slot.
    Attribute(SlotName, AttributeName),
}

/// The variables of all templates of a plugin.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Those at top level.
    pub(super) top: BTreeMap<String, Value>,
    /// Sensitive values: the module's variable, and where it comes from.
    pub(super) secrets: Vec<(String, VariableSource)>,
    computed: BTreeMap<String, Value>,
    global_computed: BTreeMap<String, Value>,
}

impl Variables {
    /// Those that are known before anything is computed.
    pub(super) fn of(templates: &Templates, scope: &Scope<'_>) -> Result<Self, Problems> {
        let answers = conditions::answers(templates, scope.inputs, scope.sensitive_inputs);
        let Scope { sensitive_inputs, slots, place, alias, .. } = *scope;
        let scope = &Scope { inputs: &answers, sensitive_inputs, slots, place, alias };
        let absent = conditions::absent(templates, scope.inputs, scope.sensitive_inputs)?;
        let mut variables = Self::default();
        let mut problems = Problems::default();
        let mut inputs = BTreeMap::new();
        for (name, value) in [
            ("stk_env", scope.place.environment.as_str()),
            ("environment", scope.place.environment.as_str()),
            ("stk_env_id", scope.place.environment.as_str()),
            ("workspace", scope.place.workspace.as_str()),
            ("stk_wks_id", scope.place.workspace.as_str()),
            ("component_path", "."),
        ] {
            inputs.insert(name.to_owned(), Value::from(value));
        }
        for (name, value) in scope.inputs.iter().filter(|(name, _)| !absent.contains(*name)) {
            match public(value) {
                Some(value) => _ = inputs.insert(name.to_string(), value),
                None => problems.push(unusable(&format!("the input `{name}`"))),
            }
        }
        for name in scope.sensitive_inputs.iter().filter(|name| !absent.contains(*name)) {
            let secret = variables.secret(names::input_variable(name), VariableSource::Input(name.clone()));
            inputs.insert(name.to_string(), secret);
        }
        let connections = variables.connections(templates, scope, &mut problems);
        if problems.any_error() {
            return Err(problems);
        }
        let mut globals: BTreeMap<String, Value> = given(scope, "global_inputs");
        globals.extend(templates.global.iter().filter_map(|name| {
            let name = name.to_string();
            inputs.get(&name).cloned().map(|value| (name, value))
        }));
        variables.global_computed = given(scope, "global_computed_inputs");
        variables.top.clone_from(&inputs);
        variables.top.insert("inputs".to_owned(), Value::from_pairs(inputs));
        variables.top.insert("global_inputs".to_owned(), Value::from_pairs(globals));
        variables.top.insert("connections".to_owned(), connections);
        variables.show_computed();
        Ok(variables)
    }

    fn secret(&mut self, variable: String, source: VariableSource) -> Value {
        self.secrets.push((variable, source));
        Value::from_object(Secret(self.secrets.len() - 1))
    }

    fn connections(&mut self, templates: &Templates, scope: &Scope<'_>, problems: &mut Problems) -> Value {
        let mut connections: BTreeMap<String, Value> = BTreeMap::new();
        for (slot, bound) in scope.slots {
            let mut attributes: BTreeMap<String, Value> = BTreeMap::new();
            for (name, value) in &bound.attributes {
                match public(value) {
                    Some(value) => _ = attributes.insert(name.to_string(), value),
                    None => problems.push(unusable(&format!("the attribute `{slot}.{name}`"))),
                }
            }
            for name in bound.sensitive.keys() {
                let source = VariableSource::Attribute(slot.clone(), name.clone());
                attributes.insert(name.to_string(), self.secret(names::attribute_variable(slot, name), source));
            }
            let attributes = Value::from_pairs(attributes);
            for (alias, _) in templates.aliases.iter().filter(|(_, named)| *named == slot) {
                connections.insert(alias.clone(), attributes.clone());
            }
            connections.entry(slot.to_string()).or_insert(attributes);
        }
        Value::from_pairs(connections)
    }

    /// Adds what was computed: it stands before an input of its name.
    pub(super) fn compute(&mut self, name: &str, value: String, global: bool) {
        let value = Value::from(value);
        self.top.insert(name.to_owned(), value.clone());
        if global { &mut self.global_computed } else { &mut self.computed }.insert(name.to_owned(), value);
        self.show_computed();
    }

    fn show_computed(&mut self) {
        let computed = |values: &BTreeMap<String, Value>| Value::from_pairs(values.clone());
        self.top.insert("computed_inputs".to_owned(), computed(&self.computed));
        self.top.insert("global_computed_inputs".to_owned(), computed(&self.global_computed));
    }

    /// As templates are handed them.
    pub(super) fn context(&self) -> Value {
        Value::from_pairs(self.top.clone())
    }
}

/// The entries of an input that is a mapping.
fn given(scope: &Scope<'_>, name: &str) -> BTreeMap<String, Value> {
    match scope.inputs.get(name) {
        Some(Json::Object(entries)) => {
            entries.iter().filter_map(|(name, value)| public(value).map(|value| (name.clone(), value))).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// A value for templates; none where it has characters that only this program writes.
fn public(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64()?),
        },
        Json::String(text) if has_token(text) => return None,
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(public).collect::<Option<Vec<_>>>()?),
        Json::Object(entries) if entries.keys().any(|key| has_token(key)) => return None,
        Json::Object(entries) => Value::from_pairs(
            entries.iter().map(|(key, value)| Some((key.as_str(), public(value)?))).collect::<Option<Vec<_>>>()?,
        ),
    })
}

fn unusable(what: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("{what} has characters of a private area (U+F8F0 to U+F8F2)"))
        .help("take these characters out: they mean nothing to anybody else")
}
