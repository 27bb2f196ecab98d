//! `moved` blocks of a plugin's document, seen from the root module.

use hcl_edit::expr::{Expression, TraversalOperator};
use serde_json::{Value, json};

use super::names::is_identifier;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::plugin::Moved;

/// The blocks, with every address inside `module.plugin`.
pub(super) fn moved(moved: &[Moved], problems: &mut Problems) -> Vec<Value> {
    let mut blocks = Vec::new();
    for (position, entry) in moved.iter().enumerate() {
        let mut inside = |field: &str, written: &str| {
            let found = address(written);
            if found.is_none() {
                problems.push(
                    Diagnostic::error(
                        FailureReason::InvalidDocument,
                        format!("`{written}` is not the address of a resource or module"),
                    )
                    .at("plugin.yaml", Pointer::keys(["terraform", "moved"]).index(position).key(field))
                    .help("write it as inside the module, such as `aws_instance.web` or `module.db[\"main\"]`"),
                );
            }
            found
        };
        if let (Some(from), Some(to)) = (inside("from", &entry.from), inside("to", &entry.to)) {
            blocks.push(json!({"from": format!("module.plugin.{from}"), "to": format!("module.plugin.{to}")}));
        }
    }
    blocks
}

/// Blocks that take what was in the root module into `module.plugin`.
pub(super) fn adopted(addresses: &[String], problems: &mut Problems) -> Vec<Value> {
    let mut blocks = Vec::new();
    for written in addresses {
        match address(written) {
            Some(inside) => blocks.push(json!({"from": inside, "to": format!("module.plugin.{inside}")})),
            None => problems.push(
                Diagnostic::error(FailureReason::InvalidInput, format!("`{written}` is not the address of a resource or module"))
                    .help("no Terraform writes such a state: find out where it comes from"),
            ),
        }
    }
    blocks
}

/// The address, written anew from its parts.
fn address(written: &str) -> Option<String> {
    let Ok(Expression::Traversal(traversal)) = hcl_edit::parser::parse_expr(written.trim()) else { return None };
    let Expression::Variable(first) = &traversal.expr else { return None };
    let steps: Option<String> = traversal.operators.iter().map(|operator| step(operator.value())).collect();
    steps.filter(|_| is_identifier(first.as_str())).map(|steps| format!("{}{steps}", first.as_str()))
}

fn step(operator: &TraversalOperator) -> Option<String> {
    match operator {
        TraversalOperator::GetAttr(name) if is_identifier(name.as_str()) => Some(format!(".{}", name.as_str())),
        TraversalOperator::Index(Expression::Number(number)) => number.value().as_u64().map(|index| format!("[{index}]")),
        TraversalOperator::Index(Expression::String(key)) if is_plain(key.as_str()) => Some(format!("[\"{}\"]", key.as_str())),
        _ => None,
    }
}

/// Whether a key of `for_each` can stand between quotes as it is.
fn is_plain(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '$' | '%'))
}
