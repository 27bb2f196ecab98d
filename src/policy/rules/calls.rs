//! The functions that policies call, looked at before any is called: one that is not there would only be missed once a rule comes to
//! it, and one that calls itself would not come to an end.

use std::collections::BTreeSet;

use petgraph::algo::toposort;
use petgraph::graphmap::DiGraphMap;
use regorus::unstable::{BUILTINS, Module, NodeRef};
use serde_json::Value;

use super::path;
use super::place::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};

/// A call in a policy.
struct Call {
    /// The function in which it stands, if it stands in one.
    within: Option<String>,
    /// What it calls, in full.
    function: String,
    arguments: usize,
    place: Place,
}

/// Looks at all calls of policies.
pub(super) fn check(policies: &[NodeRef<Module>]) -> Problems {
    let scopes: Vec<Scope> = policies.iter().map(|policy| Scope::of(policy)).collect();
    let functions: BTreeSet<String> = scopes.iter().flat_map(Scope::functions).collect();
    let calls: Vec<Call> = scopes.iter().flat_map(|scope| scope.calls(&functions)).collect();
    let mut problems: Vec<Diagnostic> = calls.iter().filter_map(|call| wrong(call, &functions)).collect();
    let within = calls.iter().filter_map(|call| Some((call.within.as_deref()?, call.function.as_str(), ())));
    let graph: DiGraphMap<&str, ()> = within.collect();
    if let Err(cycle) = toposort(&graph, None) {
        let call = calls.iter().find(|call| call.within.as_deref() == Some(cycle.node_id()));
        let message = format!("the function `{}` calls itself, by itself or by others", cycle.node_id());
        problems
            .extend(call.map(|call| call.place.problem(message).help("Rego has no recursion: go through the values instead")));
    }
    Problems(problems)
}

fn wrong(call: &Call, functions: &BTreeSet<String>) -> Option<Diagnostic> {
    let Call { function, place, .. } = call;
    if function == "walk" && call.arguments == 1 {
        let problem = place.problem("`walk` is called as a function with a result, which it cannot be here");
        return Some(problem.help("write `walk(value, [path, inner])`"));
    }
    let is_known = functions.contains(function) || function == "print" || BUILTINS.contains_key(function.as_str());
    (!is_known).then(|| {
        place
            .problem(format!("there is no function `{function}`"))
            .note("there is none that reaches a network, a clock, a random source or the surroundings of the run")
            .help("docs/policies.md lists the functions that there are")
    })
}

/// What names mean in a policy.
struct Scope {
    file: String,
    package: Vec<String>,
    /// What is imported, with the name that it has here.
    imports: Vec<(String, Vec<String>)>,
    /// Its rules, as a syntax tree.
    rules: Vec<Value>,
}

impl Scope {
    fn of(policy: &Module) -> Self {
        let imports = policy.imports.iter().filter_map(|import| {
            let whole = path(&import.refr);
            let name = import.r#as.as_ref().map_or_else(|| whole.last().cloned(), |name| Some(name.text().to_owned()));
            Some((name?, whole))
        });
        let rules = policy.policy.iter().filter_map(|rule| serde_json::to_value(&**rule).ok());
        Self {
            file: policy.package.span.source.get_path().clone(),
            package: path(&policy.package.refr),
            imports: imports.collect(),
            rules: rules.collect(),
        }
    }

    /// The functions that it defines, in full.
    fn functions(&self) -> Vec<String> {
        self.rules.iter().filter_map(|rule| self.function(rule)).collect()
    }

    /// The name of the function that a rule is, if it is one.
    fn function(&self, rule: &Value) -> Option<String> {
        let head = rule["Spec"]["head"].get("Func")?;
        Some([self.package.as_slice(), &path_of_tree(&head["refr"])].concat().join("."))
    }

    fn calls(&self, functions: &BTreeSet<String>) -> Vec<Call> {
        let mut calls = Vec::new();
        for rule in &self.rules {
            self.gather(rule, self.function(rule).as_ref(), functions, &mut calls);
        }
        calls
    }

    fn gather(&self, part: &Value, within: Option<&String>, functions: &BTreeSet<String>, calls: &mut Vec<Call>) {
        if let Some(call) = part.get("Call") {
            calls.push(Call {
                within: within.cloned(),
                function: self.meant(path_of_tree(&call["fcn"]), functions),
                arguments: call["params"].as_array().map_or(0, Vec::len),
                place: self.place(&call["span"]),
            });
        }
        match part {
            Value::Array(parts) => parts.iter().for_each(|part| self.gather(part, within, functions, calls)),
            Value::Object(parts) => parts.values().for_each(|part| self.gather(part, within, functions, calls)),
            _ => {}
        }
    }

    /// The full name of what is called here by this one.
    fn meant(&self, called: Vec<String>, functions: &BTreeSet<String>) -> String {
        let imported = called.first().and_then(|first| self.imports.iter().find(|(name, _)| name == first));
        let called = match imported {
            Some((_, whole)) => [whole, &called[1..]].concat(),
            None => called,
        };
        if called.first().is_some_and(|first| first == "data") {
            return called[1..].join(".");
        }
        let own = [self.package.as_slice(), &called].concat().join(".");
        if functions.contains(&own) { own } else { called.join(".") }
    }

    fn place(&self, span: &Value) -> Place {
        let number = |key: &str| span[key].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        Place { file: self.file.clone(), line: number("line"), column: number("col") }
    }
}

/// The parts of a reference in a syntax tree.
fn path_of_tree(reference: &Value) -> Vec<String> {
    if let Some(dot) = reference.get("RefDot") {
        let mut parts = path_of_tree(&dot["refr"]);
        parts.extend(dot["field"][1].as_str().map(str::to_owned));
        return parts;
    }
    if let Some(bracket) = reference.get("RefBrack") {
        let mut parts = path_of_tree(&bracket["refr"]);
        parts.extend(bracket["index"]["String"]["value"].as_str().map(str::to_owned));
        return parts;
    }
    reference["Var"]["value"].as_str().map(str::to_owned).into_iter().collect()
}
