//! `tieline drift`: what changed outside of Terraform since it was applied. Everything comes from the ledger, and nothing is changed.

mod issue;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::assemble::{self, Grounds};
use super::connection::place;
use super::plan::private_folder;
use super::session::Session;
use super::watch::Watcher;
use super::{Ended, Outcome, identity};
use crate::cloud::Purpose;
use crate::context::ContextStore;
use crate::context::ledger::{PlaceRecords, Snapshot};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::drift::{DriftReport, PlaceDrift, Sight};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, VersionTag};
use crate::domain::record::RunType;
use crate::engine::{self, Engine, Event, Settings, Sink};
use crate::report;
use crate::request::cli::Drift;
use crate::terraform::Terraform;
use crate::world::Stream;

/// Looks, shows what was seen, and keeps issues about it where that is asked for.
pub(super) async fn run(session: &Session, arguments: &Drift) -> Ended {
    let there = place(session, &arguments.target)?;
    let Place { workspace, environment, .. } = there.clone();
    let grounds = Grounds::open(session, &arguments.target, &arguments.sensitive, (&workspace, &environment)).await?;
    let store = &*grounds.opened.store;
    let applied = Snapshot::newest(store).await?.applied_in(&workspace, &environment).await?;
    if applied.is_empty() {
        // A wrong name must not pass for an environment in which nothing is deployed.
        session.environment(store, Some(&grounds.head), &there).await?;
    }
    let wanted = wanted(applied, arguments)?;
    let mut report = DriftReport { workspace, environment, places: Vec::new(), problems: Problems::default() };
    for (place, problems) in look(session, arguments, &grounds, wanted).await? {
        report.places.push(place);
        report.problems.extend(problems);
    }
    let mut report = report.with_texts(&|text| session.redactor.redact(text));
    if arguments.issue {
        issue::keep(session, arguments, &grounds, &mut report).await?;
    }
    session.print(&if session.is_json() {
        report::drift::json(&report)
    } else {
        report::drift::text(&report, session.uses_color(Stream::Out))
    });
    Ok(Outcome::Drifted(Box::new(report)))
}

/// Those that are asked for.
fn wanted(mut applied: BTreeSet<Place>, arguments: &Drift) -> Result<BTreeSet<Place>, Problems> {
    let Some(asked) = &arguments.target.deployable else { return Ok(applied) };
    let invalid = |problem: String| Diagnostic::error(FailureReason::InvalidInput, problem);
    let asked = DeployableName::new(asked).map_err(|problem| invalid(problem.to_string()))?;
    applied.retain(|place| place.deployable == asked);
    if applied.is_empty() {
        let nothing = invalid(format!("nothing is deployed of `{asked}` there"));
        return Err(nothing.help("`tieline status` shows what there is").into());
    }
    Ok(applied)
}

/// Looks at each of these, in the order of their names.
async fn look(
    session: &Session,
    arguments: &Drift,
    grounds: &Grounds,
    places: BTreeSet<Place>,
) -> Result<Vec<(PlaceDrift, Problems)>, Problems> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let tag = |problem| Diagnostic::error(FailureReason::Internal, format!("{problem}"));
    let gates = assemble::gates(&grounds.organization, &arguments.terraform)?;
    let folder = private_folder(session)?;
    let watcher = Watcher::new(session);
    let looker = Looker {
        session,
        arguments,
        grounds,
        terraform: assemble::terraform(session, &arguments.terraform, folder.path(), &[]).await?,
        settings: Settings { gates, ..Settings::plain(RunType::Destroy, VersionTag::new("drift").map_err(tag)?) },
        folder: folder.path(),
        sink: watcher.sink(),
        room: Semaphore::new(arguments.terraform.parallelism as usize),
    };
    let all = join_all(places.iter().map(|place| looker.look(place))).await;
    watcher.finish();
    Ok(all)
}

/// What everything is looked at with.
struct Looker<'a> {
    session: &'a Session,
    arguments: &'a Drift,
    grounds: &'a Grounds,
    terraform: Terraform,
    settings: Settings,
    /// Each deployable has a folder of its own in this one.
    folder: &'a Path,
    sink: Sink,
    /// For so many plugins at a time.
    room: Semaphore,
}

impl Looker<'_> {
    /// Looks at a deployable. Whatever is wrong with it keeps no other from being looked at.
    async fn look(&self, place: &Place) -> (PlaceDrift, Problems) {
        let nothing = |sight| PlaceDrift { place: place.clone(), sight, notes: Vec::new(), issue: None };
        match self.unless_busy(place).await {
            Ok(Some(looked)) => looked,
            Ok(None) => (nothing(Sight::Busy), Problems::default()),
            Err(problems) => (nothing(Sight::Unknown), problems),
        }
    }

    /// Looks at a deployable, unless a run works on it before that is done: what is half changed says nothing.
    async fn unless_busy(&self, place: &Place) -> Result<Option<(PlaceDrift, Problems)>, Problems> {
        let store = &*self.grounds.opened.store;
        let Some((snapshot, before)) = settled(store, place).await? else { return Ok(None) };
        let engine = self.engine(&snapshot, place, &before).await?;
        let looked = engine::drift(&engine, &self.room).await;
        let after = settled(store, place).await?;
        Ok(after.filter(|(_, after)| after.applied == before.applied).map(|_| looked))
    }

    async fn engine(&self, snapshot: &Snapshot<'_>, place: &Place, records: &PlaceRecords) -> Result<Arc<Engine>, Problems> {
        let Self { session, arguments, grounds, terraform, settings, .. } = self;
        let resolved = grounds.nothing_at(session, snapshot, place, records).await?;
        let identity = identity::sign_in(session, &resolved.deployment, Purpose::Plan, "drift").await?;
        let folder = self.folder.join(place.deployable.as_str());
        let ready = (terraform.clone(), identity);
        resolved.engine(session, ready, &arguments.terraform, settings.clone(), folder, self.quiet_sink()).await
    }

    /// Lets through what is worth a look: of Terraform's own lines nobody could tell which deployable they are about.
    fn quiet_sink(&self) -> Sink {
        let sink = self.sink.clone();
        Arc::new(move |event| {
            if matches!(event, Event::Note(_) | Event::Warning(_)) {
                sink(event);
            }
        })
    }
}

/// What is recorded of a place; none while a run holds it.
async fn settled<'a>(store: &'a dyn ContextStore, place: &Place) -> Result<Option<(Snapshot<'a>, PlaceRecords)>, Problems> {
    if store.read_claim(place).await?.is_some() {
        return Ok(None);
    }
    let snapshot = Snapshot::newest(store).await?;
    let records = snapshot.place(place).await?;
    Ok(Some((snapshot, records)))
}
