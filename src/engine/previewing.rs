//! What a run in a preview does beyond all others: it begins nothing once the preview is to go, what it applies can be destroyed without
//! it, and the last destroy takes the preview itself along.

use std::collections::BTreeSet;

use super::Engine;
use super::publication::Publication;
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::Snapshot;
use crate::context::{Change, Changes, CommitId, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;

impl Engine {
    /// Refuses to begin anything in a preview that is being removed, or is gone (R54).
    pub(super) async fn is_still_wanted(&self) -> Result<(), Problems> {
        let Place { workspace, environment, .. } = &self.deployment.place;
        if !environment.is_preview() {
            return Ok(());
        }
        let preview = Snapshot::newest(&*self.store).await?.preview(workspace, environment).await?;
        if preview.is_some_and(|preview| preview.closing.is_none()) {
            return Ok(());
        }
        let message = format!("the preview `{workspace}/{environment}` is being removed: nothing more is begun in it");
        Err(Diagnostic::error(FailureReason::Cancelled, message)
            .help("nothing is left to do: what was made so far is removed with it; should its pull request be open again, run again")
            .into())
    }

    /// Puts the plugins of a preview into the ledger before the first of them is applied. Elsewhere a run does so at its end; but a
    /// preview is removed from the ledger alone, also one whose run was killed (R52).
    pub(super) async fn keep_trees(&self) -> Result<(), Problems> {
        let place = &self.deployment.place;
        if !place.environment.is_preview() || self.contents.is_empty() {
            return Ok(());
        }
        let digests: BTreeSet<_> = self.deployment.plugins.values().map(|plugin| &plugin.source.digest).collect();
        let folders: Vec<String> = digests.iter().map(|digest| layout::plugin_tree(digest)).collect();
        let kept = match Snapshot::newest(&*self.store).await?.at() {
            Some(head) => self.store.list(head, &folders).await?,
            None => std::collections::BTreeMap::new(),
        };
        let is_kept = |digest| kept.get(&layout::plugin_tree(digest)).is_some_and(|files| !files.is_empty());
        let mut publication = Publication::new(place);
        for (alias, plugin) in &self.deployment.plugins {
            if let (false, Some(content)) = (is_kept(&plugin.source.digest), self.contents.get(alias)) {
                publication.tree(&plugin.source.digest, &content.tree);
            }
        }
        publication.commit(&self.world, &*self.store, &format!("Keep the plugins of {place}")).await
    }
}

/// The change that takes a preview away with these, where they leave nothing applied in it and it is to go.
pub(super) async fn ending(
    store: &dyn ContextStore,
    head: Option<&CommitId>,
    place: &Place,
    changes: &Changes,
) -> Result<Option<(String, Change)>, StoreError> {
    let is_gone = |path: &String| changes.get(path) == Some(&Change::Remove);
    let is_applied = |path: &str| matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..)));
    let Place { workspace, environment, .. } = place;
    let Some(head) = head.filter(|_| environment.is_preview() && changes.keys().any(|path| is_applied(path) && is_gone(path)))
    else {
        return Ok(None);
    };
    let preview = Snapshot::new(store, Some(head.clone())).preview(workspace, environment).await?;
    if preview.is_none_or(|preview| preview.closing.is_none()) {
        return Ok(None);
    }
    let folder = layout::environment_folder(workspace, environment);
    let listed = store.list(head, std::slice::from_ref(&folder)).await?;
    let is_left = listed.get(&folder).into_iter().flatten().any(|file| is_applied(&file.path) && !is_gone(&file.path));
    Ok((!is_left).then(|| (layout::preview(workspace, environment), Change::Remove)))
}
