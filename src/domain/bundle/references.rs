//! Which names the blocks of a module take values from.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, FuncCall, Traversal, TraversalOperator};
use hcl_edit::structure::Block;
use hcl_edit::visit::{Visit, visit_binary_op, visit_func_call, visit_traversal};

/// What of a variable is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// As a whole, so that it cannot be told what of it.
    pub whole: bool,
    /// These attributes of it.
    pub attributes: BTreeSet<String>,
}

/// What blocks and expressions name.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Each name with the attributes after it.
    pub(super) names: BTreeSet<Vec<String>>,
    /// Variables, with what of them is used.
    pub(super) variables: BTreeMap<String, Used>,
    /// Literal texts in the arguments of functions that read files.
    pub(super) files: BTreeSet<String>,
}

impl References {
    pub(super) fn add_block(&mut self, block: &Block) {
        self.visit_block(block);
    }

    pub(super) fn add(&mut self, expression: &Expression) {
        self.visit_expr(expression);
    }

    /// Adds what the text of an expression names, if it is one.
    pub(super) fn add_text(&mut self, expression: &str) {
        if let Ok(expression) = hcl_edit::parser::parse_expr(expression.trim()) {
            self.add(&expression);
        }
    }

    /// Whether something of `address` is named.
    pub(super) fn mention(&self, address: &[String]) -> bool {
        self.names.iter().any(|name| name.starts_with(address))
    }
}

impl Visit for References {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(root) = &traversal.expr {
            let steps: Vec<String> = traversal.operators.iter().map_while(|operator| step(operator.value())).collect();
            if let ("var", Some(variable)) = (root.as_str(), steps.first()) {
                let used = self.variables.entry(variable.clone()).or_default();
                match steps.get(1) {
                    Some(attribute) => _ = used.attributes.insert(attribute.clone()),
                    None => used.whole = true,
                }
            }
            self.names.insert(std::iter::once(root.as_str().to_owned()).chain(steps).collect());
        }
        visit_traversal(self, traversal);
    }

    fn visit_binary_op(&mut self, operation: &BinaryOp) {
        // Whether a variable is there at all uses nothing of it.
        let compares = matches!(operation.operator.value(), BinaryOperator::Eq | BinaryOperator::NotEq);
        let variable = match (&operation.lhs_expr, &operation.rhs_expr) {
            (Expression::Null(_), Expression::Traversal(traversal)) | (Expression::Traversal(traversal), Expression::Null(_)) => {
                whole_variable(traversal)
            }
            _ => None,
        };
        match variable {
            Some(name) if compares => {
                self.variables.entry(name.clone()).or_default();
                self.names.insert(vec!["var".to_owned(), name]);
            }
            _ => visit_binary_op(self, operation),
        }
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        if matches!(call.name.name.as_str(), "file" | "filebase64" | "fileexists" | "templatefile") {
            self.files.extend(call.args.iter().map(super::text::of));
        }
        visit_func_call(self, call);
    }
}

fn step(operator: &TraversalOperator) -> Option<String> {
    match operator {
        TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
        TraversalOperator::Index(Expression::String(name)) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

fn whole_variable(traversal: &Traversal) -> Option<String> {
    match (&traversal.expr, &traversal.operators[..]) {
        (Expression::Variable(root), [one]) if root.as_str() == "var" => step(one.value()),
        _ => None,
    }
}
