//! `tieline preview down`: takes a preview apart from what the ledger says of it, and from nothing else (R52).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{meant, shown};
use crate::app::perform::{Held, Order, performed_on};
use crate::app::session::{Opened, Session};
use crate::app::{Ended, Outcome, assemble, owner};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::{self, Snapshot};
use crate::context::publish::publish;
use crate::context::{Branch, Change, Changes, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::DeployableName;
use crate::domain::outcome::RunReport;
use crate::domain::preview::{Preview, PullRequestId};
use crate::domain::record::RunType;
use crate::domain::removal::{PreviewName, Removal, Removed};
use crate::report;
use crate::request::cli::{PreviewDown, Target};
use crate::world::Stream;

/// How often a claim that is waited for is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Removes the preview that is meant, with all that is deployed in it. One that is gone already is no error.
pub(super) async fn run(session: &Session, arguments: &PreviewDown) -> Ended {
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let meant = meant::find(session, &*opened.store, arguments).await?;
    let mut removal = Removal { asked: meant.asked, removed: Vec::new(), problems: meant.unreadable };
    for (name, preview) in meant.previews {
        let of = Of { session, arguments, opened: &opened, name };
        let (removed, problems) = of.remove(&preview).await;
        shown::gone(session, arguments, &preview, &removed, &problems).await;
        removal.removed.push(removed);
        removal.problems.extend(problems);
    }
    let removal = removal.with_texts(&|text| session.redactor.redact(text));
    session.print(&if session.is_json() {
        report::preview::removal_json(&removal)
    } else {
        report::preview::removal(&removal, session.uses_color(Stream::Out))
    });
    Ok(Outcome::Removed(Box::new(removal)))
}

/// A preview that is removed, with all that it takes.
struct Of<'a> {
    session: &'a Session,
    arguments: &'a PreviewDown,
    opened: &'a Opened,
    name: PreviewName,
}

