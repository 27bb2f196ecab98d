//! The documents of a folder: found, checked one by one and against each other, and put together.

use std::collections::BTreeSet;
use std::path::Path;

use super::{FILES, FOLDERS, Written};
use crate::app::load;
use crate::app::session::Session;
use crate::context::{create, layout};
use crate::documents;
use crate::domain::address::{Address, Target};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Digest, EnvironmentName, ImportedName, WorkspaceName};
use crate::domain::review::Document;
use crate::policy::rules::Rules;
use crate::resolve::{self, Types};
use crate::review::Documents;

/// The largest document.
const LARGEST: u64 = 1 << 20;

/// Reads the documents of a folder. Other files are none of ours.
///
/// # Errors
/// When it cannot be read, or has no documents.
pub(super) fn read(session: &Session, root: &Path) -> Result<Written, Problems> {
    let files = &session.world.files;
    let mut found = Written::new();
    for name in FILES {
        if files.metadata(&root.join(name)).is_some() {
            let bytes = files.read(&root.join(name), LARGEST).map_err(|problem| unreadable(&root.join(name), &problem))?;
            found.insert(name.to_owned(), bytes);
        }
    }
    for folder in FOLDERS {
        if files.metadata(&root.join(folder)).is_some() {
            let below = create::documents_in(&session.world, &root.join(folder))?;
            found.extend(below.into_iter().map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
        }
    }
    if found.is_empty() {
        let message = format!("there are no documents in `{}`", load::shown(session, root));
        return Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .help("run it in a checkout of the context repository's documents branch, or name the folder with `--from`")
            .into());
    }
    for (path, bytes) in &found {
        session.remember(&super::shown(session, root, path), bytes);
    }
    Ok(found)
}

fn unreadable(path: &Path, problem: &std::io::Error) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("cannot read `{}`: {problem}", path.display()))
}

/// The documents that these files are; `shown` is how people know a path.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn parse(files: &Written, shown: impl Fn(&str) -> String) -> Result<Documents, Problems> {
    let mut documents = Documents::default();
    let mut problems = Problems::default();
    for (path, bytes) in files {
        let file = shown(path);
        match parse_path(path) {
            Some(document) => problems.extend(take(&mut documents, document, &file, bytes).err().unwrap_or_default()),
            None => problems.push(stray(&file)),
        }
    }
    let policies = files.iter().filter(|(path, _)| layout::is_policy(path));
    let policies = policies.map(|(path, bytes)| (shown(path), bytes.clone())).collect();
    problems.extend(Rules::parse(&policies).err().unwrap_or_default());
    if !problems.any_error() {
        problems.extend(check_together(&documents, &shown));
    }
    if problems.any_error() { Err(problems) } else { Ok(documents) }
}

/// The same for what is published already: what is not sound is left out.
pub(super) fn parse_sound(files: &Written) -> Documents {
    let mut documents = Documents::default();
    for (path, bytes) in files {
        if let Some(document) = parse_path(path) {
            drop(take(&mut documents, document, path, bytes));
        }
    }
    documents
}

/// The document that a path is of.
fn parse_path(path: &str) -> Option<Document> {
    let stem = |file: &str| file.strip_suffix(".yaml").map(str::to_owned);
    Some(match path.split('/').collect::<Vec<_>>()[..] {
        [layout::CONTEXT_DOCUMENT] => Document::Context,
        [layout::CATALOG] => Document::Catalog,
        [layout::POLICIES, ..] => Document::Policy(path.to_owned()),
        [layout::TYPES, ..] => {
            let (name, version) = layout::parse_connection_type(path)?;
            Document::Type(name, version)
        }
        [layout::WORKSPACES, workspace, "workspace.yaml"] => Document::Workspace(WorkspaceName::new(workspace).ok()?),
        [layout::WORKSPACES, workspace, "environments", file] => {
            Document::Environment(WorkspaceName::new(workspace).ok()?, EnvironmentName::new(&stem(file)?).ok()?)
        }
        [layout::WORKSPACES, workspace, "imported", environment, file] => Document::Imported(Address {
            workspace: WorkspaceName::new(workspace).ok()?,
            environment: EnvironmentName::new(environment).ok()?,
            target: Target::Imported(ImportedName::new(&stem(file)?).ok()?),
        }),
        _ => return None,
    })
}

/// Reads one document as what its path says it is.
fn take(documents: &mut Documents, document: Document, file: &str, bytes: &[u8]) -> Result<(), Problems> {
    match document {
        Document::Context => documents.context = Some(documents::context(file, bytes)?),
        Document::Catalog => documents.catalog = Some(documents::catalog(file, bytes)?),
        Document::Type(name, version) => {
            let found = documents::connection_type(file, bytes)?;
            expect(file, "name", found.name.as_str(), name.as_str())?;
            expect(file, "version", &found.version.to_string(), &version.to_string())?;
            documents.types.insert((name, version), found);
        }
        Document::Workspace(name) => {
            let found = documents::workspace(file, bytes)?;
            expect(file, "name", found.name.as_str(), name.as_str())?;
            documents.workspaces.insert(name, found);
        }
        Document::Environment(workspace, name) => {
            let found = documents::environment(file, bytes)?;
            documents.environments.insert((workspace, name), found);
        }
        Document::Imported(address) => drop(documents.imported.insert(address, documents::imported(file, bytes)?)),
        Document::Policy(path) => drop(documents.policies.insert(path, Digest::of(bytes))),
    }
    Ok(())
}

/// What a document calls itself must be what its path calls it: it is found by that.
fn expect(file: &str, key: &'static str, found: &str, by_path: &str) -> Result<(), Problems> {
    if found == by_path {
        return Ok(());
    }
    Err(Diagnostic::error(FailureReason::InvalidDocument, format!("its {key} is `{found}`, and its path says `{by_path}`"))
        .at(file, Pointer::keys([key]))
        .help("correct one of the two")
        .into())
}

fn stray(file: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidDocument, "no document is looked for at this path").in_file(file).help(
        "documents are `types/<name>/<version>.yaml`, `workspaces/<workspace>/workspace.yaml`, \
         `workspaces/<workspace>/environments/<environment>.yaml` and `workspaces/<workspace>/imported/<environment>/<name>.yaml`",
    )
}

/// What only shows when documents are read together.
fn check_together(documents: &Documents, shown: &impl Fn(&str) -> String) -> Problems {
    let mut problems = Problems::default();
    let homeless: BTreeSet<&WorkspaceName> = documents
        .environments
        .keys()
        .map(|(workspace, _)| workspace)
        .filter(|name| !documents.workspaces.contains_key(*name))
        .collect();
    for workspace in homeless {
        let path = layout::workspace(workspace);
        let message = format!("the workspace `{workspace}` has environments, but no document of its own");
        problems.push(Diagnostic::error(FailureReason::InvalidDocument, message).help(format!("add `{}`", shown(&path))));
    }
    let aliases = documents.catalog.as_ref().map(|catalog| catalog.type_aliases.clone()).unwrap_or_default();
    let types = Types::new(documents.types.values().cloned(), aliases);
    for (address, imported) in &documents.imported {
        let file = shown(&super::path(&Document::Imported(address.clone())));
        for why in resolve::imported_shortcomings(imported, &types) {
            let message = format!("`{address}` does not fit `{}` {}: {why}", imported.type_name, imported.version);
            problems.push(Diagnostic::error(FailureReason::InvalidDocument, message).at(&file, Pointer::keys(["attributes"])));
        }
    }
    problems
}
