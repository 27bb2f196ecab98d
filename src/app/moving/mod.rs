//! `tieline move`: what is deployed is called otherwise from now on (R40).

mod away;
mod names;

use std::collections::BTreeMap;

use super::assemble::{self, Resolved};
use super::perform::{Order, keep_unsaved_state, new_run, settings};
use super::plan::private_folder;
use super::session::Session;
use super::{Ended, Outcome, identity, owner, watch};
use crate::cloud::Purpose;
use crate::context::ledger::Snapshot;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::moving::{Redirect, Relocation};
use crate::domain::organization::Environment;
use crate::domain::record::RunType;
use crate::engine::{self, Affected, Engine, Held, Start, Wanted};
use crate::report;
use crate::request::cli;
use crate::world::Stream;

pub(super) use away::warn_of_former_names;

/// Moves and prints what came of it.
pub(super) async fn run(session: &Session, arguments: &cli::Move) -> Ended {
    let relocation = names::relocation(session, arguments)?;
    let resolved = assemble::for_destroy(session, &at(&arguments.target, &relocation.from), &arguments.sensitive).await?;
    let store = &*resolved.opened.store;
    let (workspace, environment) = session.environment(store, resolved.organization.head.as_ref(), &relocation.to).await?;
    owner::admit(session, &relocation.from, &resolved.workspace)?;
    owner::admit(session, &relocation.to, &workspace)?;
    let affected = Affected::read(store, &relocation).await?;
    if !affected.applied.keys().any(|alias| relocation.covers(alias)) {
        let redirect = redirect(&resolved, &relocation).await?;
        return finish(session, arguments, &relocation, &redirect).await;
    }
    refuse_taken(&resolved, &relocation).await?;
    let mut places = vec![relocation.from.clone(), relocation.to.clone()];
    places.extend(affected.places());
    let report = work(session, arguments, resolved, &relocation, environment, places).await?;
    if session.is_json() {
        session.print(&report::run::json(&report));
    } else {
        session.print(&report::moving::text(&report, &relocation, &affected.places(), session.uses_color(Stream::Out)));
    }
    Ok(Outcome::Ran(Box::new(report)))
}

/// The same request about another place.
fn at(target: &cli::Target, place: &Place) -> cli::Target {
    cli::Target {
        workspace: Some(place.workspace.to_string()),
        environment: Some(place.environment.to_string()),
        deployable: Some(place.deployable.to_string()),
        ..target.clone()
    }
}

/// Claims all places, the first two the old and the new one, and moves.
async fn work(
    session: &Session,
    arguments: &cli::Move,
    resolved: Resolved,
    relocation: &Relocation,
    environment: Environment,
    places: Vec<Place>,
) -> Result<crate::domain::outcome::RunReport, Problems> {
    let folder = private_folder(session)?;
    let watcher = watch::Watcher::new(session);
    let claimed = claimed(session, arguments, resolved, places, &watcher, &folder, (&relocation.to, environment)).await?;
    let (engine, held) = claimed;
    let report = engine::relocate(engine, relocation.clone(), held).await;
    watcher.finish();
    keep_unsaved_state(session, folder, &report.run.id);
    Ok(report)
}

