//! Changes of a workspace's document that leave the rest as people wrote it: comments, order, layout, line ends.
//!
//! The text is changed by an editing library, and is then read like any other: only if it says exactly what it said before, with the
//! change, is it given out. Otherwise a person is told what to write.

use std::str::FromStr as _;

use yaml_edit::{Document, Mapping, Sequence};

use super::native::Document as _;
use super::read;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::names::DeployableName;
use crate::domain::organization::{Grant, Owner, Permission, Workspace};

/// One change of a workspace's document. Grants are named by their place in the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// One grant more, at the end.
    AddGrant(Grant),
    /// A grant less.
    RemoveGrant(usize),
    /// A grant no longer is to this pattern of deployables.
    RemoveConsumer(usize, String),
    /// A grant no longer allows this.
    RemovePermission(usize, Permission),
    /// The repository that may write a deployable.
    SetOwner(DeployableName, Owner),
}

/// What adds a grant to a workspace; nothing where all of it is granted already by grants of the same connections.
pub fn granting(workspace: &Workspace, wanted: &Grant) -> Vec<Edit> {
    let gives = |grant: &&Grant| {
        grant.connection == wanted.connection
            && wanted.allow.iter().all(|permission| grant.allow.contains(permission))
            && (grant.previews || !wanted.previews)
    };
    let has = |to: &String| workspace.grants.iter().filter(gives).any(|grant| grant.to.contains(to));
    let to: Vec<String> = wanted.to.iter().filter(|to| !has(to)).cloned().collect();
    if to.is_empty() { Vec::new() } else { vec![Edit::AddGrant(Grant { to, ..wanted.clone() })] }
}

/// What takes these permissions on exactly this connection, or pattern, from these patterns of deployables. No `to` stands for all, no
/// `allow` for everything.
pub fn revoking(workspace: &Workspace, connection: &str, to: &[String], allow: &[Permission]) -> Vec<Edit> {
    // From the last one: what is removed changes the places of those after it.
    let grants = workspace.grants.iter().enumerate().rev().filter(|(_, grant)| grant.connection == connection);
    grants.flat_map(|(index, grant)| revoking_from(index, grant, to, allow)).collect()
}

fn revoking_from(index: usize, grant: &Grant, to: &[String], allow: &[Permission]) -> Vec<Edit> {
    let from: Vec<&String> = grant.to.iter().filter(|pattern| to.is_empty() || to.contains(pattern)).collect();
    // Without `use` nothing else does anything.
    let is_taken = |permission: &Permission| allow.is_empty() || allow.contains(&Permission::Use) || allow.contains(permission);
    let (taken, left): (Vec<_>, Vec<_>) = grant.allow.iter().copied().partition(is_taken);
    if from.is_empty() || taken.is_empty() {
        return Vec::new();
    }
    let everybody = from.len() == grant.to.len();
    if everybody && left.is_empty() {
        return vec![Edit::RemoveGrant(index)];
    }
    if everybody {
        return taken.into_iter().map(|permission| Edit::RemovePermission(index, permission)).collect();
    }
    let kept = Grant { to: from.iter().copied().cloned().collect(), allow: left, ..grant.clone() };
    let mut edits: Vec<Edit> = from.into_iter().map(|pattern| Edit::RemoveConsumer(index, pattern.clone())).collect();
    edits.extend((!kept.allow.is_empty()).then_some(Edit::AddGrant(kept)));
    edits
}

/// The text of a workspace's document after these changes, one after the other.
///
/// # Errors
/// What is wrong with the document as it is, or would be; or that it cannot be changed by a program, with the lines to write by hand.
pub fn edit_workspace(file: &str, text: &[u8], edits: &[Edit]) -> Result<Vec<u8>, Problems> {
    let mut expected = read::workspace(file, text)?;
    for edit in edits {
        edit.change(&mut expected);
    }
    // Places in a text that is not there yet would mislead.
    let unsound = expected.findings(file, &serde_json::Value::Null).into_iter().map(|finding| {
        finding.help.into_iter().fold(Diagnostic::error(InvalidDocument, finding.message).in_file(file), Diagnostic::help)
    });
    let unsound: Vec<Diagnostic> = unsound.collect();
    if !unsound.is_empty() {
        return Err(Problems(unsound));
    }
    let changed = write_all(text, edits).filter(|changed| read::workspace(file, changed).is_ok_and(|found| found == expected));
    changed.ok_or_else(|| by_hand(file, edits).into())
}

/// The text of an imported connection's document, with its fields in the order that people write them.
pub fn write_imported(fields: &serde_json::Map<String, serde_json::Value>) -> String {
    const ORDER: [&str; 7] = ["apiVersion", "kind", "name", "type", "version", "attributes", "sensitive"];
    let written = ORDER.into_iter().filter_map(|name| Some((name.into(), serde_yaml::to_value(fields.get(name)?).ok()?)));
    serde_yaml::to_string(&written.collect::<serde_yaml::Mapping>()).unwrap_or_default()
}

/// The changed text; none where its layout does not let the library do it.
fn write_all(text: &[u8], edits: &[Edit]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let document = Document::from_str(text).ok()?;
    let workspace = document.as_mapping()?;
    edits.iter().try_for_each(|edit| edit.write(&workspace))?;
    let changed = document.to_string();
    Some(if has_windows_ends(text) { changed.replace("\r\n", "\n").replace('\n', "\r\n") } else { changed }.into_bytes())
}

/// Whether every line ends as they do on Windows. The library does not always see that.
fn has_windows_ends(text: &str) -> bool {
    text.contains("\r\n") && !text.replace("\r\n", "").contains('\n')
}

