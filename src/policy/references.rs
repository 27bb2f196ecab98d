//! Which names an expression takes its value from, and which variables of a module reach the settings of providers.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::template::Template;
use hcl_edit::visit::{Visit, visit_traversal};
use serde_json::Value;

use crate::domain::module::{Module, Reference};

#[derive(Default)]
struct References(BTreeSet<Reference>);

impl Visit for References {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(root) = &traversal.expr {
            let attributes = traversal.operators.iter().map_while(|operator| match operator.value() {
                TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
                _ => None,
            });
            self.0.insert(std::iter::once(root.as_str().to_owned()).chain(attributes).collect());
        }
        visit_traversal(self, traversal);
    }
}

/// The names in an expression.
pub(super) fn in_expression(expression: &Expression) -> BTreeSet<Reference> {
    let mut references = References::default();
    references.visit_expr(expression);
    references.0
}

/// The names in the templates of a JSON value, at any depth. What is no template Terraform refuses.
pub(super) fn in_json(value: &Value) -> BTreeSet<Reference> {
    match value {
        Value::String(text) => {
            let mut references = References::default();
            if let Ok(template) = text.parse::<Template>() {
                references.visit_template(&template);
            }
            references.0
        }
        Value::Array(items) => items.iter().flat_map(in_json).collect(),
        Value::Object(entries) => entries.values().flat_map(in_json).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => BTreeSet::new(),
    }
}

/// The variables that provider configurations are made from, in the module at `key` or in those that it calls: each with the way
/// into it, as far as that is plain. What resources hold is not followed: a destroy has it from the state.
///
/// `modules` are all modules by the way to them from the root, such as `plugin.vpc`.
pub fn provider_variables(modules: &BTreeMap<String, Module>, key: &str) -> BTreeSet<Reference> {
    let Some(module) = modules.get(key) else { return BTreeSet::new() };
    let flows = &module.flows;
    let mut waiting: Vec<&Reference> = flows.providers.iter().collect();
    for (call, arguments) in &flows.arguments {
        let taken = provider_variables(modules, &format!("{key}.{call}"));
        let reaching = arguments.iter().filter(|(argument, _)| taken.iter().any(|way| way.first() == Some(argument)));
        waiting.extend(reaching.flat_map(|(_, references)| references));
    }
    let (mut seen, mut variables) = (BTreeSet::new(), BTreeSet::new());
    while let Some(reference) = waiting.pop() {
        if !seen.insert(reference) {
            continue;
        }
        match &reference[..] {
            [root, way @ ..] if root == "var" => _ = variables.insert(way.to_vec()),
            [root, call, ..] if root == "module" => {
                waiting.extend(flows.arguments.get(call).into_iter().flat_map(BTreeMap::values).flatten());
            }
            parts => {
                let named = |most: usize| flows.named.get(&parts[..parts.len().min(most)]);
                waiting.extend(named(2).into_iter().chain(named(3)).flatten());
            }
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::read;

    fn module(file: &str, text: &str) -> Module {
        read(&BTreeMap::from([(file.to_owned(), text.as_bytes().to_vec())]), "").unwrap()
    }

    fn ways(modules: &[(&str, Module)]) -> Vec<String> {
        let modules = modules.iter().map(|(key, module)| ((*key).to_owned(), module.clone())).collect();
        provider_variables(&modules, "plugin").into_iter().map(|way| way.join(".")).collect()
    }

    #[test]
    fn r32_what_reaches_a_provider_is_followed_through_locals_data_and_modules() {
        let own = r#"
            provider "postgresql" {
              host = var.db.host
              dynamic "tls" {
                for_each = [1]
                content { key = local.key }
              }
            }
            locals {
              key  = "${upper(local.deep)}-x"
              deep = var.deep["a"]
              idle = var.idle
            }
            data "vault" "it" { path = var.path }
            provider "other" { token = data.vault.it.value }
            resource "x" "y" { password = var.db.password }
            provider "third" { token = x.y.token }
            module "inner" {
              source = "./inner"
              handed = var.handed
              unused = var.unused
            }
        "#;
        let inner = r#"{"provider": {"a": {"token": "x-${var.handed.token}"}}, "variable": {"handed": {}, "unused": {}}}"#;
        let modules = [("plugin", module("main.tf", own)), ("plugin.inner", module("main.tf.json", inner))];
        assert_eq!(ways(&modules), ["db.host", "deep", "handed", "path"]);
    }
}
