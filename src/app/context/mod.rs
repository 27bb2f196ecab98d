//! `tieline context`: makes, fills and checks a context repository.

mod prune;
mod reseal;
mod review;
mod verify;

use std::path::{Path, PathBuf};

use super::session::Session;
use super::{Ended, Outcome, load};
use crate::context::{Location, create};
use crate::documents;
use crate::domain::diagnostic::Problems;
use crate::request::cli::{self, ContextArguments};

/// Where a context repository is made when none is named.
const DEFAULT: &str = ".tieline/context.git";

/// Runs a command about the context repository.
pub(super) async fn run(session: &Session, command: &cli::Context) -> Ended {
    match command {
        cli::Context::Review { from, target } => return review::run(session, from.as_deref(), target).await,
        cli::Context::Init { from, target } => {
            let folder = session.folder(target.working_directory.as_deref());
            init(session, &folder, from.as_ref().map(|from| folder.join(from)).as_deref(), &target.context).await?;
        }
        cli::Context::Verify { repair, target } => verify::run(session, *repair, target).await?,
        cli::Context::Prune { dry_run, target } => prune::run(session, *dry_run, target).await?,
        cli::Context::Reseal { opening, target } => reseal::run(session, opening, target).await?,
    }
    Ok(Outcome::Done)
}

async fn init(session: &Session, folder: &Path, from: Option<&Path>, arguments: &ContextArguments) -> Result<(), Problems> {
    let path = local_path(session, folder, arguments)?;
    if let Some(path) = &path {
        let is_new = session.world.files.metadata(path).is_none();
        create::init(&session.world, path).await?;
        let word = if is_new { "made" } else { "found" };
        session.print(&format!("{word} the context repository `{}`", load::shown(session, path)));
    }
    let arguments = ContextArguments {
        context: path.map(|path| path.display().to_string()).or_else(|| arguments.context.clone()),
        ..arguments.clone()
    };
    let opened = session.open_context(&arguments, folder, folder).await?;
    create::start_branches(&*opened.store).await?;
    let Some(from) = from else { return Ok(()) };
    check_documents(session, from)?;
    let changed = create::init_from(&*opened.store, &session.world, from, "Commit documents").await?;
    if changed.commit.is_none() {
        session.print("its documents are up to date");
    } else {
        for (word, paths) in [("added", &changed.added), ("changed", &changed.changed), ("removed", &changed.removed)] {
            for path in paths {
                session.print(&format!("{word} {path}"));
            }
        }
    }
    Ok(())
}

/// The path of the local repository that is meant; none where it is a remote one.
fn local_path(session: &Session, folder: &Path, arguments: &ContextArguments) -> Result<Option<PathBuf>, Problems> {
    match &arguments.context {
        None => Ok(Some(create::find(&session.world, folder).unwrap_or_else(|| folder.join(DEFAULT)))),
        Some(text) => match Location::parse(text, folder)? {
            Location::Local(path) => Ok(Some(path)),
            Location::Remote(_) | Location::GitHub(_) => Ok(None),
        },
    }
}

/// Every document must be sound before any of them is committed.
fn check_documents(session: &Session, from: &Path) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (path, bytes) in create::documents_in(&session.world, from)? {
        let name = load::shown(session, &from.join(&path));
        session.remember(&name, &bytes);
        problems.extend(check_document(&path, &name, &bytes).err().unwrap_or_default());
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// Checks one file of the documents branch as what its path says it is.
fn check_document(path: &str, name: &str, bytes: &[u8]) -> Result<(), Problems> {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["context.yaml"] => documents::context(name, bytes).map(drop),
        ["catalog.yaml"] => documents::catalog(name, bytes).map(drop),
        ["types", ..] if path.ends_with(".yaml") => documents::connection_type(name, bytes).map(drop),
        ["workspaces", _, "workspace.yaml"] => documents::workspace(name, bytes).map(drop),
        ["workspaces", _, "environments", _] => documents::environment(name, bytes).map(drop),
        ["workspaces", _, "imported", _, _] => documents::imported(name, bytes).map(drop),
        _ => Ok(()),
    }
}
