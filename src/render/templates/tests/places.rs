//! Values where they stand.

use serde_json::json;

use super::{Case, refused, rendered};

#[test]
fn r68_texts_are_escaped_in_quotes() {
    let text = rendered("a = \"<{{ x }}>\"\n", json!({"x": "\"${file(\"/etc/passwd\")}\\ %{ for }\n\u{1}"}));
    assert_eq!(text, "a = \"<\\\"$${file(\\\"/etc/passwd\\\")}\\\\ %%{ for }\\n\\u0001>\"\n");
}

#[test]
fn r68_signs_beside_a_value_open_nothing() {
    assert_eq!(rendered("a = \"${{ x }}\"", json!({"x": "{y}"})), "a = \"\\u0024{y}\"");
    assert_eq!(rendered("a = \"{{ x }}{y}\"", json!({"x": "$"})), "a = \"\\u0024{y}\"");
    assert_eq!(rendered("a = \"{{ x }}{{ y }}\"", json!({"x": "$", "y": "{z}"})), "a = \"\\u0024{z}\"");
    assert_eq!(rendered("a = \"${{ x }}{y}\"", json!({"x": ""})), "a = \"\\u0024{y}\"");
    assert_eq!(rendered("a = \"{{ x }}\"", json!({"x": "$${y}"})), "a = \"\\u0024\\u0024{y}\"");
    assert_eq!(rendered("a = <<E\n${{ x }}\nE\n", json!({"x": "{y}"})), "a = <<E\n${\"\\u0024\"}{y}\nE\n");
}

#[test]
fn here_documents_keep_values_whole() {
    let template = "a = <<-EOF\n  first {{ x }}\n  {{ y }}\n  EOF\n";
    let text = rendered(template, json!({"x": "${z}", "y": "one\n two"}));
    assert_eq!(text, "a = <<-EOF\n  first $${z}\n  ${\"one\\n two\"}\n  EOF\n");
}

#[test]
fn r68_no_value_ends_a_here_document() {
    assert_eq!(rendered("a = <<EOF\n{{ x }}\nEOF\n", json!({"x": "EOF"})), "a = <<EOF\n${\"EOF\"}\nEOF\n");
    let told = refused("a = <<EOF\nE{{ x }}\nEOF\n", json!({"x": "OF"}));
    assert_eq!(
        told,
        "templates-deploy/main.tf:2: `templates-deploy/main.tf` cannot be rendered: with this value the line would be `EOF`, the mark that ends the here-document"
    );
    assert!(refused("a = <<{{ x }}\nEOF\n", json!({"x": "EOF"})).contains("the mark of a here-document"));
    assert!(refused("a = <<E{{ x }}\nEOF\n", json!({"x": "OF"})).contains("the mark of a here-document"));
    let text = rendered("a = <<EOF\n{{ x }}\nEOF\n", json!({"x": "1\nEOF\nresource \"x\" \"y\" {}"}));
    assert_eq!(text, "a = <<EOF\n${\"1\\nEOF\\nresource \\\"x\\\" \\\"y\\\" {}\"}\nEOF\n");
}

