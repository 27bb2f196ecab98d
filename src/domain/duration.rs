//! Lengths of time, as people write them.

use std::time::Duration;

/// Reads `90s`, `5m`, `2h`, `3d`, or a plain number of seconds.
///
/// # Errors
/// When the text is none of these.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err(format!("`{unit}` is no unit of time: use `s`, `m`, `h` or `d`")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a time: write it as `90s`, `5m` or `2h`"))?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| format!("`{text}` is too long"))
}

/// A length of time in words, in its two largest units: `2 days 4 hours`. Less than a minute is `less than a minute`.
pub fn in_words(length: Duration) -> String {
    let minutes = length.as_secs() / 60;
    let parts = [(minutes / 1440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(parts.len());
    let told: Vec<String> = parts
        .iter()
        .skip(first)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if told.is_empty() { "less than a minute".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("5m").unwrap().as_secs(), 300);
        assert_eq!(duration("90").unwrap().as_secs(), 90);
        assert!(duration("5x").is_err() && duration("m").is_err());
    }

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let told = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(told(72 * 3600), "3 days");
        assert_eq!(told(2 * 86400 + 4 * 3600 + 59), "2 days 4 hours");
        assert_eq!(
            (told(86400 + 120), told(3660), told(59)),
            ("1 day".into(), "1 hour 1 minute".into(), "less than a minute".into())
        );
    }
}
