//! Whatever a value is, Terraform reads it as that value, and nothing else of the file changes.

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, Template};
use proptest::prelude::*;
use serde_json::json;

use super::{Case, rendered};

/// Pieces that mean something in one place or another.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "EOF\n}",
        "\"",
        "\\",
        "$",
        "%",
        "{",
        "}",
        "${",
        "%{",
        "$${",
        "%%{",
        "\n",
        "\r",
        "\t",
        "EOF",
        "EOF\n",
        "*/",
        "#",
        "//",
        "<<E",
        "a",
        " ",
        "b-c",
        "1",
        "[",
        "]",
        ",",
        "=",
        "~",
        "${file(\"/etc/passwd\")}",
        "\"\n}\nresource \"x\" \"y\" {",
        "%{ for a in b }",
        "é",
        "\u{0}",
        "'",
        "`",
        "\u{2028}",
        "true",
        "null",
        "-",
        ".",
    ]);
    prop_oneof![3 => prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), 1 => any::<String>()]
        .prop_filter("tokens", |text| !super::super::table::has_token(text))
}

/// What an expression of texts alone comes to; none for any other.
fn text_of(expression: &Expression) -> Option<String> {
    match expression {
        Expression::String(text) => Some(text.value().clone()),
        Expression::StringTemplate(template) => elements(template.iter()),
        Expression::HeredocTemplate(heredoc) => elements(heredoc.template.iter()),
        _ => None,
    }
}

fn elements<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    elements
        .map(|element| match element {
            Element::Literal(text) => Some(text.value().clone()),
            Element::Interpolation(inner) => text_of(&inner.expr),
            Element::Directive(_) => None,
        })
        .collect()
}

/// The values of the attributes `a`, `b`, …, which are all there is in the file.
fn attributes(text: &str) -> Vec<Expression> {
    let body: Body = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    body.into_iter()
        .enumerate()
        .map(|(position, structure)| match structure {
            Structure::Attribute(attribute) => {
                assert_eq!(attribute.key.as_str().bytes().next(), Some(b'a' + u8::try_from(position).unwrap()), "{text}");
                attribute.value
            }
            Structure::Block(block) => panic!("a block {}: {text}", block.ident.as_str()),
        })
        .collect()
}

proptest! {
    #[test]
    fn r68_values_in_quotes_are_themselves(x in hostile(), y in hostile()) {
        let text = rendered("a = \"{{ x }}\"\nb = \"${{ x }}{{ y }}{z%{{ y }}\"\nc = [\"{{ x }}\"]\n", json!({"x": x, "y": y}));
        let values = attributes(&text);
        prop_assert_eq!(values.len(), 3);
        prop_assert_eq!(text_of(&values[0]), Some(x.clone()));
        prop_assert_eq!(text_of(&values[1]), Some(format!("${x}{y}{{z%{y}")));
        let Expression::Array(items) = &values[2] else { panic!("{text}") };
        prop_assert_eq!(items.len(), 1);
    }

    #[test]
    fn r68_values_in_here_documents_are_themselves(x in hostile(), y in hostile()) {
        let inputs = json!({"x": x, "y": y});
        let template = "a = <<EOF\n<{{ x }}{{ y }}>\nEOF\nb = <<-EOF\n  <{{ x }}>\n    {{ y }}|\n  EOF\nc = \"end\"\n";
        let text = rendered(template, inputs);
        let values = attributes(&text);
        prop_assert_eq!(values.len(), 3);
        prop_assert_eq!(text_of(&values[0]), Some(format!("<{x}{y}>\n")));
        prop_assert_eq!(text_of(&values[1]), Some(format!("<{x}>\n  {y}|\n")));
    }

    #[test]
    fn r68_values_without_quotes_are_data_or_refused(x in hostile()) {
        let case = Case::new(&json!({"x": x})).file("main.tf", "a = {{ x }}\nb = [\"y\", {{ x }}]\nc = \"${ {{ x }} }\"\nd = x_{{ x }}\n");
        if let Ok(rendered) = case.render() {
            let text = String::from_utf8(rendered.files["main.tf"].clone()).unwrap();
            let values = attributes(&text);
            prop_assert_eq!(values.len(), 4);
            let harmless = matches!(&values[0], Expression::Variable(_) | Expression::Number(_) | Expression::Bool(_) | Expression::Null(_)
                | Expression::String(_) | Expression::StringTemplate(_) | Expression::Array(_) | Expression::Object(_) | Expression::UnaryOp(_));
            prop_assert!(harmless, "{}", text);
        }
    }

    #[test]
    fn r68_values_in_comments_change_nothing(x in hostile()) {
        let text = rendered("# {{ x }}\na = 1 // {{ x }}\n/* {{ x }}{{ x }} */\nb = 2 /*{{ x }}*/\nc = 3\n", json!({"x": x}));
        prop_assert_eq!(attributes(&text).len(), 3);
    }

    #[test]
    fn r68_lists_and_mappings_are_themselves(x in hostile(), y in hostile()) {
        let text = rendered("a = {{ l }}\nb = {{ m }}\nc = {{ l | tojson }}\nd = [\"{{ l | join('\", \"') }}\"]\n",
            json!({"l": [x, y], "m": {&x: y}}));
        let values = attributes(&text);
        prop_assert_eq!(values.len(), 4);
        for at in [0, 2, 3] {
            let Expression::Array(items) = &values[at] else { panic!("{text}") };
            let items: Vec<_> = items.iter().map(|item| text_of(item).unwrap()).collect();
            prop_assert_eq!(&items, &[x.clone(), y.clone()]);
        }
        let Expression::Object(object) = &values[1] else { panic!("{text}") };
        prop_assert_eq!(object.len(), 1);
    }

    #[test]
    fn r68_strings_of_json_are_themselves(x in hostile(), y in hostile()) {
        let case = Case::new(&json!({"x": x, "y": y})).file("a.tf.json", "{\"a\": \"${{ x }}{{ y }}{z\", \"b\": {{ [x] }}}").file("b.json", "{\"a\": \"{{ x }}\"}");
        let parsed: serde_json::Value = serde_json::from_str(&case.text("a.tf.json")).unwrap();
        prop_assert_eq!(parsed.as_object().unwrap().len(), 2);
        let template: Template = parsed["a"].as_str().unwrap().parse().unwrap();
        prop_assert_eq!(elements(template.iter()), Some(format!("${x}{y}{{z")));
        let plain: serde_json::Value = serde_json::from_str(&case.text("b.json")).unwrap();
        prop_assert_eq!(plain, json!({"a": x}));
    }

    #[test]
    fn no_template_makes_us_panic(template in hostile(), name in "[a-z{}% .|'/]{1,20}", x in hostile()) {
        let _ = Case::new(&json!({"x": x})).secret("s").file("main.tf", &template).file(&name, format!("{template}{{{{ x }}}}{{{{ s }}}}{template}")).render();
    }
}
