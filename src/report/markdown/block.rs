//! Blocks of Markdown: each ends what it starts, also where there is no room for all of it.

use super::inline::{Inline, longest_run};
use crate::domain::visible::{shortened, visible};

/// The longest line of a fence, in characters.
const LONGEST: usize = 700;

/// A block of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Block {
    /// The page's own title.
    Title(Inline),
    /// The title of a part.
    Heading(&'static str),
    /// A line of text.
    Paragraph(Inline),
    /// A list.
    List(Vec<Inline>),
    /// A table.
    Table {
        /// Its columns.
        head: &'static [&'static str],
        /// Its rows, each with as many cells.
        rows: Vec<Vec<Inline>>,
    },
    /// Lines as they are.
    Fence {
        /// How they are colored: `diff`, `text` or another of GitHub's names.
        language: &'static str,
        /// The lines.
        lines: Vec<String>,
    },
    /// What a reader has to open.
    Details {
        /// The name of what is inside, if it has one.
        name: String,
        /// A few words about it.
        words: String,
        /// What is inside.
        blocks: Vec<Self>,
    },
}

/// Blocks as text of at most `room` bytes, and whether that is all of them. What does not fit is cut between lines.
pub(in crate::report) fn render(blocks: &[Block], room: usize) -> (String, bool) {
    let mut text = String::new();
    for block in blocks {
        let gap = if text.is_empty() { "" } else { "\n" };
        let (part, is_whole) = block.render(room.saturating_sub(text.len() + gap.len()));
        if !part.is_empty() {
            text += gap;
            text += &part;
        }
        if !is_whole {
            return (text, false);
        }
    }
    (text, true)
}

impl Block {
    fn render(&self, room: usize) -> (String, bool) {
        match self {
            Self::Title(line) => lines("", [format!("### {}", line.as_str())], "", room),
            Self::Heading(words) => lines("", [format!("#### {words}")], "", room),
            Self::Paragraph(line) => lines("", [line.as_str().to_owned()], "", room),
            Self::List(items) => lines("", items.iter().map(|item| format!("- {}", item.as_str())), "", room),
            Self::Table { head, rows } => {
                let rule = "---|".repeat(head.len());
                lines(&format!("| {} |\n|{rule}\n", head.join(" | ")), rows.iter().map(|row| table_row(row)), "", room)
            }
            Self::Fence { language, lines: shown } => {
                let shown: Vec<String> = shown.iter().map(|line| fence_line(line)).collect();
                let run = shown.iter().map(|line| longest_run(line)).max().unwrap_or_default();
                let fence = "`".repeat(run.max(2) + 1);
                lines(&format!("{fence}{language}\n"), shown, &format!("{fence}\n"), room)
            }
            Self::Details { name, words, blocks } => {
                let name = if name.is_empty() { String::new() } else { format!("<code>{}</code> ", html(name)) };
                let open = format!("<details><summary>{name}{}</summary>\n\n", html(words));
                let close = "\n</details>\n";
                let (inside, is_whole) = render(blocks, room.saturating_sub(open.len() + close.len()));
                if inside.is_empty() { (inside, blocks.is_empty()) } else { (format!("{open}{inside}{close}"), is_whole) }
            }
        }
    }
}

/// As many lines as there is room for between an opening and a closing, which are there only if there is a line between them.
fn lines(open: &str, lines: impl IntoIterator<Item = String>, close: &str, room: usize) -> (String, bool) {
    let mut text = open.to_owned();
    let mut is_whole = true;
    for line in lines {
        if text.len() + line.len() + 1 + close.len() > room {
            is_whole = false;
            break;
        }
        text += &line;
        text.push('\n');
    }
    if text.len() == open.len() { (String::new(), is_whole) } else { (text + close, is_whole) }
}

fn table_row(cells: &[Inline]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.as_str().replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

/// A line between fences. At the start of a line, a runner that is shown this text would take `::` as a command.
fn fence_line(line: &str) -> String {
    let line = visible(&shortened(line, LONGEST));
    let start = line.len() - line.trim_start().len();
    if line[start..].starts_with("::") { format!("{}\\{}", &line[..start], &line[start..]) } else { line }
}

fn html(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
