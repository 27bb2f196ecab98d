//! No text from outside changes what a page is made of. A parser that follows GitHub's own judges.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::{Block, Inline, code, joined, link, prose, render};

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options
}

/// What a text is made of, block for block and piece for piece, with the text of what is shown as it is.
pub(in crate::report) fn structure(text: &str) -> Vec<String> {
    fn walk<'a>(node: &'a AstNode<'a>, found: &mut Vec<String>) {
        let name = match &node.data.borrow().value {
            NodeValue::Text(text) => format!("text {text}"),
            NodeValue::Code(code) => format!("code {}", code.literal),
            NodeValue::CodeBlock(block) => format!("fence {} {}", block.info, block.literal),
            NodeValue::HtmlBlock(block) => format!("html {}", block.literal.trim()),
            NodeValue::HtmlInline(html) => format!("html {html}"),
            NodeValue::Link(link) => format!("link {}", link.url),
            NodeValue::Table(table) => format!("table of {} columns", table.num_columns),
            other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
        };
        found.push(name);
        node.children().for_each(|child| walk(child, found));
    }
    let arena = Arena::new();
    let mut found = Vec::new();
    walk(parse_document(&arena, text, &options()), &mut found);
    found
}

/// The kinds alone.
fn kinds(text: &str) -> Vec<String> {
    structure(text).into_iter().map(|node| node.split(' ').next().unwrap().to_owned()).collect()
}

fn shown(block: Block) -> String {
    render(&[block], usize::MAX).0
}

/// Texts that people, plugins and clouds can put anywhere.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "`",
    "``` \n```",
    "a`b``c```d",
    "`unclosed",
    "a|b\\|c\\\\|d",
    "\\",
    "ends with \\",
    "<img src=https://evil.example/x.png>",
    "<!-- tieline:orders -->",
    "-->",
    "</details></summary><details open>",
    "@acme/admins @octocat",
    "#123 acme/orders#4 GH-77",
    "https://evil.example www.evil.example ftp://x mailto:a@b.example a@b.example",
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png) [^1]",
    "**bold** _it_ ~~no~~ $x$ $`x`$ :tada: &lt;b&gt; &#64;x",
    "# title",
    "- item",
    "1. item",
    "> quote",
    "---",
    "| a | b |",
    "line\r\nbreak\rreturn\ttab\u{85}next\u{2028}sep",
    "\u{202e}gnp.exe\u{202c} \u{200b}zero \u{feff}mark \u{61c}arabic \u{ad}soft \u{e0041}tag",
    "::error::x",
    "  ::stop-commands::x",
    "a ##[add-mask]b",
    "8f3c2d1e9b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e",
    "\u{1b}[2J\u{0}",
    "é 漢字 👍",
];

