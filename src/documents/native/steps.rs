//! The rules of step workflows (R57): all that can be known of them before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::graph::cycles;
use super::unknown;
use crate::documents::finding::{Finding, listed};
use crate::documents::yaml;
use crate::domain::diagnostic::Pointer;
use crate::domain::duration::duration;
use crate::domain::step::{Runner, Step, StepInput, StepsPart};

/// The starts of the names of variables that every step is given.
const RESERVED: [&str; 2] = ["SIGNADOT_", "TIELINE_"];

/// The container of a pod that runs the script.
const MAIN: &str = "main";

/// What the plugin around the steps has.
pub(in crate::documents) struct Around<'a> {
    pub(in crate::documents) inputs: &'a BTreeSet<&'a str>,
    pub(in crate::documents) slots: &'a BTreeSet<&'a str>,
}

/// Everything that is wrong with the steps at this place.
pub(in crate::documents) fn check(steps: &StepsPart, around: &Around<'_>, at: &Pointer) -> Vec<Finding> {
    let mut findings = check_runner(&steps.runner, &at.clone().key("runner"));
    findings.extend(check_duration(steps.timeout.as_deref(), at.clone().key("timeout")));
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (workflow, list) in [("create", &steps.create), ("delete", &steps.delete)] {
        let at = at.clone().key(workflow);
        for (index, step) in list.iter().enumerate() {
            let at = at.clone().index(index);
            if !names.insert(step.name.as_str()) {
                let message = format!("there is another step `{}`", step.name);
                let finding = Finding::new(at.clone().key("name"), message).label("taken");
                findings.push(
                    finding.help("give it a name of its own: no other step of the plugin may have it, in `create` or `delete`"),
                );
            }
            findings.extend(check_step(step, &at));
            findings.extend(check_needs(step, (workflow, list), &steps.create, &at));
            findings.extend(check_sources(step, around, &at));
        }
        findings.extend(check_circles(list, &at));
    }
    findings
}

fn check_step(step: &Step, at: &Pointer) -> Vec<Finding> {
    let mut findings: Vec<Finding> = check_duration(step.timeout.as_deref(), at.clone().key("timeout")).into_iter().collect();
    if !step.script.starts_with("#!") {
        findings.push(
            Finding::new(at.clone().key("script"), format!("the script of `{}` does not begin with a `#!` line", step.name))
                .help("name the program that it is for in its first line, such as `#!/bin/sh`"),
        );
    }
    let (mut inputs, mut variables, mut files) = (BTreeSet::new(), BTreeSet::new(), Files::default());
    for (index, input) in step.inputs.iter().enumerate() {
        let at = at.clone().key("inputs").index(index);
        if !inputs.insert(input.name.as_str()) {
            findings.push(Finding::new(at.clone().key("name"), format!("`{}` has another input `{}`", step.name, input.name)));
        }
        findings.extend(check_source(input, &at));
        if input.target.env.is_none() && input.target.path.is_none() {
            findings.push(
                Finding::new(at.clone(), format!("the input `{}` of `{}` goes nowhere", input.name, step.name))
                    .help("write `as: {env: <VARIABLE>}`, `as: {path: /in/<file>}`, or both"),
            );
        }
        if let Some(variable) = &input.target.env {
            let at = at.clone().key("as").key("env");
            findings.extend(check_variable(variable, &at));
            if !variables.insert(variable.as_str()) {
                findings.push(Finding::new(at, format!("another input of `{}` is the variable `{variable}` already", step.name)));
            }
        }
        if let Some(path) = &input.target.path {
            findings.extend(files.take(path, at.key("as").key("path")));
        }
    }
    let mut outputs = BTreeSet::new();
    for (index, output) in step.outputs.iter().enumerate() {
        let at = at.clone().key("outputs").index(index);
        if output.name.is_empty() || !outputs.insert(output.name.as_str()) {
            findings
                .push(Finding::new(at.clone().key("name"), format!("`{}` needs names of their own for its outputs", step.name)));
        }
        findings.extend(files.take(&output.value_from_path, at.key("valueFromPath")));
    }
    findings
}

