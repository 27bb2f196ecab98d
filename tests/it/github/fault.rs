//! What can go wrong with GitHub.

use std::time::Duration;

use serde_json::json;

use super::call::{Answer, Call};

/// What a request meets instead of, or besides, being carried out.
pub(crate) enum Fault {
    /// It is not carried out; GitHub answers with this status, such as 502.
    Status(u16),
    /// It is not carried out; the connection ends without an answer.
    Cut,
    /// It is carried out, but the connection ends without an answer.
    CutAfterwards,
    /// It is refused for its rate (403 or 429), with as many seconds in `retry-after`, where there are any.
    SecondaryLimit { status: u16, retry_after: Option<u64> },
    /// It is refused because the hour's requests are used up; they come back after so many seconds.
    PrimaryLimit { reset_in: u64 },
    /// It is carried out, after this time.
    Slow(Duration),
    /// It is carried out, after this was done. Once.
    Meanwhile(Box<dyn FnOnce() + Send>),
}

/// A fault that some requests will meet.
pub(super) struct Planned {
    pub(super) times: usize,
    pub(super) what: String,
    pub(super) fault: Fault,
}

/// The fault that a call meets.
pub(super) fn take(planned: &mut Vec<Planned>, call: &Call) -> Option<Fault> {
    let target = format!("{} {}", call.method, call.target);
    let index = planned.iter().position(|planned| planned.times > 0 && target.starts_with(&planned.what))?;
    planned[index].times -= 1;
    if planned[index].times == 0 {
        return Some(planned.remove(index).fault);
    }
    Some(match &planned[index].fault {
        Fault::Status(status) => Fault::Status(*status),
        Fault::Cut => Fault::Cut,
        Fault::CutAfterwards => Fault::CutAfterwards,
        Fault::SecondaryLimit { status, retry_after } => Fault::SecondaryLimit { status: *status, retry_after: *retry_after },
        Fault::PrimaryLimit { reset_in } => Fault::PrimaryLimit { reset_in: *reset_in },
        Fault::Slow(time) => Fault::Slow(*time),
        Fault::Meanwhile(_) => panic!("what happens meanwhile happens once"),
    })
}

impl Fault {
    /// The answer that takes the place of carrying a call out, where one does.
    pub(super) fn answer(&self) -> Option<Answer> {
        match self {
            Self::Status(status) => Some(Answer::json(*status, &json!({"message": "Server Error"}))),
            Self::SecondaryLimit { status, retry_after } => {
                let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                let answer = Answer::refused(*status, message);
                Some(match retry_after {
                    Some(seconds) => answer.with("retry-after", &seconds.to_string()),
                    None => answer,
                })
            }
            Self::PrimaryLimit { reset_in } => {
                let reset = super::call::now().timestamp().unsigned_abs() + reset_in;
                let answer = Answer::refused(403, "API rate limit exceeded for installation ID 1.");
                Some(answer.with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", &reset.to_string()))
            }
            Self::Cut | Self::CutAfterwards | Self::Slow(_) | Self::Meanwhile(_) => None,
        }
    }
}
