//! Plugins of other systems, and what they become.

use super::*;
use crate::documents::Kind;
use crate::domain::foreign::Foreign;

fn texts<'a>(list: &'a [(&'a str, &'a str)]) -> Texts<'a> {
    list.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
}

/// Everything that a StackSpot plugin becomes, as text.
fn of_stackspot(list: &[(&str, &str)], known: &[ConnectionType]) -> String {
    let files = texts(list);
    let read = documents::plugin_folder(&files).unwrap_or_else(|Problems(problems)| panic!("{problems:?}"));
    let plugin = &read.plugins[0];
    let Some(Foreign::StackSpot(templates)) = &plugin.foreign else { panic!("another kind of plugin") };
    let converted = stackspot::converted(plugin, templates, &files, known).unwrap();
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
#[expect(clippy::too_many_lines, reason = "a module is shown whole")]
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
    insta::assert_snapshot!(of_stackspot(&files, &[]), @r##"
    == plugin.yaml
    apiVersion: tieline/v1
    kind: Plugin
    name: queue
    version: 1.2.0
    description: A queue
    # decide: the input `about` is gone: no template uses it; take it out of manifests as well
    inputs:
      type: object
      required:
      - queue_name
      additionalProperties: false
      properties:
        days:
          type:
          - integer
          - string
          - 'null'
          title: Days
          default: 4
          pattern: ^$|(?:^\s*[+-]?[0-9]+\s*$)
        fifo:
          title: Fifo
          enum:
          - true
          - false
          - 'true'
          - 'false'
          - 'True'
          - 'False'
          - ''
          - null
          default: false
        key:
          type:
          - string
          - number
          - boolean
          - 'null'
          title: Key
          x-sensitive: true
        queue_name:
          type:
          - string
          - number
          - boolean
          title: Name
    requires:
      # decide: list under `sensitive` those of `arn` that are sensitive in `aws-iam-role-conn`, whose document is
      # not here
      writer:
        type: aws-iam-role-conn
    generates:
      q:
        type: aws-sqs-conn
        from:
          arn: q_arn
    terraform:
      module: .
      variables:
        writer_arn:
          connection: writer.arn
    == main.tf
    resource "terraform_data" "q" {
      input = {
        name = "${var.queue_name}-${var.tieline.environment}"
        days = var.days
        fifo = "${title(var.fifo)}"
        role = "${var.writer_arn}"
        key  = "${var.key}"
      }
    }
    == outputs.tf
    output "q_arn" {
      value = terraform_data.q.id
    }
    == variables.tf
    variable "days" {
      type = number
    }

    variable "fifo" {
      type = bool
    }

    variable "key" {
      type      = string
      default   = ""
      sensitive = true
    }

    variable "queue_name" {
      type = string
    }

    variable "writer_arn" {
      type = any
    }

    variable "tieline" {
      type = any
    }
    "##);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a module is shown whole")]
fn what_needs_to_know_a_value_is_left_to_a_person_beside_the_template() {
    let document = QUEUE.replace("  requires:", "  computed-inputs: {upper_name: \"{{ queue_name | upper }}\"}\n  requires:");
    let files = [
        ("plugin.yaml", document.as_str()),
        ("templates-deploy/main.tf", "resource \"terraform_data\" \"q\" {\n  input = \"{{ upper_name }}\"\n}\n"),
        ("templates-deploy/fifo.tf", "{% if fifo %}\nresource \"terraform_data\" \"fifo\" {}\n{% endif %}\n"),
        ("templates-deploy/{{ queue_name }}-outputs.tf", "output \"q_arn\" {\n  value = terraform_data.q.id\n}\n"),
    ];
    insta::assert_snapshot!(of_stackspot(&files, &[]), @r##"
    == plugin.yaml
    # check: the name of the template `{{ queue_name }}-outputs.tf` was made of values; its file is
    # `queue_name-outputs.tf` now
    # decide: the computed input `upper_name` cannot be rendered: the filter `upper` was applied to a value; say in
    # `locals.tf` what `local.upper_name` is
    # decide: `templates-deploy/fifo.tf` asks for a value (`if`), in line 1; write what holds in every case
    # decide: the slot `writer` is gone: no template uses an attribute of its connection
    apiVersion: tieline/v1
    kind: Plugin
    name: queue
    version: 1.2.0
    description: A queue
    inputs:
      type: object
      required:
      - queue_name
      additionalProperties: false
      properties:
        about:
          type:
          - string
          - number
          - boolean
          - 'null'
          title: Unused
        days:
          type:
          - integer
          - string
          - 'null'
          title: Days
          default: 4
          pattern: ^$|(?:^\s*[+-]?[0-9]+\s*$)
        fifo:
          title: Fifo
          enum:
          - true
          - false
          - 'true'
          - 'false'
          - 'True'
          - 'False'
          - ''
          - null
          default: false
        key:
          type:
          - string
          - number
          - boolean
          - 'null'
          title: Key
          x-sensitive: true
        queue_name:
          type:
          - string
          - number
          - boolean
          title: Name
    generates:
      q:
        type: aws-sqs-conn
        from:
          arn: q_arn
    terraform:
      module: .
    == fifo.tf
    # To be written by hand, for line 1 of this template: `templates-deploy/fifo.tf` asks for a value (`if`)
    #
    # {% if fifo %}
    # resource "terraform_data" "fifo" {}
    # {% endif %}
    == locals.tf
    locals {
      # {{ queue_name | upper }}
      upper_name = null # to be written by hand
    }
    == main.tf
    resource "terraform_data" "q" {
      input = "${local.upper_name}"
    }
    == queue_name-outputs.tf
    output "q_arn" {
      value = terraform_data.q.id
    }
    == variables.tf
    variable "about" {
      type    = string
      default = ""
    }

    variable "days" {
      type = number
    }

    variable "fifo" {
      type = bool
    }

    variable "key" {
      type      = string
      default   = ""
      sensitive = true
    }

    variable "queue_name" {
      type = string
    }
    "##);
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
    insta::assert_snapshot!(of_stackspot(&files, &[]), @r##"
    == plugin.yaml
    # decide: the slot `writer` is gone: no template uses an attribute of its connection
    apiVersion: tieline/v1
    kind: Plugin
    name: queue
    version: 1.2.0
    description: A queue
    # decide: the input `about` is gone: no template uses it; take it out of manifests as well
    # decide: the input `days` is gone: no template uses it; take it out of manifests as well
    # decide: the input `fifo` is gone: no template uses it; take it out of manifests as well
    # decide: the input `key` is gone: no template uses it; take it out of manifests as well
    inputs:
      type: object
      required:
      - queue_name
      additionalProperties: false
      properties:
        queue_name:
          type:
          - string
          - number
          - boolean
          title: Name
    generates:
      q:
        type: aws-sqs-conn
        from:
          arn: q_arn
    terraform:
      module: .
      variables:
        name:
          input: queue_name
    == main.tf
    resource "terraform_data" "q" {
      input = var.name
    }
    output "q_arn" {
      value = 1
    }
    == variables.tf
    variable "name" {
      type    = string
    }
    "##);
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
    let shown = of_stackspot(&files, &[known]);
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