fn check_source(input: &StepInput, at: &Pointer) -> Option<Finding> {
    let sources =
        [input.value_from_input, input.value_from_connection.is_some(), input.value_from_step.is_some()].map(usize::from);
    let help = "write one of `valueFromInput: true`, `valueFromConnection: <slot>.<attribute>`, `valueFromStep: {name, output}`";
    match sources.iter().sum::<usize>() {
        1 => None,
        0 => Some(Finding::new(at.clone(), format!("nothing says where the input `{}` comes from", input.name)).help(help)),
        _ => Some(Finding::new(at.clone(), format!("the input `{}` comes from more than one place", input.name)).help(help)),
    }
}

fn check_variable(name: &str, at: &Pointer) -> Option<Finding> {
    let mut letters = name.chars();
    let valid = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !valid {
        let finding = Finding::new(at.clone(), format!("`{name}` cannot be the name of a variable"));
        return Some(finding.help("use letters, digits and `_`, not starting with a digit"));
    }
    RESERVED.iter().find(|start| name.starts_with(**start)).map(|start| {
        Finding::new(at.clone(), format!("`{name}` is not free: variables that start with `{start}` are given to every step"))
            .help("choose another name")
    })
}

/// The files of a step, which must not be in each other's way.
#[derive(Default)]
struct Files<'a>(BTreeSet<&'a str>);

impl<'a> Files<'a> {
    fn take(&mut self, path: &'a str, at: Pointer) -> Option<Finding> {
        let parts = path.strip_prefix('/').map(|inside| inside.split('/'));
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
        if !parts.is_some_and(|mut parts| parts.all(is_plain)) || path.len() > 1_000 {
            let finding = Finding::new(at, format!("`{}` is not the absolute path of a file", path.escape_debug()));
            return Some(finding.help("write a path such as `/in/host`, without `.`, `..` and empty parts"));
        }
        let within =
            |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let other = self.0.iter().find(|taken| within(taken, path) || within(path, taken)).copied();
        self.0.insert(path);
        other.map(|other| {
            Finding::new(at, format!("the file `{path}` is in the way of `{other}`"))
                .help("give each input and output a file of its own")
        })
    }
}

/// What a step takes from others, and comes after.
fn check_needs(step: &Step, (workflow, own): (&str, &[Step]), create: &[Step], at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names = |steps: &'_ [Step]| -> BTreeSet<String> { steps.iter().map(|step| step.name.to_string()).collect() };
    let own_names = names(own);
    for after in step.after.iter().filter(|after| !own_names.contains(after.as_str()) || **after == step.name) {
        let known: BTreeSet<&str> = own_names.iter().map(String::as_str).filter(|name| *name != step.name.as_str()).collect();
        findings.push(unknown(at.clone().key("after"), &format!("other step in `{workflow}`"), after.as_str(), &known));
    }
    for (index, input) in step.inputs.iter().enumerate() {
        let Some(wanted) = &input.value_from_step else { continue };
        let at = at.clone().key("inputs").index(index).key("valueFromStep");
        let producer = own.iter().chain(create).find(|other| other.name == wanted.name);
        let Some(producer) = producer.filter(|producer| producer.name != step.name) else {
            let known = own_names.iter().cloned().chain(names(create)).filter(|name| name != step.name.as_str());
            let known: BTreeSet<String> = known.collect();
            let known = known.iter().map(String::as_str).collect();
            findings.push(unknown(at.key("name"), "step to take it from", wanted.name.as_str(), &known));
            continue;
        };
        let outputs: BTreeSet<&str> = producer.outputs.iter().map(|output| output.name.as_str()).collect();
        if !outputs.contains(wanted.output.as_str()) {
            findings.push(unknown(at.key("output"), &format!("output of step `{}`", producer.name), &wanted.output, &outputs));
        }
    }
    findings
}

