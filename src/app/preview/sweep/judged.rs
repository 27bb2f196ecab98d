//! Whether a preview should go, from what is known of it.

use chrono::{DateTime, TimeDelta, Utc};

use super::heard::Heard;
use crate::domain::diagnostic::Problems;
use crate::domain::preview::Preview;
use crate::github::standing::Standing;

/// How old something has to be that a run leaves behind for a while, before it counts as given up.
const ABANDONED: TimeDelta = TimeDelta::hours(1);

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It should go.
    Due(String),
    /// It lives on.
    Lives(String),
    /// Nobody can tell yet.
    Unknown(String),
    /// Nobody can tell, because what had to be asked for could not be.
    Failed(Problems),
    /// Its time is over, but its pull request is open: somebody may have asked for more.
    Asks(Standing),
}

/// Judges a preview; `is_empty` says that nothing is applied in it and nobody works in it.
pub(super) fn judge(preview: &Preview, is_empty: bool, heard: &Heard, now: DateTime<Utc>) -> Judged {
    let (is_over, until) = (preview.is_over(now), moment(preview.expires));
    let over = |and: &str| Judged::Due(format!("its time was over {until}{and}"));
    match heard {
        Heard::Nothing if is_over => over(""),
        Heard::Nothing => Judged::Lives(format!("until {until}; without a token nobody can be asked for its pull request")),
        Heard::Failed(why) => Judged::Unknown(format!("its pull request cannot be asked for: {why}")),
        Heard::Gone if is_over => over(", and its repository is gone or out of sight"),
        Heard::Gone => Judged::Unknown(format!("its repository is gone, or out of the token's sight; it stays until {until}")),
        Heard::Known { open, .. } => match open.get(&preview.id.pull_request) {
            None => Judged::Due("its pull request is not open any more".to_owned()),
            Some(_) if is_given_up(preview, is_empty, now) => {
                Judged::Due("nobody goes on with it, and nothing is deployed in it, or its removal was begun".to_owned())
            }
            Some(standing) if is_over => Judged::Asks(standing.clone()),
            Some(_) => Judged::Lives(format!("until {until}, or until its pull request is closed")),
        },
    }
}

/// Whether a run began with it, and never came to its end: one that made it and died, or one that removed it.
fn is_given_up(preview: &Preview, is_empty: bool, now: DateTime<Utc>) -> bool {
    let since = if is_empty { Some(preview.closing.unwrap_or(preview.made)) } else { preview.closing };
    since.is_some_and(|since| now - since > ABANDONED)
}

/// A time, to the minute.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
