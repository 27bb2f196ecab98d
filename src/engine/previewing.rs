//! What a run in a preview does beyond all others: it begins nothing once the preview is to go, what it applies can be destroyed without
//! it, and the last destroy takes the preview itself along.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use super::publication::Publication;
use super::{Engine, locked};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::Snapshot;
use crate::context::{Change, Changes, CommitId, ContextStore, StoreError};
use crate::domain::address::{AliasMember, Place};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::OutputName;
use crate::domain::preview::{Life, Outlook, Preview, Previewed, link};
use crate::domain::record::{RunRecord, RunStatus, RunType};

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

/// What a successful deploy does to its preview: its end moves, and where it can be looked at is known.
pub(super) struct Prolonging {
    life: Life,
    now: DateTime<Utc>,
    url: Option<String>,
    /// What became of the preview, once that is committed.
    preview: Mutex<Option<Preview>>,
}

impl Engine {
    /// What this run does to the preview that it deployed; none where it is no successful deploy of one.
    pub(super) fn prolonging(&self, run: &RunRecord) -> Option<Prolonging> {
        let life = self.settings.life.filter(|_| run.status == RunStatus::Succeeded && run.run_type == RunType::Deploy)?;
        let now = run.ended.unwrap_or_else(|| self.world.clock.now());
        Some(Prolonging { life, now, url: self.link(), preview: Mutex::default() })
    }

    /// The published attribute that the manifest names as the preview's link, if it is one.
    fn link(&self) -> Option<String> {
        let named = self.deployment.manifest.preview.as_ref()?.url.as_ref()?;
        let text = self.published_at(named);
        let link = text.as_deref().and_then(link).filter(|link| self.redactor.redact(link) == *link);
        if link.is_none() {
            let why = if text.is_some() { "it is not a plain `http` or `https` URL" } else { "nothing is published there" };
            self.add_note(format!("no link to the preview is shown: the manifest names `{named}`, and {why}"));
        }
        link
    }

    /// The text at `alias.output.attribute` among what is published here.
    fn published_at(&self, named: &str) -> Option<String> {
        let (output, attribute) = named.rsplit_once('.')?;
        let of: AliasMember<OutputName> = output.parse().ok()?;
        let records = self.records();
        let record = records.get(&self.deployment.place.output(&of.alias, &of.member))?;
        record.face.attributes.get(attribute)?.as_str().map(str::to_owned)
    }
}

impl Prolonging {
    /// The change that this is at a commit of the ledger; none where the preview is gone.
    pub(super) async fn change(
        &self,
        store: &dyn ContextStore,
        head: Option<&CommitId>,
        place: &Place,
    ) -> Result<Option<(String, Change)>, StoreError> {
        let Place { workspace, environment, deployable } = place;
        let Some(before) = Snapshot::new(store, head.cloned()).preview(workspace, environment).await? else { return Ok(None) };
        let mut after = Preview { expires: self.life.expiry(self.now, Some(before.expires)), deployed: Some(self.now), ..before };
        after.deployables.insert(deployable.clone(), Previewed { url: self.url.clone() });
        let change = Change::write(canonical::to_bytes(&after));
        *locked(&self.preview) = Some(after);
        Ok(Some((layout::preview(workspace, environment), change)))
    }

    /// What is told of the preview, once its change is committed.
    pub(super) fn outlook(&self) -> Option<Outlook> {
        let expires = locked(&self.preview).as_ref()?.expires;
        Some(Outlook { url: self.url.clone(), expires, told: self.now, most: self.life.most, answer: None })
    }
}

/// The change that takes a preview away with these, where they leave nothing applied in it, nobody else holds a claim in it, and it is to
/// go. A claim may be all that there is of what a run has made.
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
    let is_beside = |other: &Place| other != place && (&other.workspace, &other.environment) == (workspace, environment);
    let is_left = is_left || store.claims().await?.keys().any(is_beside);
    Ok((!is_left).then(|| (layout::preview(workspace, environment), Change::Remove)))
}
