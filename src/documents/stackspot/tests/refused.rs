use std::fmt::Write as _;

use super::{Files, folder, read, small, with_spec};

fn refusal(files: &Files<'_>) -> String {
    read(files).unwrap_err()
}

#[test]
fn an_app_plugin_is_told_what_it_is() {
    insta::assert_snapshot!(refusal(&folder!("notes-app": "plugin.yaml", "templates/NOTES.md")), @r"
    error[invalid-document]: this is a StackSpot plugin of type `app`, which plays no part in a deploy
     --> plugin.yaml:9:9
      |
    9 |   type: app
      |         ^^^ writes source files, makes no infrastructure
      |
      = note: it writes into a repository once, when `stk apply plugin` is run there; what it wrote is in the repository
      = help: take it out of the manifest
    ");
}

#[test]
fn hooks_alone_make_nothing() {
    insta::assert_snapshot!(refusal(&folder!("hooks-only": "plugin.yaml", "scripts/owners.py")), @r"
    error[invalid-document]: the plugin consists of hooks, and those play no part in a deploy
      --> plugin.yaml:11:3
       |
    11 |   hooks:
       |   ^^^^^
       |
       = note: hooks run once, on the machine of whoever runs `stk apply plugin`
       = help: put its Terraform into `templates-deploy/`, or take the plugin out of the manifest
    ");
}

#[test]
fn a_plugin_of_the_time_before_schemas_is_told_so() {
    insta::assert_snapshot!(refusal(&folder!("before-schemas": "plugin.yaml", "templates/table.txt")), @r"
    error[invalid-document]: this is a StackSpot plugin of the time before `schema-version`, which is not read
     --> plugin.yaml:1:1
      |
    1 | name: glossary-table
      | ^^^^^^^^^^^^^^^^^^^^ no `kind`, no `spec`
      |
      = help: bring it to schema v2 or v3: `schema-version`, `kind: plugin`, `metadata` and `spec`, with its Terraform in `templates-deploy/`
    ");
}

#[test]
fn a_plugin_without_templates_has_nothing_to_deploy() {
    let document = with_spec("");
    insta::assert_snapshot!(refusal(&Files::from([("plugin.yaml", document.as_bytes())])), @r"
    error[invalid-document]: the plugin has no files in `templates-deploy/`, so there is nothing to deploy
     --> plugin.yaml:4:1
      |
    4 | spec:
      | ^^^^
      |
      = help: put its Terraform into `templates-deploy/`, or take the plugin out of the manifest
    ");
}

#[test]
fn what_cannot_be_had_is_named_with_its_place() {
    let cases = [
        ("a list of connections", "  inputs: [{label: A, name: vpcs, type: list, items: {type: required-connection}}]\n"),
        ("aliases that become one", "  requires: {connections: [{type: t, alias: the_role}, {type: t, alias: the-role}]}\n"),
        ("an alias twice", "  requires: {connections: [{type: t, alias: a}, {type: t, alias: a}]}\n"),
        ("a type of input", "  inputs: [{label: A, name: a, type: colour}]\n"),
        ("an operator", "  inputs: [{label: A, name: a, type: text, condition: {variable: b, operator: '=~', value: x}}]\n"),
        ("a name of an input", "  inputs: [{label: A, name: 'a b', type: text}, {type: text}]\n"),
        ("a default", "  inputs: [{label: A, name: a, type: int, default: many}]\n"),
        (
            "outputs",
            "  generates: {connections: [{type: t, alias: a, outputs: [{from: '{{ x }}_arn', to: arn}, {from: y, to: z}, {from: w, to: z}, {to: q}]}]}\n",
        ),
        ("a connection without a type", "  requires: {connections: [{alias: a}]}\n"),
        ("a shape", "  requires: 5\n  single-use: perhaps\n"),
    ];
    let mut report = String::new();
    for (title, spec) in cases {
        let document = with_spec(spec);
        let _ = writeln!(report, "# {title}\n{}\n", refusal(&small(&document)));
    }
    super::filed!("stackspot_plugins", report);
}

#[test]
fn a_plugin_must_say_what_it_is() {
    let cases = [
        ("an unknown schema", "schema-version: v9\nkind: plugin\nmetadata: {name: a, version: soon}\nspec: {type: infra}\n"),
        ("no name", "schema-version: v2\nkind: plugin\nmetadata: {}\nspec: {type: infra}\n"),
        ("no type", "schema-version: v2\nkind: plugin\nmetadata: {name: a}\nspec: {}\n"),
        ("another type", "schema-version: v2\nkind: plugin\nmetadata: {name: a}\nspec: {type: theme}\n"),
    ];
    let mut report = String::new();
    for (title, document) in cases {
        let _ = writeln!(report, "# {title}\n{}\n", refusal(&small(document)));
    }
    insta::assert_snapshot!(report, @r"
    # an unknown schema
    error[invalid-document]: the schema `v9` of StackSpot plugins is not known
     --> plugin.yaml:1:17
      |
    1 | schema-version: v9
      |                 ^^
      |
      = note: there is `v1`, `v2`, `v3`

    error[invalid-document]: `soon` is not a version
     --> plugin.yaml:3:30
      |
    3 | metadata: {name: a, version: soon}
      |                              ^^^^
      |
      = help: write it as `1.2.3`, or `latest`

    # no name
    error[invalid-document]: `metadata` has no `name`
     --> plugin.yaml:3:11
      |
    3 | metadata: {}
      |           ^^ `name` is missing

    # no type
    error[invalid-document]: `spec` does not say its `type`
     --> plugin.yaml:4:7
      |
    4 | spec: {}
      |       ^^
      |
      = help: write `type: infra`

    # another type
    error[invalid-document]: `theme` is not a type of StackSpot plugins
     --> plugin.yaml:4:14
      |
    4 | spec: {type: theme}
      |              ^^^^^
      |
      = help: write `infra`
    ");
}