/// Claims the places, the first of which is the engine's own, and makes the engine, for the environment of another.
async fn claimed(
    session: &Session,
    arguments: &cli::Move,
    mut resolved: Resolved,
    mut places: Vec<Place>,
    watcher: &watch::Watcher,
    folder: &tempfile::TempDir,
    (goal, environment): (&Place, Environment),
) -> Result<(std::sync::Arc<Engine>, Vec<Held>), Problems> {
    let mut seen = std::collections::BTreeSet::new();
    places.retain(|place| seen.insert(place.clone()));
    let gates = assemble::gates(&resolved.organization, &arguments.terraform)?;
    let run = new_run(session);
    let overrides = cli::Overrides::default();
    let order = Order {
        run_type: RunType::Move,
        target: &arguments.target,
        terraform: &arguments.terraform,
        version_tag: None,
        approved_plan: None,
        allow_destroy: false,
        overrides: &overrides,
    };
    let settings = settings(session, &resolved, &order, (gates, Vec::new()), &run).await?;
    let store = resolved.opened.store.clone();
    let trees = BTreeMap::new();
    let start = Start { world: session.world.clone(), store, run: run.clone(), settings: settings.clone(), trees };
    if let Some(presence) = session.workflow.as_ref().and_then(|workflow| workflow.presence.as_ref()) {
        presence.claims(&session.world, &places, &run);
    }
    let say = |note: String| session.say(&note);
    let held = engine::claim_all(&start, places.iter().map(Wanted::alone), &say).await?;
    resolved.deployment.environment = environment;
    let ready = async {
        let mut deployment = resolved.deployment.clone();
        deployment.place = goal.clone();
        let terraform = resolved.terraform(session, &arguments.terraform, folder.path());
        let ready = tokio::try_join!(terraform, identity::sign_in(session, &deployment, Purpose::Deploy, run.as_str()))?;
        let path = folder.path().to_path_buf();
        resolved.engine(session, ready, &arguments.terraform, settings, path, watcher.sink()).await
    };
    match ready.await {
        Ok(engine) => Ok((engine, held)),
        Err(problems) => {
            engine::release_all(&held).await?;
            Err(problems)
        }
    }
}

/// Nothing may be where it goes.
async fn refuse_taken(resolved: &Resolved, relocation: &Relocation) -> Result<(), Problems> {
    let there = Snapshot::newest(&*resolved.opened.store).await?.place(&relocation.to).await?.applied;
    let taken = match &relocation.alias {
        Some((_, to)) => there.contains_key(to),
        None => !there.is_empty(),
    };
    if !taken {
        return Ok(());
    }
    Err(Diagnostic::error(FailureReason::InvalidInput, format!("`{}` is deployed already", relocation.goal()))
        .help("choose another name, or destroy what is there first")
        .into())
}

/// What an earlier run of this very move left.
async fn redirect(resolved: &Resolved, relocation: &Relocation) -> Result<Redirect, Problems> {
    let snapshot = Snapshot::newest(&*resolved.opened.store).await?;
    let (from, to) = relocation.alias.clone().unzip();
    let redirect = snapshot.redirect(&relocation.from, from.as_ref()).await?;
    match redirect {
        Some(redirect) if (&redirect.place, &redirect.alias) == (&relocation.to, &to) => Ok(redirect),
        found => {
            let message = format!("nothing is deployed as `{}`", relocation.subject());
            let problem = Diagnostic::error(FailureReason::InvalidInput, message);
            let elsewhere = found.map(|redirect| {
                redirect.alias.map_or_else(|| redirect.place.to_string(), |alias| format!("{}/{alias}", redirect.place))
            });
            Err(match elsewhere {
                Some(goal) => problem.help(format!("it was moved to `{goal}`")),
                None => problem.help("`tieline status` shows what there is"),
            }
            .into())
        }
    }
}

/// A move that was made before: what it may not have come to is done now.
async fn finish(session: &Session, arguments: &cli::Move, relocation: &Relocation, redirect: &Redirect) -> Ended {
    let resolved = assemble::for_destroy(session, &at(&arguments.target, &relocation.to), &arguments.sensitive).await?;
    let environment = resolved.deployment.environment.clone();
    let left = redirect.left.iter().map(|(alias, state)| (relocation.renamed(alias), state.clone())).collect();
    let folder = private_folder(session)?;
    let watcher = watch::Watcher::new(session);
    let places = vec![relocation.to.clone(), relocation.from.clone()];
    let goal = (&relocation.to, environment);
    let (engine, held) = claimed(session, arguments, resolved, places, &watcher, &folder, goal).await?;
    let emptied = engine::empty_what_is_left(engine, &left).await;
    watcher.finish();
    engine::release_all(&held).await?;
    let done = format!("`{}` was moved to `{}` by run {}", relocation.subject(), relocation.goal(), redirect.run);
    session.print(&match emptied? {
        true => format!("{done}; its old state was not empty, and is now"),
        false => format!("{done}; there is nothing left to do"),
    });
    Ok(Outcome::Done)
}
