//! The templates of a StackSpot plugin, rendered once with a reference in the place of every value.
//!
//! Where a template has to know a value to say what comes out of it, there is no such module: that is left to a person, with the template's
//! text beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::branches::asking;
use super::{Comments, Texts};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems, Spot};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Templates;
use crate::domain::names::{Alias, InputName, InvalidName, SlotName};
use crate::domain::plugin::{Plugin, Slot, Uses, VariableSource};
use crate::render::names::input_variable;
use crate::render::templates::{Rendered, Scope, VariableSource as Reference, render};
use crate::render::{BoundSlot, SensitiveSource};

/// What all plugins of a StackSpot deployable share; ours share nothing but connections.
pub(super) const SHARED: [&str; 2] = ["global_inputs", "global_computed_inputs"];

/// What templates are told of where they are, and where ours are told it.
const PLACE: [(&str, &str); 5] = [
    ("stk_env", "var.tieline.environment"),
    ("stk_env_id", "var.tieline.environment"),
    ("environment", "var.tieline.environment"),
    ("workspace", "var.tieline.workspace"),
    ("stk_wks_id", "var.tieline.workspace"),
];

/// Begins the name of what stands in for a computed input.
const COMPUTED: &str = "tieline_computed_";

/// The file with what the plugin computed and a person must write.
const LOCALS: &str = "locals.tf";

/// The module with references in the place of values.
pub(super) struct Symbolic {
    /// Its files.
    pub(super) module: BTreeMap<String, Vec<u8>>,
    /// What the names of its variables stand for.
    pub(super) variables: BTreeMap<String, VariableSource>,
    /// References that are others in a module of ours: from, to.
    pub(super) others: Vec<(String, String)>,
    /// Whether something of it is left that a person must write.
    pub(super) left: bool,
}

/// Renders a plugin's templates; what they cannot say is among the comments.
///
/// # Errors
/// What is wrong with them whatever they are rendered with.
pub(super) fn symbolic(
    plugin: &Plugin,
    templates: &Templates,
    files: &Texts<'_>,
    comments: &mut Comments,
) -> Result<Symbolic, Problems> {
    let plain: BTreeMap<String, &[u8]> =
        files.iter().map(|(path, bytes)| (plain_path(path, &templates.folder, comments), *bytes)).collect();
    let mut texts: Texts<'_> = plain.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    let mut rendering = Rendering::of(plugin, templates)?;
    let by_hand = rendering.replace_computed(comments);
    let mut module = BTreeMap::new();
    if !by_hand.is_empty() {
        module.insert(LOCALS.to_owned(), locals(&by_hand).into_bytes());
    }
    let mut waiting = asking_files(&texts, &templates.folder);
    let mut left = !by_hand.is_empty();
    loop {
        let before = texts.len();
        for (file, line, why) in std::mem::take(&mut waiting) {
            let inside = file.strip_prefix(&templates.folder).and_then(|path| path.strip_prefix('/'));
            let (Some(inside), Some(bytes)) = (inside, texts.remove(file.as_str())) else { continue };
            comments.push((Pointer::default(), format!("decide: {why}, in line {line}; write what holds in every case")));
            module.insert(inside.to_owned(), for_a_person(inside, bytes, line, &why));
        }
        left |= texts.len() < before;
        let problems = match rendering.render(&texts) {
            Ok(Rendered { files, variables }) => {
                let made = |path: &String| texts.contains_key(format!("{}/{path}", templates.folder).as_str());
                module.extend(files.into_iter().filter(|(path, _)| made(path)));
                let stands_in = |name: &String| rendering.others.iter().any(|(from, _)| from.strip_prefix("var.") == Some(name));
                let variables = variables.into_iter().filter(|(name, _)| !stands_in(name));
                let variables = variables.map(|(name, reference)| (name, source(reference))).collect();
                return Ok(Symbolic { module, variables, others: rendering.others, left });
            }
            Err(problems) => problems,
        };
        let placed = problems.0.iter().filter_map(|problem| {
            let (file, line) = place_of(problem)?;
            texts.contains_key(file).then(|| (file.to_owned(), line, in_words(&problem.message)))
        });
        waiting = placed.collect();
        if waiting.is_empty() {
            return Err(problems);
        }
    }
}

