//! What people ask of a preview on its pull request: by a comment, or by a label.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::duration::{duration, in_words};
use super::preview::{Preview, expiry};

/// What a comment starts with that is meant for us.
const WORD: &str = "/tieline";

/// What a label starts with that asks for a longer life.
const LABEL: &str = "tieline-keep-";

/// What is asked of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To live so long, from when it was asked.
    Keep(Duration),
    /// To go.
    Down,
    /// To be deployed on its base as that is today.
    Refresh,
}

impl Wish {
    /// What a comment asks: its first line that begins with `/tieline`. None where there is no such line.
    ///
    /// # Errors
    /// When the line asks for nothing that there is. What was written is not repeated: it is anybody's text.
    pub fn of_comment(text: &str) -> Option<Result<Self, String>> {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let words = lines.find(|words| words.first() == Some(&WORD))?;
        Some(match words[1..] {
            ["keep", length] => positive(length).map(Self::Keep),
            ["down"] => Ok(Self::Down),
            ["refresh"] => Ok(Self::Refresh),
            _ => Err("there are `/tieline keep 3d`, `/tieline down` and `/tieline refresh`".to_owned()),
        })
    }
}

/// The longest life that labels such as `tieline-keep-3d` ask for, after a deploy. Those that say no length of time ask for nothing.
pub fn kept_by<'a>(labels: impl IntoIterator<Item = &'a String>) -> Option<Duration> {
    labels.into_iter().filter_map(|label| positive(label.strip_prefix(LABEL)?).ok()).max()
}

/// Until when a preview is kept for somebody who asked at `since` to have it so long; `most` is how long it may live after a deploy.
///
/// # Errors
/// Why not, in words.
pub fn granted(
    preview: &Preview,
    most: Option<Duration>,
    asked: Duration,
    since: DateTime<Utc>,
) -> Result<DateTime<Utc>, String> {
    let Some(most) = most else {
        return Err("this workspace lets nobody ask for more time: it has no `limits.max-preview-ttl`".to_owned());
    };
    if asked > most {
        return Err(format!("{} is more than this workspace allows, which is {}", in_words(asked), in_words(most)));
    }
    let latest = expiry(preview.deployed.unwrap_or(preview.made), most);
    Ok(expiry(since, asked).min(latest).max(preview.expires))
}

fn positive(text: &str) -> Result<Duration, String> {
    let malformed = "write the time as `12h` or `3d`";
    duration(text).ok().filter(|length| !length.is_zero()).ok_or_else(|| malformed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn a_comment_asks_by_its_first_line_that_is_for_us() {
        let asked = |text: &str| Wish::of_comment(text);
        assert_eq!(asked("/tieline keep 3d"), Some(Ok(Wish::Keep(3 * DAY))));
        assert_eq!(asked("please\r\n  /tieline   down  \r\n/tieline keep 3d"), Some(Ok(Wish::Down)));
        assert_eq!(asked("/tieline refresh"), Some(Ok(Wish::Refresh)));
        assert_eq!((asked("I said /tieline down"), asked("/tielinedown"), asked("")), (None, None, None));
        for wrong in
            ["/tieline", "/tieline keep", "/tieline keep ::error::", "/tieline keep 0d", "/tieline down now", "/tieline up"]
        {
            assert!(matches!(asked(wrong), Some(Err(why)) if !why.contains("::")), "{wrong}");
        }
    }

    #[test]
    fn of_labels_the_longest_counts() {
        let labels = ["tieline-keep-12h", "bug", "tieline-keep-3d", "tieline-keep-<b>", "tieline-keep-"].map(str::to_owned);
        assert_eq!(kept_by(&labels), Some(3 * DAY));
        assert_eq!(kept_by(&labels[1..2]), None);
    }
}
