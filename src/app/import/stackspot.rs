//! A StackSpot plugin as one of ours: its templates become a plain Terraform module, with variables where they print values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::draft::Draft;
use super::symbolic::{SHARED, Symbolic, symbolic};
use super::tokens::{is_named, renamed};
use super::{Comments, Converted, Texts, literal, sensitive};
use crate::documents::Kind;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Pointer, Problems};
use crate::domain::foreign::{Condition, InputKind, Templates};
use crate::domain::names::{InputName, SlotName};
use crate::domain::plugin::{Plugin, Uses, VariableSource};
use crate::policy;
use crate::sources::TreeFile;

/// The file with the module's variables.
const VARIABLES: &str = "variables.tf";

/// The variable that is told where its module runs.
const TIELINE: &str = "tieline";

/// Converts a plugin.
///
/// # Errors
/// What is wrong with its templates, beyond what a person can decide.
pub(super) fn converted(
    plugin: &Plugin,
    templates: &Templates,
    files: &Texts<'_>,
    known: &[ConnectionType],
) -> Result<Converted, Problems> {
    let mut comments = about_conditions(templates);
    let Symbolic { mut module, variables, others, left } = symbolic(plugin, templates, files, &mut comments)?;
    let mut native = Plugin { foreign: None, ..plugin.clone() };
    let wanted = if left { everything(plugin) } else { variables.values().cloned().collect() };
    let names = names(&wanted, &declared(&module, &variables));
    let mut defaults = BTreeMap::new();
    for (path, bytes) in &mut module {
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let mut text = with_natural_names(text, &variables, &names, templates);
        for (from, to) in &others {
            text = renamed(&text, from, to);
        }
        if let Some((without, found)) = literal::without_defaults(path, &text, &names) {
            text = without;
            defaults.extend(found);
        }
        let misplaced = literal::misplaced(path, &text, &names);
        comments.extend(misplaced.into_iter().map(|message| (Pointer::default(), message)));
        *bytes = text.into_bytes();
    }
    let is_default = |source: &VariableSource| defaults.values().any(|found| found == source);
    let referred: BTreeMap<&String, &VariableSource> =
        names.iter().filter(|(name, source)| is_referred(&module, name) || left && !is_default(source)).collect();
    let taken: BTreeSet<&VariableSource> = referred.values().copied().chain(defaults.values()).collect();
    drop_untaken(&mut native, &taken, files, &mut comments);
    for (name, slot) in &mut native.requires {
        comments.extend(sensitive(name, slot, known));
    }
    let mut declarations: Vec<String> =
        referred.iter().map(|(name, source)| declaration(name, source, &native, templates)).collect();
    if is_referred(&module, TIELINE) && !declared(&module, &variables).contains(TIELINE) {
        declarations.push(format!("variable \"{TIELINE}\" {{\n  type = any\n}}\n"));
    }
    let said = referred.into_iter().chain(&defaults);
    let variables = said.filter_map(|(name, source)| mapping(plugin, name, source)).collect();
    if let Some(terraform) = &mut native.terraform {
        terraform.variables = variables;
    }
    if !declarations.is_empty() {
        add(&mut module, VARIABLES, &declarations.join("\n"));
    }
    let mut draft = Draft::new("plugin.yaml", Kind::Plugin, &native);
    draft.comment_all(comments);
    let files = module.into_iter().map(|(path, bytes)| (path, TreeFile { executable: false, bytes })).collect();
    Ok(Converted { drafts: vec![draft], files })
}

/// Inputs that are there only for some answers: here they always are.
fn about_conditions(templates: &Templates) -> Comments {
    let about = |Condition { input, variable, operator, value, .. }: &Condition| {
        let text =
            format!("decide: `{input}` was there only where `{variable}` {operator} {value}; now it counts whenever it is given");
        (Pointer::keys(["inputs", "properties", input.as_str()]), text)
    };
    templates.conditions.iter().map(about).collect()
}

