use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// Every sink that reads the drawn text: nothing in it may act on a terminal or a runner.
fn assert_harmless(drawn: &str) {
    for line in drawn.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##["), "{line}");
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
}

#[test]
fn r67_what_a_document_says_cannot_act_on_terminal_or_runner() {
    let texts = [
        manifest_text("plugins: {a: {use: \"./a\", after: [\"\\e[31m\\r\\n::error::x\"]}}\n"),
        manifest_text("plugins:\n  \"##[error]x\": {use: ./a}\n"),
        manifest_text("\"\\n::error file=x::y\": 1\nplugins: {}\n"),
        manifest_text("plugins: {}\nenvironment: \"\u{202e}gnigats\"\n"),
        manifest_text("plugins: {a: {use: ./a, aftr: \"\u{9b}31m\"}}\n"),
        "a: \u{1b}[31m\n::error::x: [".to_owned(),
        manifest_text("plugins: !<::error::x> {}\n"),
    ];
    for text in texts {
        let shown = drawn(Kind::Manifest, "##[x]\n::error::\u{1b}.yaml", text.as_bytes());
        assert!(!shown.is_empty());
        assert_harmless(&shown);
        assert!(!shown.contains('\u{202e}'));
    }
}

#[test]
fn limits_hold() {
    let first = |text: &str| problems(Kind::Manifest, "m.yaml", text.as_bytes()).0[0].message.clone();
    assert_eq!(first(&" ".repeat(1024 * 1024 + 1)), "the document has 1048577 bytes; at most 1048576 are read");
    assert_eq!(first(&format!("a: {}", "[".repeat(100_000))), "nested deeper than 64 levels");
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(first(&deep), "nested deeper than 64 levels");
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(laughs, "a{level}: &a{level} [{below}]");
    }
    assert_eq!(first(&laughs), "aliases stand for more than 50000 values");
    assert_eq!(first("a: &a [*a]"), "an anchor whose value contains itself");
}

#[test]
fn one_endless_line_is_drawn_short() {
    let text = manifest_text(&format!("plugins: {{a: {{use: ./a, {}: 1}}}}\n", "x".repeat(500_000)));
    assert!(drawn(Kind::Manifest, "m.yaml", text.as_bytes()).lines().all(|line| line.len() < 1_000_000));
}

#[test]
fn endless_problems_are_counted_not_listed() {
    let unknown = (0..20_000).map(|number| format!("x{number}: 1")).collect::<Vec<_>>().join("\n");
    let found = problems(Kind::Manifest, "m.yaml", manifest_text(&unknown).as_bytes()).0;
    assert_eq!(found.len(), 201);
    assert_eq!(found[200].message, "19801 further problems are not listed");
}

#[test]
fn r66_colors_are_the_only_escapes() {
    let text = manifest_text("plugins: {\"a\u{1b}[2J\": 1}\n");
    let found = problems(Kind::Manifest, "m.yaml", text.as_bytes());
    let colored = draw(&found, &BTreeMap::from([("m.yaml".to_owned(), text.into_bytes())]), true);
    assert!(colored.contains("\u{1b}[") && !colored.contains("[2J\""), "{colored:?}");
}

proptest! {
    #[test]
    fn reading_and_drawing_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in Kind::ALL {
            assert_harmless(&drawn(kind, "x.yaml", &bytes));
        }
    }

    #[test]
    fn reading_and_drawing_arbitrary_yaml_never_panics(text in "([a-z]{1,4}: ?|- |[\\[\\]{}&*!|>'\"\n #%,?é\u{1b}\t\r-]){0,60}") {
        assert_harmless(&drawn(Kind::Manifest, "x.yaml", manifest_text(&text).as_bytes()));
        assert_harmless(&drawn(Kind::Plugin, "x.yaml", text.as_bytes()));
    }

    #[test]
    fn any_place_in_any_text_can_be_drawn(text in "\\PC{0,40}(\n\\PC{0,20}){0,3}", line in 0usize..6, column in 0usize..50, key in "[a-z]{1,2}") {
        use crate::domain::diagnostic::{Diagnostic, Pointer};
        use crate::domain::failure::FailureReason;
        let problem = Diagnostic::error(FailureReason::InvalidDocument, text.clone()).label(text.clone());
        let all = Problems(vec![
            problem.clone().at_line("x", line, column),
            problem.clone().at("x", Pointer::keys([&key]).index(line)),
            problem.clone().in_file("x"),
            problem,
        ]);
        assert_harmless(&draw(&all, &BTreeMap::from([("x".to_owned(), text.into_bytes())]), false));
    }
}
