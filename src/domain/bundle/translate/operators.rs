//! Operators.

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::{Cmp, Math};

use super::values::{Hcl, Here, Kind};
use super::{Scope, Translator};

impl<'a> Translator<'a> {
    pub(super) fn operator(
        &mut self,
        left: &Term<&str>,
        operator: &BinaryOp<&str>,
        right: &Term<&str>,
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Hcl<'a>, String> {
        let unsupported = |what: &str| Err(format!("{what} has no counterpart in Terraform"));
        match operator {
            BinaryOp::Comma => return unsupported("several values (`,`) outside of `[…]`"),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                return unsupported("an assignment");
            }
            BinaryOp::Pipe(_) => return unsupported("a pattern after `as`"),
            BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_) => {}
        }
        let (left, right) = (self.value(left, here, scope)?, self.value(right, here, scope)?);
        Ok(match operator {
            BinaryOp::Or => Hcl::new(format!("({} || {})", left.truth(), right.truth()), Kind::Bool),
            BinaryOp::And => Hcl::new(format!("({} && {})", left.truth(), right.truth()), Kind::Bool),
            BinaryOp::Cmp(comparison) => compared(&left, *comparison, &right)?,
            BinaryOp::Math(math) => calculated(&left, *math, &right)?,
            _ => alternative(&left, &right),
        })
    }
}

/// jq's `//`. A tuple keeps the types as they are, which a condition would not.
fn alternative<'a>(left: &Hcl<'a>, right: &Hcl<'a>) -> Hcl<'a> {
    let kind = left.kind.with(right.kind).unwrap_or(Kind::Unknown);
    match left.kind {
        Kind::Null => right.clone(),
        Kind::Number | Kind::Text | Kind::List | Kind::Object => left.clone(),
        Kind::Bool | Kind::Unknown => {
            let kept = format!("[for value in [{}] : value if value != null && value != false]", left.text());
            Hcl::new(format!("concat({kept}, [{}])[0]", right.text()), kind)
        }
    }
}

fn compared<'a>(left: &Hcl<'a>, comparison: Cmp, right: &Hcl<'a>) -> Result<Hcl<'a>, String> {
    let equality = matches!(comparison, Cmp::Eq | Cmp::Ne);
    if !equality && left.kind != Kind::Number && right.kind != Kind::Number {
        return Err(format!("`{}` of what is not known to be numbers has no counterpart in Terraform", comparison.as_str()));
    }
    Ok(Hcl::new(format!("({} {} {})", left.operand(), comparison.as_str(), right.operand()), Kind::Bool))
}

fn calculated<'a>(left: &Hcl<'a>, math: Math, right: &Hcl<'a>) -> Result<Hcl<'a>, String> {
    let kind = match (left.kind, right.kind) {
        (Kind::Unknown | Kind::Null, kind) | (kind, Kind::Unknown | Kind::Null) => kind,
        (one, other) if one == other => one,
        _ => return Err(format!("`{}` of values of different types fails in jq too", math.as_str())),
    };
    let text = match (math, kind) {
        (Math::Add, Kind::Text) => format!("\"${{{}}}${{{}}}\"", left.text(), right.text()),
        (Math::Add, Kind::List) => format!("concat({}, {})", left.text(), right.text()),
        (Math::Add, Kind::Object) => format!("merge({}, {})", left.text(), right.text()),
        (_, Kind::Number) => format!("({} {} {})", left.operand(), math.as_str(), right.operand()),
        (Math::Add, _) => {
            return Err(
                "of two values that are added it has to be plain what they are: write texts as `\"\\(.a)\\(.b)\"`".to_owned()
            );
        }
        _ => return Err(format!("`{}` of what is not known to be numbers has no counterpart in Terraform", math.as_str())),
    };
    Ok(Hcl::new(text, kind))
}