impl Of<'_> {
    async fn remove(&self, preview: &Preview) -> (Removed, Problems) {
        let mut removed = Removed { name: self.name.clone(), id: Some(preview.id), runs: Vec::new(), is_gone: false };
        let ended = self.take_apart(preview, &mut removed.runs).await;
        let mut problems = Problems(removed.runs.iter().flat_map(|run| run.problems.0.clone()).collect());
        match ended {
            Ok(is_gone) => removed.is_gone = is_gone,
            Err(more) => problems.extend(more),
        }
        (removed, problems)
    }

    /// Destroys what is in it, and says whether nothing of it is left. From the mark on nothing new is begun in it, and only then it is
    /// looked who works in it: of a deploy and this one at least one sees the other.
    async fn take_apart(&self, preview: &Preview, runs: &mut Vec<RunReport>) -> Result<bool, Problems> {
        owner::admit_remover(self.session, self.opened, &self.name, preview)?;
        self.mark(preview.id).await?;
        let mut done = BTreeSet::new();
        let mut problems = Problems::default();
        while let Some(place) = self.in_order().await?.into_iter().find(|place| !done.contains(place)) {
            if let Err(wanted) = self.goes_on(preview.id).await {
                problems.extend(wanted);
                break;
            }
            match self.destroy(&place, preview.id).await {
                Ok(run) => runs.push(run),
                Err(of_place) => problems.extend(of_place),
            }
            done.insert(place);
        }
        if problems.any_error() {
            return Err(problems);
        }
        self.forget().await
    }

    /// Lets everybody see that it goes. Not where another has its name by now, or where it lives longer than the sweeper saw.
    async fn mark(&self, id: PullRequestId) -> Result<(), Problems> {
        let PreviewName { workspace, environment } = &self.name;
        let now = self.session.world.clock.now();
        self.commit(&format!("Begin to remove the preview {}", self.name), async |snapshot: Snapshot<'_>| {
            let preview = snapshot.preview(workspace, environment).await?;
            if preview.as_ref().is_some_and(|preview| preview.id != id) {
                return Err(meant::another(&self.name));
            }
            let is_as_seen = |preview: &Preview| self.arguments.seen_expires.is_none_or(|seen| seen == preview.expires);
            if preview.as_ref().is_some_and(|preview| !is_as_seen(preview)) {
                return Err(self.wanted_again("was deployed or kept"));
            }
            let marked =
                preview.filter(|preview| preview.closing.is_none()).map(|preview| Preview { closing: Some(now), ..preview });
            let change = |preview| (layout::preview(workspace, environment), Change::write(canonical::to_bytes(&preview)));
            Ok(marked.iter().map(change).collect())
        })
        .await
    }

    /// Makes sure that it is still to go: a deploy for a pull request that is open again takes the mark away.
    async fn goes_on(&self, id: PullRequestId) -> Result<(), Problems> {
        let PreviewName { workspace, environment } = &self.name;
        match Snapshot::newest(&*self.opened.store).await?.preview(workspace, environment).await? {
            Some(preview) if preview.id != id => Err(meant::another(&self.name)),
            Some(preview) if preview.closing.is_none() => Err(self.wanted_again("was deployed")),
            _ => Ok(()),
        }
    }

    fn wanted_again(&self, what: &str) -> Problems {
        let message = format!("`{}` {what} again while it was to be removed: nothing more of it is removed", self.name);
        Diagnostic::error(FailureReason::Cancelled, message)
            .help("nothing is left to do while its pull request is open; deploy it again if something is missing in it")
            .into()
    }

    /// Takes away what is left where nothing is deployed in it any more, and says whether it is gone.
    async fn forget(&self) -> Result<bool, Problems> {
        let PreviewName { workspace, environment } = &self.name;
        let store = &*self.opened.store;
        self.commit(&format!("Remove the preview {}", self.name), async |snapshot: Snapshot<'_>| {
            let is_closing = snapshot.preview(workspace, environment).await?.is_some_and(|preview| preview.closing.is_some());
            let is_free = is_closing && places(store, &snapshot, &self.name).await?.is_empty();
            Ok(is_free.then(|| (layout::preview(workspace, environment), Change::Remove)).into_iter().collect())
        })
        .await?;
        let snapshot = Snapshot::newest(store).await?;
        Ok(snapshot.preview(workspace, environment).await?.is_none() && places(store, &snapshot, &self.name).await?.is_empty())
    }

    async fn commit(
        &self,
        message: &str,
        changes: impl AsyncFn(Snapshot<'_>) -> Result<Changes, Problems>,
    ) -> Result<(), Problems> {
        let store = &*self.opened.store;
        let rebuild = |head| changes(Snapshot::new(store, head));
        publish(store, &self.session.world, Branch::Ledger, message, rebuild).await?;
        Ok(())
    }

    /// What is deployed in it, or being deployed: consumers before those that they take from.
    async fn in_order(&self) -> Result<Vec<Place>, Problems> {
        let snapshot = Snapshot::newest(&*self.opened.store).await?;
        let mut left = BTreeMap::new();
        for place in places(&*self.opened.store, &snapshot, &self.name).await? {
            let records = snapshot.place(&place).await?.applied;
            let producers: BTreeSet<Place> =
                records.values().flat_map(|record| record.uses().filter_map(|(_, address)| address.producer())).collect();
            left.insert(place, producers);
        }
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let is_used = |place: &Place| left.iter().any(|(other, producers)| other != place && producers.contains(place));
            // Where they take from each other, the gates say so.
            let next = left.keys().find(|place| !is_used(place)).or_else(|| left.keys().next()).cloned();
            if let Some(place) = next {
                left.remove(&place);
                ordered.push(place);
            }
        }
        Ok(ordered)
    }

    /// Destroys a deployable in it. A deploy that holds its claim is waited for: it saw the mark, and begins nothing more.
    async fn destroy(&self, place: &Place, id: PullRequestId) -> Result<RunReport, Problems> {
        let clock = &self.session.world.clock;
        let patience = self.arguments.terraform.lock_timeout;
        let begun = clock.now();
        loop {
            let ended = Box::pin(self.try_to_destroy(place, id)).await;
            let waited = (clock.now() - begun).to_std().unwrap_or_default();
            match ended {
                Err(problems) if is_claimed(&problems) && waited < patience && !self.session.cancel.is_cancelled() => {
                    self.wait_for_claim(place, patience.saturating_sub(waited)).await?;
                }
                ended => return ended,
            }
        }
    }

    async fn try_to_destroy(&self, place: &Place, id: PullRequestId) -> Result<RunReport, Problems> {
        let target = Target {
            manifest: None,
            workspace: Some(place.workspace.to_string()),
            environment: Some(place.environment.to_string()),
            deployable: Some(place.deployable.to_string()),
            ..self.arguments.target.clone()
        };
        let order = Order {
            target: &target,
            run_type: RunType::Destroy,
            terraform: &self.arguments.terraform,
            version_tag: None,
            approved_plan: None,
            allow_destroy: true,
            overrides: &self.arguments.overrides,
        };
        let resolve = async || assemble::for_destroy(self.session, &target, &self.arguments.sensitive).await;
        // Before the claim too: what is deployed again is not waited for. Under it nobody deploys any more.
        performed_on(self.session, order, resolve, async |_: Held| self.goes_on(id).await).await
    }

    /// Waits until a claim is given back, or for so long.
    async fn wait_for_claim(&self, place: &Place, most: Duration) -> Result<(), Problems> {
        let (session, store) = (self.session, &*self.opened.store);
        let Some((_, holder)) = ledger::read_claim(store, place).await? else { return Ok(()) };
        session.say(&format!("run `{}` holds `{place}`; waiting for it, at most {} s", holder.run.id, most.as_secs()));
        let begun = session.world.clock.now();
        while (session.world.clock.now() - begun).to_std().unwrap_or_default() < most {
            tokio::select! {
                () = session.cancel.cancelled() => return Ok(()),
                () = session.world.clock.sleep(LOOK.min(most)) => {}
            }
            let is_same = ledger::read_claim(store, place).await?.is_some_and(|(_, now)| now.run.id == holder.run.id);
            if !is_same {
                break;
            }
        }
        Ok(())
    }
}

