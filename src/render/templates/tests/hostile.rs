//! Templates and names that mean no good.

use serde_json::json;

use super::{Case, refused};

#[test]
fn what_is_not_defined_is_named_with_its_line() {
    insta::assert_snapshot!(refused("a = 1\nb = \"{{ inputs.domain }}\"\n", json!({})), @"templates-deploy/main.tf:2: `templates-deploy/main.tf` uses what is not defined: `inputs.domain` is undefined");
    insta::assert_snapshot!(refused("a = 1\n\nb = \"{{ connections['eks'].arn }}\"\n", json!({})), @"templates-deploy/main.tf:3: `templates-deploy/main.tf` uses what is not defined: `connections['eks']` is undefined");
    insta::assert_snapshot!(refused("a = \"{{ var.x }}\"\n", json!({})), @"templates-deploy/main.tf:1: `templates-deploy/main.tf` uses what is not defined: `var` is undefined");
    insta::assert_snapshot!(refused("a = \"{{ [1, 2] | random }}\"\n", json!({})), @"templates-deploy/main.tf:1: `templates-deploy/main.tf` uses a filter that there is not: filter random is unknown");
}

#[test]
fn a_template_that_loops_for_ever_ends() {
    for template in [
        "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(1000) %}xxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% include 'main.tf' %}",
        "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=['a']) %}{% for i in range(20) %}{% set ns.x = ns.x + ns.x %}{% endfor %}a = {{ ns.x }}",
        "{% set ns = namespace(x=['a']) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}a = {{ ns.x }}",
        "{% set ns = namespace(x='') %}{% autoescape false %}{% for i in range(60) %}{% set ns.y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = ns.y %}{% endfor %}{% endautoescape %}{{ ns.x }}",
    ] {
        let told = refused(template, json!({}));
        assert!(told.contains("main.tf"), "{template}: {told}");
    }
}

#[test]
fn a_large_output_is_refused() {
    let large = "x".repeat(1 << 20);
    let told = refused("{% for a in range(40) %}# {{ x }}\n{% endfor %}", json!({ "x": large }));
    assert!(told.contains("larger than it may"), "{told}");
    let mut case = Case::new(&json!({ "x": "x".repeat(15 << 20) }));
    for file in 0..5 {
        case = case.file(&format!("{file}.sh"), "{{ x }}");
    }
    assert!(case.refused().contains("64 MiB"));
}

#[test]
fn names_stay_in_the_module() {
    for (name, x, expected) in [
        ("{{ x }}.tf", "../a", "a part `..`"),
        ("{{ x }}/a.tf", "..", "a part `..`"),
        ("{{ x }}", "/etc/passwd", "absolute"),
        ("{{ x }}.tf", "a\\b", "a backslash"),
        ("{{ x }}.tf", "a\nb", "a control character"),
        ("{{ x }}/a.tf", ".terraform", "`.terraform`"),
        ("{{ x }}.tf", "Main", "another file is rendered to `Main.tf`"),
        ("{{ x }}", "main.tf/a.tf", "another file"),
        ("{{ y }}.tf", "", "`y` is undefined"),
        ("{{ x | safe }}.tf", "..//a", "a part `..`"),
    ] {
        let told = Case::new(&json!({ "x": x })).file("main.tf", "a = 1").file(name, "a = 1").refused();
        assert!(told.contains(expected), "{name} {x}: {told}");
    }
}

#[test]
fn an_empty_name_leaves_the_file_out() {
    let case = |on: bool| {
        Case::new(&json!({"on": on, "name": "q"}))
            .file("{% if on %}{{ name }}.tf{% endif %}", "a = 1")
            .file("{% if on %}folder{% endif %}/{{ name }}.tf", "a = 1")
            .file("main.tf", "")
    };
    let names = |case: Case| case.render().unwrap().files.into_keys().collect::<Vec<_>>();
    assert_eq!(names(case(true)), ["folder/q.tf", "main.tf", "q.tf"]);
    assert_eq!(names(case(false)), ["main.tf"]);
}

#[test]
fn values_cannot_forge_tokens() {
    let forged = "\u{f8f0}0\u{f8f2}";
    assert!(refused("a = \"{{ x }}\"", json!({ "x": forged })).contains("private area"));
    assert!(refused("a = \"{{ x }}\"", json!({"x": {forged: 1}})).contains("private area"));
    assert!(refused(&format!("a = \"{forged}\""), json!({})).contains("private area"));
    let told = refused("a = \"{{ '\\uf8f0\\u0037\\uf8f2' | safe }}\"", json!({}));
    assert!(told.contains("the text was changed"), "{told}");
}

#[test]
fn only_templates_of_the_folder_are_included() {
    let case = Case::new(&json!({"x": "\""}))
        .file("parts/tags.txt", "t = \"{{ x }}\"")
        .file("main.tf", "{% include 'parts/tags.txt' %}\n{% from 'macros.txt' import m %}{{ m(x) }}\n")
        .file("macros.txt", "{% macro m(v) %}v = \"{{ v }}\"{% endmacro %}");
    assert_eq!(case.text("main.tf"), "t = \"\\\"\"\nv = \"\\\"\"\n");
    assert!(refused("{% include '../plugin.yaml' %}", json!({})).contains("not among the templates"));
    assert!(refused("{% include '/etc/passwd' %}", json!({})).contains("not among the templates"));
}
