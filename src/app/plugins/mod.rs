//! `tieline plugins`: what the manifest uses, moving its lock file, and a plugin's own cases.

mod cases;
mod usage;

use std::collections::BTreeSet;

use super::session::Session;
use super::{assemble, load};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::report;
use crate::request::cli::{self, Target};
use crate::sources::LockMode;

/// Runs a command about plugins.
pub(super) async fn run(session: &Session, command: &cli::Plugins) -> Result<(), Problems> {
    match command {
        cli::Plugins::List(target) => list(session, target, assemble::lock_mode(session)).await,
        cli::Plugins::Test { folder } => cases::run(session, folder),
        cli::Plugins::Usage { name, target } => usage::run(session, name.as_deref(), target).await,
        cli::Plugins::Update { aliases, target } => {
            let written = load::manifest(session, target)?;
            let mut only = BTreeSet::new();
            for alias in aliases {
                let applied = written.manifest.plugins.iter().find(|(known, _)| known.as_str() == alias);
                let (_, applied) = applied.ok_or_else(|| unknown(alias, &written))?;
                only.insert(applied.source.clone());
            }
            list(session, target, LockMode::Update { only: (!only.is_empty()).then_some(only) }).await
        }
    }
}

fn unknown(alias: &str, written: &load::Written) -> Problems {
    let known: Vec<&str> = written.manifest.plugins.keys().map(crate::domain::names::Alias::as_str).collect();
    Diagnostic::error(FailureReason::InvalidInput, format!("the manifest has no applied plugin `{alias}`"))
        .at(&written.file, Pointer::keys(["plugins"]).at_key())
        .help(format!("the aliases are {}", known.join(", ")))
        .into()
}

async fn list(session: &Session, target: &Target, mode: LockMode) -> Result<(), Problems> {
    let written = load::manifest(session, target)?;
    let catalog = match session
        .open_context(&target.context, &session.folder(target.working_directory.as_deref()), &written.folder)
        .await
    {
        Ok(opened) => session.organization(&*opened.store, &[]).await?.catalog,
        // Only catalog names need a context; they say so themselves.
        Err(_) if target.context.context.is_none() => None,
        Err(problems) => return Err(problems),
    };
    let loaded = session.plugins(&written, &session.plugin_client(&target.context), catalog.as_ref(), mode).await?;
    session.show(&loaded.warnings);
    let rows: Vec<report::plugins::Row<'_>> = loaded
        .manifest
        .plugins
        .iter()
        .filter_map(|(alias, applied)| {
            let plugin = loaded.plugins.get(&applied.source)?;
            Some(report::plugins::Row { alias, plugin: &plugin.plugin, source: &plugin.source })
        })
        .collect();
    session.print(&if session.is_json() { report::plugins::json(&rows) } else { report::plugins::text(&rows) });
    Ok(())
}