fn is_claimed(problems: &Problems) -> bool {
    problems.cause().is_some_and(|cause| cause.reason == FailureReason::Claimed)
}

/// The places of a preview where something is applied, or claimed.
async fn places(store: &dyn ContextStore, snapshot: &Snapshot<'_>, name: &PreviewName) -> Result<BTreeSet<Place>, StoreError> {
    let folder = layout::environment_folder(&name.workspace, &name.environment);
    let listed = match snapshot.at() {
        Some(head) => store.list(head, &[folder]).await?,
        None => BTreeMap::new(),
    };
    let applied = listed.values().flatten().filter_map(|file| match LedgerFile::parse(&file.path) {
        Some(LedgerFile::Applied(place, _)) => Some(place),
        _ => None,
    });
    let is_in = |place: &Place| place.workspace == name.workspace && place.environment == name.environment;
    Ok(applied.chain(store.claims().await?.into_keys().filter(is_in)).collect())
}

/// The places of a preview that something was made at, for what is shown of them.
pub(super) fn shown_places(name: &PreviewName, preview: &Preview, removed: &Removed) -> BTreeSet<Place> {
    let place = |deployable: &DeployableName| Place {
        workspace: name.workspace.clone(),
        environment: name.environment.clone(),
        deployable: deployable.clone(),
    };
    preview.deployables.keys().map(place).chain(removed.runs.iter().map(|run| run.place.clone())).collect()
}
