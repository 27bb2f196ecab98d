//! What a step is handed and what it leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::documents::finding::Finding;
use crate::documents::native::unknown;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::AttributeName;
use crate::domain::step::{Step, StepInput, StepOutputRef, StepsPart};

/// More than any step is handed or leaves.
const MOST: usize = 200;

/// Variables that say which programs run, and ours: no value from elsewhere may stand in them.
const KEPT: [&str; 10] =
    ["PATH", "HOME", "TMPDIR", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"];

/// Folders of the kernel, and ours.
const KEPT_FOLDERS: [&str; 4] = ["proc", "sys", "dev", "tieline"];

/// Everything that is wrong with a step's inputs and outputs; `at` leads to the step.
pub(super) fn check(step: &Step, part: &StepsPart, deletes: bool, at: &Pointer, known: &Known<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (field, count) in [("inputs", step.inputs.len()), ("outputs", step.outputs.len())] {
        if count > MOST {
            let message = format!("step `{}` has {count} {field}; at most {MOST} are possible", step.name);
            return vec![Finding::new(at.clone().key(field), message)];
        }
    }
    let (mut names, mut variables) = (BTreeSet::new(), BTreeSet::new());
    let mut paths = Paths::default();
    for (index, input) in step.inputs.iter().enumerate() {
        let at = at.clone().key("inputs").index(index);
        if !names.insert(&input.name) {
            findings.push(twice(at.clone().key("name"), &format!("inputs `{}`", input.name)));
        }
        findings.extend(check_source(input, part, deletes, &at, known));
        let target = at.clone().key("as");
        if input.target.env.is_none() && input.target.path.is_none() {
            let message = format!("the input `{}` goes nowhere", input.name);
            findings.push(Finding::new(target.clone(), message).help("write `env: <variable>`, `path: <file>` or both"));
        }
        if let Some(name) = &input.target.env {
            let at = target.clone().key("env");
            findings.extend(check_variable(name, true, &at));
            if part.runner.env.contains_key(name) || !variables.insert(name) {
                findings.push(twice(at, &format!("values for the variable `{name}`")));
            }
        }
        if let Some(path) = &input.target.path {
            findings.extend(paths.take(path, target.key("path")));
        }
    }
    let mut names = BTreeSet::new();
    for (index, output) in step.outputs.iter().enumerate() {
        let at = at.clone().key("outputs").index(index);
        if !names.insert(&output.name) {
            findings.push(twice(at.clone().key("name"), &format!("outputs `{}`", output.name)));
        }
        findings.extend(check_output_name(&output.name, at.clone().key("name")));
        findings.extend(paths.take(&output.value_from_path, at.key("valueFromPath")));
    }
    findings
}

fn twice(at: Pointer, what: &str) -> Finding {
    Finding::new(at, format!("there are two {what}")).label("used before")
}

fn check_output_name(name: &str, at: Pointer) -> Option<Finding> {
    let is_good = (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (!is_good).then(|| {
        Finding::new(at, format!("`{name}` cannot be the name of an output"))
            .help("use 1 to 63 letters, digits, `-`, `_` and `.`, starting with a letter or digit")
    })
}

/// A variable's name; `taken` says that its value comes from elsewhere.
pub(super) fn check_variable(name: &str, taken: bool, at: &Pointer) -> Option<Finding> {
    let is_legal = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_legal {
        let finding = Finding::new(at.clone(), format!("`{name}` cannot be the name of a variable"));
        return Some(finding.help("use letters, digits and `_`, not starting with a digit"));
    }
    if name.starts_with("SIGNADOT_") || name.starts_with("TIELINE_") {
        let finding = Finding::new(at.clone(), format!("the variable `{name}` is not for plugins to set"));
        return Some(finding.note("`SIGNADOT_…` and `TIELINE_…` say where a step runs").help("use another name"));
    }
    (taken && KEPT.contains(&name)).then(|| {
        Finding::new(at.clone(), format!("the variable `{name}` cannot be taken from elsewhere"))
            .note("it decides which programs and files are used")
            .help("use another name, and set this one in the script where that is meant")
    })
}

/// Each input has one source, which exists.
fn check_source(input: &StepInput, part: &StepsPart, deletes: bool, at: &Pointer, known: &Known<'_>) -> Vec<Finding> {
    let sources = [input.value_from_input, input.value_from_connection.is_some(), input.value_from_step.is_some()];
    match sources.iter().filter(|is_there| **is_there).count() {
        1 => {}
        0 => {
            let finding = Finding::new(at.clone().key("name"), format!("the input `{}` has no source", input.name));
            let help = "write one of `valueFromInput: true`, `valueFromConnection: <slot>.<attribute>` and `valueFromStep`";
            return vec![finding.help(help)];
        }
        _ => {
            let finding = Finding::new(at.clone().key("name"), format!("the input `{}` has several sources", input.name));
            return vec![finding.help("keep one of them")];
        }
    }
    let finding = if let Some(from) = &input.value_from_step {
        check_step(from, part, deletes, &at.clone().key("valueFromStep"))
    } else if let Some(path) = &input.value_from_connection {
        check_connection(path, &at.clone().key("valueFromConnection"), known)
    } else {
        let at = at.clone().key("name");
        (!known.inputs.contains(input.name.as_str())).then(|| unknown(at, "input", &input.name, &known.inputs))
    };
    finding.into_iter().collect()
}

fn check_connection(path: &str, at: &Pointer, known: &Known<'_>) -> Option<Finding> {
    let Some((slot, attribute)) = path.split_once('.') else {
        let finding = Finding::new(at.clone(), format!("`{path}` is not an attribute of a slot"));
        return Some(finding.help("write `<slot>.<attribute>`"));
    };
    let slots: BTreeSet<&str> = known.slots.keys().map(crate::domain::names::SlotName::as_str).collect();
    if !slots.contains(slot) {
        return Some(unknown(at.clone(), "slot", slot, &slots));
    }
    AttributeName::new(attribute).err().map(|problem| {
        Finding::new(at.clone(), problem.to_string())
            .help("a step is handed an attribute whole: it can take apart what is JSON itself")
    })
}

fn check_step(from: &StepOutputRef, part: &StepsPart, deletes: bool, at: &Pointer) -> Option<Finding> {
    let late = part.delete.iter().map(|step| step.name.as_str());
    if !deletes && part.delete.iter().any(|step| step.name == from.name) {
        return Some(
            Finding::new(at.clone().key("name"), format!("a create step cannot use what the delete step `{}` leaves", from.name))
                .note("delete steps run when the plugin is removed"),
        );
    }
    let names: BTreeSet<&str> = part.create.iter().map(|step| step.name.as_str()).chain(late.filter(|_| deletes)).collect();
    let Some(step) = part.all().find(|step| step.name == from.name) else {
        return Some(unknown(at.clone().key("name"), "step", from.name.as_str(), &names));
    };
    let outputs: BTreeSet<&str> = step.outputs.iter().map(|output| output.name.as_str()).collect();
    let what = format!("output of step `{}` called", step.name);
    (!outputs.contains(from.output.as_str())).then(|| unknown(at.clone().key("output"), &what, &from.output, &outputs))
}

/// The files of a step: none is there twice, and none where another has a folder.
#[derive(Default)]
struct Paths<'a>(BTreeMap<Vec<&'a str>, &'a str>);

impl<'a> Paths<'a> {
    fn take(&mut self, path: &'a str, at: Pointer) -> Option<Finding> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let is_normal = path.starts_with('/')
            && path.len() <= 4096
            && !path.contains(['\0', '\n', '\r'])
            && parts.iter().all(|part| !part.is_empty() && *part != "." && *part != ".." && part.len() <= 255);
        if !is_normal {
            let finding = Finding::new(at, format!("`{path}` is not the absolute path of a file"));
            return Some(finding.help("write it from `/` on, without `.`, `..`, `//` and a final `/`, such as `/out/host`"));
        }
        if let Some(folder) = parts.first().filter(|folder| KEPT_FOLDERS.contains(folder)) {
            let finding = Finding::new(at, format!("a step's files cannot be in `/{folder}`"));
            return Some(finding.help("use another folder, such as `/in` and `/out`"));
        }
        let nested = (1..parts.len()).find_map(|length| self.0.get(&parts[..length]).copied());
        let within = self.0.range(parts.clone()..).next().filter(|(other, _)| other.starts_with(&parts)).map(|(_, other)| *other);
        let other = nested.or(within);
        self.0.insert(parts, path);
        other.map(|other| {
            let message = if other == path {
                format!("there are two files `{path}`")
            } else {
                format!("the files `{path}` and `{other}` cannot both be there")
            };
            Finding::new(at, message).label("collides").help("give each input and output of a step a file of its own")
        })
    }
}
