//! What the server says of pull requests, in few requests: one for a repository, one for a hundred open pull requests, one for each that
//! is about to lose its preview.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::judged::{Judged, moment};
use crate::app::session::Session;
use crate::domain::diagnostic::Problems;
use crate::domain::failure::FailureReason;
use crate::domain::preview::Preview;
use crate::domain::wish::{Wish, granted, kept_by};
use crate::github::standing::{self, Standing};
use crate::github::{ApiError, Client, Repository};
use crate::request::cli::PreviewSweep;

/// What is heard of a repository.
pub(super) enum Heard {
    /// Nobody was asked: there is no token.
    Nothing,
    /// It is gone, or the token may not see it.
    Gone,
    /// The server could not be asked, in its words.
    Failed(String),
    /// It is there.
    Known {
        /// Who asks.
        client: Box<Client>,
        /// Under its name of today.
        repository: Repository,
        /// Its open pull requests.
        open: BTreeMap<u64, Standing>,
    },
}

/// Asks for the repositories of these previews, by their numbers: names change.
pub(super) async fn ask<'p>(
    session: &Session,
    arguments: &PreviewSweep,
    previews: impl Iterator<Item = &'p Preview>,
    problems: &mut Problems,
) -> BTreeMap<u64, Heard> {
    let client = session.workflow_client(&arguments.target.context).map(|client| client.cancelled_by(session.cancel.clone()));
    if client.is_none() {
        session.say("no server is asked for pull requests: there is no `github-token`; only what is over its time goes");
    }
    let mut heard = BTreeMap::new();
    for preview in previews {
        let id = preview.id.repository_id;
        if heard.contains_key(&id) {
            continue;
        }
        let answer = match &client {
            None => Heard::Nothing,
            Some(client) => of(client, id).await.unwrap_or_else(|problem| {
                problems.push(problem.diagnostic(FailureReason::ContextUnavailable));
                Heard::Failed(problem.to_string())
            }),
        };
        heard.insert(id, answer);
    }
    heard
}

async fn of(client: &Client, id: u64) -> Result<Heard, ApiError> {
    let Some(repository) = standing::repository(client, id).await? else { return Ok(Heard::Gone) };
    match standing::open(client, &repository).await {
        Err(ApiError::NotFound { .. }) => Ok(Heard::Gone),
        open => Ok(Heard::Known { client: Box::new(client.clone()), repository, open: open? }),
    }
}

/// The last look at a pull request before its preview goes: it may have been opened again since the list was read.
pub(super) async fn last_look(heard: &Heard, preview: &Preview, because: String, now: DateTime<Utc>) -> Judged {
    let Heard::Known { client, repository, open } = heard else { return Judged::Due(because) };
    let was_open = open.contains_key(&preview.id.pull_request);
    match standing::of(client, repository, preview.id.pull_request).await {
        Err(problem) => Judged::Failed(problem.diagnostic(FailureReason::ContextUnavailable).into()),
        Ok(None) if preview.is_over(now) => Judged::Due(because),
        Ok(None) => {
            Judged::Unknown(format!("its pull request is gone, or out of sight; it stays until {}", moment(preview.expires)))
        }
        Ok(Some(standing)) if standing.is_open && !was_open && !preview.is_over(now) => {
            Judged::Lives("its pull request was opened again just now".to_owned())
        }
        Ok(Some(standing)) if standing.is_open && !was_open => Judged::Asks(standing),
        Ok(Some(standing)) if standing.is_open => Judged::Due(because),
        Ok(Some(standing)) if standing.is_merged => Judged::Due("its pull request was merged".to_owned()),
        Ok(Some(_)) => Judged::Due("its pull request was closed".to_owned()),
    }
}

/// Until when labels and comments ask for a preview, where that is allowed and longer than it lives.
pub(super) async fn longer(
    client: &Client,
    repository: &Repository,
    preview: &Preview,
    standing: &Standing,
    most: Option<Duration>,
) -> Result<Option<DateTime<Utc>>, ApiError> {
    if most.is_none() {
        return Ok(None);
    }
    let deployed = preview.deployed.unwrap_or(preview.made);
    let by_label = kept_by(&standing.labels).map(|length| (length, deployed));
    let said = standing::said(client, repository, standing.number, deployed).await?;
    let by_comment = said.iter().filter(|said| said.by_member).filter_map(|said| match Wish::of_comment(&said.text) {
        Some(Ok(Wish::Keep(length))) => Some((length, said.at)),
        _ => None,
    });
    let asked = by_label.into_iter().chain(by_comment);
    Ok(asked.filter_map(|(length, since)| granted(preview, most, length, since).ok()).max())
}
