//! From a jq program to expressions of the module that it speaks about, so that what it makes of secrets is made by Terraform.
//!
//! jq finds null where an object has no such key, and so does `try`. What has no faithful counterpart is refused.

mod functions;
mod lists;
mod operators;
mod values;

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Part, Path};

use super::payload::{self, Locals};
use super::program::{literal, parse};
use super::text;
use values::{Hcl, Here, Kind};

/// How deep terms may be nested.
const DEEPEST: usize = 64;
/// How long an expression may become, in bytes.
const LONGEST: usize = 64 * 1024;

/// What is published for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// The attributes, each with its expression.
    Object(Vec<(String, String)>),
    /// An expression of which it cannot be told what attributes it gives.
    Opaque(String),
}

impl Payload {
    /// What the expression gives.
    pub(super) fn of(expression: &Expression, locals: &Locals<'_>) -> Self {
        match payload::attributes(expression, locals) {
            Some(attributes) => Self::Object(attributes),
            None => Self::Opaque(text::of(expression)),
        }
    }
}

/// What a program may speak about.
pub(super) struct Surroundings<'a> {
    /// The module's outputs.
    pub(super) outputs: &'a BTreeMap<&'a str, &'a Expression>,
    /// Its locals.
    pub(super) locals: &'a Locals<'a>,
    /// The application's variables.
    pub(super) envs: &'a BTreeMap<String, String>,
}

/// Translates a program that makes a field's payload.
pub(super) fn translate(program: &str, around: &Surroundings<'_>) -> Result<Payload, String> {
    let term = parse(program)?;
    let mut translator = Translator { around, names: 0, depth: 0 };
    match translator.term(&term, &Here::Input, &Scope::default())? {
        Here::Value(Hcl { entries: Some(entries), .. }) => {
            Ok(Payload::Object(entries.into_iter().map(|(name, value)| (name, value.text())).collect()))
        }
        Here::Value(Hcl { output: Some(expression), .. }) => Ok(Payload::of(expression, around.locals)),
        Here::Value(value) => Ok(Payload::Opaque(value.text())),
        other => Err(format!("it gives {}, not an object", other.named())),
    }
}

/// The values of variables.
type Scope<'a> = BTreeMap<String, Here<'a>>;

struct Translator<'a> {
    around: &'a Surroundings<'a>,
    /// How many names were made for items.
    names: usize,
    depth: usize,
}

