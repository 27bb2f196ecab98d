//! Steps that helm applies: a script that installs the chart, and one that takes it away.
//!
//! The scripts are made once for a bundle. Values come to them as files, and the jq programs of the bundle are run by them, so that no
//! secret passes through anything else.

mod chart;
mod script;

use std::collections::BTreeMap;

use jaq_core::load::parse::Term;
use serde_json::Value;

use super::artifacts::Source;
use super::connections::Connection;
use super::params::PRESET;
use super::steps::Step;
use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::domain::bundle::program;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::{OutputName, StepName};
use crate::domain::plugin::Output;
use crate::domain::step::{self, Runner, StepInput, StepOutput, StepOutputKind, StepTarget, StepsPart};

/// The folder that scripts find what they are handed in, and leave what they publish.
const FOLDER: &str = "/massdriver";
/// The step that installs.
const INSTALL: &str = "install";
/// The step that takes away.
const UNINSTALL: &str = "uninstall";

/// What a step publishes: each `artifact_<field>.jq` or `resource_<field>.jq` in its folder is a program that writes an object.
pub(super) fn published(step: &Step, files: &Files<'_>, findings: &mut Vec<Finding>) -> BTreeMap<String, Source> {
    let mut published = BTreeMap::new();
    for (field, path) in programs(step, files) {
        let text = files.get(path.as_str()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        match attributes(text) {
            Ok(names) => {
                let from = names.into_iter().map(|name| (name.clone(), format!("{INSTALL}.{field}_{name}"))).collect();
                published.insert(field, Source::Each(from));
            }
            Err(why) => findings.push(
                Finding::new(
                    Pointer::keys(["artifacts", "properties", &field]).at_key(),
                    format!("`{path}` cannot be read: {why}"),
                )
                .help("write it as one object: `{\"…\": …}`"),
            ),
        }
    }
    published
}

fn programs(step: &Step, files: &Files<'_>) -> BTreeMap<String, String> {
    let folder = format!("{}/", step.path);
    let field = |path: &str| {
        let name = path.strip_prefix(&folder)?.strip_suffix(".jq")?;
        let field = name.strip_prefix("artifact_").or_else(|| name.strip_prefix("resource_"))?;
        (!field.is_empty() && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')).then(|| field.to_owned())
    };
    files.keys().filter_map(|path| Some((field(path)?, (*path).to_owned()))).collect()
}

/// The keys of the object that a program writes.
fn attributes(text: &str) -> Result<Vec<String>, String> {
    match program::parse(text)? {
        Term::Obj(entries) => {
            entries.iter().map(|(key, _)| program::literal(key).ok_or_else(|| "a key of it is computed".to_owned())).collect()
        }
        _ => Err("it writes no object whose keys can be seen".to_owned()),
    }
}

/// A chart with what it is installed with.
pub(super) struct Chart<'a> {
    pub(super) step: &'a Step,
    pub(super) inputs: &'a Value,
    /// Whether the input `preset` chooses a preset, and is no param.
    pub(super) chooses: bool,
    pub(super) connections: &'a [Connection],
    pub(super) envs: &'a BTreeMap<String, String>,
    pub(super) outputs: &'a BTreeMap<OutputName, Output>,
}

impl<'a> Chart<'a> {
    /// The params and secrets, with the schemas of each.
    fn inputs(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let chooses = self.chooses;
        super::entries(self.inputs, "properties").filter(move |(name, _)| !(chooses && *name == PRESET))
    }

    /// The two workflows.
    pub(super) fn steps(&self, files: &Files<'_>) -> Result<StepsPart, Finding> {
        let programs = programs(self.step, files);
        let create = self.step(INSTALL, script::install(self, &programs, files)?, self.left())?;
        let delete = match self.step.kept {
            true => Vec::new(),
            false => vec![self.step(UNINSTALL, script::uninstall(self)?, Vec::new())?],
        };
        Ok(StepsPart { runner: Runner::default(), timeout: None, create: vec![create], delete })
    }

    fn step(&self, name: &str, script: String, outputs: Vec<StepOutput>) -> Result<step::Step, Finding> {
        let name = StepName::new(name).map_err(|error| Finding::new(self.step.at.clone(), error.to_string()))?;
        Ok(step::Step {
            name,
            after: std::collections::BTreeSet::new(),
            inputs: self.handed(),
            script,
            outputs,
            timeout: None,
            retries: 0,
        })
    }

    /// Every input and every connection, each as a file.
    fn handed(&self) -> Vec<StepInput> {
        let file = |folder: &str, name: &str| StepTarget { env: None, path: Some(format!("{FOLDER}/{folder}/{name}")) };
        let mut handed: Vec<StepInput> = self
            .inputs()
            .map(|(name, _)| StepInput {
                name: name.clone(),
                value_from_input: true,
                value_from_connection: None,
                value_from_step: None,
                target: file("inputs", name),
            })
            .collect();
        handed.extend(self.connections.iter().map(|connection| StepInput {
            name: format!("connection-{}", connection.slot),
            value_from_input: false,
            value_from_connection: Some(connection.slot.to_string()),
            value_from_step: None,
            target: file("connections", &connection.name),
        }));
        handed
    }

    /// What the install leaves: each attribute of what is published, as JSON.
    fn left(&self) -> Vec<StepOutput> {
        let paths = self.outputs.values().flat_map(|output| &output.from);
        paths
            .filter_map(|(attribute, path)| {
                let name = path.split_once('.')?.1.to_owned();
                Some(StepOutput {
                    kind: Some(StepOutputKind::Json),
                    description: None,
                    value_from_path: format!("{FOLDER}/published/{name}"),
                    sensitive: attribute.as_str() == "data",
                    trim: true,
                    name,
                })
            })
            .collect()
    }
}
