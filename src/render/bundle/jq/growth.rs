//! How much a program can make of its input: a straight line over the input's size, or a refusal.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;
use jaq_core::path::Part;

use crate::domain::bundle::program::literal;

/// How deep terms may be nested.
const DEEPEST: usize = 64;
/// How deep JSON is nested at most.
const LEVELS: u64 = 128;

/// Bounds for one input of `s` bytes: what is given has at most `per_byte * s + fixed` bytes, and is at most `count_per_byte * s +
/// count` values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    per_byte: u64,
    fixed: u64,
    count_per_byte: u64,
    count: u64,
}

impl Growth {
    pub(super) fn size(self, input: u64) -> u64 {
        self.per_byte.saturating_mul(input).saturating_add(self.fixed)
    }

    /// One value.
    const fn one(per_byte: u64, fixed: u64) -> Self {
        Self { per_byte, fixed, count_per_byte: 0, count: 1 }
    }

    /// As many values as the input has parts.
    const fn parts(per_byte: u64) -> Self {
        Self { per_byte, fixed: 0, count_per_byte: 1, count: 0 }
    }

    /// Both, one after the other.
    fn beside(self, other: Self) -> Self {
        Self {
            per_byte: self.per_byte.saturating_add(other.per_byte),
            fixed: self.fixed.saturating_add(other.fixed),
            count_per_byte: self.count_per_byte.saturating_add(other.count_per_byte),
            count: self.count.saturating_add(other.count),
        }
    }

    /// `next` of each of its values.
    fn then(self, next: Self) -> Self {
        let line = |per_byte: u64, fixed: u64| {
            let rate = next_line(self.per_byte, self.count_per_byte, per_byte, fixed);
            (rate, next_line(self.fixed, self.count, per_byte, fixed))
        };
        let (per_byte, fixed) = line(next.per_byte, next.fixed);
        let (count_per_byte, count) = line(next.count_per_byte, next.count);
        Self { per_byte, fixed, count_per_byte, count }
    }

    /// Gathered in a list.
    fn gathered(self) -> Self {
        Self::one(self.per_byte.saturating_add(self.count_per_byte), self.fixed.saturating_add(self.count).saturating_add(2))
    }

    /// Every value of one with every value of the other: only where that stays a straight line.
    fn times(self, other: Self) -> Result<Self, String> {
        let (few, many) = if self.count_per_byte == 0 { (self, other) } else { (other, self) };
        if few.count_per_byte > 0 || (few.per_byte > 0 && many.count_per_byte > 0) {
            return Err("it joins every part of a list with what is as large itself".to_owned());
        }
        Ok(Self {
            per_byte: few
                .per_byte
                .saturating_mul(many.count)
                .saturating_add(few.fixed.saturating_mul(many.count_per_byte))
                .saturating_add(few.count.saturating_mul(many.per_byte)),
            fixed: few.fixed.saturating_mul(many.count).saturating_add(few.count.saturating_mul(many.fixed)),
            count_per_byte: few.count.saturating_mul(many.count_per_byte),
            count: few.count.saturating_mul(many.count),
        })
    }
}

fn next_line(size: u64, count: u64, per_byte: u64, fixed: u64) -> u64 {
    size.saturating_mul(per_byte).saturating_add(count.saturating_mul(fixed))
}

/// Bounds what the term makes.
pub(super) fn of(term: &Term<&str>) -> Result<Growth, String> {
    bounded(term, DEEPEST)
}

fn bounded(term: &Term<&str>, left: usize) -> Result<Growth, String> {
    let left = left.checked_sub(1).ok_or("it is nested too deep")?;
    Ok(match term {
        Term::Id => Growth::one(1, 0),
        Term::Recurse => Growth::parts(LEVELS),
        Term::Num(number) => Growth::one(0, number.len() as u64),
        Term::Str(format, parts) => text(*format, parts, left)?,
        Term::Arr(None) => Growth::one(0, 2),
        Term::Arr(Some(items)) => bounded(items, left)?.gathered(),
        Term::Obj(entries) => {
            let mut whole = Growth::one(0, 2);
            for (key, value) in entries {
                whole = whole.times(bounded(key, left)?)?;
                whole = whole.times(match value {
                    Some(value) => bounded(value, left)?,
                    None => Growth::one(1, 4),
                })?;
            }
            whole
        }
        Term::Neg(inner) => bounded(inner, left)?.beside(Growth::one(0, 1)),
        Term::Path(base, path) => {
            let mut whole = bounded(base, left)?;
            for (part, _) in &path.0 {
                whole = match part {
                    Part::Index(index) => whole.times(bounded(index, left)?)?,
                    Part::Range(None, None) => whole.then(Growth::parts(1)),
                    Part::Range(from, to) => {
                        for end in [from, to].into_iter().flatten() {
                            whole = whole.times(bounded(end, left)?)?;
                        }
                        whole
                    }
                };
            }
            whole
        }
        Term::BinOp(one, operator, other) => operation(one, operator, other, left)?,
        Term::IfThenElse(cases, other) => {
            let mut whole = other.as_ref().map_or(Ok(Growth::one(1, 0)), |other| bounded(other, left))?;
            for (condition, then) in cases {
                whole = whole.beside(bounded(then, left)?.times(bounded(condition, left)?)?);
            }
            whole
        }
        Term::TryCatch(inner, catch) => match catch {
            Some(catch) => bounded(inner, left)?.beside(bounded(catch, left)?),
            None => bounded(inner, left)?,
        },
        Term::Call(name, arguments) => call(name, arguments, left)?,
        Term::Var(name) => return Err(format!("`{name}` is not offered here")),
        Term::Def(..) | Term::Fold(..) | Term::Label(..) | Term::Break(_) => {
            return Err("`def`, `reduce`, `foreach` and `label` are not offered here".to_owned());
        }
    })
}

