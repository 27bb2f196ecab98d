//! The page of what changed outside of Terraform.

use super::layers::{self, Layer};
use super::{Medium, changes, parts};
use crate::domain::drift::{DriftReport, Look, PlaceDrift, Sight};
use crate::report::Surroundings;
use crate::report::drift::{outcome, remedies, words};
use crate::report::markdown::{Block, Inline, code, link, prose};

/// What was seen in an environment.
pub(in crate::report) fn drift(report: &DriftReport, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| {
        let icon = match (report.problems.any_error(), report.counts().is_empty()) {
            (true, _) => "❌ ",
            (false, false) => "⚠️ ",
            (false, true) => "✅ ",
        };
        let environment = format!("{}/{}", report.workspace, report.environment);
        let mut blocks = vec![Block::Title(Inline::from(icon) + "Drift in " + code(&environment))];
        blocks.push(Block::Paragraph(prose(&outcome(report))));
        blocks.extend(parts::facts(parts::origin(surroundings)));
        blocks.extend(parts::problems("What failed", &report.problems, layer));
        if !report.places.is_empty() {
            let rows = report.places.iter().flat_map(rows).collect();
            blocks.push(Block::Table { head: &["Deployable", "Applied plugin", "Outside of Terraform", "Issue"], rows });
        }
        for place in &report.places {
            blocks.extend(parts::notes(&place.notes));
            blocks.extend(details(place, layer));
        }
        blocks.extend(what_to_do(report.drifted().map(|(_, _, look)| look)));
        blocks.extend(parts::facts([surroundings.terraform.as_deref().map(code)]));
        blocks
    })
}

/// What was seen of one deployable in which something changed: the text of an issue.
pub(in crate::report) fn drifted(place: &PlaceDrift, surroundings: &Surroundings, medium: Medium, limit: usize) -> String {
    layers::richest(limit, medium, surroundings, |layer| {
        let title = Inline::from("Changed outside of Terraform: ") + parts::place(&place.place);
        let mut blocks = vec![Block::Title(title)];
        blocks.extend(parts::facts(parts::origin(surroundings)));
        let rows = place.looks().map(|(alias, look)| vec![code(alias.as_str()), prose(&words(look))]).collect();
        blocks.push(Block::Table { head: &["Applied plugin", "Outside of Terraform"], rows });
        blocks.extend(parts::notes(&place.notes));
        blocks.extend(details(place, layer));
        blocks.extend(what_to_do(place.looks().map(|(_, look)| look)));
        blocks.push(Block::Paragraph("This issue is closed by itself once nothing of it is left.".into()));
        blocks
    })
}

fn what_to_do<'a>(looks: impl Iterator<Item = &'a Look>) -> Option<Block> {
    let remedies: Vec<&str> = remedies(looks).into_iter().collect();
    (!remedies.is_empty()).then(|| Block::Paragraph(Inline::from("**What to do:** ") + prose(&remedies.join(" "))))
}

fn rows(place: &PlaceDrift) -> Vec<Vec<Inline>> {
    let (deployable, issue) = (code(place.place.deployable.as_str()), issue(place));
    let whole = |words: &'static str| vec![vec![deployable.clone(), Inline::default(), words.into(), issue.clone()]];
    match &place.sight {
        Sight::Busy => whole("⏳ a run works on it"),
        Sight::Unknown => whole("❌ could not be looked at"),
        Sight::Looked(looks) => looks
            .iter()
            .map(|(alias, look)| vec![deployable.clone(), code(alias.as_str()), icon(look) + prose(&words(look)), issue.clone()])
            .collect(),
    }
}

fn icon(look: &Look) -> Inline {
    match look {
        Look::Unknown => "❌ ",
        look if look.is_drift() => "⚠️ ",
        _ => "✅ ",
    }
    .into()
}

fn issue(place: &PlaceDrift) -> Inline {
    place.issue.as_deref().map(|address| link("issue", address)).unwrap_or_default()
}

/// The resources that changed, one fence an applied plugin.
fn details(place: &PlaceDrift, layer: Layer) -> Vec<Block> {
    let details = place.drifted().filter_map(|(alias, look)| {
        changes::details(&format!("{}/{alias}", place.place.deployable), words(look), look.resources(), layer)
    });
    details.collect()
}
