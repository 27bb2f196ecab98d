//! Which variable of a module receives what. Static: it follows from the plugin's document and its module alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Foreign;
use crate::domain::module::{Module, Variable};
use crate::domain::names::{AttributeName, InputName, SlotName};
use crate::domain::nearest::nearest;
use crate::domain::plugin::{Plugin, VariableSource};
use crate::domain::step::{StepInput, StepsPart};

/// The variable that is told where its module runs.
const TIELINE: &str = "tieline";

/// The variable that tells a module of a Massdriver bundle the same.
const METADATA: &str = "md_metadata";

/// What a variable receives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Argument {
    /// An input's value.
    Input(InputName),
    /// A slot's connection, as an object of its attributes.
    Slot(SlotName),
    /// One attribute of a slot's connection.
    Attribute(SlotName, AttributeName),
    /// What one of the plugin's own create steps left: `step.output`.
    Step(String),
    /// Where the module runs.
    Tieline,
    /// The same, as modules of Massdriver bundles are told.
    Metadata,
}

/// Wires the variables of `module` to `inputs` and to the plugin's slots: by `terraform.variables`, then by name, where `-` in a
/// name may be `_` in a variable's.
///
/// # Errors
/// A mapping that names nothing known, a variable with two candidates, an input or slot that no variable takes, and a variable
/// without a default that nothing supplies. Places are paths inside the plugin's tree.
pub fn wiring(plugin: &Plugin, module: &Module, inputs: &BTreeSet<InputName>) -> Result<BTreeMap<String, Argument>, Problems> {
    let mut problems = Problems::default();
    let mut wired = BTreeMap::new();
    let said: BTreeMap<&String, &VariableSource> = plugin.variables().collect();
    for (name, source) in plugin.variables() {
        match mapped(plugin, inputs, name, source) {
            Ok(argument) if module.variables.contains_key(name) => {
                wired.insert(name.clone(), argument);
            }
            Ok(_) => problems.push(no_variable(module, name)),
            Err(more) => problems.extend(more),
        }
    }
    for (name, variable) in &module.variables {
        if said.contains_key(name) {
            continue;
        }
        let mut found = candidates(plugin, inputs, name);
        match found.len() {
            0 if variable.required => problems.push(unsupplied(plugin, inputs, name, variable)),
            0 => {}
            1 => wired.extend(found.pop().map(|argument| (name.clone(), argument))),
            _ => problems.push(ambiguous(name, variable, &found)),
        }
    }
    // Other systems hand a module all there is: it takes what it needs, or its templates do.
    if plugin.foreign.is_none() {
        untaken(plugin, module, inputs, &wired, &mut problems);
    }
    if problems.any_error() { Err(problems) } else { Ok(wired) }
}

fn mapped(plugin: &Plugin, inputs: &BTreeSet<InputName>, name: &str, source: &VariableSource) -> Result<Argument, Problems> {
    let here = |problem: Diagnostic| problem.at("plugin.yaml", Pointer::keys(["terraform", "variables"]).key(name));
    match source {
        VariableSource::Input(input) if inputs.contains(input) => Ok(Argument::Input(input.clone())),
        VariableSource::Input(input) => Err(here(unknown("input", input.as_str(), inputs.iter().map(InputName::as_str))).into()),
        VariableSource::Step(written) => {
            let (step, output) = written.split_once('.').unwrap_or((written, ""));
            match plugin.steps.as_ref().and_then(|steps| steps.output(step, output)) {
                Some(_) => Ok(Argument::Step(written.clone())),
                None => Err(here(unknown("step output", written, std::iter::empty())).into()),
            }
        }
        VariableSource::Connection(written) => {
            let (slot, attribute) = match written.split_once('.') {
                Some((slot, attribute)) => (slot, Some(attribute)),
                None => (written.as_str(), None),
            };
            let Some((slot, _)) = plugin.requires.get_key_value(slot) else {
                return Err(here(unknown("slot", slot, plugin.requires.keys().map(SlotName::as_str))).into());
            };
            match attribute.map(AttributeName::new) {
                None => Ok(Argument::Slot(slot.clone())),
                Some(Ok(attribute)) => Ok(Argument::Attribute(slot.clone(), attribute)),
                Some(Err(invalid)) => Err(here(document_error(invalid.to_string())).into()),
            }
        }
    }
}

/// The inputs and slots whose name is that of the variable.
fn candidates(plugin: &Plugin, inputs: &BTreeSet<InputName>, variable: &str) -> Vec<Argument> {
    if variable == TIELINE {
        return vec![Argument::Tieline];
    }
    if variable == METADATA && matches!(plugin.foreign, Some(Foreign::Massdriver(_))) {
        return vec![Argument::Metadata];
    }
    let fits = |name: &str| name == variable || name.replace('-', "_") == variable;
    let inputs = inputs.iter().filter(|input| fits(input.as_str())).cloned().map(Argument::Input);
    let slots = plugin.requires.keys().filter(|slot| fits(slot.as_str())).cloned().map(Argument::Slot);
    inputs.chain(slots).collect()
}

