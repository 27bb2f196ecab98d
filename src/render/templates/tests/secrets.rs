//! Sensitive values are never written.

use serde_json::json;

use super::super::VariableSource;
use super::Case;
use crate::render::tests::{attribute, input, slot};

fn case(template: &str) -> Case {
    Case::new(&json!({"name": "x"})).secret("token").connection("db", &json!({"host": "h"})).file("main.tf", template)
}

#[test]
fn r68_secrets_become_references() {
    let case = case(
        "a = {{ token }}\nb = \"{{ token }}\"\nc = \"u:{{ connections['db'].password }}@{{ connections.db.host }}\"\nd = <<E\n{{ token }}\nE\n\
         e = \"${upper({{ token }})}\" # {{ token }}\nf = {{ name ~ \":\" ~ token }}\ng = {{ [token, name] }}\nh = \"{{ token | default('x') }}\"\n\
         i = \"${{ token }}\"\nj = {{ {\"p\": token} | tojson }}\n{% if token %}k = 1{% endif %}\n",
    );
    insta::assert_snapshot!(case.text("main.tf"), @r#"
    a = var.tieline_input_token
    b = "${var.tieline_input_token}"
    c = "u:${var.tieline_given_db_password}@h"
    d = <<E
    ${var.tieline_input_token}
    E
    e = "${upper(var.tieline_input_token)}" # (sensitive)
    f = "x:${var.tieline_input_token}"
    g = [var.tieline_input_token, "x"]
    h = "${var.tieline_input_token}"
    i = "\u0024${var.tieline_input_token}"
    j = { "p" = var.tieline_input_token }
    k = 1
    "#);
    let rendered = case.render().unwrap();
    let declared: serde_json::Value = serde_json::from_slice(&rendered.files["tieline_variables.tf.json"]).unwrap();
    let variable = json!({"type": "any", "sensitive": true});
    assert_eq!(declared, json!({"variable": {"tieline_given_db_password": variable, "tieline_input_token": variable}}));
    let variables: Vec<_> = rendered.variables.into_values().collect();
    assert_eq!(variables, [VariableSource::Attribute(slot("db"), attribute("password")), VariableSource::Input(input("token"))]);
}

#[test]
fn computed_inputs_hand_secrets_on() {
    let case = case("a = \"{{ url }}\"\nb = {{ url }}\n").computed("url", "https://{{ token }}@{{ name }}/");
    assert_eq!(
        case.text("main.tf"),
        "a = \"https://${var.tieline_input_token}@x/\"\nb = \"https://${var.tieline_input_token}@x/\"\n"
    );
}

#[test]
fn what_is_not_referred_to_is_not_declared() {
    let rendered = case("a = 1\n").render().unwrap();
    assert!(rendered.variables.is_empty() && !rendered.files.contains_key("tieline_variables.tf.json"));
}

#[test]
fn r68_secrets_are_refused_where_nothing_can_refer_to_them() {
    let cases = [
        ("resource \"x\" \"{{ token }}\" {}\n", "the label of a block"),
        ("a = x_{{ token }}\n", "part of a name"),
        ("a = x.{{ token }}\n", "part of a name"),
        ("a = {{ token | safe }}\n", "`safe` was applied to a sensitive value"),
        ("a = \"{{ token | upper }}\"\n", "the filter `upper` was applied to a sensitive value"),
        ("a = \"{{ (token ~ 'x') | replace('x', 'y') }}\"\n", "the filter `replace` was applied to a sensitive value"),
        ("a = \"{{ token.upper() }}\"\n", "the method `upper` was applied to a sensitive value"),
        ("{% set t %}{{ token }}{% endset %}a = \"{{ t | lower }}\"\n", "the filter `lower` was applied to a sensitive value"),
        ("a = {{ token + 1 }}\n", "unsupported types"),
        ("a = {{ token | length }}\n", "the filter `length` was applied to a sensitive value"),
    ];
    for (template, expected) in cases {
        let told = case(template).refused();
        assert!(told.contains(expected), "{template}: {told}");
    }
    for (name, template) in [
        ("{{ token }}.tf", "a = 1\n"),
        ("run.sh", "{{ token }}"),
        ("a.json", "{\"a\": \"{{ token }}\"}"),
        ("b.tf.json", "{\"{{ token }}\": 1}"),
        ("module/main.tf", "a = {{ token }}\n"),
    ] {
        let told = Case::new(&json!({})).secret("token").file(name, template).refused();
        assert!(told.contains("sensitive value"), "{name}: {told}");
    }
    assert_eq!(
        Case::new(&json!({})).secret("token").file("b.tf.json", "{\"a\": \"{{ token }}\", \"b\": {{ token }}}").text("b.tf.json"),
        "{\"a\": \"${var.tieline_input_token}\", \"b\": \"${var.tieline_input_token}\"}"
    );
    let told = case("a = {{ token }}\n").file("tieline_variables.tf.json", "{}").refused();
    assert!(told.contains("`tieline_variables.tf.json` is written for every plugin"), "{told}");
}
