//! `tieline move`: what is deployed is called otherwise from now on (R40).

mod away;
mod names;

use super::assemble::{self, Resolved};
use super::perform::{Order, keep_unsaved_state, new_run, settings};
use super::plan::private_folder;
use super::session::Session;
use super::{Ended, Outcome, identity, owner, watch};
use crate::cloud::Purpose;
use crate::context::layout;
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
    let preview = [&relocation.from, &relocation.to].into_iter().find(|place| place.environment.is_preview());
    if let Some(place) = preview {
        return Err(assemble::not_by_name(&place.environment).into());
    }
    let resolved = assemble::for_destroy(session, &arguments.target.at(&relocation.from), &arguments.sensitive).await?;
    let store = &*resolved.opened.store;
    let (workspace, environment) = session.environment(store, resolved.organization.head.as_ref(), &relocation.to).await?;
    owner::admit(session, &relocation.from, &resolved.workspace)?;
    owner::admit(session, &relocation.to, &workspace)?;
    let affected = Affected::read(store, &relocation).await?;
    if !affected.applied.keys().any(|alias| relocation.covers(alias)) {
        let redirect = redirect(&resolved, &relocation).await?;
        return Box::pin(finish(session, arguments, &relocation, &redirect)).await;
    }
    affected.refuse_taken(&relocation)?;
    refuse_less_protected(&relocation, &resolved.deployment.environment, &environment)?;
    let mut places = vec![relocation.from.clone(), relocation.to.clone()];
    places.extend(affected.places());
    let report = Box::pin(work(session, arguments, resolved, &relocation, environment, places)).await?;
    if session.is_json() {
        session.print(&report::run::json(&report));
    } else {
        session.print(&report::moving::text(&report, &relocation, &affected.places(), session.uses_color(Stream::Out)));
    }
    Ok(Outcome::Ran(Box::new(report)))
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
    let goal = (&relocation.to, environment);
    let claimed = Box::pin(claimed(session, arguments, resolved, places, &watcher, &folder, goal));
    let (engine, held) = claimed.await?;
    let report = Box::pin(engine::relocate(engine, relocation.clone(), held)).await;
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
    let trees = resolved.trees();
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
        Err(problems) => Err(given_back(&held, problems).await),
    }
}

/// Gives the claims back after something failed: what failed comes first, then what keeps them.
async fn given_back(held: &[Held], mut problems: Problems) -> Problems {
    problems.extend(engine::release_all(held).await.err().unwrap_or_default());
    problems
}

/// What is protected stays so: whoever could move it out of reach of the protection could destroy it there.
fn refuse_less_protected(relocation: &Relocation, old: &Environment, new: &Environment) -> Result<(), Problems> {
    let document = |place: &Place| format!("`{}`", layout::environment(&place.workspace, &place.environment));
    let mut lost: Vec<String> = Vec::new();
    if old.protected && !new.protected {
        lost.push("`protected: true`".to_owned());
    }
    let unapproved = old.overrides.keys().filter(|what| !new.overrides.contains_key(what));
    lost.extend(unapproved.map(|what| format!("an approval for `{}` in `overrides`", what.as_str())));
    if lost.is_empty() {
        return Ok(());
    }
    let message = format!("`{}` would be less protected as `{}`", relocation.subject(), relocation.goal());
    let mut refused = Diagnostic::error(FailureReason::Protected, message);
    refused.notes = lost.into_iter().map(|what| format!("the old environment has {what}, the new one has not")).collect();
    let (old, new) = (document(&relocation.from), document(&relocation.to));
    Err(refused
        .help(format!("put the same into the context's {new} first, or take it out of {old}, by a reviewed change"))
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
    let resolved = assemble::for_destroy(session, &arguments.target.at(&relocation.to), &arguments.sensitive).await?;
    let environment = resolved.deployment.environment.clone();
    let left = redirect.left.iter().map(|(alias, state)| (relocation.renamed(alias), state.clone())).collect();
    let folder = private_folder(session)?;
    let watcher = watch::Watcher::new(session);
    let places = vec![relocation.to.clone(), relocation.from.clone()];
    let goal = (&relocation.to, environment);
    let (engine, held) = Box::pin(claimed(session, arguments, resolved, places, &watcher, &folder, goal)).await?;
    let emptied = Box::pin(engine::empty_what_is_left(engine, &left)).await;
    watcher.finish();
    let was_left = match emptied {
        Ok(was_left) => was_left,
        Err(problems) => return Err(given_back(&held, problems).await),
    };
    engine::release_all(&held).await?;
    let done = format!("`{}` was moved to `{}` by run {}", relocation.subject(), relocation.goal(), redirect.run);
    let left = if was_left { "its old state was not empty, and is now" } else { "there is nothing left to do" };
    session.print(&format!("{done}; {left}"));
    Ok(Outcome::Done)
}
