//! The state as text.

use super::text;
use crate::report::fixtures::status::{now, status};

#[test]
fn it_reads_well_on_a_narrow_screen() {
    insta::assert_snapshot!(text(&status(None), now(), 80), @r"");
}

#[test]
fn no_line_is_wider_than_the_screen_but_for_what_is_to_be_pasted() {
    for width in [80, 120] {
        let shown = text(&status(None), now(), width);
        let wide = shown.lines().filter(|line| line.chars().count() > width && !line.contains("to go back: "));
        assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn r67_hostile_text_is_shown_and_not_obeyed() {
    let hostile = "a\r\n::error::b\u{1b}[2J##[add-mask]\u{202e}c";
    let shown = text(&status(Some(hostile)), now(), 120);
    assert!(!shown.contains(['\r', '\u{1b}', '\u{202e}']) && !shown.contains("##["), "{shown}");
    assert!(shown.lines().all(|line| !line.trim_start().starts_with("::")), "{shown}");
}
