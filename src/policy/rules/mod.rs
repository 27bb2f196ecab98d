//! The organization's own rules, written in Rego: texts of policies and an input in, what they forbid and warn of out.
//!
//! Rego is evaluated by `regorus`, built without everything that reaches a network, a clock, a random source or this process's
//! surroundings: the same policies and the same input always come to the same findings. Whatever goes wrong on the way denies.

mod calls;
mod input;
mod place;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Module, NodeRef, Parser, Rule, RuleHead};
use serde_json::Value;

use self::place::{Place, told};

use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::visible::{shortened, visible};

pub use input::{Run, VERSION, of_deployment, of_plan};

/// The package that everything which is asked is in or below.
const ROOT: &str = "tieline";
/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 1000;
/// How deep brackets may be nested: with each level the parser takes twice as long.
const DEEPEST: usize = 16;
/// The most messages of one rule.
const MOST_MESSAGES: usize = 100;

/// When rules are asked; the package that they are in says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before anything is touched, about the resolved deployment: `package tieline.deployment`.
    Deployment,
    /// After each plan and before its apply: `package tieline.plan`.
    Plan,
}

impl Stage {
    /// The stage of a package's path.
    fn of(package: &[&str]) -> Option<Self> {
        match package {
            [ROOT, "deployment", ..] => Some(Self::Deployment),
            [ROOT, "plan", ..] => Some(Self::Plan),
            _ => None,
        }
    }
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing goes on.
    Deny,
    /// It is said, and the run goes on.
    Warn,
}

impl Effect {
    /// The effect of the rules of this name.
    fn of(name: &str) -> Option<Self> {
        match name {
            "deny" => Some(Self::Deny),
            "warn" => Some(Self::Warn),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
        }
    }
}

/// The policies of a context, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    engine: regorus::Engine,
    rules: Vec<Asked>,
}

/// A rule that is asked.
#[derive(Debug, Clone)]
struct Asked {
    stage: Stage,
    effect: Effect,
    /// Its package.
    package: Vec<String>,
    module: NodeRef<Module>,
    rule: NodeRef<Rule>,
    place: Place,
}

/// What a rule had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What follows from it.
    pub effect: Effect,
    /// The applied plugin that it names, if it names one.
    pub alias: Option<Alias>,
    /// What was said, harmless and not long.
    pub message: String,
    place: Place,
    /// Whether the policy itself is what went wrong.
    is_broken: bool,
}

impl Rules {
    /// Reads policies, each with the name that people know it by.
    ///
    /// # Errors
    /// Everything that is no Rego, at its line; and what would never be asked although it looks like it.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Problems> {
        work::bound();
        let mut rules = Self::default();
        let mut problems = Problems::default();
        rules.engine.set_strict_builtin_errors(true);
        rules.engine.set_gather_prints(true);
        rules.engine.set_execution_timer_config(work::LIMIT);
        for (file, bytes) in files {
            problems.extend(rules.add(file, bytes).err().unwrap_or_default());
        }
        let policies = rules.engine.get_modules().clone();
        problems.extend(calls::check(&policies));
        for policy in &policies {
            match asked(policy) {
                Ok(found) => rules.rules.extend(found),
                Err(found) => problems.extend(found),
            }
        }
        // What only shows when all of them are looked at together.
        if !problems.any_error()
            && let Err(error) = rules.engine.eval_query("true".to_owned(), false)
        {
            problems.push(unsound(None, &told(error.as_ref())));
        }
        if problems.any_error() { Err(problems) } else { Ok(rules) }
    }

    fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), Problems> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(unsound(Some(file), &(None, "it is not UTF-8".to_owned())).into());
        };
        if nesting(text) > DEEPEST {
            return Err(unsound(Some(file), &(None, "it is nested too deeply".to_owned())).into());
        }
        let added = self.engine.add_policy(file.to_owned(), text.to_owned());
        added.map(drop).map_err(|error| unsound(Some(file), &told(error.as_ref())).into())
    }

    /// Whether there is anything to ask at this stage.
    pub fn has(&self, stage: Stage) -> bool {
        self.rules.iter().any(|rule| rule.stage == stage)
    }

    /// Asks all rules of a stage about `input`, in the order of their files. A rule that fails denies.
    pub fn judge(&self, stage: Stage, input: &Value) -> Vec<Finding> {
        let rules = self.rules.iter().filter(|rule| rule.stage == stage);
        let Ok(input) = serde_json::from_value(input.clone()) else {
            return rules.map(|rule| rule.broken((None, "its input cannot be handed to it".to_owned()))).collect();
        };
        let mut engine = self.engine.clone();
        engine.set_input(input);
        rules.flat_map(|rule| rule.ask(&mut engine)).collect()
    }
}

/// A policy that cannot be read.
fn unsound(file: Option<&str>, (place, what): &(Option<Place>, String)) -> Diagnostic {
    let message = format!("the policy cannot be read: {what}");
    let problem = match (place, file) {
        (Some(place), _) => place.problem(message),
        (None, Some(file)) => Diagnostic::error(FailureReason::InvalidDocument, message).in_file(file),
        (None, None) => Diagnostic::error(FailureReason::InvalidDocument, message),
    };
    problem.help("policies are Rego v1, as `opa fmt` writes it; see docs/policies.md for the functions that there are")
}

