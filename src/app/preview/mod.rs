//! `tieline preview`: environments for pull requests.

mod down;
mod event;
mod fork;
mod keep;
mod limits;
mod list;
mod making;
mod meant;
mod shown;
mod standing;
mod sweep;
mod up;
mod whose;

use super::session::Session;
use super::{Ended, Outcome};
use crate::request::cli::{Preview, PreviewAction};

/// Does what is asked for, or what the event of the workflow asks for.
pub(super) async fn run(session: &Session, arguments: &Preview) -> Ended {
    let ended = Box::pin(asked(session, arguments)).await;
    if let Ok(Outcome::Skipped(why)) = &ended {
        session.say(&format!("skipped: {why}"));
    }
    ended
}

async fn asked(session: &Session, arguments: &Preview) -> Ended {
    match &arguments.action {
        _ if fork::is_one(session) => fork::validated(session, arguments.target()).await,
        None => event::run(session, arguments).await,
        Some(PreviewAction::Up(run)) => up::up(session, run).await,
        Some(PreviewAction::Refresh(run)) => up::refresh(session, run).await,
        Some(PreviewAction::Down(down)) => down::run(session, down).await,
        Some(PreviewAction::Sweep(sweep)) => sweep::run(session, sweep).await,
        Some(PreviewAction::List(target)) => list::run(session, target).await.map(|()| Outcome::Done),
    }
}
