//! Which inputs are there: those whose condition holds.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::{Condition, Templates};
use crate::domain::names::InputName;

/// The inputs that are not there.
///
/// # Errors
/// Conditions that cannot be judged.
pub(super) fn absent(
    templates: &Templates,
    inputs: &BTreeMap<InputName, Value>,
    sensitive: &BTreeSet<InputName>,
) -> Result<BTreeSet<InputName>, Problems> {
    let mut problems = Problems::default();
    let mut absent = BTreeSet::new();
    // What is absent may make others absent.
    for _ in 0..=templates.conditions.len() {
        let mut held: BTreeMap<&InputName, bool> = BTreeMap::new();
        for condition in &templates.conditions {
            if sensitive.iter().any(|name| name.as_str() == condition.variable) {
                let message = format!(
                    "the condition of the input `{}` looks at `{}`, which is sensitive and cannot be looked at",
                    condition.input, condition.variable
                );
                problems.push(
                    Diagnostic::error(FailureReason::InvalidDocument, message)
                        .help("let the condition look at an input that is not sensitive"),
                );
                continue;
            }
            let seen = inputs.iter().find(|(name, _)| name.as_str() == condition.variable && !absent.contains(*name));
            match holds(condition, seen.map(|(_, value)| value)) {
                // An input that is there twice has two conditions; it is there when either holds.
                Some(holds) => *held.entry(&condition.input).or_default() |= holds,
                None => problems.push(unknown(condition)),
            }
        }
        if problems.any_error() {
            return Err(problems);
        }
        let now = held.into_iter().filter(|(_, holds)| !holds).map(|(name, _)| name.clone()).collect();
        if now == absent {
            break;
        }
        absent = now;
    }
    Ok(absent)
}

/// What each input is: answers as they are meant; where nobody answered, what the input is in the case that holds, or nothing of its
/// kind: an input that may be left out is there for templates, and empty.
pub(super) fn answers(
    templates: &Templates,
    given: &BTreeMap<InputName, Value>,
    sensitive: &BTreeSet<InputName>,
) -> BTreeMap<InputName, Value> {
    let meant =
        |name: &InputName, value: &Value| templates.kinds.get(name).map_or_else(|| value.clone(), |kind| kind.taken(value));
    let mut answers: BTreeMap<InputName, Value> = given.iter().map(|(name, value)| (name.clone(), meant(name, value))).collect();
    for condition in &templates.conditions {
        let Some(default) = condition.default.as_ref().filter(|_| !answers.contains_key(&condition.input)) else { continue };
        if holds(condition, answers.get(condition.variable.as_str())) == Some(true) {
            answers.insert(condition.input.clone(), meant(&condition.input, default));
        }
    }
    for (name, kind) in templates.kinds.iter().filter(|(name, _)| !sensitive.contains(*name)) {
        answers.entry(name.clone()).or_insert_with(|| kind.nothing());
    }
    answers
}

fn unknown(condition: &Condition) -> Diagnostic {
    let message = format!("the condition of the input `{}` has the operator `{}`", condition.input, condition.operator);
    Diagnostic::error(FailureReason::InvalidDocument, message)
        .help("use `==`, `!=`, `>`, `>=`, `<`, `<=`, `containsAny`, `notContainsAny`, `containsAll` or `notContainsAll`")
}

/// Whether a condition holds; none where there is no such operator.
fn holds(condition: &Condition, seen: Option<&Value>) -> Option<bool> {
    let wanted = &condition.value;
    let compare = |accepts: fn(Ordering) -> bool| seen.and_then(|seen| ordering(seen, wanted)).is_some_and(accepts);
    let items = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    };
    let seen_items = seen.map(items).unwrap_or_default();
    let contains = |wanted: &Value| seen_items.iter().any(|seen| same(seen, wanted));
    Some(match condition.operator.as_str() {
        "==" => seen.is_some_and(|seen| same(seen, wanted)),
        "!=" => !seen.is_some_and(|seen| same(seen, wanted)),
        ">" => compare(Ordering::is_gt),
        ">=" => compare(Ordering::is_ge),
        "<" => compare(Ordering::is_lt),
        "<=" => compare(Ordering::is_le),
        "containsAny" => items(wanted).iter().any(contains),
        "notContainsAny" => !items(wanted).iter().any(contains),
        "containsAll" => items(wanted).iter().all(contains),
        "notContainsAll" => !items(wanted).iter().all(contains),
        _ => return None,
    })
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (left, right) => left == right || ordering(left, right) == Some(Ordering::Equal),
    }
}

/// How scalars compare: as numbers where both look like numbers, else as texts; documents are loose about types.
fn ordering(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (text(left)?, text(right)?);
    match (left.trim().parse::<f64>(), right.trim().parse::<f64>()) {
        (Ok(left), Ok(right)) => left.partial_cmp(&right),
        _ => Some(left.cmp(&right)),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            Some(text.to_ascii_lowercase())
        }
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_compare_loosely() {
        let cases = [
            (json!("11"), ">=", json!("3"), true),
            (json!(11), "<", json!("3"), false),
            (json!("b"), ">", json!("a"), true),
            (json!("true"), "==", json!(true), true),
            (json!(false), "!=", json!("False"), false),
            (json!(["a", "b"]), "containsAny", json!(["b", "c"]), true),
            (json!(["a", "b"]), "containsAll", json!(["b", "c"]), false),
            (json!(["a", "b"]), "notContainsAll", json!(["b", "c"]), true),
            (json!(["a"]), "notContainsAny", json!("b"), true),
        ];
        for (seen, operator, value, expected) in cases {
            let condition = Condition {
                input: InputName::new("x").unwrap(),
                variable: "y".to_owned(),
                operator: operator.to_owned(),
                value: value.clone(),
                default: None,
            };
            assert_eq!(holds(&condition, Some(&seen)), Some(expected), "{seen} {operator} {value}");
        }
    }
}
