//! The organization's rules about plans: asked after each plan that would change something, and before its apply.

use serde_json::{Map, Value};

use super::event::Event;
use super::fingerprint::{masked, with_texts};
use super::{Engine, Node, attributes};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::policy::rules::{self, Effect, Stage};
use crate::render;

/// What stays of a plan: all but the values of variables, the former state, which `before` has, and the time.
const KEPT: [&str; 7] = [
    "format_version",
    "terraform_version",
    "resource_changes",
    "resource_drift",
    "output_changes",
    "planned_values",
    "configuration",
];

impl Engine {
    /// Whether there are rules about plans, or may be.
    pub(super) fn has_plan_rules(&self) -> bool {
        self.rules.as_ref().map_or(true, |rules| rules.has(Stage::Plan))
    }

    /// Asks the rules about a task's plan. What they warn of is told; what they forbid comes back.
    pub(super) fn denied(&self, node: &Node, shown: &Value) -> Problems {
        let rules = match &self.rules {
            Ok(rules) => rules,
            Err(unreadable) => return unreadable.clone(),
        };
        let alias = node.alias();
        let removed = matches!(node, Node::Destroy(_)).then(|| &self.removed[alias].record);
        let input = rules::of_plan(&self.deployment, &self.settings.who(), alias, removed, self.masked(shown));
        let mut denied = Problems::default();
        for finding in rules.judge(Stage::Plan, &input) {
            let diagnostic = self.at_plan(node, finding.diagnostic());
            match finding.effect {
                Effect::Deny => denied.push(diagnostic),
                Effect::Warn => {
                    self.add_note(format!("`{alias}`: {}", diagnostic.message));
                    self.emit(Event::Warning(diagnostic));
                }
            }
        }
        denied
    }

    /// Refuses what the rules forbid.
    pub(super) fn allowed(&self, node: &Node, shown: &Value) -> Result<(), Problems> {
        let denied = self.denied(node, shown);
        if denied.any_error() { Err(denied) } else { Ok(()) }
    }

    fn at_plan(&self, node: &Node, diagnostic: Diagnostic) -> Diagnostic {
        let alias = node.alias();
        let task = if matches!(node, Node::Destroy(_)) { "destroy" } else { "plan" };
        let message = format!("the {task} of `{alias}`: {}", diagnostic.message);
        Diagnostic { message, ..diagnostic }.at(&self.deployment.file, self.pointer(alias))
    }

    /// A plan without secrets (R66), without the run's own folder, and without the resources that are ours.
    fn masked(&self, shown: &Value) -> Value {
        let secrets = attributes::Secrets::of(shown, &self.redactor);
        let kept: Map<String, Value> =
            KEPT.iter().filter_map(|key| Some(((*key).to_owned(), shown.get(*key)?.clone()))).collect();
        let mut plan = Value::Object(kept);
        for list in ["resource_changes", "resource_drift"] {
            if let Some(resources) = plan[list].as_array_mut() {
                resources.retain(|resource| !resource["address"].as_str().is_some_and(render::names::is_own_resource));
                for resource in resources {
                    mask_change(&mut resource["change"]);
                }
            }
        }
        for (_, change) in plan["output_changes"].as_object_mut().into_iter().flatten() {
            mask_change(change);
        }
        if plan["planned_values"].is_object() {
            mask_values(&mut plan["planned_values"]);
        }
        let directory = self.folder.to_string_lossy();
        let clean = |text: &str| secrets.clean(text).replace(&*directory, "(run)");
        with_texts(&plan, &clean)
    }
}

/// What changes, with markers where the plan says that something is secret. What is not known yet stays away, as Terraform has it.
fn mask_change(change: &mut Value) {
    for side in ["before", "after"] {
        change[side] = masked(&change[side], &Value::Null, &change[format!("{side}_sensitive")]);
    }
}

/// The planned values of a module and of those that it calls; of the root, which is ours, only those.
fn mask_values(planned: &mut Value) {
    if let Some(outputs) = planned["outputs"].as_object_mut() {
        outputs.values_mut().for_each(|output| output["value"] = masked(&output["value"], &Value::Null, &output["sensitive"]));
    }
    if let Some(root) = planned["root_module"].as_object_mut() {
        root.remove("resources");
        mask_module(&mut planned["root_module"]);
    }
}

fn mask_module(module: &mut Value) {
    for resource in module["resources"].as_array_mut().into_iter().flatten() {
        resource["values"] = masked(&resource["values"], &Value::Null, &resource["sensitive_values"]);
    }
    module["child_modules"].as_array_mut().into_iter().flatten().for_each(mask_module);
}
