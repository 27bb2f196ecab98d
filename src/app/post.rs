//! The post stage of a workflow's step: it runs when the job ends, after a cancel too, perhaps beside the main stage. It waits for
//! one that still works, clears up after one that was killed, and otherwise has nothing to do. Running it again does no harm.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::presence::{Claimed, MainStage, Sign};
use super::session::Session;
use super::{announce, load};
use crate::context::ContextStore;
use crate::domain::diagnostic::Problems;
use crate::domain::fleet::PartName;
use crate::domain::names::Digest;
use crate::engine;
use crate::request::cli::{Command, Connection, Target};
use crate::sources::{LockMode, Tree};

/// The name that the program is started under for the post stage: what starts it takes a path, and no arguments.
pub(super) const PROGRAM: &str = "tieline-post";

/// How long a main stage that still works is waited for: a cancelled job has five minutes in all.
const PATIENCE: Duration = Duration::from_mins(4);

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Whether the program was started for the post stage.
pub(super) fn is_asked_for(program: Option<&String>) -> bool {
    program.and_then(|program| Path::new(program).file_name()).is_some_and(|name| name == PROGRAM)
}

/// Does what is left to do after the main stage, which was given `command`.
pub(super) async fn run(session: &Session, command: &Command) -> Result<(), Problems> {
    let Some(main) = MainStage::find(&session.world) else { return Ok(()) };
    match wait(session, &main).await {
        Sign::Alive => {
            session.say("it still works, and is left alone: it publishes what completes, and gives its claim back");
            return Ok(());
        }
        Sign::Ended(code) => {
            // One that failed may have been unable to publish, and so to give its claim back.
            if let (true, Some(claimed), Some(target)) = (code != "0", &main.claimed, target(command)) {
                clear_up(session, claimed, target).await?;
            }
            if let (true, Some(part), Some(target)) = (code != "0", &main.part, target(command)) {
                bury(session, part, target).await?;
            }
        }
        Sign::Dead if main.part.is_some() => after_death_in_fleet(session, main.part.as_ref(), target(command)).await?,
        Sign::Dead => after_death(session, main.claimed.as_ref(), target(command)).await?,
    }
    main.forget(&session.world);
    Ok(())
}

async fn after_death(session: &Session, claimed: Option<&Claimed>, target: Option<&Target>) -> Result<(), Problems> {
    let (Some(claimed), Some(target)) = (claimed, target) else {
        session.say("the main stage was killed; it had claimed nothing, so nothing is left to clear up");
        return Ok(());
    };
    session.say(&format!("{} was killed, or ran out of memory", shown(claimed)));
    let cleared_up = clear_up(session, claimed, target).await;
    match cleared_up {
        Ok(true) => {
            session.say("a Terraform that was killed with it may have left its state locked; if so, the next run says by whom");
        }
        Ok(false) => session.say("it holds no claim any more: nothing is left to clear up"),
        Err(_) => {}
    }
    // What GitHub shows is made true whether or not the context could be reached.
    announce::lost(session, target).await;
    cleared_up.map(drop)
}

/// A job of a fleet that was killed leaves its claim to the others.
async fn after_death_in_fleet(session: &Session, part: Option<&PartName>, target: Option<&Target>) -> Result<(), Problems> {
    let (Some(part), Some(target)) = (part, target) else { return Ok(()) };
    session.say(&format!("the job for `{}` in fleet `{}` was killed, or ran out of memory", part.alias, part.fleet));
    session.say(if bury(session, part, target).await? {
        "what it began was noted for `fleet finish`"
    } else {
        "it had begun nothing that is not noted already"
    });
    Ok(())
}

/// Notes that a job of a fleet ended without a word. Says whether there was anything to note.
async fn bury(session: &Session, part: &PartName, target: &Target) -> Result<bool, Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let store = session.open_context(&target.context, &folder, &folder).await?.store;
    engine::bury(&*store, part).await
}

