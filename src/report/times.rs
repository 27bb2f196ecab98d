//! Times, as people read them.

use chrono::{DateTime, TimeDelta, Utc};

/// A time, to the second.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time that is over, and how long.
pub(super) fn since(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{}, {} ago", moment(time), length(now - time))
}

/// A length of time in its greatest unit that has two of them.
pub(super) fn length(time: TimeDelta) -> String {
    match time.num_seconds() {
        seconds @ ..120 => format!("{}s", seconds.max(0)),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86400),
    }
}

/// How long something took.
pub(super) fn took(time: TimeDelta) -> String {
    let millis = time.num_milliseconds().max(0);
    if millis < 120_000 { format!("{}.{}s", millis / 1000, millis % 1000 / 100) } else { length(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_unit_and_is_never_negative() {
        let of = |seconds| length(TimeDelta::seconds(seconds));
        assert_eq!([took(TimeDelta::milliseconds(1_260)), took(TimeDelta::hours(3))], ["1.2s", "3h"]);
        assert_eq!([of(-5), of(119), of(120), of(7199), of(7200), of(200_000)], ["0s", "119s", "2m", "119m", "2h", "2d"]);
    }
}