fn by_hand(file: &str, edits: &[Edit]) -> Diagnostic {
    let problem = Diagnostic::error(InvalidDocument, format!("`{file}` is written in a way that a program cannot change safely"));
    edits.iter().fold(problem.in_file(file), |problem, edit| problem.help(edit.in_words()))
}

impl Edit {
    /// Does it to what the document says.
    fn change(&self, workspace: &mut Workspace) {
        let grants = &mut workspace.grants;
        match self {
            Self::AddGrant(grant) => grants.push(grant.clone()),
            Self::RemoveGrant(index) => {
                if *index < grants.len() {
                    grants.remove(*index);
                }
            }
            Self::RemoveConsumer(index, consumer) => {
                grants.get_mut(*index).into_iter().for_each(|grant| grant.to.retain(|to| to != consumer));
            }
            Self::RemovePermission(index, permission) => {
                grants.get_mut(*index).into_iter().for_each(|grant| grant.allow.retain(|allowed| allowed != permission));
            }
            Self::SetOwner(deployable, owner) => drop(workspace.owners.insert(deployable.clone(), owner.clone())),
        }
    }

    /// Does it to the text.
    fn write(&self, workspace: &Mapping) -> Option<()> {
        match self {
            Self::AddGrant(grant) => match workspace.get_sequence("grants") {
                Some(grants) => grants.push(mapping(&grant_line(grant))?),
                None => workspace.set("grants", sequence(&format!("- {}\n", grant_line(grant)))?),
            },
            Self::RemoveGrant(index) => remove(workspace, "grants", *index)?,
            Self::RemoveConsumer(index, consumer) => remove_text(&grant(workspace, *index)?, "to", consumer)?,
            Self::RemovePermission(index, permission) => {
                remove_text(&grant(workspace, *index)?, "allow", permission.as_str())?;
            }
            Self::SetOwner(deployable, owner) => match workspace.get_mapping("owners") {
                Some(owners) => match owners.get_mapping(deployable.as_str()) {
                    Some(before) => {
                        before.set("repository", owner.repository.as_str());
                        before.set("id", owner.id);
                        if !owner.former.is_empty() {
                            before.set("former", sequence(&format!("{}\n", former_line(owner)))?);
                        }
                    }
                    None => owners.set(deployable.as_str(), mapping(&owner_line(owner))?),
                },
                None => workspace.set("owners", mapping(&format!("{deployable}: {}\n", owner_line(owner)))?),
            },
        }
        Some(())
    }

    /// What a person would do.
    fn in_words(&self) -> String {
        match self {
            Self::AddGrant(grant) => format!("add this to it:\ngrants:\n  - {}", grant_line(grant)),
            Self::RemoveGrant(index) => format!("take the grant number {} out of it", index + 1),
            Self::RemoveConsumer(index, consumer) => {
                format!("take `{consumer}` out of `to` of its grant number {}", index + 1)
            }
            Self::RemovePermission(index, permission) => {
                format!("take `{}` out of `allow` of its grant number {}", permission.as_str(), index + 1)
            }
            Self::SetOwner(deployable, owner) => format!("write this in it:\nowners:\n  {deployable}: {}", owner_line(owner)),
        }
    }
}

fn grant(workspace: &Mapping, index: usize) -> Option<Mapping> {
    workspace.get_sequence("grants")?.get(index)?.as_mapping().cloned()
}

/// Takes an item out of a list. An empty list is written as one, since a key without anything is not.
fn remove(of: &Mapping, key: &str, index: usize) -> Option<()> {
    let list = of.get_sequence(key)?;
    list.remove(index)?;
    if list.is_empty() && !list.is_flow_style() {
        of.set(key, Sequence::new_flow());
    }
    Some(())
}

fn remove_text(of: &Mapping, key: &str, text: &str) -> Option<()> {
    let list = of.get_sequence(key)?;
    let index = list.values().position(|item| item.as_scalar().is_some_and(|scalar| scalar.as_string() == text))?;
    remove(of, key, index)
}

/// A grant, on one line as people write it.
fn grant_line(grant: &Grant) -> String {
    let Grant { connection, to, allow, previews } = grant;
    let to: Vec<String> = to.iter().map(|to| quoted(to)).collect();
    let allow: Vec<&str> = allow.iter().map(|permission| permission.as_str()).collect();
    let previews = if *previews { ", previews: true" } else { "" };
    format!("{{connection: {}, to: [{}], allow: [{}]{previews}}}", quoted(connection), to.join(", "), allow.join(", "))
}

/// An owner likewise.
fn owner_line(owner: &Owner) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let plain = owner.repository.contains('/') && owner.repository.bytes().all(is_plain);
    let repository = if plain { owner.repository.clone() } else { quoted(&owner.repository) };
    let former = if owner.former.is_empty() { String::new() } else { format!(", former: {}", former_line(owner)) };
    format!("{{repository: {repository}, id: {}{former}}}", owner.id)
}

/// Whose it was before.
fn former_line(owner: &Owner) -> String {
    let former = owner.former.iter().map(|former| format!("{{id: {}, until: '{}'}}", former.id, former.until.to_rfc3339()));
    format!("[{}]", former.collect::<Vec<_>>().join(", "))
}

/// A text in quotes. A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn mapping(text: &str) -> Option<Mapping> {
    Document::from_str(text).ok()?.as_mapping()
}

fn sequence(text: &str) -> Option<Sequence> {
    Document::from_str(text).ok()?.as_sequence()
}
