//! `tieline unlock`: frees what a dead run left held, by its exact id, and records who did and why (R21, R31).

use super::assemble::{self, Resolved};
use super::perform::{new_run, plain_settings};
use super::plan::private_folder;
use super::session::{Opened, Session};
use super::{holder, identity, overrides, owner, state_locks};
use crate::cloud::Purpose;
use crate::context::ledger::{self, Snapshot};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::life::Life;
use crate::domain::names::{Alias, RunId};
use crate::domain::organization::Override;
use crate::domain::record::{Claim, Overridden, RunType};
use crate::domain::state_lock::StateLock;
use crate::engine::{self, Held, Start, Wanted};
use crate::report::unlocking;
use crate::request::cli;

/// Frees a claim or a state lock.
pub(super) async fn run(session: &Session, arguments: &cli::Unlock) -> Result<(), Problems> {
    match (&arguments.claim, &arguments.lock, &arguments.alias) {
        (Some(claim), ..) => Box::pin(free_claim(session, arguments, claim)).await,
        (None, Some(lock), Some(alias)) => Box::pin(free_lock(session, arguments, lock, alias)).await,
        _ => Err(Diagnostic::error(FailureReason::InvalidInput, "nothing is named that could be freed")
            .help("name a claim by its run, `--claim <run>`, or a state lock, `--lock <id> --alias <alias>`")
            .help("`tieline status --locks` shows both")
            .into()),
    }
}

/// Frees all that a run holds.
async fn free_claim(session: &Session, arguments: &cli::Unlock, id: &str) -> Result<(), Problems> {
    let set_aside = set_aside(arguments, id)?;
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let held = held_by(&opened, id).await?;
    let Some(first) = held.first() else { return Err(nothing_held(id).into()) };
    let ledger = Snapshot::newest(&*opened.store).await?;
    let mut life = Life::Dead("nothing of it is left".to_owned());
    for claim in &held {
        life = holder::of(session, &arguments.target.context, (&*opened.store, &ledger), claim).await?.life.and(life);
    }
    if let Life::Alive(because) = &life {
        return Err(alive(first, because).into());
    }
    let mut admitted = Vec::new();
    for claim in &held {
        admitted.push(admit(session, arguments, &claim.place).await?);
    }
    let run = new_run(session);
    let places: Vec<Place> = held.iter().map(|claim| claim.place.clone()).collect();
    announce(session, &places, &run);
    let mut freed = Vec::new();
    for (claim, resolved) in held.iter().zip(&admitted) {
        let start = start(session, resolved, &run, &set_aside).await?;
        let Some(ours) = engine::take_over(&start, claim).await? else {
            return Err(alive(claim, "it changed its claim just now").into());
        };
        engine::end_alone(&ours, &Problems::default()).await?;
        freed.push(claim.place.clone());
    }
    show(session, &unlocking::Freed::Claim { holder: first, life: &life, places: &freed }, &run, &set_aside);
    Ok(())
}

/// Frees the state lock of an applied plugin; its place is claimed meanwhile, so that no run of it begins.
async fn free_lock(session: &Session, arguments: &cli::Unlock, id: &str, alias: &Alias) -> Result<(), Problems> {
    let set_aside = set_aside(arguments, id)?;
    let place = session.named_place(&arguments.target)?;
    let resolved = admit(session, arguments, &place).await?;
    let run = new_run(session);
    announce(session, std::slice::from_ref(&place), &run);
    let start = start(session, &resolved, &run, &set_aside).await?;
    let held = engine::claim_place(&start, Wanted::alone(&place), &|note| session.say(&note)).await?;
    match Box::pin(freed(session, arguments, (&resolved, &run), alias, id)).await {
        Ok(lock) => {
            engine::end_alone(&held, &Problems::default()).await?;
            show(session, &unlocking::Freed::Lock { place: &place, alias, lock: &lock }, &run, &set_aside);
            Ok(())
        }
        Err(problems) => Err(given_back(&held, problems).await),
    }
}

