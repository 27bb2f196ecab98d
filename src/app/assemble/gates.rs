//! What plugins may contain, and whether they keep to it and to their contracts.

use super::Resolved;
use crate::app::load::{self, Organization};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::{Ceilings, StepRunner};
use crate::engine::{self, StepRunners};
use crate::policy::rules::{self, Run, Stage};
use crate::policy::{self, Gates};
use crate::request::cli;

/// What the modules may contain: the request narrows the context's ceilings (R71).
pub(in crate::app) fn gates(organization: &Organization, arguments: &cli::Terraform) -> Result<Gates, Problems> {
    let ceilings = organization.context.as_ref().map_or_else(Ceilings::default, |context| context.ceilings.clone());
    if arguments.allow_local_exec && !ceilings.local_exec {
        return Err(Diagnostic::error(
            FailureReason::Ceiling,
            "`allow-local-exec` is asked for, but the context's ceiling forbids it",
        )
        .note("`ceilings.local-exec` in `context.yaml` is `false`, or not written, which means the same")
        .help("do without, or ask the platform team to raise the ceiling")
        .into());
    }
    let modules = match (&arguments.allowed_modules, ceilings.modules) {
        (Some(asked), Some(ceiling)) => {
            if let Some(prefix) = asked.iter().find(|prefix| !policy::allows_module(prefix, &ceiling)) {
                return Err(Diagnostic::error(
                    FailureReason::Ceiling,
                    format!("`allowed-modules` names `{prefix}`, which the context's ceiling does not allow"),
                )
                .note(format!("the ceiling allows {}", ceiling.join(", ")))
                .help("name only prefixes inside the ceiling")
                .into());
            }
            Some(asked.clone())
        }
        (asked, ceiling) => asked.clone().or(ceiling),
    };
    Ok(Gates { local_exec: arguments.allow_local_exec, modules, providers: ceilings.providers })
}

/// Where the scripts of plugins may run: in containers, unless the context's ceiling says something else.
pub(in crate::app) fn step_runners(organization: &Organization, arguments: &cli::Terraform) -> StepRunners {
    let ceiling = organization.context.as_ref().and_then(|context| context.ceilings.step_runners.clone());
    StepRunners { asked: arguments.step_runner.asked(), permitted: ceiling.unwrap_or_else(|| vec![StepRunner::Docker]) }
}

/// What speaks against the scripts of plugins, and against all that takes what is sealed, before anything runs.
pub(in crate::app) fn check_steps(resolved: &Resolved, arguments: &cli::Terraform) -> Problems {
    let runners = step_runners(&resolved.organization, arguments);
    let mut problems = engine::check_steps(&resolved.deployment, &runners, &resolved.keys);
    problems.extend(engine::unopenable(&resolved.deployment, &resolved.keys));
    problems
}

/// Gates and contracts of all plugins, before any Terraform starts (R10, R13).
pub(in crate::app) fn check_modules(resolved: &Resolved, gates: &Gates) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let plugins = resolved.deployment.plugins.iter().map(|(alias, plugin)| (alias, plugin, &resolved.contents[alias]));
    // One whose templates need what is not there yet is looked at when it is applied.
    for (alias, plugin, content) in plugins.filter(|(_, _, content)| content.is_rendered()) {
        let mut found = policy::check_contract(&plugin.plugin, &plugin.outputs, content.module());
        found.extend(policy::gate(&content.modules, gates));
        problems.extend(load::in_plugin(&resolved.folders[alias], found));
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// What the organization's rules say of the deployment: what they forbid is an error.
pub(in crate::app) fn judge(resolved: &Resolved, run: &Run<'_>) -> Problems {
    let deployment = &resolved.deployment;
    let rules = match &resolved.organization.rules {
        Ok(rules) => rules,
        Err(unreadable) => return unreadable.clone(),
    };
    if !rules.has(Stage::Deployment) {
        return Problems::default();
    }
    let findings = rules.judge(Stage::Deployment, &rules::of_deployment(deployment, run)).into_iter().map(|finding| {
        let entry = finding.alias.as_ref().filter(|alias| deployment.plugins.contains_key(*alias));
        let pointer = entry.map_or_else(|| Pointer::keys(["plugins"]), |alias| Pointer::keys(["plugins", alias.as_str()]));
        let problem = finding.diagnostic();
        let named = entry.map_or_else(|| problem.message.clone(), |alias| format!("`{alias}`: {}", problem.message));
        Diagnostic { message: named, ..problem }.at(&deployment.file, pointer.at_key())
    });
    Problems(findings.collect())
}