/// What a step takes from the plugin's inputs and slots.
fn check_sources(step: &Step, around: &Around<'_>, at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, input) in step.inputs.iter().enumerate() {
        let at = at.clone().key("inputs").index(index);
        if input.value_from_input && !around.inputs.contains(input.name.as_str()) {
            findings.push(unknown(at.clone().key("name"), "input", &input.name, around.inputs));
        }
        if let Some(path) = &input.value_from_connection {
            let at = at.key("valueFromConnection");
            match path.split_once('.') {
                Some((slot, attribute)) if !attribute.is_empty() && !attribute.contains('.') => {
                    if !around.slots.contains(slot) {
                        findings.push(unknown(at, "slot", slot, around.slots));
                    }
                }
                _ => findings
                    .push(Finding::new(at, format!("`{path}` is not an attribute of a slot")).help("write `<slot>.<attribute>`")),
            }
        }
    }
    findings
}

fn check_circles(steps: &[Step], at: &Pointer) -> Vec<Finding> {
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in steps {
        let taken = step.inputs.iter().filter_map(|input| input.value_from_step.as_ref().map(|from| from.name.as_str()));
        needs.entry(step.name.as_str()).or_default().extend(taken.chain(step.after.iter().map(|after| after.as_str())));
    }
    let circle = |names: Vec<&str>| {
        let way = names.iter().chain(names.first()).copied().collect::<Vec<_>>().join(" -> ");
        Finding::new(at.clone().at_key(), format!("the steps need one another in a circle: {way}"))
            .help("have one of them do without what another leaves")
    };
    cycles(&needs).into_iter().map(circle).collect()
}

fn check_duration(text: Option<&str>, at: Pointer) -> Option<Finding> {
    let problem = duration(text?).err()?;
    Some(Finding::new(at, problem).help("write a whole number and `s`, `m` or `h`, such as `5m`"))
}

fn check_runner(runner: &Runner, at: &Pointer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if runner.image.as_ref().is_some_and(|image| image.trim().is_empty() || image.starts_with('-')) {
        findings.push(Finding::new(at.clone().key("image"), "this is not the name of an image"));
    }
    for name in runner.env.keys() {
        findings.extend(check_variable(name, &at.clone().key("env").key(name).at_key()));
    }
    if let Some(overlay) = &runner.pod_template_overlay {
        findings.extend(
            check_overlay(overlay, runner).map(|finding| Finding { pointer: at.clone().key("podTemplateOverlay"), ..finding }),
        );
    }
    findings
}

/// What of a pod's template must not be said twice, or otherwise.
fn check_overlay(overlay: &str, runner: &Runner) -> Option<Finding> {
    let here = |message: String| Some(Finding::new(Pointer::default(), message));
    let value = match yaml::parse("", overlay.as_bytes()) {
        Ok(value) if value.is_object() => value,
        Ok(_) => return here("the overlay is no YAML mapping".to_owned()),
        Err(problems) => {
            let why = problems.0.first().map(|problem| problem.message.clone()).unwrap_or_default();
            return here(format!("the overlay is no YAML mapping: {why}"));
        }
    };
    let spec = &value["spec"];
    match &spec["restartPolicy"] {
        Value::Null => {}
        Value::String(policy) if policy == "Never" => {}
        other => return here(format!("the overlay sets `restartPolicy: {other}`, and steps are never restarted")),
    }
    if let (Some(asked), Some(said)) = (&runner.namespace, value["metadata"]["namespace"].as_str())
        && asked != said
    {
        return here(format!("the overlay is for the namespace `{said}`, and the runner says `{asked}`"));
    }
    let containers = ["containers", "initContainers"].map(|list| spec[list].as_array());
    let names: Vec<&str> = containers.iter().flatten().copied().flatten().filter_map(|one| one["name"].as_str()).collect();
    if let Some(reserved) = names.iter().find(|name| name.starts_with("signadot-") || name.starts_with("tieline-")) {
        return here(format!("`{reserved}` is not a free name for a container"))
            .map(|finding| finding.note(format!("there is {}", listed(names.iter().copied()))));
    }
    let main = spec["containers"].as_array().into_iter().flatten().find(|one| one["name"] == MAIN);
    match (main.and_then(|main| main["image"].as_str()), &runner.image) {
        (Some(said), Some(image)) if said != image => {
            here(format!("the overlay gives the container `{MAIN}` the image `{said}`, and the runner says `{image}`"))
        }
        _ => None,
    }
}