/// Frees it, and gives what was told of its holder.
async fn freed(
    session: &Session,
    arguments: &cli::Unlock,
    (resolved, run): (&Resolved, &RunId),
    alias: &Alias,
    id: &str,
) -> Result<StateLock, Problems> {
    let deployment = &resolved.deployment;
    let records = Snapshot::newest(&*resolved.opened.store).await?.place(&deployment.place).await?;
    let Some(record) = records.applied.get(alias) else {
        return Err(Diagnostic::error(FailureReason::InvalidInput, format!("no `{alias}` is applied at `{}`", deployment.place))
            .help("`tieline status` shows what is")
            .into());
    };
    let folder = private_folder(session)?;
    let known = std::slice::from_ref(&record.terraform);
    let identity = identity::sign_in(session, deployment, Purpose::Deploy, run.as_str()).await?;
    let locks =
        state_locks::open(session, &resolved.opened, (arguments.terraform.as_deref(), known), identity, folder.path()).await?;
    let account = record.account.clone().map(|then| then.with_roles_of(deployment.environment.account.as_ref()));
    locks.free(&deployment.place, alias, (record, account.as_ref()), id).await
}

/// Makes sure that a place may be written, and that whoever must approve did.
async fn admit(session: &Session, arguments: &cli::Unlock, place: &Place) -> Result<Resolved, Problems> {
    let target = arguments.target.at(place);
    let resolved = assemble::for_destroy(session, &target, &cli::Sensitive::default()).await?;
    owner::admit(session, place, &resolved.workspace)?;
    let (context, environment) = (resolved.organization.context.as_ref(), &resolved.deployment.environment);
    overrides::approve(session, context, place, environment, [Override::Unlock]).await?;
    Ok(resolved)
}

async fn start(session: &Session, resolved: &Resolved, run: &RunId, set_aside: &Overridden) -> Result<Start, Problems> {
    let settings = engine::Settings {
        overrides: vec![set_aside.clone()],
        approved_in: overrides::approved_in(session, resolved.organization.context.as_ref()).await,
        ..plain_settings(session, run, RunType::Unlock)?
    };
    let store = resolved.opened.store.clone();
    Ok(Start { world: session.world.clone(), store, run: run.clone(), settings, trees: resolved.trees() })
}

fn set_aside(arguments: &cli::Unlock, id: &str) -> Result<Overridden, Problems> {
    overrides::overridden(Override::Unlock, [id.to_owned()], arguments.reason.as_deref())
}

/// Makes known what is going to be claimed, should this process be killed.
fn announce(session: &Session, places: &[Place], run: &RunId) {
    if let Some(presence) = session.workflow.as_ref().and_then(|workflow| workflow.presence.as_ref()) {
        presence.claims(&session.world, places, run);
    }
}

/// The claims that a run holds.
async fn held_by(opened: &Opened, id: &str) -> Result<Vec<Claim>, Problems> {
    let claims = ledger::claims(&*opened.store).await?;
    Ok(claims.into_iter().filter(|claim| claim.run.id.as_str() == id).collect())
}

async fn given_back(held: &Held, mut problems: Problems) -> Problems {
    problems.extend(held.release().await.err().unwrap_or_default());
    problems
}

fn show(session: &Session, freed: &unlocking::Freed<'_>, run: &RunId, set_aside: &Overridden) {
    session.print(&if session.is_json() {
        unlocking::json(freed, run, set_aside)
    } else {
        unlocking::text(freed, run, set_aside)
    });
}

fn nothing_held(id: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("no claim is held by a run `{id}`"))
        .note("a run that ended has given its claim back")
        .help("`tieline status` shows the claims there are, each with its run")
}

fn alive(claim: &Claim, because: &str) -> Diagnostic {
    let held = Diagnostic::error(FailureReason::Claimed, format!("run `{}` is not dead: {because}", claim.run.id))
        .note(format!("it holds `{}` since {}", claim.place, claim.run.started.format("%Y-%m-%d %H:%M:%S UTC")))
        .note(format!("its lease is till {}; it is renewed while the run lives", claim.lease.format("%Y-%m-%d %H:%M:%S UTC")));
    let held = match &claim.run.run_url {
        Some(url) => held.note(format!("watch it at {url}")),
        None => held,
    };
    held.help("wait until it has ended, or cancel it: it then gives its claim back by itself")
        .help("where it was killed on a machine that cannot be looked at from here, wait until its lease is over")
}