/// A template that cannot be rendered so: its path, the line, and why.
type Left = (String, usize, String);

/// The templates that ask for values.
fn asking_files(texts: &Texts<'_>, folder: &str) -> Vec<Left> {
    let inside = texts.iter().filter(|(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
    let asks = inside.filter_map(|(path, bytes)| {
        let (line, what) = asking(std::str::from_utf8(bytes).ok()?)?;
        Some(((*path).to_owned(), line, format!("`{path}` asks for a value (`{what}`)")))
    });
    asks.collect()
}

/// Where a variable of the module gets its value from.
fn source(reference: Reference) -> VariableSource {
    match reference {
        Reference::Input(input) => VariableSource::Input(input),
        Reference::Attribute(slot, attribute) => VariableSource::Connection(format!("{slot}.{attribute}")),
    }
}

/// What templates are rendered with.
struct Rendering {
    templates: Templates,
    inputs: BTreeSet<InputName>,
    slots: BTreeMap<SlotName, BoundSlot>,
    place: Place,
    alias: Alias,
    others: Vec<(String, String)>,
}

impl Rendering {
    fn of(plugin: &Plugin, templates: &Templates) -> Result<Self, Problems> {
        let own = plugin.input_names();
        let mut inputs: BTreeSet<InputName> = own.iter().filter(|name| !SHARED.contains(&name.as_str())).cloned().collect();
        let mut others = Vec::new();
        for (name, reference) in PLACE {
            if let Some(input) = InputName::new(name).ok().filter(|input| !own.contains(input)) {
                others.push((format!("var.{}", input_variable(&input)), reference.to_owned()));
                inputs.insert(input);
            }
        }
        let slots = plugin.requires.iter().map(|(name, slot)| (name.clone(), bound(slot))).collect();
        let (place, alias) = somewhere().map_err(|invalid| Diagnostic::error(FailureReason::Internal, invalid.to_string()))?;
        let templates = Templates { conditions: Vec::new(), ..templates.clone() };
        Ok(Self { templates, inputs, slots, place, alias, others })
    }

    fn render(&self, texts: &Texts<'_>) -> Result<Rendered, Problems> {
        let none = BTreeMap::new();
        let scope =
            Scope { inputs: &none, sensitive_inputs: &self.inputs, slots: &self.slots, place: &self.place, alias: &self.alias };
        render(&self.templates, texts, &scope)
    }

    /// Puts a reference to a local in the place of each computed input that has to know values. Gives their names and templates.
    fn replace_computed(&mut self, comments: &mut Comments) -> Vec<(String, String)> {
        let all: Vec<(String, String)> = self.templates.computed.iter().chain(&self.templates.global_computed).cloned().collect();
        let mut replaced = Vec::new();
        for (name, template) in all {
            let Some(problem) = self.failing(&name) else { continue };
            let Ok(stand_in) = InputName::new(format!("{COMPUTED}{}", replaced.len())) else { continue };
            let local = name.replace('-', "_");
            comments.push((Pointer::default(), format!("decide: {problem}; say in `{LOCALS}` what `local.{local}` is")));
            self.others.push((format!("var.{}", input_variable(&stand_in)), format!("local.{local}")));
            let reference = format!("{{{{ inputs.{stand_in} }}}}");
            self.inputs.insert(stand_in);
            for (known, template) in self.templates.computed.iter_mut().chain(&mut self.templates.global_computed) {
                if *known == name {
                    template.clone_from(&reference);
                }
            }
            replaced.push((local, template));
        }
        replaced
    }

    /// Why a computed input cannot be had, apart from others that cannot.
    fn failing(&self, name: &str) -> Option<String> {
        let mut computed = self.templates.computed.iter().chain(&self.templates.global_computed);
        if let Some((_, what)) = computed.find(|(known, _)| known == name).and_then(|(_, template)| asking(template)) {
            return Some(format!("the computed input `{name}` asks for a value (`{what}`)"));
        }
        let mut alone = self.templates.clone();
        for (known, template) in alone.computed.iter_mut().chain(&mut alone.global_computed) {
            if known != name {
                "computed".clone_into(template);
            }
        }
        let alone = Self {
            templates: alone,
            inputs: self.inputs.clone(),
            slots: self.slots.clone(),
            place: self.place.clone(),
            alias: self.alias.clone(),
            others: Vec::new(),
        };
        let problems = alone.render(&Texts::new()).err()?;
        problems.0.first().map(|problem| in_words(&problem.message))
    }
}

/// A slot with all that is looked at of it.
fn bound(slot: &Slot) -> BoundSlot {
    let names = match &slot.uses {
        Uses::Named(names) => names.clone(),
        Uses::Declared | Uses::All => BTreeSet::new(),
    };
    let sensitive = names.into_iter().map(|name| (name.clone(), SensitiveSource::Variable(name.to_string())));
    BoundSlot { sensitive: sensitive.collect(), ..BoundSlot::default() }
}

/// A place to render at, of which nothing is seen.
fn somewhere() -> Result<(Place, Alias), InvalidName> {
    let place = Place { workspace: "workspace".parse()?, environment: "environment".parse()?, deployable: "deployable".parse()? };
    Ok((place, "plugin".parse()?))
}

/// A template's path without expressions in it: Terraform does not care what its files are called.
fn plain_path(path: &str, folder: &str, comments: &mut Comments) -> String {
    let inside = path.strip_prefix(folder).and_then(|inside| inside.strip_prefix('/'));
    let Some(inside) = inside.filter(|inside| inside.contains("{{") || inside.contains("{%")) else { return path.to_owned() };
    let plain: Vec<String> =
        inside.split('/').map(|part| if part.contains('{') { words(part) } else { part.to_owned() }).collect();
    let plain = plain.join("/");
    let message = format!("check: the name of the template `{inside}` was made of values; its file is `{plain}` now");
    comments.push((Pointer::default(), message));
    format!("{folder}/{plain}")
}

/// The words of a file's name.
fn words(name: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').filter(|(_, end)| !end.contains(['{', '}'])).unwrap_or((name, ""));
    let words: Vec<&str> = stem.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{}{dot}{extension}", words.join("-"))
}

/// The file and line that a problem is at.
fn place_of(problem: &Diagnostic) -> Option<(&str, usize)> {
    let origin = problem.origin.as_ref()?;
    let line = match &origin.at {
        Spot::Line { line, .. } => *line,
        Spot::File | Spot::Pointer(_) => 1,
    };
    Some((&origin.file, line))
}

/// What is wrong with a reference: to the templates it is a sensitive value, which here it need not be.
fn in_words(message: &str) -> String {
    let (what, _) = message.split_once(", which no template can see").unwrap_or((message, ""));
    what.replace("sensitive value", "value")
}

/// A template for a person to go on with: as a comment where Terraform would read it.
fn for_a_person(file: &str, bytes: &[u8], line: usize, why: &str) -> Vec<u8> {
    if !file.ends_with(".tf") {
        return bytes.to_owned();
    }
    format!("# To be written by hand, for line {line} of this template: {why}\n#\n{}", commented(&String::from_utf8_lossy(bytes)))
        .into_bytes()
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}

/// What was computed, for a person to write as expressions.
fn locals(computed: &[(String, String)]) -> String {
    let entries = computed.iter().map(|(name, template)| {
        let template: Vec<String> = template.trim().lines().map(|line| format!("  # {line}\n")).collect();
        format!("{}  {name} = null # to be written by hand\n", template.concat())
    });
    format!("locals {{\n{}}}\n", entries.collect::<Vec<_>>().join("\n"))
}
