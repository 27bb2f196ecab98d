use proptest::prelude::*;
use serde_json::json;

use crate::render::escape;

/// What Terraform makes of a text without interpolations: the doubled first character is dropped.
fn unescape(text: &str) -> String {
    text.replace("$${", "${").replace("%%{", "%{")
}

/// Whether Terraform would evaluate something in `text`.
fn evaluates(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..bytes.len()).any(|end| {
        let sign = bytes[end - 1];
        bytes[end] == b'{' && matches!(sign, b'$' | b'%') && (end < 2 || bytes[end - 2] != sign)
    })
}

proptest! {
    #[test]
    fn r68_no_text_is_left_that_terraform_evaluates(text in "[$%{}a~\"\\\\]{0,12}|\\PC{0,20}", key in "[$%{}k]{0,6}") {
        let escaped = escape(&json!({key.clone(): [text.clone()]}));
        let (escaped_key, items) = escaped.as_object().unwrap().iter().next().unwrap();
        let escaped_text = items[0].as_str().unwrap();
        prop_assert!(!evaluates(escaped_key) && !evaluates(escaped_text), "{}", escaped);
        prop_assert_eq!(unescape(escaped_text), text);
        prop_assert_eq!(unescape(escaped_key), key);
    }
}

#[test]
fn r68_carriage_returns_are_written_as_expressions() {
    let table = [("a\rb", r#"a${"\r"}b"#), ("\r\r", r#"${"\r"}${"\r"}"#), ("$%\r{", r#"${"$%\r"}{"#), ("${\r", r#"$${${"\r"}"#)];
    for (text, escaped) in table {
        assert_eq!(escape(&json!(text)), json!(escaped));
    }
}
