//! The pages about previews: what is there, what was removed, what a sweep did.

use std::collections::BTreeMap;

use super::layers;
use super::{Medium, parts};
use crate::domain::address::{Address, Place};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::Problems;
use crate::domain::duration::in_words;
use crate::domain::outcome::RunReport;
use crate::domain::preview::Outlook;
use crate::domain::removal::{Fate, Removal, Removed, Sweep};
use crate::domain::visible::shortened;
use crate::report::Surroundings;
use crate::report::markdown::{Block, Inline, code, joined, link, prose, render};
use crate::report::preview::{counts, whose};
use crate::report::times::moment;

/// The longest reason in a table, in characters.
const LONGEST_REASON: usize = 300;

/// Where a preview can be looked at, how long it lives, how it is kept or removed.
pub(super) fn outlook(outlook: &Outlook) -> Vec<Block> {
    let look = |url: &String| Block::Paragraph(Inline::from("🔗 ") + link("Open the preview", url) + ": " + code(url));
    let mut blocks: Vec<Block> = outlook.url.iter().map(look).collect();
    let left = (outlook.expires - outlook.told).to_std().unwrap_or_default();
    let until = Inline::from("It lives until ") + code(&moment(outlook.expires)) + ", which is " + code(&in_words(left));
    let lives = until + " from now, or until the pull request is closed.";
    let keep = outlook.most.map(|most| {
        let asked = Inline::from("Comment ") + code("/tieline keep 3d") + " or add the label " + code("tieline-keep-3d");
        asked + " to have it longer, at most " + code(&in_words(most)) + " after its last deploy."
    });
    let remove = Inline::from("Comment ")
        + code("/tieline down")
        + " to remove it, "
        + code("/tieline refresh")
        + " to have it on its base as that is today.";
    blocks.push(Block::Paragraph(joined([Some(lives), keep, Some(remove)].into_iter().flatten(), "<br>")));
    blocks.extend(parts::notes(outlook.answer.as_slice()));
    blocks
}

/// A preview that is there.
pub(in crate::report) fn state(
    place: &Place,
    connections: &BTreeMap<Address, ConnectionRecord>,
    seen: &Outlook,
    surroundings: &Surroundings,
    limit: usize,
) -> String {
    layers::richest(limit, Medium::Comment, surroundings, |layer| {
        let mut blocks = vec![Block::Title(Inline::from("✅ Preview: ") + parts::place(place))];
        blocks.extend(parts::facts(parts::origin(surroundings)));
        blocks.extend(outlook(seen));
        blocks.extend(parts::connections(connections, layer));
        blocks
    })
}

/// That nothing was done, and why.
pub(in crate::report) fn skipped(why: &str, surroundings: &Surroundings) -> String {
    let title = Inline::from("⏭️ ") + super::command(surroundings) + " skipped";
    let facts = parts::facts(parts::origin(surroundings));
    let blocks: Vec<Block> = [Block::Title(title)].into_iter().chain(facts).chain([Block::Paragraph(prose(why))]).collect();
    render(&blocks, usize::MAX).0
}

/// What was removed of a pull request.
pub(in crate::report) fn removal(removal: &Removal, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    if removal.is_skipped() {
        return skipped(&format!("Nothing is left of {}: it is gone already.", removal.asked), surroundings);
    }
    layers::richest(limit, medium, surroundings, |layer| {
        let mut blocks: Vec<Block> = removal.removed.iter().flat_map(|removed| removed_blocks(removed, surroundings)).collect();
        blocks.extend(parts::problems("What failed", &removal.problems, layer));
        blocks
    })
}

/// What was removed, for the comment on the pull request.
pub(in crate::report) fn gone(removed: &Removed, problems: &Problems, surroundings: &Surroundings, limit: usize) -> String {
    layers::richest(limit, Medium::Comment, surroundings, |layer| {
        let mut blocks = removed_blocks(removed, surroundings);
        blocks.extend(parts::problems("What failed", problems, layer));
        blocks.push(Block::Paragraph(if removed.is_gone {
            "While the pull request is open, the next push makes it anew.".into()
        } else {
            Inline::from("The next sweep tries again, and so does the comment ") + code("/tieline down") + "."
        }));
        blocks
    })
}

fn removed_blocks(removed: &Removed, surroundings: &Surroundings) -> Vec<Block> {
    let (icon, word) = if removed.is_gone { ("🧹 ", "Preview removed: ") } else { ("❌ ", "Preview not removed: ") };
    let mut blocks = vec![Block::Title(Inline::from(icon) + word + code(&removed.name.to_string()))];
    blocks.extend(parts::facts(parts::origin(surroundings)));
    let destroyed = |run: &RunReport| {
        let counts = super::changes::counts(run.counts(), super::changes::Tense::Past);
        let counts = if counts.is_empty() { "nothing was left to destroy".to_owned() } else { counts };
        code(run.place.deployable.as_str()) + ": " + prose(&counts) + " · run " + code(run.run.id.as_str())
    };
    if !removed.runs.is_empty() {
        blocks.push(Block::List(removed.runs.iter().map(destroyed).collect()));
    }
    let retained: Vec<Inline> = removed.runs.iter().flat_map(|run| &run.retained).map(|kept| code(kept)).collect();
    if !retained.is_empty() {
        blocks.push(Block::Heading("Left behind on purpose"));
        blocks.push(Block::List(retained));
    }
    blocks
}

/// What a sweep did.
pub(in crate::report) fn sweep(sweep: &Sweep, surroundings: &Surroundings, limit: usize) -> String {
    layers::richest(limit, Medium::Summary, surroundings, |layer| {
        let icon = if sweep.problems.any_error() { "❌ " } else { "✅ " };
        let mut blocks = vec![Block::Title(Inline::from(icon) + "Sweep of " + prose(&counts(sweep)))];
        blocks.extend(parts::facts(parts::origin(surroundings)));
        if !sweep.swept.is_empty() {
            let rows = sweep.swept.iter().map(|swept| {
                let kept = swept.retained.iter().map(|kept| Inline::from("left behind on purpose: ") + code(kept));
                let why = [prose(&shortened(&swept.because, LONGEST_REASON))].into_iter().chain(kept);
                vec![code(&swept.name.to_string()), code(&whose(swept)), fate(swept.fate), joined(why, "<br>")]
            });
            blocks.push(Block::Table { head: &["Preview", "Pull request", "What became of it", "Why"], rows: rows.collect() });
        }
        blocks.extend(parts::problems("What is wrong", &sweep.problems, layer));
        blocks
    })
}

fn fate(fate: Fate) -> Inline {
    match fate {
        Fate::Removed => "🧹 removed",
        Fate::Failed => "❌ not removed",
        Fate::Waits => "⏳ waits",
        Fate::Lives => "✅ lives on",
        Fate::Unknown => "❔ unknown",
    }
    .into()
}
