//! The state locks of what is applied: each is tried, which is the one way there is to know.

use futures_util::stream::{self, StreamExt as _};

use crate::app::plan::private_folder;
use crate::app::session::{Opened, Session};
use crate::app::{identity, state_locks};
use crate::cloud::Purpose;
use crate::context::ledger::Snapshot;
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::organization::Environment;
use crate::domain::record::TerraformBuild;
use crate::domain::state_lock::LockState;
use crate::engine::StateLocks;
use crate::report::status::{Applied, Locked};
use crate::request::cli;

/// How many are tried at a time.
const AT_A_TIME: usize = 8;

/// What the cloud's records call the sessions that look.
const RUN: &str = "status";

/// Tries each of them, environment by environment: an account is an environment's.
pub(super) async fn look(
    session: &Session,
    arguments: &cli::Status,
    (opened, snapshot): (&Opened, &Snapshot<'_>),
    applied: &[Applied],
) -> Result<Vec<Locked>, Problems> {
    let known: Vec<TerraformBuild> = applied.iter().map(|applied| applied.record.terraform.clone()).collect();
    let mut locked = Vec::new();
    for some in applied.chunk_by(|a, b| a.place.environment == b.place.environment) {
        let folder = private_folder(session)?;
        let environment = environment(session, opened, snapshot, &some[0].place).await;
        let identity = match &environment {
            Some(environment) => identity::sign_in_at(session, &some[0].place, environment, Purpose::Deploy, RUN).await?,
            None => None,
        };
        let with = (arguments.terraform.as_deref(), known.as_slice());
        let locks = state_locks::open(session, opened, with, identity, folder.path()).await?;
        let found = stream::iter(some).map(|applied| one(&locks, applied, environment.as_ref())).buffered(AT_A_TIME);
        locked.extend(found.collect::<Vec<_>>().await);
    }
    Ok(locked)
}

async fn one(locks: &StateLocks, applied: &Applied, environment: Option<&Environment>) -> Locked {
    let Applied { place, alias, record } = applied;
    let now = environment.and_then(|environment| environment.account.as_ref());
    let account = record.account.clone().map(|then| then.with_roles_of(now));
    let state: LockState = locks.look(place, alias, record, account.as_ref()).await;
    Locked { place: place.clone(), alias: alias.clone(), backend: record.state.backend.kind.as_str().to_owned(), state }
}

/// The environment's document, or the copy that a preview was made with; none where it is gone, and each state is looked at with what was
/// recorded of it.
async fn environment(session: &Session, opened: &Opened, snapshot: &Snapshot<'_>, place: &Place) -> Option<Environment> {
    if place.environment.is_preview() {
        return snapshot.preview(&place.workspace, &place.environment).await.ok()?.map(|preview| preview.environment);
    }
    let organization = session.organization(&*opened.store, &[]).await.ok()?;
    let found = session.environment(&*opened.store, organization.head.as_ref(), place).await;
    found.ok().map(|(_, environment)| environment)
}