impl<'a> Translator<'a> {
    fn term(&mut self, term: &Term<&str>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Here<'a>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST}"));
        }
        let made = self.any(term, here, scope)?;
        self.depth -= 1;
        match &made {
            Here::Value(value) if value.size() > LONGEST => Err(format!("what it makes is longer than {LONGEST} bytes")),
            _ => Ok(made),
        }
    }

    /// A value, not one of the parts of the input.
    fn value(&mut self, term: &Term<&str>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Hcl<'a>, String> {
        match self.term(term, here, scope)? {
            Here::Value(value) => Ok(value),
            other => Err(format!("it takes {} as a whole: name what it takes of it", other.named())),
        }
    }

    fn any(&mut self, term: &Term<&str>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Here<'a>, String> {
        let value = match term {
            Term::Id => return Ok(here.clone()),
            Term::Path(base, path) => return self.path(base, path, here, scope),
            Term::Var(name) => {
                return scope.get(*name).cloned().ok_or_else(|| format!("the variable `{name}` is not known here"));
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                let here = self.term(left, here, scope)?;
                return self.term(right, &here, scope);
            }
            Term::BinOp(left, BinaryOp::Pipe(Some(Pattern::Var(name))), right) => {
                let bound = self.term(left, here, scope)?;
                let mut scope = scope.clone();
                scope.insert((*name).to_owned(), bound);
                return self.term(right, here, &scope);
            }
            Term::Num(number) => Hcl::number(number)?,
            Term::Str(format, parts) => self.string(*format, parts, here, scope)?,
            Term::Arr(None) => Hcl::new("[]", Kind::List),
            Term::Arr(Some(items)) => self.list(items, here, scope)?,
            Term::Obj(entries) => self.object(entries, here, scope)?,
            Term::Neg(inner) => Hcl::new(format!("-{}", self.value(inner, here, scope)?.operand()), Kind::Number),
            Term::BinOp(left, operator, right) => self.operator(left, operator, right, here, scope)?,
            Term::IfThenElse(cases, other) => self.choice(cases, other.as_deref(), here, scope)?,
            Term::Call(name, arguments) => self.call(name, arguments, here, scope)?,
            Term::Recurse => return Err("`..` has no counterpart in Terraform".to_owned()),
            Term::Fold(what, ..) => return Err(format!("`{what}` has no counterpart in Terraform")),
            Term::TryCatch(..) => return Err("`try` and `?` have no counterpart in Terraform".to_owned()),
            Term::Def(..) => return Err("`def` has no counterpart in Terraform".to_owned()),
            Term::Label(..) | Term::Break(_) => return Err("`label` has no counterpart in Terraform".to_owned()),
        };
        Ok(Here::Value(value))
    }

    fn path(
        &mut self,
        base: &Term<&str>,
        path: &Path<Term<&str>>,
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Here<'a>, String> {
        let mut found = self.term(base, here, scope)?;
        for (part, _) in &path.0 {
            found = self.part(&found, part, here, scope)?;
        }
        Ok(found)
    }

    fn part(&mut self, of: &Here<'a>, part: &Part<Term<&str>>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Here<'a>, String> {
        let Part::Index(index) = part else {
            return Err("`.[]` and slices can stand in `[…]` and in `map(…)` alone".to_owned());
        };
        if let Some(name) = literal(index) {
            return self.member(of, &name);
        }
        let Here::Value(value) = of else { return Err("a key that is computed has no counterpart in Terraform".to_owned()) };
        match self.value(index, here, scope)? {
            position if position.kind == Kind::Number && !position.text.starts_with('-') => {
                Ok(Here::Value(Hcl::path(format!("{}[{}]", value.operand(), position.text))))
            }
            _ => Err("a key that is computed, or counted from the end, has no counterpart in Terraform".to_owned()),
        }
    }

    fn member(&mut self, of: &Here<'a>, name: &str) -> Result<Here<'a>, String> {
        Ok(match of {
            Here::Input => match name {
                "params" => Here::Params,
                "connections" => Here::Connections,
                "outputs" => Here::Outputs,
                "envs" => Here::Envs,
                "secrets" => Here::Secrets,
                _ => return Err(format!("there is no `.{name}`: it is given params, connections, envs, secrets and outputs")),
            },
            Here::Params | Here::Connections | Here::Secrets if text::is_identifier(name) => {
                Here::Value(Hcl::new(format!("var.{name}"), Kind::Unknown))
            }
            Here::Params | Here::Connections | Here::Secrets => {
                return Err(format!("`{name}` cannot be the name of a variable"));
            }
            Here::Outputs => {
                let value = self.around.outputs.get(name).ok_or_else(|| format!("the module has no output `{name}`"))?;
                Here::Value(Hcl::output(value))
            }
            Here::Envs => {
                let program = self.around.envs.get(name).ok_or_else(|| format!("`app.envs` has no `{name}`"))?;
                let wrong = |why: String| format!("in `app.envs.{name}`, {why}");
                let term = parse(program).map_err(wrong)?;
                let value = self.value(&term, &Here::Input, &Scope::default()).map_err(wrong)?;
                Here::Value(value.as_text())
            }
            Here::Value(value) => Here::Value(value.member(name, self.around.locals)),
        })
    }

    fn object(
        &mut self,
        entries: &[(Term<&str>, Option<Term<&str>>)],
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Hcl<'a>, String> {
        let mut made: Vec<(String, Hcl<'a>)> = Vec::new();
        for (key, value) in entries {
            let name = match key {
                Term::Var(name) => name.trim_start_matches('$').to_owned(),
                other => literal(other).ok_or("a key that is computed has no counterpart in Terraform")?,
            };
            let value = match (value, key) {
                (Some(value), _) => self.value(value, here, scope)?,
                (None, Term::Var(_)) => self.value(key, here, scope)?,
                (None, _) => match self.member(here, &name)? {
                    Here::Value(value) => value,
                    other => return Err(format!("it takes {} as a whole: name what it takes of it", other.named())),
                },
            };
            made.retain(|(known, _)| *known != name);
            made.push((name, value));
        }
        Ok(Hcl::object(made))
    }

    fn string(
        &mut self,
        format: Option<&str>,
        parts: &[StrPart<&str, Term<&str>>],
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Hcl<'a>, String> {
        let mut written = String::from("\"");
        for part in parts {
            match part {
                StrPart::Str(text) => written.push_str(&text::escaped(text)),
                StrPart::Char(c) => written.push_str(&text::escaped(&c.to_string())),
                StrPart::Term(term) => {
                    let value = self.value(term, here, scope)?;
                    let value = functions::formatted(format.unwrap_or("@text"), &value)?;
                    written.push_str(&format!("${{{}}}", value.text()));
                }
            }
        }
        written.push('"');
        Ok(Hcl::new(written, Kind::Text))
    }

    fn choice(
        &mut self,
        cases: &[(Term<&str>, Term<&str>)],
        other: Option<&Term<&str>>,
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Hcl<'a>, String> {
        let mut made = match (other, here) {
            (Some(term), _) => self.value(term, here, scope)?,
            (None, Here::Value(value)) => value.clone(),
            (None, _) => return Err("an `if` without `else` needs a value before it".to_owned()),
        };
        for (condition, then) in cases.iter().rev() {
            let condition = self.value(condition, here, scope)?.truth();
            let then = self.value(then, here, scope)?;
            let kind = then
                .kind
                .with(made.kind)
                .ok_or("an `if` whose branches are of different types has no counterpart in Terraform")?;
            made = Hcl::new(format!("{} ? {} : {}", text::grouped(&condition), then.operand(), made.operand()), kind);
        }
        Ok(made)
    }
}
