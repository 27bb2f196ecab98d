//! What speaks against the steps of a deployment, before anything runs.

use super::effective;
use super::opening::{Unopened, unopened};
use crate::domain::address::AliasMember;
use crate::domain::connection::Handle;
use crate::domain::deployment::{Choice, Deployment, ResolvedPlugin, ResolvedSlot};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, AttributeName, SlotName};
use crate::domain::step::StepsPart;
use crate::engine::{Keys, StepRunners};
use crate::secrets::check_recipients;
use crate::steps::choose;

/// Whether every plugin's steps may run where they would, and every secret that they leave can be sealed (R60).
pub fn check_steps(deployment: &Deployment, runners: &StepRunners, keys: &Keys) -> Problems {
    let mut problems = Problems::default();
    for (alias, plugin) in &deployment.plugins {
        let Some(part) = effective(plugin) else { continue };
        let at = |problem: Diagnostic| problem.at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key());
        if let Err(problem) = choose(runners.asked, &part.runner, &runners.permitted) {
            problems.push(at(Diagnostic { message: format!("`{alias}`: {}", problem.message), ..*problem }));
        }
        problems.0.extend(unsealable(alias, &part, keys).map(at));
    }
    problems
}

fn unsealable(alias: &Alias, part: &StepsPart, keys: &Keys) -> Option<Diagnostic> {
    let outputs = part.create.iter().flat_map(|step| step.outputs.iter().map(move |output| (&step.name, output)));
    let (step, output) = outputs.into_iter().find(|(_, output)| output.sensitive)?;
    let problem = check_recipients(&keys.recipients).err()?;
    let message = format!("what step `{step}` of `{alias}` leaves as `{}` is a secret, and {problem}", output.name);
    Some(
        Diagnostic::error(FailureReason::InvalidInput, message)
            .note("what a step leaves is recorded, so that others and its delete steps have it; a secret only sealed")
            .help("make a key with `age-keygen`, and write its public key, `age1…`, under `sealing.recipients` of `context.yaml` or of the environment"),
    )
}

/// What is sealed that an applied plugin asks for, where there is nothing to open it with.
pub fn unopenable(deployment: &Deployment, keys: &Keys) -> Problems {
    if keys.opener.is_some() {
        return Problems::default();
    }
    let mut problems = Problems::default();
    for (alias, plugin) in &deployment.plugins {
        for (slot, resolved) in &plugin.slots {
            for attribute in resolved.slot.sensitive.iter().filter(|name| is_sealed(deployment, resolved, name)) {
                let problem = unopened(&named(alias, slot, attribute), &Unopened::NoIdentity);
                problems.push(problem.at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key()));
            }
        }
    }
    problems
}

fn named(alias: &Alias, slot: &SlotName, attribute: &AttributeName) -> String {
    format!("{}.{attribute}", AliasMember { alias: alias.clone(), member: slot.clone() })
}

/// Whether a sensitive attribute is sealed, or will be by the time that it is asked for.
fn is_sealed(deployment: &Deployment, resolved: &ResolvedSlot, attribute: &AttributeName) -> bool {
    // What a mapping makes a sensitive attribute of may be any of the connection's own.
    let is_it = |own: &AttributeName| resolved.conversion.is_some() || own == attribute;
    match &resolved.choice {
        Choice::Connection(chosen) => {
            let mut own = chosen.face().sensitive.iter().filter(|(name, _)| is_it(name));
            own.any(|(_, handle)| matches!(handle, Handle::Sealed { .. }))
        }
        Choice::Link { alias, output } => {
            let producer = deployment.plugins.get(alias);
            producer.is_some_and(|producer| comes_from_step(producer, output.as_str(), is_it))
        }
        Choice::Pending { .. } | Choice::Unset => false,
    }
}

fn comes_from_step(producer: &ResolvedPlugin, output: &str, is_it: impl Fn(&AttributeName) -> bool) -> bool {
    let mut faces = producer.outputs.get(output).into_iter().flatten();
    faces.any(|face| {
        let sensitive = face.connection_type.sensitive();
        let mut from = face.from.iter().filter(|(name, _)| sensitive.contains(*name) && is_it(name));
        from.any(|(_, from)| producer.plugin.step_output(from).is_some())
    })
}