/// Waits for the main stage to end, and tells so where there is something to wait for.
async fn wait(session: &Session, main: &MainStage) -> Sign {
    let clock = &session.world.clock;
    let mut sign = main.sign(&session.world);
    if sign != Sign::Alive {
        return sign;
    }
    let who = main.claimed.as_ref().map_or_else(|| "the main stage".to_owned(), shown);
    session.say(&format!(
        "{who} still works, although its step is over; waiting for it, at most {} minutes",
        PATIENCE.as_secs() / 60
    ));
    let start = clock.now();
    while sign == Sign::Alive && (clock.now() - start).to_std().unwrap_or_default() < PATIENCE {
        tokio::select! {
            () = session.cancel.cancelled() => return sign,
            () = clock.sleep(LOOK) => {}
        }
        sign = main.sign(&session.world);
    }
    if let Sign::Ended(code) = &sign {
        session.say(&format!("it came to its end, with exit code {code}"));
    }
    sign
}

fn shown(claimed: &Claimed) -> String {
    let places: Vec<String> = claimed.places.iter().map(|place| format!("`{place}`")).collect();
    format!("run `{}` on {}", claimed.run, places.join(", "))
}

/// What a command that claims something is about.
fn target(command: &Command) -> Option<&Target> {
    match command {
        Command::Deploy(deploy) => Some(&deploy.target),
        Command::Fleet(fleet) => fleet.finish().map(|finish| &finish.target),
        Command::Rollback(rollback) => Some(&rollback.target),
        Command::Destroy(destroy) => Some(&destroy.target),
        Command::Preview(preview) => Some(preview.target()),
        Command::Adopt(adopt) => Some(&adopt.target),
        Command::Connection(Connection::Deprecate(deprecate)) => Some(&deprecate.target),
        Command::Connection(Connection::Retire { target, .. }) => Some(target),
        Command::Move(moving) => Some(&moving.target),
        Command::Unlock(unlock) => Some(&unlock.target),
        _ => None,
    }
}

/// Folds what a run did that is over into the ledger and gives back the claims that it left, each for itself. Says whether there were any.
async fn clear_up(session: &Session, claimed: &Claimed, target: &Target) -> Result<bool, Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let written = load::manifest(session, target).ok();
    let near = written.as_ref().map_or(&folder, |written| &written.folder);
    let store = session.open_context(&target.context, &folder, near).await?.store;
    let mut is_free = true;
    for place in &claimed.places {
        is_free &= matches!(store.read_claim(place).await, Ok(None));
    }
    if is_free {
        return Ok(false);
    }
    let trees = match &written {
        Some(written) => trees(session, &*store, target, written).await.unwrap_or_default(),
        None => BTreeMap::new(),
    };
    let mut held = false;
    let mut problems = Problems::default();
    for place in &claimed.places {
        match engine::clear_up(&session.world, &*store, place, &claimed.run, &trees).await {
            Ok(was_held) => held |= was_held,
            Err(of_place) => problems.extend(of_place),
        }
    }
    if held {
        session.say("what it did was noted in the ledger and its claim given back: the next run goes on from there");
    }
    if problems.any_error() { Err(problems) } else { Ok(held) }
}

/// The plugins of the manifest, which a later destroy finds in the ledger only if they are recorded with what they made.
async fn trees(
    session: &Session,
    store: &dyn ContextStore,
    target: &Target,
    written: &load::Written,
) -> Result<BTreeMap<Digest, Arc<Tree>>, Problems> {
    let organization = session.organization(store, &[]).await?;
    let loaded = session
        .plugins(written, &session.plugin_client(&target.context), organization.catalog.as_ref(), LockMode::Frozen)
        .await?;
    let plugins = loaded.plugins.iter().filter_map(|(used, plugin)| Some((plugin, loaded.contents.get(used)?)));
    Ok(plugins.map(|(plugin, content)| (plugin.source.digest.clone(), content.tree.clone())).collect())
}
