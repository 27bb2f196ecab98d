//! Bars over time, as a picture that needs no script. All that it shows stands in a table as well.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::domain::visible::shortened;
use crate::report::one_line;
use crate::report::times::moment;

/// Where the bars begin: left of them are the names of the rows.
const LEFT: i64 = 230;
/// How long the axis is.
const LENGTH: i64 = 730;
/// How high a row is.
const ROW: i64 = 22;
/// No bar is shorter: it could not be seen.
const SHORTEST: i64 = 4;
/// How much of a row's name has room, in characters.
const NAME: usize = 30;

/// A bar.
pub(super) struct Bar {
    /// The name of its row.
    pub(super) row: String,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// What it looks like.
    pub(super) class: &'static str,
    /// What it says when it is pointed at.
    pub(super) says: String,
}

/// The bars in their rows, in the order in which the rows first come; nothing where there are none.
pub(super) fn chart(title: &str, bars: &[Bar]) -> Markup {
    let (Some(start), Some(end)) = (bars.iter().map(|bar| bar.from).min(), bars.iter().map(|bar| bar.to).max()) else {
        return html! {};
    };
    let mut rows: Vec<&str> = Vec::new();
    for bar in bars {
        if !rows.contains(&bar.row.as_str()) {
            rows.push(&bar.row);
        }
    }
    let span = (end - start).num_milliseconds().max(1);
    let at = |time: DateTime<Utc>| LEFT + (time - start).num_milliseconds() * LENGTH / span;
    let top = |row: &str| rows.iter().zip(0..).find(|(known, _)| **known == row).map_or(0, |(_, index)| index * ROW + 8);
    let bottom = i64::try_from(rows.len()).unwrap_or_default() * ROW + 8;
    let (width, height) = (LEFT + LENGTH + 20, bottom + 28);
    html! {
        div.wide role="region" aria-label=(title) tabindex="0" {
            svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(title) {
                @for row in &rows {
                    text x="8" y=(top(row) + 14) { (one_line(&shortened(row, NAME))) }
                }
                line x1=(LEFT) y1=(bottom) x2=(LEFT + LENGTH) y2=(bottom) {}
                @for bar in bars {
                    rect class=(bar.class) x=(at(bar.from)) y=(top(&bar.row) + 2)
                        width=((at(bar.to) - at(bar.from)).max(SHORTEST)) height=(ROW - 6) rx="2" {
                        title { (one_line(&bar.says)) }
                    }
                }
                text x=(LEFT) y=(bottom + 18) { (moment(start)) }
                text x=(LEFT + LENGTH) y=(bottom + 18) text-anchor="end" { (moment(end)) }
            }
        }
    }
}
