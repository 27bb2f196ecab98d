//! What plugins may contain, and whether they keep to it and to their contracts.

use super::Resolved;
use crate::app::load::{self, Organization};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::Ceilings;
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
            let outside: Vec<&String> =
                asked.iter().filter(|prefix| !ceiling.iter().any(|allowed| prefix.starts_with(allowed.as_str()))).collect();
            if let Some(prefix) = outside.first() {
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

/// Gates and contracts of all plugins, before any Terraform starts (R10, R13).
pub(in crate::app) fn check_modules(resolved: &Resolved, gates: &Gates) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (alias, plugin) in &resolved.deployment.plugins {
        let content = &resolved.contents[alias];
        let mut found = policy::check_contract(&plugin.plugin, &plugin.outputs, content.module());
        found.extend(policy::gate(&content.modules, gates));
        problems.extend(load::in_plugin(&resolved.folders[alias], found));
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}