#[test]
fn values_without_quotes_are_literals_or_names() {
    let inputs = json!({
        "name": "orders", "count": 3, "ratio": 1.5, "on": true, "none": null, "port": "80", "flag": "true",
        "names": ["a", "${b}"], "tags": {"k\"": "v", "n": 1}, "typed": "[\"x\", \"${y}\"]"
    });
    let template = "a = aws_x.{{ name }}.arn\nb = {{ name }}-suffix\nc = pre_{{ name }}\nd = {{ count }}\ne = {{ ratio }}\nf = {{ on }}\n\
                    g = {{ none }}\nh = {{ port }}\ni = {{ flag }}\nj = {{ names }}\nk = {{ tags }}\nl = {{ typed }}\nm = {{ on | lower }}\n\
                    n = \"${data.x.{{ name }}_{{ name }}.id}\"\no = pre_{{ count }}\n";
    insta::assert_snapshot!(rendered(template, inputs), @r#"
    a = aws_x.orders.arn
    b = orders-suffix
    c = pre_orders
    d = 3
    e = 1.5
    f = true
    g = null
    h = 80
    i = true
    j = ["a", "$${b}"]
    k = { "k\"" = "v", "n" = 1 }
    l = ["x", "$${y}"]
    m = true
    n = "${data.x.orders_orders.id}"
    o = pre_3
    "#);
}

#[test]
fn r68_other_texts_without_quotes_are_refused() {
    for value in
        ["a b", "a\"", "file(\"x\")", "a.b", "x}\nresource", "\n", "#", "//", "a\u{e9}", "1a", "007", "[a", "{", "<<E", ""]
    {
        let told = refused("a = 1\nb = {{ x }}\n", json!({ "x": value }));
        assert!(told.starts_with("templates-deploy/main.tf:2: "), "{value}: {told}");
        assert!(told.contains("cannot stand here without quotes"), "{value}: {told}");
    }
    for template in ["a = x{{ v }}", "a = {{ v }}x", "a = 10{{ v }}"] {
        assert!(refused(template, json!({"v": ["a"]})).contains("cannot be part of a name"), "{template}");
    }
    assert!(refused("a = 10{{ v }}", json!({"v": "-5"})).contains("cannot stand here"));
    assert!(refused("a = \"${ {{ v }} }\"", json!({"v": "file(1)"})).contains("cannot stand here"));
    assert!(refused("a = \"\\{{ v }}\"", json!({"v": "n"})).contains("a backslash"));
}

#[test]
fn what_stands_in_the_template_itself_is_the_templates() {
    let template = "a = [{% for n in names %}\"{{ n }}\"{{ \", \" if not loop.last }}{% endfor %}]\nb = {{ \"aws_x.a.id\" if on else \"aws_x.b.id\" }}\n";
    let text = rendered(template, json!({"names": ["x", "\"y"], "on": true}));
    assert_eq!(text, "a = [\"x\", \"\\\"y\"]\nb = aws_x.a.id\n");
}

#[test]
fn lists_are_joined_by_the_templates_separator() {
    let template = "a = [\"{{ xs | join('\", \"') }}\"]\nb = [{{ ns | join(', ') }}]\nc = \"{{ xs | join('-') | upper }}\"\nd = \"{{ xs | join(sep) }}\"\n";
    let text = rendered(template, json!({"xs": ["p\", \"q", "r"], "ns": [1, 2], "sep": "\",\""}));
    insta::assert_snapshot!(text, @r#"
    a = ["p\", \"q", "r"]
    b = [1, 2]
    c = "P\", \"Q-R"
    d = "p\", \"q\",\"r"
    "#);
}

#[test]
fn lists_print_as_python_does_and_the_usual_trick_makes_them_literals() {
    let template = "a = {{ xs | replace(\"'\", '\"') }}\nb = \"{{ xs }} {{ on }} {{ none }}\"\nc = {{ xs | tojson }}\nd = \"{{ xs | tojson }}\"\n";
    let text = rendered(template, json!({"xs": ["a", "it's", "${x}"], "on": false, "none": null}));
    insta::assert_snapshot!(text, @r#"
    a = ["a", "it's", "$${x}"]
    b = "['a', \"it's\", '$${x}'] False None"
    c = ["a", "it's", "$${x}"]
    d = "[\"a\", \"it's\", \"$${x}\"]"
    "#);
}

#[test]
fn what_is_captured_is_escaped_once() {
    let template = "{% set full %}{{ a }}-{{ b }}{% endset %}{% macro tag(k) %}{{ k }} = \"{{ full }}\"{% endmacro %}\
                    {{ tag('name') }}\nupper = \"{{ full | upper }}\"\ncat = \"{{ full ~ '/' ~ b }}\"\nlen = {{ full | length }}\n";
    let text = rendered(template, json!({"a": "x\"", "b": "${y}"}));
    insta::assert_snapshot!(text, @r#"
    name = "x\"-$${y}"
    upper = "X\"-$${Y}"
    cat = "x\"-$${y}/$${y}"
    len = 7
    "#);
}

#[test]
fn captured_names_can_be_compared() {
    let template = "{% set env %}{{ e | lower }}-{{ e }}{% endset %}{%- set raw -%} {{ e }}\" {%- endset -%}a = {{ 1 if env == 'x-X' else 2 }}\nb = {{ env }}\nc = \"{{ raw }}\"\n";
    assert_eq!(rendered(template, json!({"e": "X"})), "a = 1\nb = x-X\nc = \"X\"\"\n");
}

#[test]
fn safe_says_so() {
    assert_eq!(rendered("a = {{ x | safe }}\n", json!({"x": "aws_vpc.main.id"})), "a = aws_vpc.main.id\n");
}

#[test]
fn comments_stay_comments() {
    let template = "# {{ x }}\n// {{ x }}\n/* {{ x }} */\na = 1 # {{ x }}\n";
    let text = rendered(template, json!({"x": "a\nb = 2 */ ${c}"}));
    assert_eq!(text, "# a b = 2 */ ${c}\n// a b = 2 */ ${c}\n/* a b = 2 __ ${c} */\na = 1 # a b = 2 */ ${c}\n");
}

#[test]
fn json_is_json() {
    let case = Case::new(&json!({"x": "\"${y}\n", "n": 3, "xs": ["${z}"], "name": "orders", "bad": "a} ${file(\"x\")"}));
    let template = "{\"a\": \"{{ x }}\", \"b\": {{ n }}, \"c\": {{ xs }}, \"d\": \"${var.{{ name }}}\", \"e\": {{ x }}}";
    let plain = "{\"a\": \"{{ x }}\", \"b\": {{ n }}, \"c\": {{ xs }}, \"d\": \"$\\\\{{ name }}\"}";
    let told = case.file("a.tf.json", template).refused();
    assert!(told.contains("cannot stand here without quotes"), "{told}");
    let case = Case::new(&json!({"x": "\"${y}\n$", "n": 3, "xs": ["${z}"], "name": "orders", "bad": "a} ${file(\"x\")"}));
    let case = case.file("a.tf.json", template.replace(", \"e\": {{ x }}", "")).file("b.json", plain.replace("\\\\", ""));
    insta::assert_snapshot!(case.text("a.tf.json"), @r#"{"a": "\"$${y}\n${\"\\u0024\"}", "b": 3, "c": ["$${z}"], "d": "${var.orders}"}"#);
    insta::assert_snapshot!(case.text("b.json"), @r#"{"a": "\"${y}\n$", "b": 3, "c": ["${z}"], "d": "$orders"}"#);
    let told = Case::new(&json!({"bad": "a} ${file(\"x\")"})).file("a.tf.json", "{\"d\": \"${var.{{ bad }}}\"}").refused();
    assert!(told.contains("cannot stand here"), "{told}");
}

#[test]
fn other_files_get_values_as_they_are() {
    let case = Case::new(&json!({"x": "a \"b\" ${c}", "on": true}))
        .file("run.sh", "echo {{ x }} {{ on }} ${HOME}\n")
        .file("page.tftpl", "{{ x }} ${d}\n")
        .file("logo.png", b"\xff\xfe{{ x }}".as_slice());
    assert_eq!(case.text("run.sh"), "echo a \"b\" ${c} True ${HOME}\n");
    assert_eq!(case.text("page.tftpl"), "a \"b\" $${c} ${d}\n");
    assert_eq!(case.render().unwrap().files["logo.png"], b"\xff\xfe{{ x }}");
}
