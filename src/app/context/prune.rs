//! `tieline context prune`: lets go of what the ledger need not keep.

use crate::app::owner;
use crate::app::session::Session;
use crate::context::prune;
use crate::context::{Branch, layout};
use crate::documents;
use crate::domain::diagnostic::Problems;
use crate::report::prune::{self as shown, Gone};
use crate::request::cli::ContextTarget;

/// Prunes, or only says what would go.
pub(super) async fn run(session: &Session, dry: bool, target: &ContextTarget) -> Result<(), Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    if !dry {
        owner::admit_upkeep(session, &opened)?;
    }
    let store = opened.store;
    let document = match store.head(Branch::Documents).await? {
        Some(head) => session.context_document(&*store, &head, layout::CONTEXT_DOCUMENT, documents::context).await?,
        None => None,
    };
    let retained = document.map(|document| document.retention).unwrap_or_default().runs as usize;
    let pruned = if dry {
        prune::look(&*store, store.head(Branch::Ledger).await?.as_ref(), retained).await?
    } else {
        prune::prune(&*store, &session.world, retained).await?
    };
    let gone = Gone { dry, retained, runs: pruned.runs, releases: pruned.releases, plugins: pruned.plugins };
    session.print(&if session.is_json() { shown::json(&gone) } else { shown::text(&gone) });
    Ok(())
}