/// The rules of a policy that are asked.
fn asked(module: &NodeRef<Module>) -> Result<Vec<Asked>, Problems> {
    let package = path(&module.package.refr);
    let place = Place::of(&module.package.span);
    let parts: Vec<&str> = package.iter().map(String::as_str).collect();
    let Some(stage) = Stage::of(&parts) else {
        if parts.first() == Some(&ROOT) {
            let message = format!("nothing is asked in the package `{}`", parts.join("."));
            let stages =
                "name it `tieline.deployment` or `tieline.plan`, or below one of them; what others import can be anywhere else";
            return Err(place.problem(message).help(stages).into());
        }
        return Ok(Vec::new());
    };
    let rules = module.policy.iter().filter_map(|rule| {
        let Rule::Spec { span, head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. }, .. } = &**rule else {
            return None;
        };
        let effect = Effect::of(path(refr).first()?)?;
        let (module, rule, package) = (module.clone(), rule.clone(), package.clone());
        Some(Asked { stage, effect, package, module, rule, place: Place::of(span) })
    });
    let rules: Vec<Asked> = rules.collect();
    if rules.is_empty() {
        let message = format!("the policy in the package `{}` has no rule `deny` or `warn`", parts.join("."));
        return Err(place
            .problem(message)
            .note("only these two are asked, so it would never forbid anything")
            .help(
                "add one, such as `deny contains msg if { \u{2026} }`; what others import belongs into a package of another name",
            )
            .into());
    }
    Ok(rules)
}

/// How deep brackets are nested outside of texts and comments.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' => _ = bytes.find(|byte| *byte == b'\n'),
            b'`' => _ = bytes.find(|byte| *byte == b'`'),
            b'"' => while bytes.next().is_some_and(|byte| byte != b'"' && (byte != b'\\' || bytes.next().is_some())) {},
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The parts of a reference.
fn path(refr: &NodeRef<Expr>) -> Vec<String> {
    let parts = Parser::get_path_ref_components(refr).unwrap_or_default();
    parts.iter().map(|part| part.text().to_owned()).collect()
}

impl Asked {
    fn ask(&self, engine: &mut regorus::Engine) -> Vec<Finding> {
        let data = match engine.eval_rule_in_module(&self.module, &self.rule, false) {
            Ok(data) => data,
            Err(error) => return vec![self.broken(told(error.as_ref()))],
        };
        let said = self.package.iter().fold(&data, |value, part| &value[part.as_str()]);
        let said = &said[self.effect.name()];
        if said == &regorus::Value::Undefined {
            return Vec::new();
        }
        let Ok(Value::Array(messages)) = serde_json::to_value(said) else { return vec![self.no_messages()] };
        let count = messages.len();
        let mut findings: Vec<Finding> = messages.iter().take(MOST_MESSAGES).map(|message| self.found(message)).collect();
        if count > MOST_MESSAGES {
            findings.push(self.finding(&format!("and {} more of this rule", count - MOST_MESSAGES)));
        }
        findings
    }

    /// A message is a text, or an object with a text `msg`, which may name an applied plugin as `alias`.
    fn found(&self, message: &Value) -> Finding {
        let text = message.as_str().or_else(|| message["msg"].as_str());
        let alias = message["alias"].as_str().and_then(|alias| Alias::new(alias).ok());
        text.map_or_else(|| self.no_messages(), |text| Finding { alias, ..self.finding(text) })
    }

    fn finding(&self, text: &str) -> Finding {
        let message = shortened(&visible(text), LONGEST_MESSAGE);
        Finding { effect: self.effect, alias: None, message, place: self.place.clone(), is_broken: false }
    }

    fn no_messages(&self) -> Finding {
        let message = format!("its rule `{}` yields something else than messages", self.effect.name());
        Finding { effect: Effect::Deny, is_broken: true, ..self.finding(&message) }
    }

    fn broken(&self, (place, message): (Option<Place>, String)) -> Finding {
        let place = place.unwrap_or_else(|| self.place.clone());
        Finding { effect: Effect::Deny, is_broken: true, place, ..self.finding(&message) }
    }
}

impl Finding {
    /// The same as a problem, which is still to be given a place in what was judged.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { message, place, .. } = self;
        let problem = match self.effect {
            _ if self.is_broken => {
                let message = format!("the policy `{}` cannot be asked, which counts as a refusal: {message}", place.file);
                Diagnostic::error(FailureReason::PolicyDenied, message)
            }
            Effect::Deny => Diagnostic::error(FailureReason::PolicyDenied, format!("a policy forbids it: {message}")),
            Effect::Warn => Diagnostic::warning(FailureReason::PolicyDenied, format!("a policy warns: {message}")),
        };
        let rule = self.effect.name();
        let problem = problem.note(format!("rule `{rule}` at {place}"));
        match self.effect {
            _ if self.is_broken => problem.help("have the policy corrected in the context repository"),
            Effect::Deny => problem.help("change what it forbids, or ask those who own the policy in the context repository"),
            Effect::Warn => problem,
        }
    }
}
