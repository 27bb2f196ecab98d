//! Plugins of other systems, and what they become.

use super::*;
use crate::documents::Kind;
use crate::domain::foreign::Foreign;

fn texts<'a>(list: &'a [(&'a str, &'a str)]) -> Texts<'a> {
    list.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
}

/// Everything that a StackSpot plugin becomes, as text.
fn stackspot(list: &[(&str, &str)], known: &[ConnectionType]) -> String {
    let files = texts(list);
    let read = documents::plugin_folder(&files).unwrap_or_else(|Problems(problems)| panic!("{problems:?}"));
    let plugin = &read.plugins[0];
    let Some(Foreign::StackSpot(templates)) = &plugin.foreign else { panic!("another kind of plugin") };
    let converted = super::stackspot::converted(plugin, templates, &files, known).unwrap();
    check(&converted).unwrap_or_else(|Problems(problems)| panic!("{problems:?}"));
    shown(&converted)
}

fn shown(converted: &Converted) -> String {
    let documents = converted.drafts.iter().map(|draft| (draft.path.clone(), draft.text()));
    let files = converted.files.iter().map(|(path, file)| (path.clone(), String::from_utf8_lossy(&file.bytes).into_owned()));
    documents.chain(files).map(|(path, text)| format!("== {path}\n{text}")).collect()
}

const QUEUE: &str = "
schema-version: v2
kind: plugin
metadata: {name: queue, description: A queue, version: 1.2.0}
spec:
  type: infra
  requires: {connections: [{type: aws-iam-role-conn, alias: writer}]}
  generates: {connections: [{type: aws-sqs-conn, alias: q, outputs: [{from: q_arn, to: arn}]}]}
  inputs:
    - {label: Name, name: queue_name, type: text, required: true}
    - {label: Days, name: days, type: int, default: 4}
    - {label: Fifo, name: fifo, type: bool, default: false}
    - {label: Key, name: key, type: password}
    - {label: Unused, name: about, type: text}
";

#[test]
fn templates_that_only_print_values_become_a_plain_module() {
    let files = [
        ("plugin.yaml", QUEUE),
        (
            "templates-deploy/main.tf",
            "resource \"terraform_data\" \"q\" {\n  input = {\n    name = \"{{ queue_name }}-{{ stk_env }}\"\n    days = {{ days }}\n    fifo = \"{{ fifo }}\"\n    role = \"{{ connections['writer'].arn }}\"\n    key  = \"{{ inputs.key }}\"\n  }\n}\n",
        ),
        ("templates-deploy/outputs.tf", "output \"q_arn\" {\n  value = terraform_data.q.id\n}\n"),
        ("tests/a/test-case.yaml", "x"),
    ];
    insta::assert_snapshot!(stackspot(&files, &[]), @"");
}

#[test]
fn what_needs_to_know_a_value_is_left_to_a_person_beside_the_template() {
    let document = QUEUE.replace("  requires:", "  computed-inputs: {upper_name: \"{{ queue_name | upper }}\"}\n  requires:");
    let files = [
        ("plugin.yaml", document.as_str()),
        ("templates-deploy/main.tf", "resource \"terraform_data\" \"q\" {\n  input = \"{{ upper_name }}\"\n}\n"),
        ("templates-deploy/fifo.tf", "{% if fifo %}\nresource \"terraform_data\" \"fifo\" {}\n{% endif %}\n"),
        ("templates-deploy/{{ queue_name }}-outputs.tf", "output \"q_arn\" {\n  value = terraform_data.q.id\n}\n"),
    ];
    insta::assert_snapshot!(stackspot(&files, &[]), @"");
}

#[test]
fn a_variable_whose_default_was_a_value_takes_the_value() {
    let files = [
        ("plugin.yaml", QUEUE),
        (
            "templates-deploy/main.tf",
            "resource \"terraform_data\" \"q\" {\n  input = var.name\n}\noutput \"q_arn\" {\n  value = 1\n}\n",
        ),
        ("templates-deploy/variables.tf", "variable \"name\" {\n  type    = string\n  default = \"{{ queue_name }}\"\n}\n"),
    ];
    insta::assert_snapshot!(stackspot(&files, &[]), @"");
}

#[test]
fn sensitive_attributes_of_known_types_are_asked_for() {
    let known: ConnectionType = serde_json::from_value(serde_json::json!({
        "apiVersion": "tieline/v1", "kind": "ConnectionInterfaceType", "name": "aws-iam-role-conn", "version": "1.0.0",
        "attributes": {"type": "object", "properties": {"arn": {"type": "string"}, "token": {"type": "string", "x-sensitive": true}}},
    }))
    .unwrap();
    let files = [
        ("plugin.yaml", QUEUE),
        (
            "templates-deploy/main.tf",
            "output \"q_arn\" {\n  value = \"{{ connections['writer'].arn }}/{{ connections['writer'].token }}\"\n}\n",
        ),
    ];
    let shown = stackspot(&files, &[known]);
    assert!(shown.contains("    sensitive:\n    - token\n"), "{shown}");
    assert!(shown.contains("variable \"writer_token\" {\n  type      = any\n  sensitive = true\n}"), "{shown}");
    assert!(shown.contains("variable \"writer_arn\" {\n  type = any\n}"), "{shown}");
}

#[test]
fn a_draft_that_would_not_be_read_back_is_refused() {
    let draft = Draft::new("plugin.yaml", Kind::Plugin, &serde_json::json!({"kind": "Plugin"}));
    let Problems(problems) = check(&Converted { drafts: vec![draft], files: BTreeMap::new() }).unwrap_err();
    assert!(problems[0].message.starts_with("the native form would not be valid"), "{problems:?}");
}
