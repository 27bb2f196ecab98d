//! Places in a module where Terraform takes no references: what was a value there cannot become a variable just so.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body};
use hcl_edit::template::Element;
use hcl_edit::visit::{Visit, visit_traversal};

use crate::domain::plugin::VariableSource;

/// Takes away the defaults of variables that were values: such a variable takes the value itself. Gives the text, and what those variables
/// take; none where there is no such default.
pub(super) fn without_defaults(
    file: &str,
    text: &str,
    names: &BTreeMap<String, VariableSource>,
) -> Option<(String, BTreeMap<String, VariableSource>)> {
    let body = parsed(file, text)?;
    let mut taken = BTreeMap::new();
    let mut left_out = Vec::new();
    for block in body.blocks().filter(|block| block.ident.as_str() == "variable") {
        let default = block.body.get_attribute("default");
        let found = default.and_then(|default| Some((default.span()?, names.get_key_value(&referred(&default.value)?)?.1)));
        if let (Some(name), Some((span, source))) = (block.labels.first(), found) {
            taken.insert(name.as_str().to_owned(), source.clone());
            left_out.push(lines(text, span));
        }
    }
    if taken.is_empty() {
        return None;
    }
    let mut kept = text.to_owned();
    for span in left_out.into_iter().rev() {
        kept.replace_range(span, "");
    }
    Some((kept, taken))
}

/// The variable that an expression consists of, in quotes or without.
fn referred(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Traversal(traversal) => match (&traversal.expr, traversal.operators.as_slice()) {
            (Expression::Variable(root), [operator]) if root.as_str() == "var" => match operator.value() {
                TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
                _ => None,
            },
            _ => None,
        },
        Expression::StringTemplate(template) => {
            let mut elements = template.iter();
            match (elements.next(), elements.next()) {
                (Some(Element::Interpolation(inside)), None) => referred(&inside.expr),
                _ => None,
            }
        }
        Expression::FuncCall(call) => call.args.iter().next().and_then(referred),
        _ => None,
    }
}

/// The whole lines that a span is on.
fn lines(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at + 1);
    let alone = text[start..span.start].trim().is_empty() && text[span.end..end].trim().is_empty();
    if alone { start..end } else { span }
}

/// The references to these variables at places where Terraform takes none, each as what a person must decide.
pub(super) fn misplaced(file: &str, text: &str, names: &BTreeMap<String, VariableSource>) -> Vec<String> {
    let Some(body) = parsed(file, text) else { return Vec::new() };
    let mut found = Vec::new();
    for block in body.blocks() {
        look(block, &mut |attribute, place| {
            let mut references = References { names, found: Vec::new() };
            references.visit_expr(&attribute.value);
            let line = attribute.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            found.extend(references.found.into_iter().map(|name| {
                format!("decide: line {line} of `{file}` uses `var.{name}` in {place}, where Terraform takes no variable; write the value there")
            }));
        });
    }
    found
}

/// Visits the attributes of a block that must be literal.
fn look(block: &Block, visit: &mut impl FnMut(&Attribute, &str)) {
    match block.ident.as_str() {
        "terraform" => all(&block.body, "the settings of Terraform", visit),
        "variable" => some(&block.body, &["default", "type"], "the default of a variable", visit),
        "module" => some(&block.body, &["source", "version"], "the source of a module", visit),
        "resource" | "data" => {
            for lifecycle in block.body.get_blocks("lifecycle") {
                some(&lifecycle.body, &["prevent_destroy", "create_before_destroy", "ignore_changes"], "a lifecycle", visit);
            }
        }
        _ => {}
    }
}

fn some(body: &Body, wanted: &[&str], place: &str, visit: &mut impl FnMut(&Attribute, &str)) {
    body.attributes().filter(|attribute| wanted.contains(&attribute.key.as_str())).for_each(|attribute| visit(attribute, place));
}

fn all(body: &Body, place: &str, visit: &mut impl FnMut(&Attribute, &str)) {
    body.attributes().for_each(|attribute| visit(attribute, place));
    body.blocks().for_each(|block| all(&block.body, place, visit));
}

struct References<'a> {
    names: &'a BTreeMap<String, VariableSource>,
    found: Vec<String>,
}

impl Visit for References<'_> {
    fn visit_traversal(&mut self, traversal: &hcl_edit::expr::Traversal) {
        if let (Expression::Variable(root), Some(operator)) = (&traversal.expr, traversal.operators.first())
            && root.as_str() == "var"
            && let TraversalOperator::GetAttr(name) = operator.value()
            && self.names.contains_key(name.as_str())
        {
            self.found.push(name.as_str().to_owned());
        }
        visit_traversal(self, traversal);
    }
}

fn parsed(file: &str, text: &str) -> Option<Body> {
    file.ends_with(".tf").then(|| hcl_edit::parser::parse_body(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> BTreeMap<String, VariableSource> {
        BTreeMap::from([("size".to_owned(), VariableSource::Input("size".parse().unwrap()))])
    }

    #[test]
    fn a_default_that_was_a_value_is_the_value_itself() {
        let text = "variable \"count\" {\n  type    = number\n  default = \"${var.size}\"\n}\nvariable \"b\" { default = 1 }\n";
        let (kept, taken) = without_defaults("variables.tf", text, &names()).unwrap();
        assert_eq!(kept, "variable \"count\" {\n  type    = number\n}\nvariable \"b\" { default = 1 }\n");
        assert_eq!(taken["count"], names()["size"]);
        assert!(without_defaults("main.tf", "a = var.size", &names()).is_none());
    }

    #[test]
    fn places_without_references_are_named() {
        let text = "module \"m\" {\n  source = \"./${var.size}\"\n  size = var.size\n}\nresource \"a\" \"b\" {\n  lifecycle {\n    prevent_destroy = var.size\n  }\n}\n";
        let found = misplaced("main.tf", text, &names());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("line 2 of `main.tf`") && found[1].contains("line 7"), "{found:?}");
    }
}
