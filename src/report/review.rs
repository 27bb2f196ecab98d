//! What a change of the documents does.

use std::fmt::Write as _;

use serde_json::json;

use super::markdown::{Block, Inline, code, prose, render};
use super::{SCHEMA_VERSION, counted, one_line, to_json};
use crate::domain::review::{Effect, Located, Review};

/// How many of those affected a page names for each finding.
const MOST: usize = 50;

/// For people. What is refused is left out: it is shown as every error is.
pub fn text(review: &Review) -> String {
    let mut text = format!("{}\n", outcome(review));
    for located in review.findings.iter().filter(|located| located.finding.effect != Effect::Refused) {
        let finding = &located.finding;
        let _ = writeln!(text, "{}: {}", finding.effect.as_str(), one_line(&finding.message));
        let _ = writeln!(text, "  at {}", one_line(&place(located)));
        for line in &finding.affected {
            let _ = writeln!(text, "  - {}", one_line(line));
        }
    }
    text
}

/// For programs.
pub fn json(review: &Review) -> String {
    let findings: Vec<_> = review
        .findings
        .iter()
        .map(|Located { finding, file, line }| {
            json!({
                "effect": finding.effect, "message": finding.message, "reason": finding.reason, "file": file, "line": line,
                "pointer": finding.at.to_string(), "affected": finding.affected, "help": finding.help,
            })
        })
        .collect();
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "documents": review.documents, "findings": findings}))
}

/// For the summary of a step, in at most `limit` bytes.
pub fn summary(review: &Review, limit: usize) -> String {
    let refused = review.findings.iter().any(|located| located.finding.effect == Effect::Refused);
    let icon = if refused { "❌ " } else { "✅ " };
    let mut blocks = vec![Block::Title(Inline::from(icon) + prose(&outcome(review)))];
    for (effect, title) in [
        (Effect::Refused, "Must not be merged"),
        (Effect::Breaks, "Breaks"),
        (Effect::Repoints, "Repoints"),
        (Effect::Allows, "Allows"),
        (Effect::Changes, "Changes"),
    ] {
        let of_it: Vec<&Located> = review.findings.iter().filter(|located| located.finding.effect == effect).collect();
        if of_it.is_empty() {
            continue;
        }
        blocks.push(Block::Heading(title));
        for located in of_it {
            blocks.push(Block::Paragraph(prose(&located.finding.message) + " — " + code(&place(located))));
            let affected = &located.finding.affected;
            if !affected.is_empty() {
                let more = affected.len().saturating_sub(MOST);
                let rest = (more > 0).then(|| prose(&format!("and {more} more, which the log has")));
                blocks.push(Block::List(affected.iter().take(MOST).map(|line| prose(line)).chain(rest).collect()));
            }
            blocks.extend(located.finding.help.map(|help| Block::Paragraph(prose(help))));
        }
    }
    render(&blocks, limit).0
}

fn place(located: &Located) -> String {
    match located.line {
        Some(line) => format!("{}:{line}", located.file),
        None => located.file.clone(),
    }
}

/// How many of which, the gravest first.
fn outcome(review: &Review) -> String {
    if review.documents == 0 {
        return "no document changes".to_owned();
    }
    let documents = counted(review.documents, "document changes", "documents change");
    let of = |effect| review.findings.iter().filter(|located| located.finding.effect == effect).count();
    let words = [
        (Effect::Refused, "refused"),
        (Effect::Breaks, "breaking"),
        (Effect::Repoints, "repointing"),
        (Effect::Allows, "allowing"),
    ];
    let found: Vec<String> =
        words.into_iter().filter(|(effect, _)| of(*effect) > 0).map(|(effect, word)| format!("{} {word}", of(effect))).collect();
    if found.is_empty() { format!("{documents}, and nobody is affected") } else { format!("{documents}: {}", found.join(", ")) }
}
