//! R59: what may be left, and what not.

use super::stage::{Act, Given, Scripted, play, problems};
use crate::steps::{Direction, LARGEST_OUTPUT, NotRead, StepText};

async fn one(declared: &str, act: Act) -> Result<StepText, String> {
    let yaml =
        format!("create:\n  - {{name: s, script: '#!/bin/sh', outputs: [{{name: o, valueFromPath: /out/o{declared}}}]}}\n");
    let end = play(&yaml, Direction::Create, &Given::default(), &Scripted::new([("s", vec![act])])).await;
    match end.left.values().next() {
        Some(left) => Ok(left["o"].clone()),
        None => Err(problems(&end).join("\n")),
    }
}

fn bytes(text: &str) -> Act {
    Act::Ends(0, text.as_bytes().to_vec())
}

#[tokio::test]
async fn r59_bytes_are_kept_but_for_what_trim_drops() {
    assert_eq!(one("", bytes("a\n\n")).await.unwrap().expose(), "a\n\n");
    assert_eq!(one(", trim: true", bytes("a\n\n")).await.unwrap().expose(), "a\n");
    assert_eq!(one("", bytes("")).await.unwrap().expose(), "");
    assert_eq!(one("", bytes(&"x".repeat(LARGEST_OUTPUT))).await.unwrap().expose().len(), LARGEST_OUTPUT);
}

#[tokio::test]
async fn r59_what_is_no_text_of_a_regular_file_fails_the_step() {
    let refused = |why: &str| Err(format!("step-failed: step `s` left no usable output `o`: `/out/o` {why}"));
    for (act, why) in [
        (Act::Leaves(NotRead::Missing), "is not there"),
        (Act::Leaves(NotRead::NotRegular("a link")), "is a link, not a regular file"),
        (Act::Leaves(NotRead::TooLarge), "is larger than 1048576 bytes"),
        (Act::Ends(0, vec![b'x'; LARGEST_OUTPUT + 1]), "is larger than 1048576 bytes"),
        (Act::Ends(0, b"ab\xff".to_vec()), "is not UTF-8 from byte 2 on"),
        (Act::Leaves(NotRead::Unreadable("denied".into())), "cannot be read: denied"),
    ] {
        assert_eq!(one("", act).await.map(|text| text.expose().to_owned()), refused(why));
    }
}

#[tokio::test]
async fn r59_a_typed_output_is_of_its_type_and_an_error_does_not_show_it() {
    for (kind, good, bad) in
        [("integer", "42\n", "4.2"), ("number", "4.2e1", "many"), ("boolean", "true\n", "yes"), ("json", "{\"a\": [1]}", "{a}")]
    {
        let declared = format!(", type: {kind}, sensitive: true");
        let kept = one(&declared, bytes(good)).await.unwrap();
        assert!(kept.is_secret() && kept.expose() == good);
        let error = one(&declared, bytes(bad)).await.unwrap_err();
        assert!(error.contains("is not what its `type` says: it is n") && !error.contains(bad), "{error}");
    }
}
