//! Lists, and what goes through them.

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::path::{Opt, Part};

use super::values::{Hcl, Here, Kind};
use super::{Scope, Translator};

/// One `.[]`: what is gone through, and what is made of each item.
struct Each<'a> {
    source: Hcl<'a>,
    name: String,
    conditions: Vec<String>,
    here: Here<'a>,
}

impl<'a> Translator<'a> {
    pub(super) fn list(&mut self, items: &Term<&str>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Hcl<'a>, String> {
        let mut parts = Vec::new();
        let mut flat = true;
        for item in commas(items) {
            match self.each(item, here, scope)? {
                Some(each) => {
                    flat = false;
                    parts.push(each.written()?);
                }
                None => parts.push(self.value(item, here, scope)?.text()),
            }
        }
        let text =
            match (&parts[..], flat) {
                (_, true) => format!("[{}]", parts.join(", ")),
                ([one], _) => one.clone(),
                _ => return Err(
                    "a list that is put together of items and of what `.[]` gives has no counterpart: write it as `[…] + […]`"
                        .to_owned(),
                ),
            };
        Ok(Hcl::new(text, Kind::List))
    }

    /// What a term gives for each item of a list; none where it gives one value.
    fn each(&mut self, term: &Term<&str>, here: &Here<'a>, scope: &Scope<'a>) -> Result<Option<Each<'a>>, String> {
        match term {
            Term::Path(base, path) => {
                let Some(at) = path.0.iter().position(|(part, _)| matches!(part, Part::Range(None, None))) else {
                    return Ok(None);
                };
                let (before, after) = path.0.split_at(at);
                let mut source = self.term(base, here, scope)?;
                for (part, _) in before {
                    source = self.part(&source, part, here, scope)?;
                }
                let Here::Value(source) = source else { return Err(format!("it goes through {}", source.named())) };
                self.names += 1;
                let name = format!("item{}", self.names);
                let mut found = Here::Value(Hcl::new(name.clone(), Kind::Unknown));
                for (part, optional) in after.iter().skip(1) {
                    if matches!(optional, Opt::Optional) {
                        return Err("`?` has no counterpart in Terraform".to_owned());
                    }
                    found = self.part(&found, part, here, scope)?;
                }
                Ok(Some(Each { source, name, conditions: Vec::new(), here: found }))
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => match self.each(left, here, scope)? {
                Some(mut each) => {
                    self.follow(&mut each, right, scope)?;
                    Ok(Some(each))
                }
                None => match contains_each(right) {
                    true => {
                        let here = self.term(left, here, scope)?;
                        self.each(right, &here, scope)
                    }
                    false => Ok(None),
                },
            },
            _ => Ok(None),
        }
    }

    /// One more step behind a `.[]`.
    fn follow(&mut self, each: &mut Each<'a>, term: &Term<&str>, scope: &Scope<'a>) -> Result<(), String> {
        match term {
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                self.follow(each, left, scope)?;
                self.follow(each, right, scope)
            }
            Term::Call("select", arguments) if arguments.len() == 1 => {
                let condition = self.value(&arguments[0], &each.here, scope)?;
                each.conditions.push(condition.truth());
                Ok(())
            }
            other => {
                each.here = self.term(other, &each.here.clone(), scope)?;
                Ok(())
            }
        }
    }
}

impl Each<'_> {
    fn written(&self) -> Result<String, String> {
        let Here::Value(value) = &self.here else { return Err(format!("it gives {}", self.here.named())) };
        let condition = match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" if {}", self.conditions.join(" && ")),
        };
        Ok(format!("[for {} in {} : {}{condition}]", self.name, self.source.operand(), value.operand()))
    }
}

/// The terms between commas.
fn commas<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => commas(left).into_iter().chain(commas(right)).collect(),
        one => vec![one],
    }
}

/// Whether a term starts by going through a list.
fn contains_each(term: &Term<&str>) -> bool {
    match term {
        Term::Path(_, path) => path.0.iter().any(|(part, _)| matches!(part, Part::Range(None, None))),
        Term::BinOp(left, BinaryOp::Pipe(None), _) => contains_each(left),
        _ => false,
    }
}
