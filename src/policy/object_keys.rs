//! Which keys objects have, wherever they stand in an expression.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::visit::{Visit, visit_object_key};
use serde_json::Value;

#[derive(Default)]
struct Keys(BTreeSet<String>);

impl Visit for Keys {
    fn visit_object_key(&mut self, key: &ObjectKey) {
        match key {
            ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
                _ = self.0.insert(name.as_str().to_owned());
            }
            ObjectKey::Expression(Expression::String(text)) => _ = self.0.insert(text.as_str().to_owned()),
            ObjectKey::Expression(_) => {
                visit_object_key(self, key);
            }
        }
    }
}

/// The keys in an expression.
pub(super) fn in_expression(expression: &Expression) -> BTreeSet<String> {
    let mut keys = Keys::default();
    keys.visit_expr(expression);
    keys.0
}

/// The keys in a JSON value.
pub(super) fn in_json(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(in_json).collect(),
        Value::Object(entries) => {
            entries.iter().flat_map(|(key, inner)| in_json(inner).into_iter().chain([key.clone()])).collect()
        }
        _ => BTreeSet::new(),
    }
}
