//! The Terraform states of producers, as the root module reads them, and the variables that carry other secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::backend::{Credential, credential, foreign_state_config, remote_state_config, take_role};
use super::names::{self, is_identifier, mapped_local, sensitive_output};
use super::{Request, SensitiveSource, StateRole, escape};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{AttributeName, Digest, SlotName};
use crate::domain::organization::Backend;

/// What is gathered while values are referred to.
pub(super) struct States<'a> {
    local_base: Option<&'a Path>,
    role: Option<StateRole<'a>>,
    data: Map<String, Value>,
    variables: BTreeSet<String>,
    locals: Map<String, Value>,
    /// Environment variable to each identity that it would have to hold a secret of, and who needs that one first.
    credentials: BTreeMap<&'static str, BTreeMap<Vec<String>, String>>,
}

impl<'a> States<'a> {
    pub(super) fn new(request: &Request<'a>) -> Self {
        let mut states = Self {
            local_base: request.local_base,
            role: request.state_role,
            data: Map::new(),
            variables: BTreeSet::new(),
            locals: Map::new(),
            credentials: BTreeMap::new(),
        };
        states.note_credential(&request.state.backend, format!("the state of `{}`", request.alias));
        states
    }

    /// The expression for a sensitive root variable, which is declared with it.
    pub(super) fn variable(&mut self, name: &str) -> Result<Value, Problems> {
        if !is_identifier(name) {
            return Err(not_a_name("variable", name));
        }
        self.variables.insert(name.to_owned());
        Ok(expression(&format!("var.{name}")))
    }

    /// The expression for a sensitive attribute of a slot's connection.
    pub(super) fn reference(
        &mut self,
        slot: &SlotName,
        attribute: &AttributeName,
        source: &SensitiveSource,
    ) -> Result<Value, Problems> {
        match source {
            SensitiveSource::Variable(name) => self.variable(name),
            SensitiveSource::Placeholder(value) => Ok(escape(value)),
            // A value of any shape is no expression; as a local value it can be marked as a whole all the same.
            SensitiveSource::Object(_) | SensitiveSource::Plain(_) => {
                let (local, value) = (mapped_local(slot, attribute), self.made(slot, attribute, source)?);
                self.locals.insert(local.clone(), value);
                Ok(expression(&format!("sensitive(local.{local})")))
            }
            SensitiveSource::Part { of, attribute, inside } => self.part(slot, attribute, of, inside),
            SensitiveSource::State { .. } | SensitiveSource::ForeignState { .. } => self.part(slot, attribute, source, &[]),
        }
    }

    /// What a mapping made, with an expression for each secret in it.
    fn made(&mut self, slot: &SlotName, attribute: &AttributeName, source: &SensitiveSource) -> Result<Value, Problems> {
        match source {
            SensitiveSource::Plain(value) => Ok(escape(value)),
            SensitiveSource::Object(entries) => {
                let entries = entries.iter().map(|(name, source)| Ok((name.to_string(), self.made(slot, attribute, source)?)));
                entries.collect::<Result<Map<_, _>, Problems>>().map(Value::Object)
            }
            source => self.reference(slot, attribute, source),
        }
    }

    /// The expression for an attribute in a state or a variable, or for what is inside it.
    fn part(
        &mut self,
        slot: &SlotName,
        attribute: &AttributeName,
        of: &SensitiveSource,
        inside: &[AttributeName],
    ) -> Result<Value, Problems> {
        let inside = names::inside(inside.iter().map(AttributeName::as_str));
        let (backend, way) = match of {
            SensitiveSource::State { location, output, face } => {
                let output = sensitive_output(output, *face);
                (&location.backend, format!("[\"{output}\"][\"{attribute}\"]"))
            }
            SensitiveSource::ForeignState { backend, output } if is_identifier(output) => (backend, format!("[\"{output}\"]")),
            SensitiveSource::ForeignState { output, .. } => return Err(not_a_name("Terraform output", output)),
            SensitiveSource::Variable(name) if !inside.is_empty() => {
                self.variable(name)?;
                return Ok(expression(&format!("var.{name}{inside}")));
            }
            whole => return self.reference(slot, attribute, whole),
        };
        self.note_credential(backend, format!("the state that slot `{slot}` reads"));
        let Some((name, kind, mut data)) = data_source(of, self.local_base)? else { return Ok(Value::Null) };
        take_role(kind, &mut data["config"], self.role);
        let found = expression(&format!("sensitive(data.terraform_remote_state.{name}.outputs{way}{inside})"));
        self.data.insert(name, data);
        Ok(found)
    }

    fn note_credential(&mut self, backend: &Backend, user: String) {
        if let Some(Credential { variable, identity }) = credential(backend) {
            self.credentials.entry(variable).or_default().entry(identity).or_insert(user);
        }
    }

    /// The data sources, the variables and the local values. One Terraform process has one environment: two different secrets for one of its
    /// variables are a problem.
    pub(super) fn finish(self, problems: &mut Problems) -> (Map<String, Value>, BTreeSet<String>, Map<String, Value>) {
        for (variable, users) in self.credentials.into_iter().filter(|(_, users)| users.len() > 1) {
            let users: Vec<String> = users.into_values().collect();
            problems.push(
                Diagnostic::error(
                    FailureReason::InvalidDocument,
                    format!("{} are in backends that need different values of `{variable}`", users.join(" and ")),
                )
                .note("one Terraform process has one environment, so it can hold only one of them")
                .help("keep both states in one backend, or do not ask for the slot's sensitive attributes"),
            );
        }
        (self.data, self.variables, self.locals)
    }
}

/// The name of the data source that reads the state which a value is in; none where it is in no state.
///
/// # Errors
/// When the state's place cannot be told.
pub fn state_name(source: &SensitiveSource, local_base: Option<&Path>) -> Result<Option<String>, Problems> {
    Ok(data_source(source, local_base)?.map(|(name, ..)| name))
}

/// The data source that reads a state: its name, which is the same whoever plans, the kind of its backend, and its arguments.
fn data_source(source: &SensitiveSource, local_base: Option<&Path>) -> Result<Option<(String, &'static str, Value)>, Problems> {
    let (kind, config) = match source {
        SensitiveSource::State { location, .. } => remote_state_config(location, local_base)?,
        SensitiveSource::ForeignState { backend, .. } => foreign_state_config(backend, local_base)?,
        _ => return Ok(None),
    };
    let data = json!({"backend": kind, "config": config});
    Ok(Some((format!("tieline_{}", Digest::of_json(&data).short()), kind, data)))
}

fn expression(text: &str) -> Value {
    Value::String(format!("${{{text}}}"))
}

fn not_a_name(what: &str, name: &str) -> Problems {
    Diagnostic::error(FailureReason::InvalidDocument, format!("`{name}` is not the name of a {what}"))
        .help("use letters, digits, `_` and `-`, starting with a letter")
        .into()
}
