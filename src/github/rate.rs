//! What the server says of how often it may be asked.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};

/// How long to wait where a limit is reached and nothing is said of when it is over.
const UNTOLD: Duration = Duration::from_mins(1);

/// How long the server asks to wait before the same request may succeed; none where it was not refused for a limit.
pub(super) fn pause(status: StatusCode, headers: &HeaderMap, message: &str, now: DateTime<Utc>) -> Option<Duration> {
    if ![StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
        return None;
    }
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let until_reset = || {
        let reset = DateTime::from_timestamp(i64::try_from(number("x-ratelimit-reset")?).ok()?, 0)?;
        // The server counts in whole seconds.
        Some((reset - now).to_std().unwrap_or_default() + Duration::from_secs(1))
    };
    if let Some(seconds) = number("retry-after") {
        Some(Duration::from_secs(seconds))
    } else if number("x-ratelimit-remaining") == Some(0) {
        Some(until_reset().unwrap_or(UNTOLD))
    } else if status == StatusCode::TOO_MANY_REQUESTS || message.to_ascii_lowercase().contains("rate limit") {
        Some(UNTOLD)
    } else {
        None
    }
}