/// Everything that the plugin can be handed.
fn everything(plugin: &Plugin) -> BTreeSet<VariableSource> {
    let inputs = plugin.input_names().into_iter().filter(|name| !SHARED.contains(&name.as_str()));
    let attributes = plugin.requires.iter().flat_map(|(slot, declared)| match &declared.uses {
        Uses::Named(names) => names.iter().map(|name| format!("{slot}.{name}")).collect(),
        Uses::All => vec![slot.to_string()],
        Uses::Declared => Vec::new(),
    });
    inputs.map(VariableSource::Input).chain(attributes.map(VariableSource::Connection)).collect()
}

/// The variables that the module declares itself.
fn declared(module: &BTreeMap<String, Vec<u8>>, ours: &BTreeMap<String, VariableSource>) -> BTreeSet<String> {
    let files = module.iter().filter(|(path, _)| policy::is_terraform(path)).map(|(path, bytes)| (path.clone(), bytes.clone()));
    let read = policy::read(&files.collect(), "").unwrap_or_default();
    read.variables.into_keys().filter(|name| !ours.contains_key(name)).collect()
}

/// A natural name for each of what the module is handed, that no variable of its own has.
fn names(wanted: &BTreeSet<VariableSource>, taken: &BTreeSet<String>) -> BTreeMap<String, VariableSource> {
    let mut names: BTreeMap<String, VariableSource> = BTreeMap::new();
    for source in wanted {
        let (base, kind) = match source {
            VariableSource::Input(name) => (name.as_str().replace('-', "_"), "input"),
            VariableSource::Connection(path) => (path.replace(['-', '.'], "_"), "connection"),
            VariableSource::Step(path) => (path.replace(['-', '.'], "_"), "step"),
        };
        let free = |name: &String| !taken.contains(name) && !names.contains_key(name);
        let candidates = [base.clone(), format!("{kind}_{base}")].into_iter().chain((2..).map(|n| format!("{kind}_{base}_{n}")));
        if let Some(name) = candidates.into_iter().find(free) {
            names.insert(name, source.clone());
        }
    }
    names
}

/// A text of the module with the names that people would give to its variables.
fn with_natural_names(
    text: &str,
    variables: &BTreeMap<String, VariableSource>,
    names: &BTreeMap<String, VariableSource>,
    templates: &Templates,
) -> String {
    let mut text = text.to_owned();
    for (before, source) in variables {
        let Some((name, _)) = names.iter().find(|(_, known)| *known == source) else { continue };
        let reference = format!("var.{name}");
        let kind = match source {
            VariableSource::Input(input) => templates.kinds.get(input),
            VariableSource::Connection(_) | VariableSource::Step(_) => None,
        };
        // Templates print what Python would, and a text stays one.
        match kind {
            Some(InputKind::Bool) => text = text.replace(&format!("${{var.{before}}}"), &format!("${{title({reference})}}")),
            Some(InputKind::Int) => {
                text = text.replace(&format!("\"${{var.{before}}}\""), &format!("\"${{tostring({reference})}}\""));
            }
            _ => {}
        }
        text = renamed(&text, &format!("var.{before}"), &reference);
    }
    text
}

fn is_referred(module: &BTreeMap<String, Vec<u8>>, name: &str) -> bool {
    let reference = format!("var.{name}");
    module.values().any(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        is_named(&text, &reference)
    })
}

/// What the document has to say of a variable; nothing where the names do.
fn mapping(plugin: &Plugin, name: &str, source: &VariableSource) -> Option<(String, VariableSource)> {
    let by_name = |input: &InputName| {
        let slot = plugin.requires.keys().any(|slot| slot.as_str().replace('-', "_") == name);
        input.as_str().replace('-', "_") == name && !slot
    };
    match source {
        VariableSource::Input(input) if by_name(input) => None,
        _ => Some((name.to_owned(), source.clone())),
    }
}

