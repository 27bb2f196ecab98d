//! `tieline fleet finish`: what the jobs did is published, once.

use std::collections::BTreeSet;

use super::id;
use crate::app::assemble::{self, Accepts, Resolved, Standing};
use crate::app::perform::{Order, settings, told, with_way_back};
use crate::app::plan::private_folder;
use crate::app::session::Session;
use crate::app::{Ended, Outcome, back, owner, watch};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::Outline;
use crate::domain::names::RunId;
use crate::domain::record::RunType;
use crate::engine::{self, Held};
use crate::policy::Gates;
use crate::request::cli;

/// Publishes what the jobs of a fleet did, and gives its claim back.
pub(in crate::app) async fn finish(session: &Session, arguments: &cli::FleetFinish) -> Ended {
    let fleet = id(&arguments.fleet)?;
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    let resolved = assemble::from_manifest(session, &arguments.target, &arguments.values, accepts, Standing::Environment).await;
    let resolved = resolved.map_err(with_what_stays)?;
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Deploy,
        terraform: &arguments.terraform,
        version_tag: None,
        approved_plan: None,
        allow_destroy: false,
        overrides: &arguments.overrides,
    };
    // What the jobs may do was asked of each of them; here it is only recorded.
    owner::admit(session, &resolved.deployment.place, &resolved.workspace)?;
    let settings = settings(session, &resolved, &order, (Gates::default(), Vec::new()), &fleet).await?;
    let folder = private_folder(session)?;
    let terraform = resolved.terraform(session, order.terraform, folder.path()).await?;
    let place = resolved.deployment.place.clone();
    let back = back::way(session, order.target, &*resolved.opened.store, &place).await?;
    let say = |note: String| session.say(&note);
    let store = resolved.opened.store.clone();
    let Some(held) = engine::take_fleet(&session.world, &store, (&place, &fleet), &session.cancel, &say).await? else {
        session.say(&format!("fleet {fleet} is finished already: there is nothing left to publish"));
        return Ok(Outcome::Done);
    };
    // Not before: whoever clears up after us must not do so while jobs are at work.
    if let Some(presence) = session.workflow.as_ref().and_then(|workflow| workflow.presence.as_ref()) {
        presence.claims(&session.world, std::slice::from_ref(&place), &fleet);
    }
    refuse_another(session, &resolved, &held, &fleet).await?;
    let watcher = watch::Watcher::new(session);
    let path = folder.path().to_path_buf();
    let engine = resolved.engine(session, (terraform, None), order.terraform, settings, path, watcher.sink()).await?;
    let report = Box::pin(engine::finish_fleet(engine, held)).await?;
    watcher.finish();
    Ok(told(session, with_way_back(report, back)))
}

/// Nothing is lost by an end that cannot begin.
fn with_what_stays(mut problems: Problems) -> Problems {
    if let Some(first) = problems.0.first_mut() {
        first.notes.push("the fleet is not finished: its claim and what its jobs did stay where they are".to_owned());
        first.help.push("then finish it again".to_owned());
    }
    problems
}

/// Where what is resolved now is not what the jobs deployed, no release can be made of it. What they did is recorded all the same, as of a
/// run that was broken off.
async fn refuse_another(session: &Session, resolved: &Resolved, held: &Held, fleet: &RunId) -> Result<(), Problems> {
    let then = held.fleet().map(|fleet| fleet.deployment);
    let differences = then.map(|then| then.differences(&Outline::of(&resolved.deployment), &BTreeSet::new())).unwrap_or_default();
    if differences.is_empty() {
        return Ok(());
    }
    let place = &resolved.deployment.place;
    engine::clear_up(&session.world, &*resolved.opened.store, place, fleet, &resolved.trees()).await?;
    let message = format!("fleet `{fleet}` deployed something else than what is resolved now: no release can be made of it");
    let mut refused = Diagnostic::error(FailureReason::BindingChanged, message).in_file(&resolved.deployment.file);
    refused.notes = differences.into_iter().map(|what| format!("{what} changed")).collect();
    Err(refused
        .note("what its jobs did is recorded, and its claim given back")
        .help("deploy again: what is done is skipped")
        .into())
}
