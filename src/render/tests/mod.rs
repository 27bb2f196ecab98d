#![allow(clippy::needless_pass_by_value, reason = "`json!(…)` reads well as an argument")]

mod backend;
mod escape;
mod root;
mod terraform;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{BoundSlot, NOTHING_MADE, Request, Root, StateRole, root};
use crate::domain::account::Account;
use crate::domain::address::Place;
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::Problems;
use crate::domain::module::Module;
use crate::domain::names::{
    Alias, AttributeName, DeployableName, EnvironmentName, InputName, OutputName, SlotName, WorkspaceName,
};
use crate::domain::organization::Backend;
use crate::domain::plugin::Plugin;
use crate::domain::record::StateLocation;

pub(super) fn place(workspace: &str, environment: &str, deployable: &str) -> Place {
    Place {
        workspace: WorkspaceName::new(workspace).unwrap(),
        environment: EnvironmentName::new(environment).unwrap(),
        deployable: DeployableName::new(deployable).unwrap(),
    }
}

pub(super) fn alias(name: &str) -> Alias {
    Alias::new(name).unwrap()
}

pub(super) fn slot(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

pub(super) fn attribute(name: &str) -> AttributeName {
    AttributeName::new(name).unwrap()
}

pub(super) fn input(name: &str) -> InputName {
    InputName::new(name).unwrap()
}

pub(super) fn output(name: &str) -> OutputName {
    OutputName::new(name).unwrap()
}

pub(super) fn backend(kind: &str, config: Value) -> Backend {
    serde_json::from_value(json!({"type": kind, "config": config})).unwrap()
}

pub(super) fn state(backend: Backend, alias_name: &str) -> StateLocation {
    super::backend::state_location(&backend, &place("retail", "staging", "shop"), &alias(alias_name))
}

/// The main file of a module, read as a plugin's is.
pub(super) fn module(text: &str) -> Module {
    crate::policy::read(&BTreeMap::from([("main.tf".to_owned(), text.as_bytes().to_vec())]), ".").unwrap()
}

/// A plugin's document from its distinctive fields.
pub(super) fn plugin(fields: Value) -> Plugin {
    let mut document = json!({
        "apiVersion": "tieline/v1", "kind": "Plugin", "name": "postgres", "version": "1.4.0", "terraform": {}
    });
    document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(document).unwrap()
}

pub(super) fn postgres_type() -> Arc<ConnectionType> {
    let document = json!({
        "apiVersion": "tieline/v1", "kind": "ConnectionInterfaceType", "name": "postgres-conn", "version": "1.1.0",
        "attributes": {"type": "object", "required": ["host"], "properties": {
            "host": {"type": "string"}, "port": {"type": "integer"}, "password": {"type": "string", "x-sensitive": true}
        }}
    });
    Arc::new(serde_json::from_value(document).unwrap())
}

pub(super) fn face(from: &[(&str, &str)]) -> PublishedFace {
    let from = from.iter().map(|(name, output)| (attribute(name), (*output).to_owned())).collect();
    PublishedFace { connection_type: postgres_type(), from }
}

/// Everything a request borrows.
pub(super) struct Scene {
    pub(super) plugin: Plugin,
    pub(super) module: Module,
    pub(super) nested: Vec<Module>,
    pub(super) outputs: BTreeMap<OutputName, Vec<PublishedFace>>,
    pub(super) inputs: BTreeMap<InputName, Value>,
    pub(super) sensitive_inputs: BTreeSet<InputName>,
    pub(super) slots: BTreeMap<SlotName, BoundSlot>,
    pub(super) state: StateLocation,
    pub(super) account: Option<Account>,
    pub(super) state_role: Option<StateRole<'static>>,
}

impl Scene {
    pub(super) fn new(plugin_fields: Value, module_text: &str) -> Self {
        Self {
            plugin: plugin(plugin_fields),
            module: module(module_text),
            nested: Vec::new(),
            outputs: BTreeMap::new(),
            inputs: BTreeMap::new(),
            sensitive_inputs: BTreeSet::new(),
            slots: BTreeMap::new(),
            state: state(backend("s3", json!({"bucket": "acme-tfstate"})), "database"),
            account: None,
            state_role: None,
        }
    }

    pub(super) fn render(&self) -> Result<Root, Problems> {
        root(&Request {
            place: &place("retail", "staging", "shop"),
            alias: &alias("database"),
            plugin: &self.plugin,
            outputs: &self.outputs,
            module: &self.module,
            nested: &self.nested,
            inputs: &self.inputs,
            sensitive_inputs: &self.sensitive_inputs,
            slots: &self.slots,
            state: &self.state,
            local_base: None,
            account: self.account.as_ref(),
            state_role: self.state_role,
            made: &NOTHING_MADE,
            preview: false,
            adopted: &[],
        })
    }

    pub(super) fn main(&self) -> Value {
        serde_json::from_slice(&self.render().unwrap().main).unwrap()
    }
}

/// The messages, one a line, in order.
pub(super) fn messages(problems: &Problems) -> String {
    problems.0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n")
}
