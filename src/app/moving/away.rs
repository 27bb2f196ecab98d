//! Names in a manifest that something else had before it was moved.

use std::collections::BTreeMap;

use crate::app::session::Session;
use crate::context::ContextStore;
use crate::context::ledger::Snapshot;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::AppliedRecord;

/// Says which of these applied plugins, which are not applied yet, have the name of one that was moved: probably that one is meant.
/// Surely so where that one would be destroyed for it: a manifest from before the move is refused.
///
/// # Errors
/// When the context cannot be read, or the manifest is from before a move.
pub(in crate::app) async fn warn_of_former_names(
    session: &Session,
    store: &dyn ContextStore,
    deployment: &Deployment,
    applied: &BTreeMap<Alias, AppliedRecord>,
    new: &[&Alias],
) -> Result<(), Problems> {
    if new.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::newest(store).await?;
    let place = &deployment.place;
    let whole = snapshot.redirect(place, None).await?;
    let renamed = snapshot.redirects(place, new.iter().copied()).await?;
    let (mut warnings, mut refused) = (Problems::default(), Problems::default());
    for alias in new {
        let moved = renamed.get(*alias).or(whole.as_ref()).filter(|redirect| redirect.left.contains_key(*alias));
        let Some(redirect) = moved else { continue };
        let now = redirect.alias.as_ref().unwrap_or(alias);
        if redirect.place == *place && applied.contains_key(now) && !deployment.plugins.contains_key(now) {
            let message =
                format!("`{alias}` was renamed to `{now}`, which this manifest lacks: it would be destroyed, and another made");
            refused.push(
                Diagnostic::error(FailureReason::InvalidDocument, message)
                    .at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key())
                    .help(format!(
                        "write `{now}` here; if `{now}` is to go, take both out, deploy that, and then put `{alias}` in"
                    )),
            );
            continue;
        }
        let message = format!("`{alias}` was moved to `{}/{now}`: this is another one, which is made anew", redirect.place);
        warnings.push(
            Diagnostic::warning(FailureReason::InvalidInput, message)
                .at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key())
                .note("it is told the same `name_prefix` as the one that was moved")
                .help("if that one is meant, write its new name here, or that of the deployable and its workspace"),
        );
    }
    session.warn(&warnings);
    if refused.any_error() { Err(refused) } else { Ok(()) }
}
