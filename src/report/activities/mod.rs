//! The activities page: one file of HTML that needs neither network nor scripts, and is readable on a phone and by a screen reader.
//!
//! The template library escapes whatever is put in; the page's own policy forbids all but its one style sheet, should anything ever
//! get around that.

mod chart;
mod map;
mod parts;
mod sections;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::status::Status;
use super::times::moment;
use parts::shown;

const STYLE: &str = include_str!("page.css");

/// A part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The page.
pub fn page(status: &Status, now: DateTime<Utc>) -> String {
    let title = format!("Activities of {}", status.title());
    let sections = sections::all(status, now);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (shown(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (shown(&title)) }
                    p.quiet { "As of " time datetime=(now.to_rfc3339()) { (moment(now)) } "." }
                    nav aria-label="Sections" {
                        ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                }
                main {
                    @if sections.is_empty() { p { "Nothing was deployed here yet." } }
                    @for section in &sections {
                        section aria-labelledby=(section.id) {
                            h2 id=(section.id) { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer { p.quiet { "Written by " code { "tieline status --html" } ". It loads nothing and runs nothing." } }
            }
        }
    };
    page.into_string()
}

/// Nothing is loaded, run, sent or framed; the one style that counts is the one that is meant.
fn policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'")
}