/// Reports the inputs and slots that nothing reads: a value that is given and ignored is a trap.
fn untaken(
    plugin: &Plugin,
    module: &Module,
    inputs: &BTreeSet<InputName>,
    wired: &BTreeMap<String, Argument>,
    problems: &mut Problems,
) {
    let unmentioned = module.variables.keys().filter(|name| plugin.variables().all(|(mapped, _)| mapped != *name));
    let candidates: BTreeSet<_> = unmentioned.flat_map(|name| candidates(plugin, inputs, name)).collect();
    let taken = |wanted: &dyn Fn(&Argument) -> bool| wired.values().chain(&candidates).any(wanted);
    let handed: Vec<&StepInput> = plugin.steps.iter().flat_map(StepsPart::all).flat_map(|step| &step.inputs).collect();
    let is_handed = |name: &InputName| handed.iter().any(|one| one.value_from_input && one.name == name.as_str());
    let is_read = |name: &SlotName| handed.iter().filter_map(|one| one.connection()).any(|(slot, _)| slot == name.as_str());
    for input in inputs.iter().filter(|input| !is_handed(input)) {
        if !taken(&|argument| matches!(argument, Argument::Input(name) if name == input)) {
            problems.push(
                no_taker(module, "input", input.as_str())
                    .at("plugin.yaml", Pointer::keys(["inputs", "properties"]).key(input.as_str()).at_key()),
            );
        }
    }
    for slot in plugin.requires.keys().filter(|slot| !is_read(slot)) {
        let reads = |argument: &Argument| matches!(argument, Argument::Slot(name) | Argument::Attribute(name, _) if name == slot);
        if !taken(&reads) {
            problems.push(
                no_taker(module, "slot", slot.as_str())
                    .at("plugin.yaml", Pointer::keys(["requires"]).key(slot.as_str()).at_key()),
            );
        }
    }
}

fn document_error(message: String) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidDocument, message)
}

fn no_taker(module: &Module, what: &str, name: &str) -> Diagnostic {
    let problem = document_error(format!("the {what} `{name}` is taken by no variable of the module"));
    match nearest(&name.replace('-', "_"), module.variables.keys().map(String::as_str)) {
        Some(near) => {
            problem.help(format!("did you mean the variable `{near}`? map it in `terraform.variables`, or rename one of them"))
        }
        None => problem.help(format!(
            "declare `variable \"{}\"`, map it in `terraform.variables`, or remove the {what}",
            name.replace('-', "_")
        )),
    }
}

fn no_variable(module: &Module, name: &str) -> Diagnostic {
    unknown("variable", name, module.variables.keys().map(String::as_str))
        .at("plugin.yaml", Pointer::keys(["terraform", "variables"]).key(name).at_key())
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let owner = if what == "variable" { "module" } else { "plugin" };
    let problem = document_error(format!("the {owner} has no {what} `{name}`"));
    match nearest(name, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

fn unsupplied(plugin: &Plugin, inputs: &BTreeSet<InputName>, name: &str, variable: &Variable) -> Diagnostic {
    let known = inputs.iter().map(InputName::as_str).chain(plugin.requires.keys().map(SlotName::as_str));
    let problem = document_error(format!("variable `{name}` has no default, and no input or slot supplies it"));
    let problem = match nearest(name, known) {
        Some(near) => problem.help(format!("did you mean `{near}`? map it in `terraform.variables`, or rename one of them")),
        None => problem.help("declare an input or slot of its name, map it in `terraform.variables`, or give it a default"),
    };
    Diagnostic { origin: Some(variable.origin.clone()), ..problem }
}

fn ambiguous(name: &str, variable: &Variable, found: &[Argument]) -> Diagnostic {
    let found: Vec<String> = found
        .iter()
        .map(|argument| match argument {
            Argument::Input(input) => format!("the input `{input}`"),
            Argument::Slot(slot) => format!("the slot `{slot}`"),
            Argument::Attribute(slot, attribute) => format!("`{slot}.{attribute}`"),
            Argument::Step(output) => format!("what the step leaves as `{output}`"),
            Argument::Tieline | Argument::Metadata => "Tieline itself".to_owned(),
        })
        .collect();
    let problem =
        document_error(format!("variable `{name}` could take {}", found.join(" or "))).help("say which in `terraform.variables`");
    Diagnostic { origin: Some(variable.origin.clone()), ..problem }
}