fn text(format: Option<&str>, parts: &[StrPart<&str, Term<&str>>], left: usize) -> Result<Growth, String> {
    let factor = growing(format.unwrap_or("@text")).ok_or("a format that is not offered here")?;
    let mut whole = Growth::one(0, 2);
    for part in parts {
        whole = whole.times(match part {
            StrPart::Str(text) => Growth::one(0, text.len() as u64),
            StrPart::Char(_) => Growth::one(0, 4),
            StrPart::Term(term) => bounded(term, left)?.then(factor),
        })?;
    }
    Ok(whole)
}

fn operation(one: &Term<&str>, operator: &BinaryOp<&str>, other: &Term<&str>, left: usize) -> Result<Growth, String> {
    let (first, second) = (bounded(one, left)?, bounded(other, left)?);
    match operator {
        BinaryOp::Pipe(None) => Ok(first.then(second)),
        BinaryOp::Comma | BinaryOp::Alt => Ok(first.beside(second)),
        BinaryOp::Math(Math::Mul) => match number(one).or_else(|| number(other)) {
            Some(times) => Ok(first.times(second)?.then(Growth::one(times.max(2), 0))),
            None => Err("it multiplies two values that are not written out".to_owned()),
        },
        BinaryOp::Math(Math::Div) => Ok(first.times(second)?.then(Growth::one(4, 4))),
        BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::Or | BinaryOp::And => Ok(first.times(second)?.then(Growth::one(1, 8))),
        _ => Err("`as` and assignments are not offered here".to_owned()),
    }
}

/// A number that is written out, as a whole one that is no smaller.
fn number(term: &Term<&str>) -> Option<u64> {
    match term {
        Term::Num(text) => {
            let value: f64 = text.parse().ok()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range, and rounded up")]
            (0.0..1e15).contains(&value).then(|| value.ceil() as u64)
        }
        _ => None,
    }
}

/// Functions that make one value of their input, with what they add to it.
fn growing(name: &str) -> Option<Growth> {
    Some(match name {
        "null" | "true" | "false" | "length" | "not" | "type" | "tonumber" | "any" | "all" | "floor" | "ceil" | "round" => {
            Growth::one(1, 32)
        }
        "keys" | "values" | "sort" | "unique" | "reverse" | "first" | "last" | "min" | "max" | "add" | "fromjson" | "flatten"
        | "ascii_downcase" | "ascii_upcase" | "trim" | "ltrim" | "rtrim" => Growth::one(1, 4),
        "tostring" | "tojson" | "@text" | "@json" => Growth::one(6, 4),
        "to_entries" | "from_entries" => Growth::one(16, 4),
        _ => return None,
    })
}

fn call(name: &str, arguments: &[Term<&str>], left: usize) -> Result<Growth, String> {
    if let (Some(growth), []) = (growing(name), arguments) {
        return Ok(growth);
    }
    let unknown = || format!("`{name}` is not offered here");
    match (name, arguments) {
        ("empty", []) => Ok(Growth { per_byte: 0, fixed: 0, count_per_byte: 0, count: 0 }),
        ("map", [each]) => Ok(Growth::parts(1).then(bounded(each, left)?).gathered()),
        ("with_entries", [each]) => {
            let entries = Growth::one(16, 4).then(Growth::parts(1)).then(bounded(each, left)?).gathered();
            Ok(entries.then(Growth::one(2, 4)))
        }
        ("select", [condition]) => bounded(condition, left)?.times(Growth::one(1, 0)),
        ("sort_by" | "group_by" | "unique_by" | "min_by" | "max_by" | "any" | "all", [key]) => {
            Ok(Growth::parts(1).then(bounded(key, left)?).gathered().beside(Growth::one(3, 4)).gathered())
        }
        ("join" | "split" | "startswith" | "endswith" | "ltrimstr" | "rtrimstr" | "has" | "contains", [argument]) => {
            let text = literal(argument).ok_or_else(|| format!("`{name}` of what is not written out is not offered here"))?;
            Ok(Growth::one((text.len() as u64).saturating_add(4), 16))
        }
        _ => Err(unknown()),
    }
}
