//! A change of the documents that was made or proposed.

use std::fmt::Write as _;

use serde_json::json;

use super::markdown::{Block, Inline, code, link, prose, render};
use super::{SCHEMA_VERSION, one_line, to_json};

/// What was done, and whom it affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the change does, on one line.
    pub title: String,
    /// What became of it.
    pub done: Done,
    /// Whom it affects, one a line.
    pub affected: Vec<String>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The documents say it already.
    Nothing,
    /// A pull request was opened.
    Opened {
        /// Its address.
        url: String,
    },
    /// The same change was proposed before, and is still open.
    Found {
        /// The pull request's address.
        url: String,
    },
    /// It was committed.
    Committed {
        /// The branch.
        branch: String,
        /// The repository, for people.
        place: String,
        /// The commit.
        commit: String,
    },
}

/// How many lines of those affected a page has.
const MOST: usize = 200;

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        let title = one_line(&self.title);
        let mut text = match &self.done {
            Done::Nothing => format!("nothing to do: the documents say so already ({title})\n"),
            Done::Opened { url } => format!("opened a pull request: {title}\n{url}\n"),
            Done::Found { url } => format!("a pull request is open already: {title}\n{url}\n"),
            Done::Committed { branch, place, commit } => {
                format!("committed to the branch `{branch}` of {place}: {title}\n{commit}\n")
            }
        };
        if !self.affected.is_empty() {
            text.push_str("affected:\n");
        }
        for line in &self.affected {
            let _ = writeln!(text, "  {}", one_line(line));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let (outcome, url, commit) = match &self.done {
            Done::Nothing => ("nothing-to-do", None, None),
            Done::Opened { url } => ("opened", Some(url), None),
            Done::Found { url } => ("already-open", Some(url), None),
            Done::Committed { commit, .. } => ("committed", None, Some(commit)),
        };
        to_json(&json!({
            "schemaVersion": SCHEMA_VERSION, "change": self.title, "outcome": outcome, "pullRequest": url, "commit": commit,
            "affected": self.affected,
        }))
    }

    /// For the summary of the step that ran `command`.
    pub fn summary(&self, command: &str) -> String {
        let mut blocks = vec![Block::Title(code(command)), Block::Paragraph(prose(&self.title))];
        blocks.push(Block::Paragraph(match &self.done {
            Done::Nothing => "Nothing to do: the documents say so already.".into(),
            Done::Opened { url } => Inline::from("Opened ") + link("a pull request", url) + ".",
            Done::Found { url } => Inline::from("There is ") + link("an open pull request", url) + ".",
            Done::Committed { branch, commit, .. } => Inline::from("Committed to ") + code(branch) + " as " + code(commit) + ".",
        }));
        blocks.extend(affected(&self.affected));
        render(&blocks, usize::MAX).0
    }
}

/// The text of a pull request: what it does, and whom it affects.
pub fn body(title: &str, affected_lines: &[String]) -> String {
    let mut blocks = vec![Block::Paragraph(Inline::from("This would ") + prose(title) + ".")];
    if affected_lines.is_empty() {
        blocks.push(Block::Paragraph("Nothing that is deployed loses or changes a connection by it.".into()));
    }
    blocks.extend(affected(affected_lines));
    blocks.push(Block::Paragraph("Proposed by Tieline. It takes effect when it is merged; until then nothing changes.".into()));
    render(&blocks, usize::MAX).0
}

fn affected(lines: &[String]) -> Vec<Block> {
    if lines.is_empty() {
        return Vec::new();
    }
    let more = (lines.len() > MOST).then(|| Block::Paragraph(prose(&format!("and {} more", lines.len() - MOST))));
    let list = Block::List(lines.iter().take(MOST).map(|line| prose(line)).collect());
    [Block::Heading("Who is affected"), list].into_iter().chain(more).collect()
}
