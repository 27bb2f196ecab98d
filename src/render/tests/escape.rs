#![allow(clippy::disallowed_methods, reason = "the test runs the real terraform on real files")]

use std::process::Command;

use proptest::prelude::*;
use serde_json::{Value, json};

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
fn tf_r68_terraform_gives_back_hostile_values_as_they_were() {
    let Ok(terraform) = which::which("terraform") else {
        eprintln!("SKIPPED: no terraform binary on the path");
        return;
    };
    let texts = [
        "${file(\"/etc/passwd\")}",
        "$${x}",
        "$$${x}",
        "$$$${x}",
        "$$$$${x}",
        "%{ if true }a%{ endif }",
        "%%{x}",
        "%%%{x}",
        "%%%%{",
        "$%{x}",
        "%${x}",
        "$",
        "$$",
        "${",
        "%{",
        "a$",
        "\"\\\n\t\u{7f}'`",
        "~{}",
        "${~x~}",
        "//",
        "::set-output name=a::b",
        "é✓𝄞",
        "{{ x }}",
        "#{x}",
        "<<EOF\nEOF\n",
    ];
    let mut keys: serde_json::Map<String, Value> = texts.iter().map(|text| ((*text).to_owned(), json!(text))).collect();
    keys.insert("nested".to_owned(), json!({"list": texts, "null": null, "number": 1.5, "bool": true, "": {"//": "${x}"}}));
    let hostile = Value::Object(keys);

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plugin")).unwrap();
    std::fs::write(folder.path().join("plugin/main.tf"), "variable \"in\" {}\noutput \"out\" {\n  value = var.in\n}\n").unwrap();
    let main = json!({
        "module": {"plugin": {"source": "./plugin", "in": escape(&hostile)}},
        "output": {"out": {"value": "${module.plugin.out}"}}
    });
    std::fs::write(folder.path().join("main.tf.json"), main.to_string()).unwrap();
    std::fs::write(folder.path().join("terraform.rc"), "").unwrap();
    let run = |arguments: &[&str]| {
        let result = Command::new(&terraform)
            .args(arguments)
            .current_dir(folder.path())
            .env("TF_CLI_CONFIG_FILE", folder.path().join("terraform.rc"))
            .output()
            .unwrap();
        assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
        result.stdout
    };
    run(&["init", "-input=false"]);
    run(&["apply", "-input=false", "-auto-approve"]);
    let outputs: Value = serde_json::from_slice(&run(&["output", "-json"])).unwrap();
    assert_eq!(outputs["out"]["value"], hostile);
}
