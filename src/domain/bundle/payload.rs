//! What an expression gives, as far as its own text says it.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, Object, ObjectKey, TraversalOperator};

use super::text;

/// The module's locals by name.
pub(super) type Locals<'a> = BTreeMap<&'a str, &'a Expression>;

/// How far locals are followed.
const DEEPEST: usize = 16;

/// The top-level attributes of the object that the expression gives, each with an expression for it; none where it cannot be told.
pub(super) fn attributes(expression: &Expression, locals: &Locals<'_>) -> Option<Vec<(String, String)>> {
    within(expression, locals, DEEPEST)
}

fn within(expression: &Expression, locals: &Locals<'_>, left: usize) -> Option<Vec<(String, String)>> {
    let left = left.checked_sub(1)?;
    match expression {
        Expression::Parenthesis(inner) => within(inner.inner(), locals, left),
        Expression::Object(object) => object.iter().map(|(key, value)| Some((key_text(key)?, text::of(value.expr())))).collect(),
        Expression::Traversal(_) => keys_of(followed(expression, locals, left)?, expression, locals, left),
        Expression::FuncCall(call) if call.name.name.as_str() == "merge" && !call.args.expand_final() => {
            let mut names: Vec<String> = Vec::new();
            for argument in &call.args {
                names.extend(within(argument, locals, left)?.into_iter().map(|(name, _)| name));
            }
            names.sort();
            names.dedup();
            Some(below(expression, names))
        }
        Expression::Conditional(choice) => {
            let name = |found: Vec<(String, String)>| -> Vec<String> { found.into_iter().map(|(name, _)| name).collect() };
            let (mut one, mut other) =
                (name(within(&choice.true_expr, locals, left)?), name(within(&choice.false_expr, locals, left)?));
            one.sort();
            other.sort();
            (one == other).then(|| below(expression, one))
        }
        _ => None,
    }
}

fn keys_of(target: &Expression, written: &Expression, locals: &Locals<'_>, left: usize) -> Option<Vec<(String, String)>> {
    let names = within(target, locals, left)?.into_iter().map(|(name, _)| name).collect();
    Some(below(written, names))
}

fn below(expression: &Expression, names: Vec<String>) -> Vec<(String, String)> {
    let whole = text::of(expression);
    names.into_iter().map(|name| (name.clone(), text::attribute(&whole, &name))).collect()
}

/// The expression that a chain of names through locals leads to.
pub(super) fn followed<'a>(expression: &'a Expression, locals: &Locals<'a>, left: usize) -> Option<&'a Expression> {
    let left = left.checked_sub(1)?;
    let Expression::Traversal(traversal) = expression else { return None };
    let Expression::Variable(root) = &traversal.expr else { return None };
    let mut steps = traversal.operators.iter().map(|operator| match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        TraversalOperator::Index(Expression::String(name)) => Some(name.as_str()),
        _ => None,
    });
    if root.as_str() != "local" {
        return None;
    }
    let mut found = *locals.get(steps.next()??)?;
    for step in steps {
        found = member(found, step?, locals, left)?;
    }
    Some(found)
}

/// One member of the object that an expression writes, itself or through locals.
pub(super) fn member<'a>(expression: &'a Expression, name: &str, locals: &Locals<'a>, left: usize) -> Option<&'a Expression> {
    let left = left.checked_sub(1)?;
    match expression {
        Expression::Parenthesis(inner) => member(inner.inner(), name, locals, left),
        Expression::Object(object) => value_of(object, name),
        Expression::Traversal(_) => member(followed(expression, locals, left)?, name, locals, left),
        _ => None,
    }
}

fn value_of<'a>(object: &'a Object, name: &str) -> Option<&'a Expression> {
    object.iter().find(|(key, _)| key_text(key).as_deref() == Some(name)).map(|(_, value)| value.expr())
}

/// A key as Terraform takes it, where it is no expression.
pub(super) fn key_text(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(name)) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(_) => None,
    }
}

/// What is handed to `jsonencode`, also through locals.
pub(super) fn encoded<'a>(expression: &'a Expression, locals: &Locals<'a>) -> Option<&'a Expression> {
    let target = match expression {
        Expression::Parenthesis(inner) => return encoded(inner.inner(), locals),
        Expression::Traversal(_) => followed(expression, locals, DEEPEST)?,
        other => other,
    };
    match target {
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" && call.args.len() == 1 => call.args.get(0),
        _ => None,
    }
}
