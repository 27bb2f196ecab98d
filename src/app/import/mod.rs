//! `tieline import`: the native form of what was written for another system.

mod branches;
mod draft;
mod literal;
mod massdriver;
mod read;
mod stackspot;
mod symbolic;
#[cfg(test)]
mod tests;
mod tokens;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::session::Session;
use crate::documents;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{AttributeName, SlotName};
use crate::domain::plugin::{Plugin, Slot, Uses, VariableSource};
use crate::request::cli::ImportDocument;
use crate::sources::TreeFile;

use draft::Draft;

/// What a person must know, each with the place in the document that it is about.
type Comments = Vec<(Pointer, String)>;

/// Files by path.
type Texts<'a> = BTreeMap<&'a str, &'a [u8]>;

/// The native form of something.
#[derive(Debug, Default)]
struct Converted {
    /// Its documents.
    drafts: Vec<Draft>,
    /// The files beside them.
    files: BTreeMap<String, TreeFile>,
}

impl Converted {
    /// The same in a folder, where documents take the place of files of their name.
    fn in_folder(mut self, folder: &str) -> Self {
        for draft in &self.drafts {
            self.files.remove(&draft.path);
        }
        if folder.is_empty() {
            return self;
        }
        for draft in &mut self.drafts {
            draft.path = format!("{folder}/{}", draft.path);
        }
        let files = self.files.into_iter().map(|(path, file)| (format!("{folder}/{path}"), file)).collect();
        Self { files, ..self }
    }

    /// The same with comments at the top of its first document.
    fn comment(&mut self, comments: &Comments) {
        if let Some(draft) = self.drafts.first_mut() {
            draft.comment_all(comments.clone());
        }
    }

    /// Both.
    fn and(mut self, other: Self) -> Self {
        self.drafts.extend(other.drafts);
        self.files.extend(other.files);
        self
    }
}

/// Prints, or writes, the native form of what is at the path.
pub(super) fn run(session: &Session, arguments: &ImportDocument) -> Result<(), Problems> {
    let path = session.world.directory.join(&arguments.path);
    let converted = read::converted(session, &path)?;
    check(&converted)?;
    match &arguments.to {
        None => write::print(session, &converted),
        Some(to) => write::write(session, &session.world.directory.join(to), &converted)?,
    }
    Ok(())
}

/// Makes sure that Tieline itself reads what it wrote.
fn check(converted: &Converted) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for draft in &converted.drafts {
        let text = draft.whole();
        let read = match draft.kind {
            documents::Kind::Manifest => documents::manifest(&draft.path, text.as_bytes()).map(drop),
            documents::Kind::ConnectionInterfaceType => documents::connection_type(&draft.path, text.as_bytes()).map(drop),
            _ => documents::plugin(&draft.path, text.as_bytes()).map(drop),
        };
        if let Err(Problems(found)) = read {
            let wrong = found.into_iter().map(|problem| {
                Diagnostic::error(problem.reason, format!("the native form would not be valid: {}", problem.message))
                    .in_file(&draft.path)
            });
            problems.extend(Problems(wrong.collect()));
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// Has a slot say which sensitive attributes it uses, as far as its type is known; else says what a person has to look up.
fn sensitive(name: &SlotName, slot: &mut Slot, known: &[ConnectionType]) -> Option<(Pointer, String)> {
    let used = std::mem::take(&mut slot.uses);
    let at = Pointer::keys(["requires", name.as_str()]);
    let all: BTreeSet<AttributeName> = match &used {
        Uses::Declared => return None,
        Uses::Named(names) => names.clone(),
        Uses::All => BTreeSet::new(),
    };
    if let Some(found) = known.iter().find(|found| found.name == slot.type_name) {
        slot.sensitive = found.sensitive().into_iter().filter(|one| used == Uses::All || all.contains(one)).collect();
        return None;
    }
    let type_name = &slot.type_name;
    let data = AttributeName::new("data").ok().filter(|data| used == Uses::All || all.contains(data));
    if let Some(data) =
        data.filter(|_| slot.type_name.as_str().starts_with("massdriver/") || all.iter().any(|one| one.as_str() == "data"))
    {
        slot.sensitive.insert(data);
        return Some((
            at,
            format!("check: `data` is taken to be what is sensitive of `{type_name}`, whose document is not here"),
        ));
    }
    let names: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    let of = if names.is_empty() { "its attributes".to_owned() } else { names.join(", ") };
    Some((
        at,
        format!("decide: list under `sensitive` those of {of} that are sensitive in `{type_name}`, whose document is not here"),
    ))
}

/// Takes inputs out of a plugin's schema.
fn drop_inputs(plugin: &mut Plugin, names: &BTreeSet<String>) {
    let Some(schema) = plugin.inputs.as_object_mut() else { return };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !names.contains(name));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name.as_str().is_none_or(|name| !names.contains(name)));
    }
}

/// The input, slot or step that a variable takes its value from.
fn source_name(source: &VariableSource) -> &str {
    match source {
        VariableSource::Input(name) => name.as_str(),
        VariableSource::Connection(path) | VariableSource::Step(path) => path.split('.').next().unwrap_or(path),
    }
}

fn invalid(message: String) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, message)
}
