//! `tieline status`: what goes on and what is there, in a workspace or one environment of it.

mod index;
mod locks;
mod one_run;
mod read;
mod scope;

use super::session::Session;
use crate::context::Branch;
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::report::status::{self as shown, Status};
use crate::report::{activities, one_line};
use crate::request::cli;
use crate::world::Stream;

use index::Index;
use read::Reading;
use scope::Scope;

/// How wide text is made where no terminal says.
const WIDTH: usize = 100;

/// Reads a workspace's part of the ledger and shows it.
pub(super) async fn run(session: &Session, arguments: &cli::Status) -> Result<(), Problems> {
    let scope = Scope::of(session, &arguments.target)?;
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let store = &*opened.store;
    let snapshot = Snapshot::new(store, store.head(Branch::Ledger).await?);
    let index = Index::of(store, &snapshot, &scope).await?;
    let reading = Reading { session, arguments, store, snapshot: &snapshot, scope: &scope, index: &index };
    if let Some(id) = &arguments.run {
        return one_run::show(&reading, id).await;
    }
    let mut status = reading.status().await?;
    if arguments.locks {
        status.locks = Some(locks::look(session, arguments, (&opened, &snapshot), &status.applied.shown).await?);
    }
    show(session, arguments, &status)
}

fn show(session: &Session, arguments: &cli::Status, status: &Status) -> Result<(), Problems> {
    let now = session.world.clock.now();
    let Some(file) = &arguments.html else {
        session.print(&if session.is_json() { shown::json(status, now) } else { shown::text(status, now, width(session)) });
        return Ok(());
    };
    let page = session.redactor.redact(&activities::page(status, now));
    let path = session.folder(arguments.target.working_directory.as_deref()).join(file);
    session.world.files.write(&path, page.as_bytes(), false).map_err(|problem| {
        let message = format!("cannot write the activities page `{}`: {problem}", file.display());
        Diagnostic::error(FailureReason::InvalidInput, message).help("name a file in a folder that is there with `--html`")
    })?;
    session.say(&one_line(&format!("wrote the activities page to {}", file.display())));
    Ok(())
}

/// How wide text may be.
fn width(session: &Session) -> usize {
    session.world.console.width().filter(|_| session.world.console.is_terminal(Stream::Out)).unwrap_or(WIDTH)
}