pub(in crate::report) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        "[a-z`|<>@#&*_~\\\\\\[\\]()!:/.$ \n-]{0,12}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn no_nuisance(nodes: &[String]) {
    for node in nodes {
        let is_kept = |kind: &str| node == kind || node.starts_with(&format!("{kind} "));
        let allowed =
            ["Document", "Paragraph", "text", "code", "Heading", "List", "Item", "fence", "table", "TableRow", "TableCell"];
        assert!(allowed.into_iter().any(is_kept), "{node:?} in {nodes:?}");
        if let Some(text) = node.strip_prefix("text ") {
            let lower = text.to_lowercase();
            for nuisance in ["@", "#", "://", "www.", "gh-", "<", "::"] {
                assert!(!lower.contains(nuisance), "{text:?} in {nodes:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hostile_prose_stays_a_paragraph_of_words_and_code(text in any_text()) {
        let nodes = structure(&shown(Block::Paragraph(Inline::from("Why: ") + prose(&text))));
        no_nuisance(&nodes);
        let line = shown(Block::Paragraph(prose(&text)));
        let bare = structure(&line);
        no_nuisance(&bare);
        prop_assert!(bare.iter().filter(|node| *node == "Paragraph").count() <= 1 && !bare.iter().any(|node| node == "List"), "{bare:?}");
        prop_assert!(line.trim_end_matches('\n').lines().count() <= 1);
    }

    #[test]
    fn hostile_code_is_one_piece_of_code(text in any_text()) {
        let nodes = structure(&shown(Block::Paragraph(Inline::from("see ") + code(&text) + " there")));
        no_nuisance(&nodes);
        let is_code = |node: &String| node.starts_with("code ");
        prop_assert_eq!(nodes.iter().filter(|node| is_code(node)).count(), usize::from(!text.is_empty()), "{:?}", nodes);
    }

    #[test]
    fn hostile_cells_leave_a_table_its_columns(texts in prop::collection::vec(any_text(), 6)) {
        let cells: Vec<Inline> = texts.iter().map(|text| prose(text)).collect();
        let rows = vec![cells[..3].to_vec(), cells[3..].to_vec(), texts[..3].iter().map(|text| code(text)).collect()];
        let nodes = structure(&shown(Block::Table { head: &["a", "b", "c"], rows }));
        no_nuisance(&nodes);
        let count = |kind: &str| nodes.iter().filter(|node| node.as_str() == kind).count();
        prop_assert_eq!((count("TableRow"), count("TableCell")), (4, 12), "{:?}", nodes);
    }

    #[test]
    fn hostile_lines_stay_inside_their_fence(lines in prop::collection::vec(any_text(), 1..5)) {
        let text = shown(Block::Fence { language: "diff", lines });
        prop_assert_eq!(kinds(&text), ["Document", "fence"]);
        prop_assert!(!text.lines().any(|line| line.trim_start().starts_with("::")) && !text.contains("##["), "{}", text);
    }

    #[test]
    fn hostile_names_leave_details_closed(name in any_text(), line in any_text()) {
        let inside = vec![Block::Fence { language: "diff", lines: vec![line] }];
        let text = shown(Block::Details { name, words: "1 created".to_owned(), blocks: inside });
        let nodes = structure(&text);
        prop_assert_eq!(kinds(&text), ["Document", "html", "fence", "html"]);
        prop_assert_eq!(nodes.last().map(String::as_str), Some("html </details>"));
        prop_assert_eq!(nodes[1].matches('<').count(), if nodes[1].contains("<code>") { 5 } else { 3 });
    }

    #[test]
    fn hostile_addresses_are_no_links(url in any_text()) {
        no_nuisance(&structure(&shown(Block::Paragraph(link("the run", &url)))));
    }

    #[test]
    fn what_is_cut_is_cut_between_lines(room in 0_usize..600, texts in prop::collection::vec("[a-z |`]{0,30}", 6)) {
        let line = |text: &String| prose(text);
        let blocks = vec![
            Block::Title("### ".into()),
            Block::Table { head: &["a", "b"], rows: texts.chunks(2).map(|pair| pair.iter().map(line).collect()).collect() },
            Block::Details { name: "n".to_owned(), words: "w".to_owned(), blocks: vec![Block::Fence { language: "text", lines: texts.clone() }] },
            Block::List(texts.iter().map(line).collect()),
        ];
        let (whole, _) = render(&blocks, usize::MAX);
        let (text, is_whole) = render(&blocks, room);
        prop_assert!(text.len() <= room);
        prop_assert_eq!(is_whole, text == whole);
        prop_assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        // What follows is not inside of anything that was left open.
        prop_assert_eq!(kinds(&format!("{text}\n\n# end")).pop(), kinds("# end").pop());
    }
}

#[test]
fn plain_words_stay_words_and_the_rest_is_code() {
    for (text, line) in [
        ("creating the queue failed", "creating the queue failed"),
        ("slot `a.b` takes `x`, which is gone", "slot `a.b` takes `x`, which is gone"),
        ("ask @acme/admins now", "ask `@acme/admins` now"),
        ("see https://x.example and #12", "see `https://x.example` and `#12`"),
        ("an <img src=x> b", "an `<img src=x>` b"),
        ("StatusCode: 403, (denied)", "StatusCode: 403, (denied)"),
        ("2 tasks", "2 tasks"),
        ("1. tasks", "`1.` tasks"),
        ("it's \u{202e}odd", "it's `\\u{202e}odd`"),
        ("a ` b", "a ` b".replace('`', "`` ` ``").as_str()),
    ] {
        assert_eq!(prose(text).as_str(), line);
    }
    assert_eq!(joined([code("a"), code("b")], "").as_str(), "`a` `b`");
}