/// The block that declares a variable.
fn declaration(name: &str, source: &VariableSource, plugin: &Plugin, templates: &Templates) -> String {
    let mut lines = Vec::new();
    let (kind, optional, is_sensitive) = match source {
        VariableSource::Input(input) => {
            let text = match templates.kinds.get(input) {
                Some(InputKind::Text | InputKind::Password) => "string",
                Some(InputKind::Bool) => "bool",
                Some(InputKind::Int) => "number",
                _ => "any",
            };
            (text, is_optional(plugin, input), plugin.sensitive_inputs().contains(input))
        }
        VariableSource::Connection(path) => {
            let (slot, attribute) = path.split_once('.').unwrap_or((path, ""));
            let slot = plugin.requires.get(slot);
            let sensitive = slot.is_some_and(|slot| slot.sensitive.iter().any(|name| name.as_str() == attribute));
            ("any", slot.is_some_and(|slot| slot.optional), sensitive)
        }
        VariableSource::Step(_) => ("any", false, false),
    };
    lines.push(format!("  type = {kind}"));
    if optional {
        // A text that nobody gave prints as nothing.
        lines.push(format!("  default = {}", if kind == "string" { "\"\"" } else { "null" }));
    }
    if is_sensitive {
        lines.push("  sensitive = true".to_owned());
    }
    format!("variable \"{name}\" {{\n{}\n}}\n", aligned(&lines).join("\n"))
}

/// Attributes with their `=` in one column.
fn aligned(lines: &[String]) -> Vec<String> {
    let widest = lines.iter().filter_map(|line| line.find(" = ")).max().unwrap_or_default();
    let padded = |line: &String| match line.split_once(" = ") {
        Some((name, value)) => format!("{name:widest$} = {value}"),
        None => line.clone(),
    };
    lines.iter().map(padded).collect()
}

/// Whether an input may have no value at all.
fn is_optional(plugin: &Plugin, input: &InputName) -> bool {
    let required = plugin.inputs.get("required").and_then(Value::as_array);
    let is_required = required.into_iter().flatten().any(|name| name == input.as_str());
    let default = plugin.inputs.get("properties").and_then(|all| all.get(input.as_str())?.get("default"));
    !is_required && default.is_none()
}

fn add(module: &mut BTreeMap<String, Vec<u8>>, file: &str, text: &str) {
    let bytes = module.entry(file.to_owned()).or_default();
    if !bytes.is_empty() {
        bytes.push(b'\n');
    }
    bytes.extend(text.as_bytes());
}

/// Takes away what no variable takes: it would be refused.
fn drop_untaken(plugin: &mut Plugin, taken: &BTreeSet<&VariableSource>, files: &Texts<'_>, comments: &mut Comments) {
    let shared: BTreeSet<String> = SHARED.iter().map(|name| (*name).to_owned()).collect();
    super::drop_inputs(plugin, &shared);
    let is_used = |name: &&str| files.values().any(|bytes| is_named(&String::from_utf8_lossy(bytes), name));
    for name in SHARED.iter().filter(|name| is_used(name)) {
        let text = format!("decide: `{name}` of the manifest went to every plugin; make an input of what this one needs of it");
        comments.push((Pointer::keys(["inputs"]), text));
    }
    let is_taken = |name: &InputName| taken.contains(&VariableSource::Input(name.clone()));
    let names = plugin.input_names();
    let unused: BTreeSet<String> = names.iter().filter(|name| !is_taken(name)).map(|name| name.as_str().to_owned()).collect();
    super::drop_inputs(plugin, &unused);
    comments.extend(unused.iter().map(|name| {
        let text = format!("decide: the input `{name}` is gone: no template uses it; take it out of manifests as well");
        (Pointer::keys(["inputs"]), text)
    }));
    let slot = |name: &SlotName| {
        let start = format!("{name}.");
        let is_its = |path: &str| path == name.as_str() || path.starts_with(&start);
        taken.iter().any(|source| matches!(source, VariableSource::Connection(path) if is_its(path)))
    };
    let slots: Vec<SlotName> = plugin.requires.keys().filter(|name| !slot(name)).cloned().collect();
    for name in slots {
        plugin.requires.remove(&name);
        let text = format!("decide: the slot `{name}` is gone: no template uses an attribute of its connection");
        comments.push((Pointer::keys(["requires"]), text));
    }
    if let Some(schema) = plugin.inputs.as_object_mut() {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}
